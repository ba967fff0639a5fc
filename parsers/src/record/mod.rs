//! Records: cutting the bytes of an object into blocks of whole records.
//!
//! A cutter is fed with inflated bytes in pieces of any size and gives [`Block`]s. [`LineCutter`]
//! takes lines for records. It also follows the header lines, which may stand at the beginning, be
//! missing, or be repeated in the middle (concatenated files), since a block must have one layout.
//! [`JsonCutter`] takes JSON objects for records, wherever they stand. Cutting is cheap next to
//! parsing and goes in order; the blocks can then be parsed in any order on any core.

mod json;
pub(crate) mod lines;

use std::sync::Arc;

use arrow_buffer::Buffer;

use crate::layout::Layout;
use crate::reject::{Counts, Reason, Reject};

pub use json::JsonCutter;
pub use lines::LineCutter;

/// Inflated bytes that a block has at least, unless the object ends before.
///
/// One block becomes one batch: about 9,000 default flow records. String views are charged with
/// their whole buffer, so larger blocks would trip memory limits.
pub const BLOCK_BYTES: usize = 1 << 20;

/// The longest line or JSON object that is taken for a record; longer ones are rejected without
/// being held.
pub const MAX_LINE_BYTES: usize = 4 << 20;

/// Whole records of one object with one layout.
#[derive(Debug)]
pub struct Block {
    /// The records: lines, of which the last one may lack its line end, without header lines; or
    /// JSON objects and what stands between them.
    pub bytes: Buffer,
    /// Where the records are, if they are JSON objects; empty if they are lines.
    pub spans: Vec<RecordSpan>,
    /// Line of the first record, from 1.
    pub first_line: u64,
    /// Byte offset of the first record in the inflated object.
    pub offset: u64,
    /// The layout of the records.
    pub layout: Arc<Layout>,
    /// What cutting found around these records: headers, records that are too long.
    pub counts: Counts,
    /// Rejects that cutting found around these records.
    pub rejects: Vec<Reject>,
}

/// Where a JSON record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordSpan {
    /// Where its opening brace is in the block's bytes.
    pub start: u32,
    /// The byte after its closing brace.
    pub end: u32,
    /// The line on which it starts, from 0 at the block's first.
    pub line: u32,
}

const TOO_LONG: Reason = Reason::TooLong {
    limit: MAX_LINE_BYTES,
};
