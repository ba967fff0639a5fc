//! Jumps to closing quotes and brackets.

use super::strings::{Strings, lane_masks};
use crate::arch::{LANE, Simd};

/// Goes over bytes lane by lane, only forward.
#[derive(Debug)]
pub(super) struct Cursor<'a, S> {
    simd: S,
    bytes: &'a [u8],
    end: usize,
    /// Where the lane begins.
    base: usize,
    strings: Strings,
    quotes: u64,
    /// Opening and closing brackets outside of strings.
    opens: u64,
    closes: u64,
}

impl<'a, S: Simd> Cursor<'a, S> {
    /// A cursor over `bytes[start..end]`, which begins outside of strings.
    #[inline(always)]
    pub(super) fn new(simd: S, bytes: &'a [u8], start: usize, end: usize) -> Self {
        let mut cursor = Self {
            simd,
            bytes,
            end,
            base: start,
            strings: Strings::default(),
            quotes: 0,
            opens: 0,
            closes: 0,
        };
        cursor.load();
        cursor
    }

    #[inline(always)]
    fn load(&mut self) {
        let found = lane_masks(self.simd, self.bytes, self.base);
        let (quotes, inside) = self.strings.follow(self.simd, &found);
        self.quotes = quotes;
        self.opens = found.opens & !inside;
        self.closes = found.closes & !inside;
    }

    #[inline(always)]
    fn next_lane(&mut self) -> bool {
        let more = self.end - self.base > LANE;
        if more {
            self.base += LANE;
            self.load();
        }
        more
    }

    /// Goes to the lane of `at`: the mask of the bytes from there on.
    #[inline(always)]
    fn seek(&mut self, at: usize) -> u64 {
        while at - self.base >= LANE {
            if !self.next_lane() {
                return 0;
            }
        }
        u64::MAX << (at - self.base)
    }

    /// The first quote from `at` on that is not escaped.
    #[inline(always)]
    pub(super) fn quote(&mut self, at: usize) -> Option<usize> {
        let mut quotes = self.seek(at) & self.quotes;
        while quotes == 0 {
            if !self.next_lane() {
                return None;
            }
            quotes = self.quotes;
        }
        self.place(quotes)
    }

    /// The bracket that closes the one at `open`, whatever its kind.
    #[inline(always)]
    pub(super) fn closer(&mut self, open: usize) -> Option<usize> {
        let mut from = self.seek(open);
        let mut depth = 0;
        loop {
            let opens = self.opens & from;
            let mut closes = self.closes & from;
            let mut closed = 0;
            while closes != 0 {
                closed += 1;
                let before = (closes & closes.wrapping_neg()) - 1;
                if depth + (opens & before).count_ones() == closed {
                    return self.place(closes);
                }
                closes &= closes - 1;
            }
            depth = depth + opens.count_ones() - closed;
            from = u64::MAX;
            if !self.next_lane() {
                return None;
            }
        }
    }

    /// Where the lowest of `bits` is, if that is not beyond the end.
    #[inline(always)]
    fn place(&self, bits: u64) -> Option<usize> {
        let at = self.base + bits.trailing_zeros() as usize;
        (at < self.end).then_some(at)
    }
}
