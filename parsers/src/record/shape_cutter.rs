//! The cutter of records, whatever their shape.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Block, BlockPool, JsonCutter, LineCutter, Place};
use crate::format::{Format, Shape};
use crate::layout::Layout;

/// Cuts records that nothing is wrapped around.
#[derive(Debug)]
pub(super) enum ShapeCutter {
    /// Records are lines.
    Lines(LineCutter),
    /// Records are JSON objects.
    Json(JsonCutter),
}

impl ShapeCutter {
    /// A cutter for an object whose records have `layout` until a header line says otherwise.
    pub(super) fn new(format: &Arc<Format>, layout: Arc<Layout>) -> Self {
        match &format.shape {
            Shape::Json { records, .. } => Self::Json(JsonCutter::new(layout, records.as_deref())),
            _ => Self::Lines(LineCutter::new(Arc::clone(format), layout)),
        }
    }

    /// The same with blocks of another size, for tests that want many.
    pub(super) fn with_block_bytes(self, bytes: usize) -> Self {
        match self {
            Self::Lines(lines) => Self::Lines(lines.with_block_bytes(bytes)),
            Self::Json(json) => Self::Json(json.with_block_bytes(bytes)),
        }
    }

    /// The same with memory for its blocks from `pool`.
    pub(super) fn with_pool(self, pool: &BlockPool) -> Self {
        match self {
            Self::Lines(lines) => Self::Lines(lines.with_pool(pool)),
            Self::Json(json) => Self::Json(json),
        }
    }

    /// The same for bytes that begin at a place that another cutter came to.
    pub(super) fn resumed(self, place: &Place) -> Self {
        match self {
            Self::Lines(lines) => Self::Lines(lines.resumed(place)),
            Self::Json(json) => Self::Json(json.resumed(place)),
        }
    }

    /// The place behind all that was cut, after [`ShapeCutter::finish`].
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Lines(lines) => lines.place(),
            Self::Json(json) => json.place(),
        }
    }

    /// The layout that the next records have.
    pub(super) fn layout(&self) -> Arc<Layout> {
        match self {
            Self::Lines(lines) => lines.layout(),
            Self::Json(json) => json.layout(),
        }
    }

    /// Where inflated bytes are appended.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Lines(lines) => lines.buffer(),
            Self::Json(json) => json.buffer(),
        }
    }

    /// How many more bytes make a block.
    pub(super) fn wants(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.wants(),
            Self::Json(json) => json.wants(),
        }
    }

    /// Gives the blocks that are complete.
    pub(super) fn cut(&mut self, out: &mut VecDeque<Block>) {
        match self {
            Self::Lines(lines) => lines.cut(out),
            Self::Json(json) => json.cut(out),
        }
    }

    /// Ends a message, of which every one is a record.
    pub(super) fn end_message(&mut self) {
        match self {
            Self::Lines(lines) => lines.end_message(),
            Self::Json(json) => json.end_message(),
        }
    }

    /// Gives the rest after the last bytes. `cut_off` says that the object broke off there, so
    /// that a record without its end is none.
    pub(super) fn finish(&mut self, cut_off: bool, out: &mut VecDeque<Block>) {
        match self {
            Self::Lines(lines) => lines.finish(cut_off, out),
            Self::Json(json) => json.finish(cut_off, out),
        }
    }
}
