//! Records: cutting the bytes of an object into blocks of whole records.
//!
//! A [`Cutter`] is fed with inflated bytes in pieces of any size and gives [`Block`]s.
//! [`LineCutter`] takes lines for records. It also follows the header lines, which may stand at
//! the beginning, be missing, or be repeated in the middle (concatenated files), since a block
//! must have one layout. [`JsonCutter`] takes JSON objects for records, wherever they stand.
//! Records that come in envelopes ([`crate::envelope`]) are taken out of them first and cut as if
//! they had stood in a file; their blocks know where they were.
//! Cutting is cheap next to parsing and goes in order; the blocks can then be parsed in any order
//! on any core. [`LineRanges`] lets several cores read and cut one plain object.

mod cutter;
mod json;
pub(crate) mod lines;
mod look;
mod pool;
mod ranges;
mod shape_cutter;
mod unwrapping;

use std::sync::Arc;

use arrow_buffer::Buffer;

use crate::envelope::Origin;
use crate::layout::Layout;
use crate::reject::{Counts, Reason, Reject};

pub use cutter::Cutter;
pub use json::JsonCutter;
pub use lines::LineCutter;
pub use look::Look;
pub use pool::BlockPool;
pub use ranges::{LineRanges, Taken};
pub(crate) use unwrapping::EventPlace;

/// Inflated bytes that a block has at least, unless the object ends before.
///
/// One block becomes one batch: about 9,000 default flow records. String views are charged with
/// their whole buffer, so larger blocks would trip memory limits.
pub const BLOCK_BYTES: usize = 1 << 20;

/// The longest line or JSON object that is taken for a record; longer ones are rejected without
/// being held.
pub const MAX_RECORD_BYTES: usize = 4 << 20;

/// How far an object that grows was cut: at the end of a record, or of nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The line there, from 1.
    pub line: u64,
    /// The byte offset there, in the inflated object.
    pub offset: u64,
    /// The last header line before, which says what the fields of the next records are; empty if
    /// there was none.
    pub header: Vec<u8>,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            line: 1,
            offset: 0,
            header: Vec::new(),
        }
    }
}

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
    /// Where lines were taken out, in order. Empty for blocks as they are cut.
    pub gaps: Vec<Gap>,
    /// Where the records were, if they were in envelopes: [`Block::offset`] is then that among
    /// what was taken out.
    pub(crate) events: Arc<[EventPlace]>,
}

impl Block {
    /// Line in its object, from 1, and byte offset of a record that begins at `start`, on the
    /// line `line` of the block. Of records in envelopes, the lines are the log events, and the
    /// byte is that of the log event.
    pub fn place(&self, start: usize, line: u32) -> (u64, u64) {
        let gap = self.gap_before(start);
        let at = self.offset + start as u64 + gap.bytes;
        let event = unwrapping::place_of(&self.events, at);
        (
            self.first_line + u64::from(line) + gap.lines,
            event.map_or(at, |event| event.offset),
        )
    }

    /// Whether records of it were in envelopes.
    pub(crate) fn was_in_envelopes(&self) -> bool {
        !self.events.is_empty()
    }

    /// What the envelope says of a record that begins at `start`, if it was in one.
    pub(crate) fn origin(&self, start: usize) -> Option<&Arc<Origin>> {
        let at = self.offset + start as u64 + self.gap_before(start).bytes;
        Some(&unwrapping::place_of(&self.events, at)?.origin)
    }

    fn gap_before(&self, start: usize) -> Gap {
        let before = self.gaps.partition_point(|gap| gap.at as usize <= start);
        let gap = before.checked_sub(1).map(|last| self.gaps[last]);
        gap.unwrap_or_default()
    }

    /// The same block with fewer records.
    pub(crate) fn narrowed(&self, bytes: Buffer, spans: Vec<RecordSpan>, gaps: Vec<Gap>) -> Self {
        Self {
            bytes,
            spans,
            gaps,
            first_line: self.first_line,
            offset: self.offset,
            layout: Arc::clone(&self.layout),
            counts: self.counts,
            rejects: self.rejects.clone(),
            events: Arc::clone(&self.events),
        }
    }
}

/// A place in a block from which on lines are missing that were taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gap {
    /// The first byte behind what was taken out.
    pub at: u32,
    /// Lines taken out so far.
    pub lines: u64,
    /// Bytes taken out so far.
    pub bytes: u64,
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
    limit: MAX_RECORD_BYTES,
};
