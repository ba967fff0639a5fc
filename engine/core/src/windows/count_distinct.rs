//! `count(DISTINCT x)` by groups.
//!
//! DataFusion has a set of values for each group, and a window query has a group for each pane and
//! key: sets by the million. Here values are numbered once for all groups, and what is held is one
//! set of pairs of numbers.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, UInt32Array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

/// Distinct values of all groups.
pub(super) struct CountDistinct {
    value: FieldRef,
    values: Box<dyn GroupValues>,
    /// Group and value, in the upper and the lower half.
    pairs: HashSet<u64, BuildHasherDefault<Mixed>>,
    /// The value of each row of the last batch.
    of_rows: Vec<usize>,
    /// Groups so far; the last ones may have no value.
    total: usize,
}

impl CountDistinct {
    /// The same as a function of DataFusion's; None of any other.
    pub(super) fn of(function: &AggregateFunctionExpr) -> Result<Option<Self>> {
        if function.fun().name() != "count" || !function.is_distinct() {
            return Ok(None);
        }
        let states = function.state_fields()?;
        let [state] = states.as_slice() else {
            return Ok(None);
        };
        let DataType::List(value) = state.data_type() else {
            return Ok(None);
        };
        Ok(Some(Self {
            value: Arc::clone(value),
            values: values_of(value)?,
            pairs: HashSet::default(),
            of_rows: Vec::new(),
            total: 0,
        }))
    }

    /// Takes in values; `group` says the group of a row, None of one that is left out.
    fn add(&mut self, values: &ArrayRef, group: impl Fn(usize) -> Option<usize>) -> Result<()> {
        self.values
            .intern(std::slice::from_ref(values), &mut self.of_rows)?;
        let nulls = values.logical_nulls();
        for (row, &value) in self.of_rows.iter().enumerate() {
            if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
                && let Some(group) = group(row)
            {
                self.pairs.insert((group as u64) << 32 | value as u64);
            }
        }
        Ok(())
    }

    /// Takes the pairs of the groups that are emitted, in the order of the groups, and how many
    /// groups these are; the others move up.
    fn take(&mut self, emit_to: EmitTo) -> (Vec<u64>, usize) {
        let groups = match emit_to {
            EmitTo::All => self.total,
            EmitTo::First(groups) => groups,
        };
        self.total -= groups;
        match emit_to {
            EmitTo::All => {
                let mut pairs: Vec<_> = std::mem::take(&mut self.pairs).into_iter().collect();
                pairs.sort_unstable();
                (pairs, groups)
            }
            EmitTo::First(_) => {
                let first = groups as u64;
                let all = std::mem::take(&mut self.pairs).into_iter();
                let (mut pairs, rest): (Vec<_>, Vec<_>) = all.partition(|pair| pair >> 32 < first);
                self.pairs = rest.into_iter().map(|pair| pair - (first << 32)).collect();
                pairs.sort_unstable();
                (pairs, groups)
            }
        }
    }
}

fn values_of(value: &FieldRef) -> Result<Box<dyn GroupValues>> {
    let field = value.as_ref().clone().with_name("value");
    new_group_values(Arc::new(Schema::new(vec![field])), &GroupOrdering::None)
}

/// How many values each group has.
fn counts(pairs: &[u64], groups: usize) -> Vec<i64> {
    let mut counts = vec![0; groups];
    for pair in pairs {
        counts[(pair >> 32) as usize] += 1;
    }
    counts
}

impl GroupsAccumulator for CountDistinct {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.total = self.total.max(total);
        let [values] = values else {
            return internal_err!("count(DISTINCT ...) of one value");
        };
        let is_in = |row| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        self.add(values, |row| is_in(row).then(|| groups[row]))
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.total = self.total.max(total);
        let [lists] = states else {
            return internal_err!("count(DISTINCT ...) has one state");
        };
        let lists = lists.as_list::<i32>();
        let offsets = lists.value_offsets();
        let (first, last) = (offsets[0], offsets[lists.len()]);
        let values = lists
            .values()
            .slice(first as usize, (last - first) as usize);
        // The group of each value.
        let mut of_values = Vec::with_capacity(values.len());
        for (row, &group) in groups.iter().enumerate() {
            let length = (offsets[row + 1] - offsets[row]) as usize;
            of_values.extend(std::iter::repeat_n(group, length));
        }
        self.add(&values, |value| Some(of_values[value]))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (pairs, groups) = self.take(emit_to);
        let counts = counts(&pairs, groups);
        Ok(Arc::new(Int64Array::from(counts)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (pairs, groups) = self.take(emit_to);
        let lengths = counts(&pairs, groups);
        // All that was numbered; what other groups have of it is numbered again.
        let mut all = self.values.emit(EmitTo::All)?;
        self.values = values_of(&self.value)?;
        let Some(all) = all.pop() else {
            return internal_err!("values without a column");
        };
        if !self.pairs.is_empty() {
            let rest: Vec<_> = std::mem::take(&mut self.pairs).into_iter().collect();
            let values = UInt32Array::from_iter_values(rest.iter().map(|pair| *pair as u32));
            let values = take(&all, &values, None)?;
            self.add(&values, |row| Some((rest[row] >> 32) as usize))?;
        }
        let values = UInt32Array::from_iter_values(pairs.iter().map(|pair| *pair as u32));
        let values = take(&all, &values, None)?;
        let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|&length| length as usize));
        let field = Arc::clone(&self.value);
        Ok(vec![Arc::new(ListArray::try_new(
            field, offsets, values, None,
        )?)])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let [values] = values else {
            return internal_err!("count(DISTINCT ...) of one value");
        };
        let nulls = values.logical_nulls();
        let is_in = |row: &usize| {
            nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row))
                && filter.is_none_or(|filter| filter.is_valid(*row) && filter.value(*row))
        };
        let rows = 0..values.len();
        let offsets = OffsetBuffer::from_lengths(rows.clone().map(|row| usize::from(is_in(&row))));
        let rows = UInt32Array::from_iter_values(rows.filter(is_in).map(|row| row as u32));
        let values = take(values, &rows, None)?;
        let field = Arc::clone(&self.value);
        Ok(vec![Arc::new(ListArray::try_new(
            field, offsets, values, None,
        )?)])
    }

    fn size(&self) -> usize {
        self.values.size() + self.pairs.capacity() * (size_of::<u64>() + 1)
    }
}

/// Hashes pairs: a multiplication and what it carries up.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
