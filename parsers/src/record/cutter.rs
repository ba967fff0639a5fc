//! The cutter of an object, whatever its shape.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Block, BlockPool, JsonCutter, LineCutter, Place};
use crate::format::{Format, Shape};
use crate::layout::Layout;

/// Cuts inflated bytes into blocks.
///
/// Append to [`Cutter::buffer`], then call [`Cutter::cut`]; after the last bytes call
/// [`Cutter::finish`].
#[derive(Debug)]
pub enum Cutter {
    /// Records are lines.
    Lines(LineCutter),
    /// Records are JSON objects.
    Json(JsonCutter),
}

impl Cutter {
    /// A cutter for an object whose records have `layout` until a header line says otherwise.
    pub fn new(format: Arc<Format>, layout: Arc<Layout>) -> Self {
        match &format.shape {
            Shape::Json { records, .. } => Self::Json(JsonCutter::new(layout, records.as_deref())),
            _ => Self::Lines(LineCutter::new(format, layout)),
        }
    }

    /// The same with blocks of another size, for tests that want many.
    pub fn with_block_bytes(self, bytes: usize) -> Self {
        match self {
            Self::Lines(lines) => Self::Lines(lines.with_block_bytes(bytes)),
            Self::Json(json) => Self::Json(json.with_block_bytes(bytes)),
        }
    }

    /// The same with memory for its blocks from `pool`.
    pub fn with_pool(self, pool: &BlockPool) -> Self {
        match self {
            Self::Lines(lines) => Self::Lines(lines.with_pool(pool)),
            Self::Json(json) => Self::Json(json),
        }
    }

    /// The same for bytes that begin at a place that another cutter came to.
    pub fn resumed(self, place: &Place) -> Self {
        match self {
            Self::Lines(lines) => Self::Lines(lines.resumed(place)),
            Self::Json(json) => Self::Json(json.resumed(place)),
        }
    }

    /// The place behind all that was cut, after [`Cutter::finish`].
    pub fn place(&self) -> Place {
        match self {
            Self::Lines(lines) => lines.place(),
            Self::Json(json) => json.place(),
        }
    }

    /// Where inflated bytes are appended.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Lines(lines) => lines.buffer(),
            Self::Json(json) => json.buffer(),
        }
    }

    /// How many more bytes make a block.
    pub fn wants(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.wants(),
            Self::Json(json) => json.wants(),
        }
    }

    /// Gives the blocks that are complete.
    pub fn cut(&mut self, out: &mut VecDeque<Block>) {
        match self {
            Self::Lines(lines) => lines.cut(out),
            Self::Json(json) => json.cut(out),
        }
    }

    /// Gives the rest after the last bytes. `cut_off` says that the object broke off there, so
    /// that a record without its end is none.
    pub fn finish(&mut self, cut_off: bool, out: &mut VecDeque<Block>) {
        match self {
            Self::Lines(lines) => lines.finish(cut_off, out),
            Self::Json(json) => json.finish(cut_off, out),
        }
    }
}
