//! The line cutter.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_buffer::Buffer;
use memchr::{memchr, memrchr};

use super::{BLOCK_BYTES, Block, BlockPool, Look, MAX_RECORD_BYTES, Place, TOO_LONG};
use crate::format::Format;
use crate::layout::{Layout, header_names};
use crate::reject::{Counts, Reason, Reject, excerpt};

/// What some writers put before the first line. It is no part of it.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Cuts inflated bytes into blocks.
///
/// Append to [`LineCutter::buffer`], then call [`LineCutter::cut`]; after the last bytes call
/// [`LineCutter::finish`].
#[derive(Debug)]
pub struct LineCutter {
    format: Arc<Format>,
    /// First bytes that header lines may have: a quick look that spares most lines the full one.
    header_starts: [bool; 256],
    buffer: Vec<u8>,
    pool: BlockPool,
    layout: Arc<Layout>,
    header: Vec<u8>,
    /// Something other than blank lines was seen.
    begun: bool,
    line: u64,
    offset: u64,
    /// Inside a line that is too long and was rejected already.
    discarding: bool,
    counts: Counts,
    rejects: Vec<Reject>,
    block_bytes: usize,
}

impl LineCutter {
    /// A cutter for an object whose records have `layout` until a header line says otherwise.
    pub fn new(format: Arc<Format>, layout: Arc<Layout>) -> Self {
        let mut header_starts = [false; 256];
        for column in &format.columns {
            if let Some(first) = column.name.as_bytes().first() {
                header_starts[usize::from(first.to_ascii_lowercase())] = true;
            }
        }
        Self {
            format,
            header_starts,
            buffer: Vec::new(),
            pool: BlockPool::default(),
            layout,
            header: Vec::new(),
            begun: false,
            line: 1,
            offset: 0,
            discarding: false,
            counts: Counts::default(),
            rejects: Vec::new(),
            block_bytes: BLOCK_BYTES,
        }
    }

    /// The same with blocks of another size, for tests that want many.
    pub fn with_block_bytes(mut self, bytes: usize) -> Self {
        self.block_bytes = bytes;
        self
    }

    /// The same with memory for its blocks from `pool`.
    pub fn with_pool(mut self, pool: &BlockPool) -> Self {
        self.pool = pool.clone();
        self.buffer = pool.take();
        self.buffer.clear();
        self
    }

    /// The same for bytes that begin at a place that another cutter came to.
    pub fn resumed(mut self, place: &Place) -> Self {
        if !place.header.is_empty() {
            self.read_header(&place.header);
        }
        self.begun = place.offset > 0;
        self.line = place.line;
        self.offset = place.offset;
        self
    }

    /// The place behind all that was cut, after [`LineCutter::finish`].
    pub fn place(&self) -> Place {
        Place {
            line: self.line,
            offset: self.offset,
            header: self.header.clone(),
        }
    }

    /// The layout that the next records have.
    pub(super) fn layout(&self) -> Arc<Layout> {
        Arc::clone(&self.layout)
    }

    /// Where inflated bytes are appended.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// How many more bytes make a block.
    pub fn wants(&self) -> usize {
        self.block_bytes
            .saturating_sub(self.buffer.len())
            .max(self.block_bytes / 4)
            .max(1)
    }

    /// Gives the blocks that are complete.
    pub fn cut(&mut self, out: &mut VecDeque<Block>) {
        self.discard();
        if self.buffer.len() < self.block_bytes {
            return;
        }
        self.skip_byte_order_mark();
        let Some(last) = memrchr(b'\n', &self.buffer) else {
            self.reject_long_line();
            return;
        };
        let mut tail = self.pool.take();
        tail.clear();
        tail.extend_from_slice(&self.buffer[last + 1..]);
        let mut whole = std::mem::replace(&mut self.buffer, tail);
        whole.truncate(last + 1);
        self.take_lines(whole, out);
    }

    /// What was appended since the last time was a message by itself: a line.
    pub(super) fn end_message(&mut self) {
        self.buffer.push(b'\n');
    }

    /// Gives the rest after the last bytes. `cut_off` says that the object broke off there, so
    /// that a line without its end is not a record.
    pub fn finish(&mut self, cut_off: bool, out: &mut VecDeque<Block>) {
        self.discard();
        self.skip_byte_order_mark();
        let mut whole = std::mem::take(&mut self.buffer);
        let mut fragment = Vec::new();
        if cut_off {
            fragment = whole.split_off(memrchr(b'\n', &whole).map_or(0, |at| at + 1));
        }
        self.take_lines(whole, out);
        if !fragment.is_empty() {
            self.reject_fragment(&fragment);
        }
        self.take_leftovers(out);
    }

    /// Passes over the rest of a line that is too long.
    fn discard(&mut self) {
        if !self.discarding {
            return;
        }
        let end = memchr(b'\n', &self.buffer).map(|at| at + 1);
        let length = end.unwrap_or(self.buffer.len());
        self.buffer.drain(..length);
        self.offset += length as u64;
        if end.is_some() {
            self.discarding = false;
            self.line += 1;
        }
    }

    fn skip_byte_order_mark(&mut self) {
        if self.offset == 0 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.drain(..BYTE_ORDER_MARK.len());
            self.offset = BYTE_ORDER_MARK.len() as u64;
        }
    }

    fn reject_long_line(&mut self) {
        if !is_too_long(&self.buffer) {
            return;
        }
        let long = std::mem::take(&mut self.buffer);
        self.reject(&long, TOO_LONG);
        self.offset += long.len() as u64;
        self.discarding = true;
        self.begun = true;
    }

    /// Rejects the beginning of a line whose end is not there.
    pub(super) fn reject_fragment(&mut self, fragment: &[u8]) {
        let too_long = is_too_long(fragment);
        self.reject(fragment, if too_long { TOO_LONG } else { Reason::CutOff });
        self.line += 1;
        self.begun = true;
    }

    fn reject(&mut self, record: &[u8], reason: Reason) {
        self.counts.records += 1;
        self.counts.rejects += 1;
        self.rejects.push(Reject {
            line: self.line,
            offset: self.offset,
            column: None,
            reason,
            excerpt: excerpt(trim_line(record)),
        });
    }

    fn take_lines(&mut self, whole: Vec<u8>, out: &mut VecDeque<Block>) {
        let look = Look::at(&whole);
        let bytes = self.pool.lend(whole);
        self.split_at_headers(&bytes, &look, out);
    }

    /// Takes whole lines that begin at byte `offset` of the object and behind all that came so
    /// far.
    pub(super) fn take_lines_at(
        &mut self,
        offset: u64,
        bytes: &Buffer,
        look: &Look,
        out: &mut VecDeque<Block>,
    ) {
        self.offset = offset;
        self.split_at_headers(bytes, look, out);
    }

    /// Gives what was counted and has no block to go with.
    pub(super) fn take_leftovers(&mut self, out: &mut VecDeque<Block>) {
        if self.counts != Counts::default() {
            let empty = self.block(Buffer::from_vec(Vec::<u8>::new()), self.line, self.offset);
            out.push_back(empty);
        }
    }

    /// Cuts whole lines at header lines, since a header changes the layout.
    fn split_at_headers(&mut self, bytes: &Buffer, look: &Look, out: &mut VecDeque<Block>) {
        let first = match self.begun {
            true => None,
            false => first_line(bytes),
        };
        let behind = first.map_or(0, |first| first + 1);
        let letters = look.letters.iter().map(|&start| start as usize);
        let letters = letters.filter(|&start| start >= behind);
        let mut start = 0;
        for candidate in first.into_iter().chain(letters) {
            let end = memchr(b'\n', &bytes[candidate..]).map_or(bytes.len(), |at| candidate + at);
            let line = trim_line(&bytes[candidate..end]);
            if self.is_header(line) {
                self.emit(bytes, start..candidate, look, out);
                self.read_header(line);
                start = (end + 1).min(bytes.len());
                self.offset += (start - candidate) as u64;
                self.line += 1;
            }
            self.begun = true;
        }
        self.emit(bytes, start..bytes.len(), look, out);
    }

    fn is_header(&self, line: &[u8]) -> bool {
        let Some(&first) = line.first() else {
            return false;
        };
        let worth_a_look = !self.begun || self.header_starts[usize::from(first)];
        worth_a_look
            && (line == self.header || header_names(&self.format, line, !self.begun).is_some())
    }

    fn read_header(&mut self, line: &[u8]) {
        if line != self.header
            && let Some(names) = header_names(&self.format, line, !self.begun)
        {
            self.layout = Arc::new(Layout::new(&self.format, names));
            self.header = line.to_vec();
            // The first header may begin with a name that the format does not have, and stand again.
            self.header_starts[usize::from(line[0])] = true;
        }
        self.begun = true;
        if let Some(name) = self.layout.duplicate() {
            let name = name.to_owned();
            self.reject(line, Reason::DuplicateName(name));
        } else {
            self.counts.records += 1;
            self.counts.skipped += 1;
        }
    }

    fn emit(
        &mut self,
        bytes: &Buffer,
        range: std::ops::Range<usize>,
        look: &Look,
        out: &mut VecDeque<Block>,
    ) {
        if range.is_empty() {
            return;
        }
        let block = self.block(
            bytes.slice_with_length(range.start, range.len()),
            self.line,
            self.offset,
        );
        out.push_back(block);
        self.line += match range.len() == bytes.len() {
            true => look.newlines,
            false => Look::at(&bytes[range.clone()]).newlines,
        };
        self.offset += range.len() as u64;
    }

    fn block(&mut self, bytes: Buffer, first_line: u64, offset: u64) -> Block {
        Block {
            bytes,
            spans: Vec::new(),
            first_line,
            offset,
            layout: Arc::clone(&self.layout),
            counts: std::mem::take(&mut self.counts),
            rejects: std::mem::take(&mut self.rejects),
            gaps: Vec::new(),
            events: Arc::default(),
        }
    }
}

/// Whether a line whose end is not there is too long, even if its last byte turns out to be the
/// first half of CRLF.
pub(super) fn is_too_long(line: &[u8]) -> bool {
    line.len() > MAX_RECORD_BYTES + 1
}

/// Where the first line begins that is not blank.
fn first_line(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if !trim_line(line.strip_suffix(b"\n").unwrap_or(line)).is_empty() {
            return Some(start);
        }
        start += line.len();
    }
    None
}

/// The lines of some bytes that are not blank.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    let lines = std::iter::from_fn(move || {
        let text = rest?;
        let end = memchr(b'\n', text);
        rest = end.map(|end| &text[end + 1..]);
        Some(&text[..end.unwrap_or(text.len())])
    });
    lines.map(trim_line).filter(|line| !line.is_empty())
}

/// A line without the carriage return that CRLF leaves.
pub(crate) fn trim_line(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
