//! Keys, by number: what is folded by number needs no hashing.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, UInt32Array};
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{Result, internal_err};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

/// All keys that are held, each with a number.
pub(crate) struct Keys {
    schema: SchemaRef,
    groups: Box<dyn GroupValues>,
    /// The keys in the order of their numbers, in pieces.
    columns: Vec<Vec<ArrayRef>>,
    len: usize,
    scratch: Vec<usize>,
}

impl Keys {
    pub(crate) fn new(schema: SchemaRef) -> Result<Self> {
        Ok(Self {
            groups: new_group_values(Arc::clone(&schema), &GroupOrdering::None)?,
            columns: vec![Vec::new(); schema.fields().len()],
            schema,
            len: 0,
            scratch: Vec::new(),
        })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The numbers of the keys of `rows` rows.
    pub(crate) fn intern(&mut self, columns: &[ArrayRef], rows: usize) -> Result<Vec<u32>> {
        if columns.is_empty() {
            self.len = 1;
            return Ok(vec![0; rows]);
        }
        self.groups.intern(columns, &mut self.scratch)?;
        let mut new = Vec::new();
        for (row, &group) in self.scratch.iter().enumerate() {
            // Numbers are given in the order in which keys appear.
            if group == self.len {
                new.push(row as u32);
                self.len += 1;
            }
        }
        if !new.is_empty() {
            let new = UInt32Array::from(new);
            for (all, column) in self.columns.iter_mut().zip(columns) {
                all.push(take(column, &new, None)?);
            }
        }
        Ok(self.scratch.iter().map(|&group| group as u32).collect())
    }

    /// The columns of some keys.
    pub(crate) fn take(&mut self, numbers: &[u32]) -> Result<Vec<ArrayRef>> {
        let numbers = UInt32Array::from(numbers.to_vec());
        let columns = self.columns.iter_mut().map(|pieces| {
            if pieces.len() > 1 {
                let all: Vec<_> = pieces.iter().map(AsRef::as_ref).collect();
                *pieces = vec![concat(&all)?];
            }
            match pieces.first() {
                Some(all) => Ok(take(all, &numbers, None)?),
                None => internal_err!("keys that nobody named"),
            }
        });
        columns.collect()
    }

    /// Bytes that they take.
    pub(crate) fn size(&self) -> usize {
        let pieces = self.columns.iter().flatten();
        let pieces = pieces.map(|piece| piece.get_array_memory_size());
        self.groups.size() + pieces.sum::<usize>()
    }

    /// Forgets all keys but some; gives the new number of each that stays, by its old one.
    pub(crate) fn keep(&mut self, keeps: &[bool]) -> Result<Vec<u32>> {
        let kept: Vec<u32> = (0_u32..)
            .zip(keeps)
            .filter(|(_, keep)| **keep)
            .map(|(number, _)| number)
            .collect();
        let columns = self.take(&kept)?;
        *self = Self::new(Arc::clone(&self.schema))?;
        let numbers = self.intern(&columns, kept.len())?;
        let mut new = vec![u32::MAX; keeps.len()];
        for (old, number) in kept.iter().zip(numbers) {
            new[*old as usize] = number;
        }
        Ok(new)
    }
}
