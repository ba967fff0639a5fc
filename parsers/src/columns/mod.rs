//! Columns: building one Arrow array from one field of every record.

mod extra;
mod numbers;
mod text;

pub(crate) use extra::extra;
pub(crate) use numbers::{event_time, number};
pub(crate) use text::{TextBuilder, text};

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

impl Fields<'_> {
    /// Start and end of one field of every record, without what encloses it; None where the
    /// record does not have it.
    #[inline(always)]
    pub(crate) fn spans(&self, field: usize) -> impl Iterator<Item = Option<(usize, usize)>> {
        self.offsets.field(field).map(|(start, end)| {
            let enclosed = |&(open, close): &(u8, u8)| {
                end - start >= 2 && self.block[start] == open && self.block[end - 1] == close
            };
            if start > end {
                None
            } else if self.enclosing.iter().any(enclosed) {
                Some((start + 1, end - 1))
            } else {
                Some((start, end))
            }
        })
    }

    /// The bytes of a field; those of NULL where the record does not have it.
    #[inline(always)]
    pub(crate) fn bytes(&self, span: Option<(usize, usize)>) -> &[u8] {
        match span {
            Some((start, end)) => &self.block[start..end],
            None => self.null,
        }
    }
}

/// Values that did not fit: record and reason.
pub(crate) type Misfits = Vec<(usize, Misfit)>;
