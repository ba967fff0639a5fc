//! One column while it is built, some records at a time.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};

use super::numbers::Numbers;
use super::{Fields, Misfits, TextBuilder};
use crate::field::parts::whole;
use crate::field::{self, Kind};

/// A column of delimited records while it is built.
pub(crate) struct ColumnBuilder<'a> {
    position: usize,
    kind: Kind,
    values: Values<'a>,
    misfits: Misfits,
}

/// The values so far.
enum Values<'a> {
    Int32(Numbers<Int32Type>),
    Int64(Numbers<Int64Type>),
    Float64(Numbers<Float64Type>),
    Time(Numbers<TimestampMicrosecondType>),
    Text(TextBuilder<'a>),
}

impl<'a> ColumnBuilder<'a> {
    /// The column of the field at `position`, read as `kind` says.
    pub(crate) fn new(fields: &Fields<'a>, (position, kind): (usize, Kind)) -> Self {
        let records = fields.offsets.records();
        let values = match kind {
            Kind::Int32 | Kind::PortOfPair => Values::Int32(Numbers::new(records)),
            Kind::Int64 | Kind::UnixSeconds => Values::Int64(Numbers::new(records)),
            Kind::Float64 => Values::Float64(Numbers::new(records)),
            _ => Values::Text(TextBuilder::new(fields.block, fields.utf8, records)),
        };
        Self::of(position, kind, values)
    }

    /// Microseconds since 1970 from the field at `position`, whose kind gives a time.
    pub(crate) fn event_time(fields: &Fields<'a>, (position, kind): (usize, Kind)) -> Self {
        let values = Values::Time(Numbers::new(fields.offsets.records()));
        Self::of(position, kind, values)
    }

    fn of(position: usize, kind: Kind, values: Values<'a>) -> Self {
        Self {
            position,
            kind,
            values,
            misfits: Misfits::new(),
        }
    }

    /// Appends the values of some records, those that come next.
    pub(crate) fn append(&mut self, fields: &Fields<'_>, records: Range<usize>) {
        let (position, misfits) = (self.position, &mut self.misfits);
        match (&mut self.values, self.kind) {
            (Values::Int32(numbers), Kind::PortOfPair) => {
                numbers.append(fields, position, records, misfits, |block, start, end| {
                    field::pair_port(&block[start..end])
                });
            }
            (Values::Int32(numbers), _) => {
                numbers.append(fields, position, records, misfits, field::int32_at);
            }
            (Values::Int64(numbers), Kind::UnixSeconds) => {
                numbers.append(fields, position, records, misfits, field::unix_seconds_at);
            }
            (Values::Int64(numbers), _) => {
                numbers.append(fields, position, records, misfits, field::int64_at);
            }
            (Values::Float64(numbers), _) => {
                numbers.append(fields, position, records, misfits, |block, start, end| {
                    field::float64(&block[start..end])
                });
            }
            (Values::Time(numbers), kind) => {
                numbers.append(fields, position, records, misfits, |block, start, end| {
                    kind.micros_at(block, start, end)
                });
            }
            (Values::Text(text), kind) => {
                append_text(text, kind, fields, position, records, misfits);
            }
        }
    }

    /// The column, and what did not fit; times are shown in `zone`.
    pub(crate) fn finish(self, zone: &Arc<str>) -> (ArrayRef, Misfits) {
        let array: ArrayRef = match self.values {
            Values::Int32(numbers) => Arc::new(numbers.finish()),
            Values::Int64(numbers) => Arc::new(numbers.finish()),
            Values::Float64(numbers) => Arc::new(numbers.finish()),
            Values::Time(numbers) => Arc::new(numbers.finish().with_timezone(Arc::clone(zone))),
            Values::Text(text) => Arc::new(text.finish()),
        };
        (array, self.misfits)
    }
}

fn append_text(
    text: &mut TextBuilder<'_>,
    kind: Kind,
    fields: &Fields<'_>,
    position: usize,
    records: Range<usize>,
    misfits: &mut Misfits,
) {
    match kind {
        Kind::IpOfPair => {
            text.append_fields(fields, position, records, misfits, field::ip_of_pair);
        }
        Kind::RequestMethod => {
            text.append_fields(fields, position, records, misfits, field::request_method);
        }
        Kind::RequestUrl => {
            text.append_fields(fields, position, records, misfits, field::request_url);
        }
        Kind::RequestProtocol => {
            text.append_fields(fields, position, records, misfits, field::request_protocol);
        }
        Kind::Raw => {
            let fields = Fields {
                enclosing: &[],
                ..*fields
            };
            text.append_fields(&fields, position, records, misfits, whole);
        }
        _ => text.append_fields(fields, position, records, misfits, whole),
    }
}
