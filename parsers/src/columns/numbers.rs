//! Columns of numbers and times.

use std::sync::Arc;

use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{ArrowPrimitiveType, PrimitiveArray};
use arrow_buffer::{NullBufferBuilder, ScalarBuffer};

use super::{Fields, Misfits};
use crate::field::{Kind, Misfit};

/// Microseconds since 1970 from a field of a kind that gives a time.
pub(crate) fn event_time(
    fields: &Fields<'_>,
    field: usize,
    misfits: &mut Misfits,
    kind: Kind,
    zone: &Arc<str>,
) -> PrimitiveArray<TimestampMicrosecondType> {
    let times = number(fields, field, misfits, |bytes| kind.micros(bytes));
    times.with_timezone(Arc::clone(zone))
}

/// Numbers as `parse` reads them.
pub(crate) fn number<T: ArrowPrimitiveType>(
    fields: &Fields<'_>,
    field: usize,
    misfits: &mut Misfits,
    parse: impl Fn(&[u8]) -> Result<T::Native, Misfit>,
) -> PrimitiveArray<T> {
    let records = fields.offsets.records();
    let mut values = Vec::with_capacity(records);
    let mut nulls = NullBufferBuilder::new(records);
    for (record, span) in fields.spans(field).enumerate() {
        let bytes = fields.bytes(span);
        match parse(bytes) {
            Ok(value) => {
                values.push(value);
                nulls.append_non_null();
            }
            Err(misfit) => {
                if bytes != fields.null {
                    misfits.push((record, misfit));
                }
                values.push(T::Native::default());
                nulls.append_null();
            }
        }
    }
    PrimitiveArray::new(ScalarBuffer::from(values), nulls.finish())
}
