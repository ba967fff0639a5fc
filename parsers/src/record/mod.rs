//! Records: cutting the bytes of an object into blocks of whole lines.
//!
//! [`LineCutter`] is fed with inflated bytes in pieces of any size and gives [`Block`]s. It also
//! follows the header lines, which may stand at the beginning, be missing, or be repeated in the
//! middle (concatenated files), since a block must have one layout. Cutting is cheap next to
//! parsing and goes in order; the blocks can then be parsed in any order on any core.

pub(crate) mod lines;

use std::sync::Arc;

use arrow_buffer::Buffer;

use crate::layout::Layout;
use crate::reject::{Counts, Reject};

pub use lines::LineCutter;

/// Inflated bytes that a block has at least, unless the object ends before.
///
/// One block becomes one batch: about 9,000 default flow records. String views are charged with
/// their whole buffer, so larger blocks would trip memory limits.
pub const BLOCK_BYTES: usize = 1 << 20;

/// The longest line that is taken for a record; longer ones are rejected without being held.
pub const MAX_LINE_BYTES: usize = 4 << 20;

/// Whole records of one object with one layout.
#[derive(Debug)]
pub struct Block {
    /// The lines. The last one may lack its line end. Header lines are not among them.
    pub bytes: Buffer,
    /// Line of the first record, from 1.
    pub first_line: u64,
    /// Byte offset of the first record in the inflated object.
    pub offset: u64,
    /// The layout of the records.
    pub layout: Arc<Layout>,
    /// What cutting found around these lines: headers, lines that are too long.
    pub counts: Counts,
    /// Rejects that cutting found around these lines.
    pub rejects: Vec<Reject>,
}
