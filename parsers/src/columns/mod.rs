//! Columns: building one Arrow array from one field of every record.

mod extra;
mod integers;
mod text;

pub(crate) use extra::extra;
pub(crate) use integers::{event_time, int32, int64};
pub(crate) use text::text;

use crate::delimited::offsets::Offsets;
use crate::field::Misfit;

/// What a column is built from.
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
}

/// Values that did not fit: record and reason.
pub(crate) type Misfits = Vec<(usize, Misfit)>;
