//! Keys, by number: what is folded by number needs no hashing.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, UInt32Array};
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{Result, internal_err};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

/// Keys that are not worth forgetting.
const FEW: usize = 1 << 16;

/// All keys that are held, each with a number.
pub(crate) struct Keys {
    schema: SchemaRef,
    groups: Box<dyn GroupValues>,
    /// The keys in the order of their numbers, in pieces.
    columns: Vec<Vec<ArrayRef>>,
    len: usize,
    /// So many were alive when they were last counted.
    lived: usize,
    scratch: Vec<usize>,
}

impl Keys {
    pub(crate) fn new(schema: SchemaRef) -> Result<Self> {
        Ok(Self {
            groups: new_group_values(Arc::clone(&schema), &GroupOrdering::None)?,
            columns: vec![Vec::new(); schema.fields().len()],
            schema,
            len: 0,
            lived: FEW,
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

    /// Forgets the keys that are not among those that are alive, if they are many; gives the new
    /// number of each that stays, by its old one.
    pub(crate) fn forget(&mut self, alive: impl Iterator<Item = u32>) -> Result<Option<Vec<u32>>> {
        if self.len < self.lived * 2 {
            return Ok(None);
        }
        let mut new = vec![u32::MAX; self.len];
        for key in alive {
            new[key as usize] = 0;
        }
        let stay = (0_u32..).zip(&new).filter(|(_, new)| **new == 0);
        let stay: Vec<u32> = stay.map(|(key, _)| key).collect();
        self.lived = stay.len().max(FEW);
        if self.lived > self.len / 2 {
            return Ok(None);
        }
        let columns = self.take(&stay)?;
        *self = Self {
            lived: self.lived,
            ..Self::new(Arc::clone(&self.schema))?
        };
        let numbers = self.intern(&columns, stay.len())?;
        for (old, number) in stay.iter().zip(numbers) {
            new[*old as usize] = number;
        }
        Ok(Some(new))
    }
}
