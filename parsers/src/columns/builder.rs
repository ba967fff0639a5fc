//! One column while it is built, some records at a time.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};

use super::numbers::Numbers;
use super::{Fields, Misfits, TextBuilder};
use crate::field::parts::whole;
use crate::field::{self, Kind, Misfit};

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

    /// Appends the values of some records, those that come next. `spans` is a place to work in.
    pub(crate) fn append(
        &mut self,
        fields: &Fields<'_>,
        records: Range<usize>,
        spans: &mut Vec<(u32, u32)>,
    ) {
        let raw = Fields {
            enclosing: &[],
            ..*fields
        };
        let fields = if self.kind == Kind::Raw { &raw } else { fields };
        fields.find(self.position, records, spans);
        let misfits = &mut self.misfits;
        match (&mut self.values, self.kind) {
            (Values::Int32(numbers), Kind::PortOfPair) => {
                let quick = quick(field::pair_port);
                numbers.append(fields, spans, misfits, quick, field::pair_port);
            }
            (Values::Int32(numbers), _) => {
                numbers.append(fields, spans, misfits, field::short_int32_at, field::int32);
            }
            (Values::Int64(numbers), Kind::UnixSeconds) => {
                let quick = field::short_unix_seconds_at;
                numbers.append(fields, spans, misfits, quick, field::unix_seconds);
            }
            (Values::Int64(numbers), _) => {
                numbers.append(fields, spans, misfits, field::short_int64_at, field::int64);
            }
            (Values::Float64(numbers), _) => {
                let quick = quick(field::float64);
                numbers.append(fields, spans, misfits, quick, field::float64);
            }
            (Values::Time(numbers), Kind::UnixSeconds) => {
                let quick = |block: &[u8], start, end| {
                    Some(field::short_unix_seconds_at(block, start, end)? * 1_000_000)
                };
                let any = |field: &[u8]| Kind::UnixSeconds.micros(field);
                numbers.append(fields, spans, misfits, quick, any);
            }
            (Values::Time(numbers), kind) => {
                let any = |field: &[u8]| kind.micros(field);
                numbers.append(fields, spans, misfits, quick(any), any);
            }
            (Values::Text(text), kind) => append_text(text, kind, fields, spans, misfits),
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

/// What reads a field where it stands.
#[inline(always)]
fn quick<T>(
    read: impl Fn(&[u8]) -> Result<T, Misfit>,
) -> impl Fn(&[u8], usize, usize) -> Option<T> {
    move |block, start, end| read(block.get(start..end)?).ok()
}

fn append_text(
    text: &mut TextBuilder<'_>,
    kind: Kind,
    fields: &Fields<'_>,
    spans: &[(u32, u32)],
    misfits: &mut Misfits,
) {
    match kind {
        Kind::IpOfPair => text.append_fields(fields, spans, misfits, field::ip_of_pair),
        Kind::RequestMethod => text.append_fields(fields, spans, misfits, field::request_method),
        Kind::RequestUrl => text.append_fields(fields, spans, misfits, field::request_url),
        Kind::RequestProtocol => {
            text.append_fields(fields, spans, misfits, field::request_protocol);
        }
        _ => text.append_fields(fields, spans, misfits, whole),
    }
}
