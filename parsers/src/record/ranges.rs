//! Lines of one plain object, read and cut by several threads.
//!
//! The object is taken in ranges of bytes. A line belongs to the range that holds the end of the
//! line before it; so a range reads a little further than it goes, and needs no byte before it.
//! Reading and looking at the lines goes on side by side. What depends on what came before (the
//! number of the first line, the layout that a header line gave) is settled range after range: a
//! few instructions, since header lines are rare.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use memchr::{memchr, memrchr};

use super::lines::{BYTE_ORDER_MARK, is_too_long};
use super::{BLOCK_BYTES, Block, BlockPool, LineCutter, Look};
use crate::format::Format;
use crate::layout::Layout;

/// How much further a range is read at first: most lines end within it.
const SLACK_BYTES: usize = 4 << 10;

/// An object whose records are lines, taken range by range.
#[derive(Debug)]
pub struct LineRanges {
    range_bytes: usize,
    expected_bytes: Option<u64>,
    pool: BlockPool,
    claimed: AtomicU64,
    chain: Mutex<Chain>,
    turn: Condvar,
}

/// What is settled in order.
#[derive(Debug)]
struct Chain {
    /// The range whose turn it is.
    next: u64,
    cutter: LineCutter,
    /// The object's last range was settled.
    ended: bool,
    /// A range could not be read: those behind it will not get their turn.
    failed: bool,
}

/// What was taken of an object.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Bytes of the object that are new.
    pub bytes: u64,
    /// The object ended here, and it has fewer bytes than were expected: how many it has.
    pub shrank_to: Option<u64>,
}

impl LineRanges {
    /// The ranges of an object whose records have `layout` until a header line says otherwise.
    /// It should have `expected_bytes`, if that is known.
    pub fn new(
        format: Arc<Format>,
        layout: Arc<Layout>,
        expected_bytes: Option<u64>,
        pool: &BlockPool,
    ) -> Self {
        Self {
            range_bytes: BLOCK_BYTES,
            expected_bytes,
            pool: pool.clone(),
            claimed: AtomicU64::new(0),
            chain: Mutex::new(Chain {
                next: 0,
                cutter: LineCutter::new(format, layout),
                ended: false,
                failed: false,
            }),
            turn: Condvar::new(),
        }
    }

    /// The same with ranges of another size, for tests that want many.
    pub fn with_range_bytes(mut self, bytes: usize) -> Self {
        self.range_bytes = bytes;
        self
    }

    /// Takes the next range: gives the blocks in it, of which there may be none; `None` when
    /// nothing is left.
    ///
    /// `read(offset, into)` fills `into` with the object's bytes from `offset` on, and says how
    /// many there were: fewer than there is room for only at the object's end. It must not wait
    /// for another range: those behind this one wait for it.
    ///
    /// # Errors
    /// Those of `read`; the ranges that other threads take then end.
    pub fn take<E>(
        &self,
        read: impl FnMut(u64, &mut [u8]) -> Result<usize, E>,
        out: &mut VecDeque<Block>,
    ) -> Result<Option<Taken>, E> {
        if self.chain().ended {
            return Ok(None);
        }
        let index = self.claimed.fetch_add(1, Relaxed);
        let place = Place {
            ranges: self,
            settled: false,
        };
        let range = Range::read(self, index, read)?;
        let look = Look::at(range.lines());
        Ok(place.settle(index, range, &look, out))
    }

    fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A range's place in the order. Dropped before it is settled, it ends those behind it.
struct Place<'a> {
    ranges: &'a LineRanges,
    settled: bool,
}

impl Place<'_> {
    fn settle(
        mut self,
        index: u64,
        range: Range,
        look: &Look,
        out: &mut VecDeque<Block>,
    ) -> Option<Taken> {
        let ranges = self.ranges;
        let mut chain = ranges.chain();
        while chain.next != index {
            if chain.failed {
                return None;
            }
            let waited = ranges.turn.wait(chain);
            chain = waited.unwrap_or_else(PoisonError::into_inner);
        }
        let taken = range.settle(&mut chain, ranges, look, out);
        chain.next = index + 1;
        self.settled = true;
        drop(chain);
        ranges.turn.notify_all();
        taken
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.ranges.chain().failed = true;
            self.ranges.turn.notify_all();
        }
    }
}

/// The bytes of a range and of the line that goes beyond it.
struct Range {
    buffer: Vec<u8>,
    /// Where the buffer begins in the object.
    offset: u64,
    /// Bytes in the buffer that are the object's.
    filled: usize,
    /// Where its first line begins.
    start: usize,
    /// Where its last line ends.
    end: usize,
    /// The object ends where the buffer does.
    at_end: bool,
    /// The last line is too long to be read to its end.
    too_long: bool,
    /// The beginning of a line that is too long, or breaks off where the object does.
    fragment: Vec<u8>,
}

impl Range {
    fn read<E>(
        ranges: &LineRanges,
        index: u64,
        mut read: impl FnMut(u64, &mut [u8]) -> Result<usize, E>,
    ) -> Result<Self, E> {
        let length = ranges.range_bytes;
        let mut range = Self {
            buffer: ranges.pool.take(),
            offset: index * length as u64,
            filled: 0,
            start: 0,
            end: 0,
            at_end: false,
            too_long: false,
            fragment: Vec::new(),
        };
        range.fill(length + SLACK_BYTES, &mut read)?;
        // Behind what was filled are bytes of earlier blocks.
        let filled = &range.buffer[..range.filled];
        let own = &filled[..filled.len().min(length)];
        range.start = match memchr(b'\n', own) {
            _ if index == 0 && filled.starts_with(BYTE_ORDER_MARK) => BYTE_ORDER_MARK.len(),
            _ if index == 0 => 0,
            Some(at) => at + 1,
            // All of it is the middle of a line, which is another range's.
            None => return Ok(range),
        };
        range.find_end(length, &mut read)?;
        range.leave_out_fragment(ranges.expected_bytes);
        Ok(range)
    }

    /// Reads on until the buffer holds so many bytes, or the object ends.
    fn fill<E>(
        &mut self,
        bytes: usize,
        read: &mut impl FnMut(u64, &mut [u8]) -> Result<usize, E>,
    ) -> Result<(), E> {
        if self.buffer.len() < bytes {
            self.buffer.resize(bytes, 0);
        }
        let offset = self.offset + self.filled as u64;
        self.filled += read(offset, &mut self.buffer[self.filled..bytes])?;
        self.at_end = self.filled < bytes;
        Ok(())
    }

    /// Reads on to the end of the line that goes beyond the range.
    fn find_end<E>(
        &mut self,
        length: usize,
        read: &mut impl FnMut(u64, &mut [u8]) -> Result<usize, E>,
    ) -> Result<(), E> {
        let mut searched = length.min(self.filled);
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer[searched..self.filled]) {
                self.end = searched + at + 1;
                return Ok(());
            }
            searched = self.filled;
            if self.at_end {
                self.end = self.filled;
                return Ok(());
            }
            let last_line = self.last_line();
            if is_too_long(&self.buffer[last_line..self.filled]) {
                self.too_long = true;
                return Ok(());
            }
            self.fill(self.filled * 2, read)?;
        }
    }

    /// Where the line begins that has no end yet.
    fn last_line(&self) -> usize {
        let lines = &self.buffer[self.start..self.filled];
        memrchr(b'\n', lines).map_or(self.start, |at| self.start + at + 1)
    }

    /// Takes out what is the beginning of a line and no record.
    fn leave_out_fragment(&mut self, expected_bytes: Option<u64>) {
        let breaks_off = self.end == self.filled && self.shrank_to(expected_bytes).is_some();
        if self.too_long || breaks_off {
            self.end = self.last_line();
            self.fragment = self.buffer[self.end..self.filled].to_vec();
        }
    }

    /// How many bytes the object has, if it ends with this buffer and should have more.
    fn shrank_to(&self, expected_bytes: Option<u64>) -> Option<u64> {
        let found = self.offset + self.filled as u64;
        (self.at_end && found < expected_bytes?).then_some(found)
    }

    fn lines(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn settle(
        self,
        chain: &mut Chain,
        ranges: &LineRanges,
        look: &Look,
        out: &mut VecDeque<Block>,
    ) -> Option<Taken> {
        if chain.ended {
            ranges.pool.give(self.buffer);
            return None;
        }
        let own = self.filled.min(ranges.range_bytes);
        let shrank_to = self.shrank_to(ranges.expected_bytes);
        chain.ended = self.at_end && self.filled <= ranges.range_bytes;
        if self.end > self.start || !self.fragment.is_empty() {
            let (start, length) = (self.start, self.end - self.start);
            let bytes = ranges.pool.lend(self.buffer);
            let bytes = bytes.slice_with_length(start, length);
            let offset = self.offset + start as u64;
            chain.cutter.take_lines_at(offset, &bytes, look, out);
        } else {
            ranges.pool.give(self.buffer);
        }
        if !self.fragment.is_empty() {
            chain.cutter.reject_fragment(&self.fragment);
        }
        chain.cutter.take_leftovers(out);
        Some(Taken {
            bytes: own as u64,
            shrank_to: shrank_to.filter(|_| chain.ended),
        })
    }
}
