//! Columns of integers and times.

use std::sync::Arc;

use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow_buffer::{NullBufferBuilder, ScalarBuffer};

use super::{Fields, Misfits};
use crate::field::{self, Misfit};

pub(crate) fn int32(fields: &Fields<'_>, field: usize, misfits: &mut Misfits) -> ArrayRef {
    Arc::new(primitive::<Int32Type>(fields, field, misfits, field::int32))
}

pub(crate) fn int64(
    fields: &Fields<'_>,
    field: usize,
    misfits: &mut Misfits,
    parse: impl Fn(&[u8]) -> Result<i64, Misfit>,
) -> ArrayRef {
    Arc::new(primitive::<Int64Type>(fields, field, misfits, parse))
}

/// Microseconds since 1970 from a field of seconds.
pub(crate) fn event_time(
    fields: &Fields<'_>,
    field: usize,
    misfits: &mut Misfits,
    zone: &Arc<str>,
) -> ArrayRef {
    let micros = |bytes: &[u8]| field::unix_seconds(bytes).map(|seconds| seconds * 1_000_000);
    let array = primitive::<TimestampMicrosecondType>(fields, field, misfits, micros);
    Arc::new(array.with_timezone(Arc::clone(zone)))
}

fn primitive<T: ArrowPrimitiveType>(
    fields: &Fields<'_>,
    field: usize,
    misfits: &mut Misfits,
    parse: impl Fn(&[u8]) -> Result<T::Native, Misfit>,
) -> PrimitiveArray<T> {
    let records = fields.offsets.records();
    let mut values = Vec::with_capacity(records);
    let mut nulls = NullBufferBuilder::new(records);
    for (record, (start, end)) in fields.offsets.field(field).enumerate() {
        let bytes = &fields.block[start..end];
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
