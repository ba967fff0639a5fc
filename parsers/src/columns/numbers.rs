//! Numbers and times of many records.

use std::ops::Range;

use arrow_array::{ArrowPrimitiveType, PrimitiveArray};
use arrow_buffer::{NullBufferBuilder, ScalarBuffer};

use super::{Fields, Misfits};
use crate::field::Misfit;

/// A column of numbers while it is built.
pub(super) struct Numbers<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    nulls: NullBufferBuilder,
}

impl<T: ArrowPrimitiveType> Numbers<T> {
    /// None yet, of so many.
    pub(super) fn new(records: usize) -> Self {
        Self {
            values: Vec::with_capacity(records),
            nulls: NullBufferBuilder::new(records),
        }
    }

    /// Appends a field of some records, as `parse(block, start, end)` reads it.
    #[inline(always)]
    pub(super) fn append(
        &mut self,
        fields: &Fields<'_>,
        field: usize,
        records: Range<usize>,
        misfits: &mut Misfits,
        parse: impl Fn(&[u8], usize, usize) -> Result<T::Native, Misfit>,
    ) {
        let block = fields.block.as_slice();
        // Nulls are rare: those between two of them are counted at once.
        let mut valid_from = records.start;
        let places = fields.offsets.field_of(field, records.clone());
        for (index, place) in places.enumerate() {
            let (record, span) = (records.start + index, fields.span(place));
            let misfit = match span.map(|(start, end)| parse(block, start, end)) {
                Some(Ok(value)) => {
                    self.values.push(value);
                    continue;
                }
                Some(Err(misfit)) => Some(misfit).filter(|_| !fields.is_null(fields.bytes(span))),
                None => None,
            };
            misfits.extend(misfit.map(|misfit| (record, misfit)));
            self.values.push(T::Native::default());
            self.nulls.append_n_non_nulls(record - valid_from);
            self.nulls.append_null();
            valid_from = record + 1;
        }
        self.nulls.append_n_non_nulls(records.end - valid_from);
    }

    pub(super) fn finish(mut self) -> PrimitiveArray<T> {
        PrimitiveArray::new(ScalarBuffer::from(self.values), self.nulls.finish())
    }
}
