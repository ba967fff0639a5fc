//! One sketch: without groups, and in windows.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::cast::as_binary_array;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::Aggregate;
use crate::functions::sketch::{Code, Sketch, State, code, hash_column};

/// Sketches a column.
#[derive(Debug)]
pub(super) struct SketchAccumulator {
    aggregate: Aggregate,
    /// None until there is one to merge, which says its precision.
    sketch: Option<Sketch>,
    hashes: Vec<u64>,
}

impl SketchAccumulator {
    pub(super) fn new(aggregate: Aggregate, precision: Option<u8>) -> Self {
        Self {
            aggregate,
            sketch: precision.map(Sketch::new),
            hashes: Vec::new(),
        }
    }

    fn written(&mut self) -> Result<ScalarValue> {
        let state = match &mut self.sketch {
            Some(sketch) if !sketch.is_empty() => {
                let mut state = Vec::new();
                sketch.write_state(&mut state)?;
                Some(state)
            }
            _ => None,
        };
        Ok(ScalarValue::Binary(state))
    }
}

impl Accumulator for SketchAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if self.aggregate == Aggregate::Merge {
            return self.merge_batch(values);
        }
        let Some(sketch) = &mut self.sketch else {
            return Ok(());
        };
        hash_column(&values[0], &mut self.hashes)?;
        let nulls = values[0].logical_nulls();
        let rows = self.hashes.iter().enumerate();
        let mut codes: Vec<Code> = rows
            .filter(|(row, _)| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row)))
            .map(|(_, hash)| code(*hash))
            .collect();
        // A sketch takes far longer for a code than sorting does.
        codes.sort_unstable();
        codes.dedup();
        Ok(sketch.insert(&codes)?)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for state in as_binary_array(&states[0])?.iter().flatten() {
            let state = State::read(state)?;
            match &mut self.sketch {
                Some(sketch) => sketch.merge(&state)?,
                None => self.sketch = Some(state.into_sketch()),
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.written()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.aggregate == Aggregate::Count {
            let estimate = self.sketch.as_mut().map_or(0, Sketch::estimate);
            return Ok(ScalarValue::Int64(Some(estimate)));
        }
        self.written()
    }

    fn size(&self) -> usize {
        size_of::<Self>()
            + self.sketch.as_ref().map_or(0, Sketch::size)
            + self.hashes.capacity() * size_of::<u64>()
    }
}
