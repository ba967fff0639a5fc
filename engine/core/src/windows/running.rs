//! Counts and sums that go along with a window, instead of being folded for each anew.
//!
//! What a pane adds to a count or a sum of integers can be taken away again. So the next window is
//! this one, less the panes that it leaves and with those that it comes to.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, UInt64Array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Int64Type, UInt64Type};
use datafusion::common::{Result, internal_err};

use super::aggregation::Aggregation;
use super::fold::Part;
use super::top::Top;

/// The sums of all keys over some panes, by the numbers of the keys.
#[derive(Debug)]
pub(super) struct Running {
    /// The panes that are in.
    pub(super) panes: Range<i64>,
    /// Of how many panes a key has rows.
    present: Presence,
    sums: Vec<Sum>,
    /// The keys that were first in the window before.
    first: Vec<u32>,
}

/// Of how many panes each key has something.
#[derive(Debug, Default, Clone)]
struct Presence {
    panes: Vec<u32>,
    /// How many keys have anything.
    keys: usize,
}

/// One count or sum. An unsigned one is kept by its bits.
#[derive(Debug)]
struct Sum {
    kind: DataType,
    values: Vec<i64>,
    /// Of how many panes a value came: without any the sum is NULL. None while there was no NULL:
    /// a value came of each pane that the key has rows of.
    some: Option<Presence>,
}

impl Running {
    /// Nothing yet; None if there is an aggregate that cannot be taken away again.
    pub(super) fn new(aggregation: &Aggregation) -> Option<Self> {
        let sums = aggregation.aggregates.iter().map(|aggregate| {
            Some(Sum {
                kind: aggregate.running_type()?,
                values: Vec::new(),
                some: None,
            })
        });
        Some(Self {
            panes: 0..0,
            present: Presence::default(),
            sums: sums.collect::<Option<_>>()?,
            first: Vec::new(),
        })
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.panes = 0..0;
        self.present = Presence::default();
        self.first.clear();
        for sum in &mut self.sums {
            sum.values.clear();
            sum.some = None;
        }
    }

    /// Goes to other panes. `keys` is how many keys there are.
    pub(super) fn go_to(
        &mut self,
        panes: &Range<i64>,
        keys: usize,
        mut pane: impl FnMut(i64) -> Result<Option<Arc<Part>>>,
    ) -> Result<()> {
        if self.panes.start > panes.start || self.panes.end <= panes.start {
            self.clear();
            self.panes = panes.start..panes.start;
        }
        self.present.panes.resize(keys, 0);
        for sum in &mut self.sums {
            sum.values.resize(keys, 0);
            if let Some(some) = &mut sum.some {
                some.panes.resize(keys, 0);
            }
        }
        for leaving in self.panes.start..panes.start {
            if let Some(part) = pane(leaving)? {
                self.apply::<false>(&part)?;
            }
        }
        for coming in self.panes.end..panes.end {
            if let Some(part) = pane(coming)? {
                self.apply::<true>(&part)?;
            }
        }
        self.panes = panes.clone();
        Ok(())
    }

    /// Takes a pane away, and all before it, which are gone already.
    pub(super) fn leave(&mut self, pane: i64, part: &Part) -> Result<()> {
        if self.panes.contains(&pane) {
            self.apply::<false>(part)?;
            self.panes.start = pane + 1;
        }
        Ok(())
    }

    fn apply<const COMES: bool>(&mut self, part: &Part) -> Result<()> {
        for (sum, state) in self.sums.iter_mut().zip(&part.states) {
            let nulls = state.nulls().filter(|nulls| nulls.null_count() > 0);
            if nulls.is_some() && sum.some.is_none() {
                sum.some = Some(self.present.clone());
            }
            match &sum.kind {
                DataType::Int64 => {
                    let values = state.as_primitive::<Int64Type>().values().iter().copied();
                    sum.apply::<COMES>(&part.keys, values, nulls);
                }
                DataType::UInt64 => {
                    let values = state.as_primitive::<UInt64Type>().values().iter();
                    sum.apply::<COMES>(&part.keys, values.map(|value| value.cast_signed()), nulls);
                }
                other => return internal_err!("a running sum of {other}"),
            }
        }
        for &key in &*part.keys {
            self.present.count::<COMES>(key);
        }
        Ok(())
    }

    /// Bytes that are held.
    pub(super) fn size(&self) -> usize {
        let of_sums = self.sums.iter().map(|sum| {
            let some = sum.some.as_ref().map_or(0, Presence::size);
            size_of_val(&*sum.values) + some
        });
        self.present.size() + of_sums.sum::<usize>()
    }

    /// The numbers of the keys that have rows, and their values. Of those that are not in the top,
    /// most are left out.
    pub(super) fn values(&mut self, top: Option<&Top>) -> (Vec<u32>, Vec<ArrayRef>) {
        let keys = match top.and_then(|top| self.first(top)) {
            Some(keys) => keys,
            None => {
                let all = (0..)
                    .zip(&self.present.panes)
                    .filter(|(_, present)| **present > 0);
                all.map(|(key, _)| key).collect()
            }
        };
        let values = self.sums.iter();
        let values = values.map(|sum| sum.array(&keys, &self.present));
        let values = values.collect();
        (keys, values)
    }
}

impl Running {
    /// The numbers of the keys that can be in the top; None if some have no value to be ordered by.
    fn first(&mut self, top: &Top) -> Option<Vec<u32>> {
        let sum = &self.sums[top.aggregate];
        let some = sum.some.as_ref().unwrap_or(&self.present);
        if top.rows == 0 || some.keys != self.present.keys {
            return None;
        }
        // The greater comes first: unsigned numbers by their bits, and the other way round if that
        // is how they are ordered.
        let flip = if sum.kind == DataType::UInt64 {
            i64::MIN
        } else {
            0
        };
        let flip = if top.options.descending { flip } else { !flip };
        let rank = |key: u32| sum.values[key as usize] ^ flip;
        let present = &self.present.panes;
        let is_present = |key: &u32| present[*key as usize] > 0;
        // Those that were first in the window before say how much it takes at least.
        let before = self.first.iter().copied().filter(is_present).map(rank);
        let mut first: Vec<u32> = match nth(&mut before.collect::<Vec<_>>(), top.rows) {
            Some(least) => not_less(&sum.values, flip, least)
                .filter(is_present)
                .collect(),
            None => (0..present.len() as u32).filter(is_present).collect(),
        };
        // Equal ones may be before the last of them by another column.
        let mut ranks: Vec<_> = first.iter().copied().map(rank).collect();
        if let Some(bound) = nth(&mut ranks, top.rows) {
            first.retain(|&key| rank(key) >= bound);
        }
        self.first.clone_from(&first);
        Some(first)
    }
}

impl Presence {
    /// Counts a pane of a key that comes or goes.
    fn count<const COMES: bool>(&mut self, key: u32) {
        let panes = &mut self.panes[key as usize];
        if COMES {
            self.keys += usize::from(*panes == 0);
            *panes += 1;
        } else {
            *panes -= 1;
            self.keys -= usize::from(*panes == 0);
        }
    }

    fn size(&self) -> usize {
        size_of_val(&*self.panes)
    }
}

/// The n-th of the greatest values, from 1; None if there are fewer.
fn nth(values: &mut [i64], n: usize) -> Option<i64> {
    let at = n.checked_sub(1).filter(|at| *at < values.len())?;
    let (_, nth, _) = values.select_nth_unstable_by(at, |a, b| b.cmp(a));
    Some(*nth)
}

/// The keys whose values, flipped, are not less than `least`. Few are: most pieces are passed over
/// with one look.
fn not_less(values: &[i64], flip: i64, least: i64) -> impl Iterator<Item = u32> {
    const PIECE: usize = 64;
    let pieces = values.chunks(PIECE).enumerate();
    let pieces = pieces.filter(move |(_, piece)| {
        let greatest = piece.iter().map(|value| value ^ flip).max();
        greatest.is_some_and(|greatest| greatest >= least)
    });
    pieces.flat_map(move |(piece, values)| {
        let keys = (piece * PIECE) as u32..;
        let keys = keys.zip(values);
        keys.filter(move |(_, value)| **value ^ flip >= least)
            .map(|(key, _)| key)
    })
}

impl Sum {
    fn apply<const COMES: bool>(
        &mut self,
        keys: &[u32],
        values: impl Iterator<Item = i64>,
        nulls: Option<&NullBuffer>,
    ) {
        let is_null = |row| nulls.is_some_and(|nulls| nulls.is_null(row));
        for (row, (&key, value)) in keys.iter().zip(values).enumerate() {
            if is_null(row) {
                continue;
            }
            let sum = &mut self.values[key as usize];
            // As DataFusion adds integers: without a look at what carries over.
            *sum = match COMES {
                true => sum.wrapping_add(value),
                false => sum.wrapping_sub(value),
            };
        }
        if let Some(some) = &mut self.some {
            for (row, &key) in keys.iter().enumerate() {
                if !is_null(row) {
                    some.count::<COMES>(key);
                }
            }
        }
    }

    fn array(&self, keys: &[u32], present: &Presence) -> ArrayRef {
        let values = keys.iter().map(|&key| self.values[key as usize]);
        let some = &self.some.as_ref().unwrap_or(present).panes;
        let some = keys.iter().map(|&key| some[key as usize] > 0);
        let nulls = Some(NullBuffer::from_iter(some)).filter(|nulls| nulls.null_count() > 0);
        match self.kind {
            DataType::UInt64 => {
                let values = values.map(i64::cast_unsigned).collect::<Vec<_>>();
                Arc::new(UInt64Array::new(values.into(), nulls))
            }
            _ => Arc::new(Int64Array::new(values.collect::<Vec<_>>().into(), nulls)),
        }
    }
}
