//! The cutter of an object, whatever its records are and whatever they are wrapped in.

use std::collections::VecDeque;
use std::sync::Arc;

use super::shape_cutter::ShapeCutter;
use super::unwrapping::Unwrapping;
use super::{Block, BlockPool, Place};
use crate::envelope;
use crate::format::Format;
use crate::layout::Layout;

/// Cuts inflated bytes into blocks.
///
/// Append to [`Cutter::buffer`], then call [`Cutter::cut`]; after the last bytes call
/// [`Cutter::finish`]. The first bytes tell whether records come in envelopes.
#[derive(Debug)]
pub struct Cutter {
    format: Arc<Format>,
    layout: Arc<Layout>,
    records: ShapeCutter,
    /// What takes records out of their envelopes, if they are in some.
    unwrapping: Option<Box<Unwrapping>>,
    /// Whether they are is known.
    settled: bool,
}

impl Cutter {
    /// A cutter for an object whose records have `layout` until a header line says otherwise.
    pub fn new(format: Arc<Format>, layout: Arc<Layout>) -> Self {
        Self {
            records: ShapeCutter::new(&format, Arc::clone(&layout)),
            format,
            layout,
            unwrapping: None,
            settled: false,
        }
    }

    /// The same with blocks of another size, for tests that want many.
    pub fn with_block_bytes(mut self, bytes: usize) -> Self {
        self.records = self.records.with_block_bytes(bytes);
        self
    }

    /// The same with memory for its blocks from `pool`.
    pub fn with_pool(mut self, pool: &BlockPool) -> Self {
        self.records = self.records.with_pool(pool);
        self
    }

    /// The same for bytes that begin at a place that another cutter came to.
    pub fn resumed(mut self, place: &Place) -> Self {
        self.records = self.records.resumed(place);
        self
    }

    /// The place behind all that was cut, after [`Cutter::finish`].
    pub fn place(&self) -> Place {
        let place = self.records.place();
        match &self.unwrapping {
            None => place,
            Some(unwrapping) => Place {
                offset: unwrapping.offset(),
                ..place
            },
        }
    }

    /// Where inflated bytes are appended.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        match &mut self.unwrapping {
            None => self.records.buffer(),
            Some(unwrapping) => unwrapping.buffer(),
        }
    }

    /// How many more bytes make a block.
    pub fn wants(&self) -> usize {
        match &self.unwrapping {
            None => self.records.wants(),
            Some(unwrapping) => unwrapping.wants(),
        }
    }

    /// Gives the blocks that are complete.
    pub fn cut(&mut self, out: &mut VecDeque<Block>) {
        self.settle(false);
        match &mut self.unwrapping {
            Some(unwrapping) => unwrapping.cut(&mut self.records, out),
            None if self.settled => self.records.cut(out),
            None => {}
        }
    }

    /// Gives the rest after the last bytes. `cut_off` says that the object broke off there, so
    /// that a record without its end is none.
    pub fn finish(&mut self, cut_off: bool, out: &mut VecDeque<Block>) {
        self.settle(true);
        match &mut self.unwrapping {
            Some(unwrapping) => unwrapping.finish(cut_off, &mut self.records, out),
            None => self.records.finish(cut_off, out),
        }
    }

    /// Finds out whether records come in envelopes, as soon as the bytes tell.
    fn settle(&mut self, ended: bool) {
        if self.settled {
            return;
        }
        let Some(wrapped) = envelope::wraps(self.records.buffer(), &self.format, ended) else {
            return;
        };
        self.settled = true;
        if wrapped {
            let mut unwrapping = Unwrapping::new(&self.format, &self.layout, &self.records.place());
            std::mem::swap(unwrapping.buffer(), self.records.buffer());
            self.unwrapping = Some(Box::new(unwrapping));
        }
    }
}
