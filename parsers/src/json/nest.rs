//! Which objects and arrays are open.

/// The deepest nesting that a record may have.
pub const MAX_DEPTH: usize = 128;

/// The kinds of the open brackets, as a stack of bits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Nest {
    depth: usize,
    /// Set for objects; the innermost is bit 0. What is deeper than [`MAX_DEPTH`] is only counted.
    kinds: u128,
}

impl Nest {
    pub(crate) fn depth(self) -> usize {
        self.depth
    }

    /// Whether `before`, the last byte that is not white space, may stand before an opening
    /// bracket here.
    #[inline(always)]
    pub(crate) fn may_open_after(self, before: u8) -> bool {
        match before {
            b':' => self.depth > MAX_DEPTH || self.in_object(),
            b'[' | b',' => self.depth > MAX_DEPTH || !self.in_object(),
            _ => false,
        }
    }

    /// Whether the innermost bracket is an object's.
    #[inline(always)]
    pub(crate) fn in_object(self) -> bool {
        self.kinds & 1 == 1
    }

    /// Opens an object or an array; false if that is too deep.
    #[inline(always)]
    pub(crate) fn open(&mut self, object: bool) -> bool {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return false;
        }
        self.kinds = self.kinds << 1 | u128::from(object);
        true
    }

    /// Closes the innermost object or array, and whatever is open within it; false if the
    /// innermost bracket was another. If none is open, nothing happens.
    #[inline(always)]
    pub(crate) fn close(&mut self, object: bool) -> bool {
        if self.depth > 0 && self.depth <= MAX_DEPTH && self.in_object() == object {
            self.depth -= 1;
            self.kinds >>= 1;
            return true;
        }
        self.close_others(object)
    }

    /// The same where more than the innermost is closed, or what is too deep to be known.
    #[cold]
    fn close_others(&mut self, object: bool) -> bool {
        if self.depth > MAX_DEPTH {
            self.depth -= 1;
            return true;
        }
        let others = if object {
            self.kinds.trailing_zeros()
        } else {
            self.kinds.trailing_ones()
        };
        if others as usize >= self.depth {
            return false;
        }
        self.depth -= others as usize + 1;
        self.kinds = self.kinds.checked_shr(others + 1).unwrap_or(0);
        others == 0
    }
}
