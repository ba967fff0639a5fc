//! One open object: its bytes out of their frame and into blocks.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use loglens_parsers::frame::{
    Decoder, ExpansionLimit, Frame, FrameError, MAGIC_BYTES, inflate_whole,
};
use loglens_parsers::record::{Block, Cutter};
use loglens_parsers::reject::{Reason, Reject};

use super::input::Input;
use super::metrics::ByteMetrics;
use super::parts::Parts;
use super::spec::ScanObject;
use crate::error::Error;
use crate::object::Grown;

/// Compressed bytes read at a time: they inflate to about a block or two.
const READ_BYTES: usize = 128 << 10;

/// What comes out of an object.
pub(super) enum Step {
    /// Records.
    Block(Block),
    /// The object cannot be read to its end.
    Damage(Reject),
}

/// Reads one object from its beginning to its end.
pub(super) struct Cursor {
    pub(super) object: ScanObject,
    input: Input,
    /// Where it says how far it was read, if it grows.
    grows: Option<Grown>,
    bytes: ByteMetrics,
    limit: ExpansionLimit,
    /// Known after the first read.
    decoder: Option<Decoder>,
    /// Bytes that are read and not decoded yet, from `staged_at` on.
    staged: Vec<u8>,
    staged_at: usize,
    cutter: Cutter,
    ready: VecDeque<Step>,
    read_bytes: u64,
    inflated_bytes: u64,
    at_end: bool,
}

impl Cursor {
    /// A cursor at the beginning of an object, of which `staged` was read already.
    pub(super) fn new(object: ScanObject, input: Input, staged: Vec<u8>, parts: &Parts) -> Self {
        parts.bytes.opened();
        parts.bytes.read(staged.len());
        let mut cutter = Cutter::new(Arc::clone(&parts.format), Arc::clone(&parts.layout));
        let grows = input.grows();
        if let Some(place) = &grows {
            cutter = cutter.resumed(&place.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Self {
            object,
            input,
            grows,
            bytes: parts.bytes.clone(),
            limit: parts.limit,
            decoder: None,
            read_bytes: staged.len() as u64,
            staged,
            staged_at: 0,
            cutter: cutter.with_pool(&parts.pool),
            ready: VecDeque::new(),
            inflated_bytes: 0,
            at_end: false,
        }
    }

    /// The next block, or damage; None at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Step>, Error> {
        loop {
            if let Some(step) = self.ready.pop_front() {
                return Ok(Some(step));
            }
            if self.at_end {
                return Ok(None);
            }
            self.advance().await?;
        }
    }

    async fn advance(&mut self) -> Result<(), Error> {
        if self.staged_at == self.staged.len() {
            self.staged.clear();
            self.staged_at = 0;
        }
        let Some(mut decoder) = self.decoder.take() else {
            return self.begin().await;
        };
        let before = self.cutter.buffer().len();
        let room = self.cutter.wants();
        if decoder.is_plain() && self.staged.is_empty() {
            // No detour for plain bytes: they are read where they will be parsed.
            let buffer = std::mem::take(self.cutter.buffer());
            *self.cutter.buffer() = self.read(buffer, room).await?;
            let ended = self.cutter.buffer().len() == before;
            self.decoder = Some(decoder);
            self.cut(before, ended);
            return Ok(());
        }
        if self.staged.is_empty() {
            let staged = std::mem::take(&mut self.staged);
            self.staged = self.read(staged, READ_BYTES).await?;
        }
        let input_ended = self.staged.is_empty();
        let decoded = decoder.decode(&self.staged[self.staged_at..], self.cutter.buffer(), room);
        match decoded {
            Ok(used) => self.staged_at += used,
            Err(error) => {
                self.damaged(error, before);
                return Ok(());
            }
        }
        let ended = input_ended && self.cutter.buffer().len() == before;
        if ended && let Err(error) = decoder.finish() {
            self.damaged(error, before);
            return Ok(());
        }
        self.decoder = Some(decoder);
        self.cut(before, ended);
        Ok(())
    }

    /// Reads the first bytes and tells the frame.
    async fn begin(&mut self) -> Result<(), Error> {
        while self.staged.len() < MAGIC_BYTES {
            let before = self.staged.len();
            let staged = std::mem::take(&mut self.staged);
            self.staged = self.read(staged, READ_BYTES).await?;
            if self.staged.len() == before {
                break;
            }
        }
        match Decoder::new(Frame::of(&self.staged), self.limit) {
            Ok(decoder) => self.decoder = Some(decoder),
            Err(error) => {
                self.damaged(error, 0);
                return Ok(());
            }
        }
        let is_whole = self.object.object.size == Some(self.staged.len() as u64);
        if is_whole && inflate_whole(&self.staged, self.limit, self.cutter.buffer()) {
            // If the object grew, the decoder goes on behind this.
            self.staged_at = self.staged.len();
            self.cut(0, false);
        }
        Ok(())
    }

    async fn read(&mut self, buffer: Vec<u8>, room: usize) -> Result<Vec<u8>, Error> {
        let before = buffer.len();
        let buffer = self.input.read(buffer, room).await?;
        let read = buffer.len() - before;
        self.read_bytes += read as u64;
        self.bytes.read(read);
        Ok(buffer)
    }

    /// Cuts off whole lines; `before` is what the buffer held before bytes were added.
    fn cut(&mut self, before: usize, ended: bool) {
        self.count_inflated(before);
        let mut blocks = VecDeque::new();
        if ended {
            let shrank = self.shrank();
            self.cutter.finish(shrank.is_some(), &mut blocks);
            self.ready.extend(blocks.drain(..).map(Step::Block));
            self.ready.extend(shrank.map(Step::Damage));
            self.at_end = true;
            if let Some(place) = &self.grows {
                *place.lock().unwrap_or_else(PoisonError::into_inner) = self.cutter.place();
            }
        } else {
            self.cutter.cut(&mut blocks);
            self.ready.extend(blocks.drain(..).map(Step::Block));
        }
    }

    /// Ends the object where its frame is damaged: the lines before are good.
    fn damaged(&mut self, error: FrameError, before: usize) {
        self.count_inflated(before);
        let mut blocks = VecDeque::new();
        self.cutter.finish(true, &mut blocks);
        self.ready.extend(blocks.drain(..).map(Step::Block));
        let damage = object_reject(self.inflated_bytes, Reason::Frame(error));
        self.ready.push_back(Step::Damage(damage));
        self.at_end = true;
    }

    fn count_inflated(&mut self, before: usize) {
        let inflated = self.cutter.buffer().len().saturating_sub(before);
        self.inflated_bytes += inflated as u64;
        self.bytes.inflated(inflated);
    }

    /// An object that gave fewer bytes than it had when it was listed.
    fn shrank(&self) -> Option<Reject> {
        let expected = self.object.object.size?;
        let found = self.read_bytes;
        (found < expected).then(|| shrank(self.inflated_bytes, expected, found))
    }
}

/// An object that had `expected` bytes when it was listed and has `found`; `offset` bytes of it
/// came out of the frame.
pub(super) fn shrank(offset: u64, expected: u64, found: u64) -> Reject {
    object_reject(offset, Reason::Shrank { expected, found })
}

fn object_reject(offset: u64, reason: Reason) -> Reject {
    Reject {
        line: 0,
        offset,
        column: None,
        reason,
        excerpt: String::new(),
    }
}
