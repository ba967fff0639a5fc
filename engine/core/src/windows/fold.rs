//! Partial rows of the same keys, folded into one each.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::aggregation::Aggregation;

/// Partial rows: the numbers of their keys, and the states of all aggregates.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) keys: Arc<[u32]>,
    pub(crate) states: Vec<ArrayRef>,
}

impl Part {
    /// Bytes that it takes.
    pub(crate) fn size(&self) -> usize {
        let states = self.states.iter();
        let states = states.map(|state| state.to_data().get_slice_memory_size().unwrap_or(0));
        size_of_val(&*self.keys) + states.sum::<usize>()
    }
}

/// Folds parts. It is kept from fold to fold, for its memory.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    /// By the number of a key: its place in what is folded, and [`NOWHERE`] if it has none.
    places: Vec<u32>,
    of_rows: Vec<usize>,
}

const NOWHERE: u32 = u32::MAX;

/// What parts hold together: a row for each key.
pub(crate) struct Folded {
    pub(crate) keys: Vec<u32>,
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
}

impl Folder {
    /// Folds the rows of parts that have the same key. `keys` is how many keys there are.
    pub(crate) fn fold(
        &mut self,
        aggregation: &Aggregation,
        parts: &[&Part],
        keys: usize,
    ) -> Result<Folded> {
        self.places.resize(keys, NOWHERE);
        let mut folded = Folded {
            keys: Vec::new(),
            accumulators: aggregation.accumulators()?,
        };
        for part in parts {
            self.of_rows.clear();
            self.of_rows.extend(part.keys.iter().map(|&key| {
                let place = &mut self.places[key as usize];
                if *place == NOWHERE {
                    *place = folded.keys.len() as u32;
                    folded.keys.push(key);
                }
                *place as usize
            }));
            folded.merge(aggregation, &part.states, &self.of_rows, folded.keys.len())?;
        }
        for &key in &folded.keys {
            self.places[key as usize] = NOWHERE;
        }
        Ok(folded)
    }
}

impl Folded {
    fn merge(
        &mut self,
        aggregation: &Aggregation,
        states: &[ArrayRef],
        of_rows: &[usize],
        total: usize,
    ) -> Result<()> {
        merge(aggregation, &mut self.accumulators, states, of_rows, total)
    }

    /// As partial rows.
    pub(crate) fn part(mut self) -> Result<Part> {
        Ok(Part {
            keys: self.keys.into(),
            states: states(&mut self.accumulators)?,
        })
    }

    /// The numbers of the keys, and the values of all aggregates.
    pub(crate) fn values(mut self) -> Result<(Vec<u32>, Vec<ArrayRef>)> {
        let values = values(&mut self.accumulators)?;
        Ok((self.keys, values))
    }
}

/// Merges states into accumulators.
pub(crate) fn merge(
    aggregation: &Aggregation,
    accumulators: &mut [Box<dyn GroupsAccumulator>],
    states: &[ArrayRef],
    of_rows: &[usize],
    total: usize,
) -> Result<()> {
    for (accumulator, range) in accumulators.iter_mut().zip(&aggregation.states) {
        accumulator.merge_batch(&states[range.clone()], of_rows, total)?;
    }
    Ok(())
}

/// The states of all groups.
pub(crate) fn states(accumulators: &mut [Box<dyn GroupsAccumulator>]) -> Result<Vec<ArrayRef>> {
    let mut states = Vec::new();
    for accumulator in accumulators {
        states.extend(accumulator.state(EmitTo::All)?);
    }
    Ok(states)
}

/// The values of all groups.
pub(crate) fn values(accumulators: &mut [Box<dyn GroupsAccumulator>]) -> Result<Vec<ArrayRef>> {
    let values = accumulators.iter_mut();
    values
        .map(|accumulator| accumulator.evaluate(EmitTo::All))
        .collect()
}
