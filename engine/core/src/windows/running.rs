//! Counts and sums that go along with a window, instead of being folded for each anew.
//!
//! What a pane adds to a count or a sum of integers can be taken away again. So the next window is
//! this one, less the panes that it leaves and with those that it comes to.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
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
    present: Vec<u32>,
    sums: Vec<Sum>,
}

/// One count or sum. An unsigned one is kept by its bits.
#[derive(Debug)]
struct Sum {
    kind: DataType,
    values: Vec<i64>,
    /// Of how many panes a value came: without any the sum is NULL.
    some: Vec<u32>,
}

impl Running {
    /// Nothing yet; None if there is an aggregate that cannot be taken away again.
    pub(super) fn new(aggregation: &Aggregation) -> Option<Self> {
        let sums = aggregation.aggregates.iter().map(|aggregate| {
            Some(Sum {
                kind: aggregate.running_type()?,
                values: Vec::new(),
                some: Vec::new(),
            })
        });
        Some(Self {
            panes: 0..0,
            present: Vec::new(),
            sums: sums.collect::<Option<_>>()?,
        })
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.panes = 0..0;
        self.present.clear();
        for sum in &mut self.sums {
            sum.values.clear();
            sum.some.clear();
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
        self.present.resize(keys, 0);
        for sum in &mut self.sums {
            sum.values.resize(keys, 0);
            sum.some.resize(keys, 0);
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
        for &key in &*part.keys {
            let present = &mut self.present[key as usize];
            *present = if COMES { *present + 1 } else { *present - 1 };
        }
        for (sum, state) in self.sums.iter_mut().zip(&part.states) {
            let nulls = state.nulls().filter(|nulls| nulls.null_count() > 0);
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
        Ok(())
    }

    /// Bytes that are held.
    pub(super) fn size(&self) -> usize {
        let of_sums = self.sums.iter();
        let of_sums = of_sums.map(|sum| size_of_val(&*sum.values) + size_of_val(&*sum.some));
        size_of_val(&*self.present) + of_sums.sum::<usize>()
    }

    /// The numbers of the keys that have rows, and their values. Of those that are not in the top,
    /// most are left out.
    pub(super) fn values(&self, top: Option<&Top>) -> (Vec<u32>, Vec<ArrayRef>) {
        let keys = match top.and_then(|top| self.first(top)) {
            Some(keys) => keys,
            None => {
                let all = (0..)
                    .zip(&self.present)
                    .filter(|(_, present)| **present > 0);
                all.map(|(key, _)| key).collect()
            }
        };
        let values = self.sums.iter().map(|sum| sum.array(&keys));
        let values = values.collect();
        (keys, values)
    }
}

impl Running {
    /// The numbers of the keys that can be in the top; None if some have no value to be ordered by.
    fn first(&self, top: &Top) -> Option<Vec<u32>> {
        let sum = &self.sums[top.aggregate];
        // The greater comes first: unsigned numbers by their bits, and the other way round if that
        // is how they are ordered.
        let flip = if sum.kind == DataType::UInt64 {
            i64::MIN
        } else {
            0
        };
        let flip = if top.options.descending { flip } else { !flip };
        let present = || self.present.iter().zip(&sum.values).enumerate();
        let present = || present().filter(|(_, (present, _))| **present > 0);
        let mut least = BinaryHeap::with_capacity(top.rows + 1);
        for (key, (_, value)) in present() {
            if sum.some[key] == 0 {
                return None;
            }
            let value = value ^ flip;
            if least.len() < top.rows {
                least.push(Reverse(value));
            } else if least.peek().is_some_and(|Reverse(least)| value > *least) {
                least.pop();
                least.push(Reverse(value));
            }
        }
        // Equal ones may be before it by another column.
        let Reverse(bound) = *least.peek()?;
        let first = present().filter(|(_, (_, value))| **value ^ flip >= bound);
        Some(first.map(|(key, _)| key as u32).collect())
    }
}

impl Sum {
    fn apply<const COMES: bool>(
        &mut self,
        keys: &[u32],
        values: impl Iterator<Item = i64>,
        nulls: Option<&NullBuffer>,
    ) {
        for (row, (&key, value)) in keys.iter().zip(values).enumerate() {
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                continue;
            }
            let (sum, some) = (&mut self.values[key as usize], &mut self.some[key as usize]);
            // As DataFusion adds integers: without a look at what carries over.
            if COMES {
                *sum = sum.wrapping_add(value);
                *some += 1;
            } else {
                *sum = sum.wrapping_sub(value);
                *some -= 1;
            }
        }
    }

    fn array(&self, keys: &[u32]) -> ArrayRef {
        let values = keys.iter().map(|&key| self.values[key as usize]);
        let some = keys.iter().map(|&key| self.some[key as usize] > 0);
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
