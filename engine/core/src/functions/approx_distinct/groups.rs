//! Sketches of all groups at once.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, Int64Builder};
use datafusion::common::Result;
use datafusion::common::cast::as_binary_array;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::{Aggregate, States};
use crate::functions::sketch::{
    Group, GroupSketches, State, code, codes, hash_column, write_codes,
};

/// Sketches a column, by group.
#[derive(Debug)]
pub(super) struct SketchGroupsAccumulator {
    aggregate: Aggregate,
    /// None until there is one to merge, which says their precision.
    sketches: Option<GroupSketches>,
    groups: usize,
    hashes: Vec<u64>,
}

impl SketchGroupsAccumulator {
    pub(super) fn new(aggregate: Aggregate, precision: Option<u8>) -> Self {
        Self {
            aggregate,
            sketches: precision.map(GroupSketches::new),
            groups: 0,
            hashes: Vec::new(),
        }
    }

    fn merge(
        &mut self,
        states: &ArrayRef,
        group_of_row: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.groups = groups;
        let states = as_binary_array(states)?.iter().zip(group_of_row);
        for (row, (state, group)) in states.enumerate() {
            let Some(state) = state.filter(|_| is_let_through(filter, row)) else {
                continue;
            };
            let state = State::read(state)?;
            let precision = state.precision();
            self.sketches
                .get_or_insert_with(|| GroupSketches::new(precision))
                .merge(*group, state)?;
        }
        Ok(())
    }

    /// How many groups are to be emitted.
    fn emitted(&mut self, emit_to: EmitTo) -> usize {
        let emitted = match emit_to {
            EmitTo::All => self.groups,
            EmitTo::First(groups) => groups,
        };
        self.groups -= emitted;
        emitted
    }

    fn written(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let emitted = self.emitted(emit_to);
        let mut states = States::with_capacity(emitted);
        let Some(sketches) = &mut self.sketches else {
            for _ in 0..emitted {
                states.push(&[])?;
            }
            return Ok(states.finish());
        };
        let precision = sketches.precision();
        let mut state = Vec::new();
        sketches.take(emitted, |group| {
            state.clear();
            match group {
                Group::Codes([]) => {}
                Group::Codes(pairs) => write_codes(precision, codes(pairs), &mut state),
                Group::Sketch(sketch) => sketch.write_state(&mut state)?,
            }
            states.push(&state)
        })?;
        Ok(states.finish())
    }
}

impl GroupsAccumulator for SketchGroupsAccumulator {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_of_row: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        if self.aggregate == Aggregate::Merge {
            return self.merge(&values[0], group_of_row, filter, groups);
        }
        self.groups = groups;
        let Some(sketches) = &mut self.sketches else {
            return Ok(());
        };
        hash_column(&values[0], &mut self.hashes)?;
        let nulls = values[0].logical_nulls();
        for (row, (hash, group)) in self.hashes.iter().zip(group_of_row).enumerate() {
            let is_there = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            if is_there && is_let_through(filter, row) {
                sketches.insert(*group, code(*hash))?;
            }
        }
        Ok(())
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        group_of_row: &[usize],
        groups: usize,
    ) -> Result<()> {
        self.merge(&states[0], group_of_row, None, groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        if self.aggregate != Aggregate::Count {
            return self.written(emit_to);
        }
        let emitted = self.emitted(emit_to);
        let mut counts = Int64Builder::with_capacity(emitted);
        if let Some(sketches) = &mut self.sketches {
            sketches.take(emitted, |group| {
                counts.append_value(match group {
                    Group::Codes(codes) => codes.len() as i64,
                    Group::Sketch(sketch) => sketch.estimate(),
                });
                Ok(())
            })?;
        }
        Ok(Arc::new(counts.finish()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.written(emit_to)?])
    }

    /// Each row alone: where grouping before the exchange does not pay.
    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values[0].len();
        let mut states = States::with_capacity(rows);
        if self.aggregate == Aggregate::Merge {
            for (row, state) in as_binary_array(&values[0])?.iter().enumerate() {
                let state = state.filter(|_| is_let_through(filter, row));
                states.push(state.unwrap_or_default())?;
            }
            return Ok(vec![states.finish()]);
        }
        let mut hashes = Vec::new();
        hash_column(&values[0], &mut hashes)?;
        let nulls = values[0].logical_nulls();
        let precision = self.sketches.as_ref().map(GroupSketches::precision);
        let mut state = Vec::new();
        for (row, hash) in hashes.into_iter().enumerate() {
            state.clear();
            let is_there = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            if let Some(precision) = precision
                && is_there
                && is_let_through(filter, row)
            {
                write_codes(precision, [code(hash)], &mut state);
            }
            states.push(&state)?;
        }
        Ok(vec![states.finish()])
    }

    fn size(&self) -> usize {
        size_of::<Self>()
            + self.sketches.as_ref().map_or(0, GroupSketches::size)
            + self.hashes.capacity() * size_of::<u64>()
    }
}

fn is_let_through(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}
