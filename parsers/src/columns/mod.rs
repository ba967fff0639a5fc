//! Columns: building Arrow arrays from the fields of records.

mod builder;
mod extra;
mod nulls;
mod numbers;
mod origin;
mod text;
mod validity;

use std::ops::Range;

pub(crate) use builder::ColumnBuilder;
pub(crate) use extra::extra;
pub(crate) use nulls::Nulls;
pub(crate) use origin::origin;
pub(crate) use text::TextBuilder;

use crate::field::Misfit;
use crate::offsets::Offsets;

/// What columns are built from.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    /// The block's bytes.
    pub(crate) block: &'a arrow_buffer::Buffer,
    /// Whether all of them are UTF-8.
    pub(crate) utf8: bool,
    /// Where the fields are.
    pub(crate) offsets: &'a Offsets,
    /// The field that stands for NULL.
    pub(crate) null: &'a [u8],
    /// Bytes that enclose a field and are no part of its value: opening and closing ones.
    pub(crate) enclosing: &'a [(u8, u8)],
}

/// Where a field is: start and end in the block. None where the record does not have it.
pub(crate) type Span = Option<(usize, usize)>;

impl Fields<'_> {
    /// One field of every record, without what encloses it.
    #[inline(always)]
    pub(crate) fn spans(&self, field: usize) -> impl Iterator<Item = Span> {
        let places = self.offsets.field(field);
        places.map(|place| self.span(place))
    }

    /// Where one field of some records is, without what encloses it, for each in `spans`: start and
    /// end in the block, the start behind the end where the record does not have it.
    pub(crate) fn find(&self, field: usize, records: Range<usize>, spans: &mut Vec<(u32, u32)>) {
        self.offsets.places(field, records, spans);
        if self.enclosing.is_empty() {
            return;
        }
        for span in spans {
            let place = (span.0 as usize, span.1 as usize);
            let (start, end) = self.span(place).unwrap_or(place);
            *span = (start as u32, end as u32);
        }
    }

    /// Where a field is without what encloses it, of its place in the matrix.
    #[inline(always)]
    pub(crate) fn span(&self, (start, end): (usize, usize)) -> Span {
        if start > end {
            None
        } else if is_enclosed(self.block, self.enclosing, start, end) {
            Some((start + 1, end - 1))
        } else {
            Some((start, end))
        }
    }

    /// The bytes of a field; those of NULL where the record does not have it.
    #[inline(always)]
    pub(crate) fn bytes(&self, span: Span) -> &[u8] {
        match span {
            Some((start, end)) => &self.block[start..end],
            None => self.null,
        }
    }

    /// Whether these bytes of a field stand for NULL.
    #[inline(always)]
    pub(crate) fn is_null(&self, bytes: &[u8]) -> bool {
        match self.null {
            // What it is in every format of AWS's.
            &[null] => bytes.len() == 1 && bytes[0] == null,
            null => bytes == null,
        }
    }
}

/// Whether a field stands in one of these pairs.
#[inline(always)]
fn is_enclosed(block: &[u8], enclosing: &[(u8, u8)], start: usize, end: usize) -> bool {
    let within = |&(open, close): &(u8, u8)| {
        end - start >= 2 && block[start] == open && block[end - 1] == close
    };
    match enclosing {
        [] => false,
        // What nearly all formats have.
        [only] => within(only),
        some => some.iter().any(within),
    }
}

/// Values that did not fit: record and reason.
pub(crate) type Misfits = Vec<(usize, Misfit)>;
