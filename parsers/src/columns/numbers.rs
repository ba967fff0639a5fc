//! Numbers and times of many records.

use arrow_array::{ArrowPrimitiveType, PrimitiveArray};
use arrow_buffer::ScalarBuffer;

use super::validity::Validity;
use super::{Fields, Misfits};
use crate::field::Misfit;

/// A column of numbers while it is built.
pub(super) struct Numbers<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    validity: Validity,
}

impl<T: ArrowPrimitiveType> Numbers<T> {
    /// None yet, of so many.
    pub(super) fn new(records: usize) -> Self {
        Self {
            values: Vec::with_capacity(records),
            validity: Validity::new(records),
        }
    }

    /// Appends the values of these fields: `quick` reads nearly all of them where they stand in
    /// the block, `any` the others.
    #[inline(always)]
    pub(super) fn append(
        &mut self,
        fields: &Fields<'_>,
        spans: &[(u32, u32)],
        misfits: &mut Misfits,
        quick: impl Fn(&[u8], usize, usize) -> Option<T::Native>,
        any: impl Fn(&[u8]) -> Result<T::Native, Misfit>,
    ) {
        let block = fields.block.as_slice();
        let Self { values, validity } = self;
        let first = values.len();
        // `extend` knows how many come, and makes room once.
        values.extend(spans.iter().enumerate().map(
            #[inline(always)]
            |(index, &(start, end))| {
                let (start, end) = (start as usize, end as usize);
                if let Some(value) = quick(block, start, end) {
                    return value;
                }
                match odd(fields, start, end, &any) {
                    Ok(Some(value)) => return value,
                    Ok(None) => {}
                    Err(misfit) => misfits.push((first + index, misfit)),
                }
                validity.null(first + index);
                T::Native::default()
            },
        ));
    }

    pub(super) fn finish(self) -> PrimitiveArray<T> {
        let nulls = self.validity.finish(self.values.len());
        PrimitiveArray::new(ScalarBuffer::from(self.values), nulls)
    }
}

/// The value of a field that is not as most are; None is NULL.
#[inline(never)]
fn odd<T>(
    fields: &Fields<'_>,
    start: usize,
    end: usize,
    any: impl Fn(&[u8]) -> Result<T, Misfit>,
) -> Result<Option<T>, Misfit> {
    match fields.block.get(start..end) {
        Some(bytes) => match any(bytes) {
            Ok(value) => Ok(Some(value)),
            Err(_) if fields.is_null(bytes) => Ok(None),
            Err(misfit) => Err(misfit),
        },
        None => Ok(None),
    }
}
