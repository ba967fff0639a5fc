//! The members of an object and the elements of an array.

use std::ops::Range;

use super::cursor::Cursor;
use super::scalar::scalar_end;
use super::{JsonError, skip_blanks};
use crate::arch::{Plain, Simd};

/// One member of an object, as places in the bytes that were walked over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name, without its quotes and as it was written: it may have escapes.
    pub key: Range<usize>,
    /// The value, with its quotes or brackets and without white space around it.
    pub value: Range<usize>,
}

/// The members of the object `bytes[object]`, whose brackets must be balanced.
///
/// The syntax of the members is checked, and what follows an error is not given. What is nested
/// in a value is not looked at.
pub fn members(bytes: &[u8], object: Range<usize>) -> Members<'_> {
    members_with(Plain, bytes, object)
}

/// The same within a loop that is compiled for an instruction set.
#[inline(always)]
pub(super) fn members_with<S: Simd>(simd: S, bytes: &[u8], object: Range<usize>) -> Members<'_, S> {
    Members(Walk::new(simd, bytes, object, b'{', b'}', "an object"))
}

/// The members of the object that begins at `start` and may break off anywhere, as the beginning of
/// a file does: each with whether its value is whole. What follows an error is not given.
pub(crate) fn begun_members(
    bytes: &[u8],
    start: usize,
) -> impl Iterator<Item = (Member, bool)> + '_ {
    let start = start.min(bytes.len());
    let mut walk = Walk {
        bytes,
        cursor: Cursor::new(Plain, bytes, start, bytes.len()),
        at: start + 1,
        begun: false,
        error: None,
        ended: bytes.get(start) != Some(&b'{'),
    };
    std::iter::from_fn(move || {
        walk.begin()?.ok()?;
        let key = walk.named().ok()?;
        let start = walk.at;
        let whole = walk.value();
        walk.ended = whole.is_err();
        let value = whole.unwrap_or(start..bytes.len());
        let is_whole = !walk.ended;
        (!value.is_empty()).then_some((Member { key, value }, is_whole))
    })
}

/// The elements of the array `bytes[array]`, whose brackets must be balanced: as [`members`].
pub fn elements(bytes: &[u8], array: Range<usize>) -> Elements<'_> {
    Elements(Walk::new(Plain, bytes, array, b'[', b']', "an array"))
}

/// Iterator of [`members`].
#[derive(Debug)]
pub struct Members<'a, S = Plain>(Walk<'a, S>);

/// Iterator of [`elements`].
#[derive(Debug)]
pub struct Elements<'a>(Walk<'a, Plain>);

impl<S: Simd> Iterator for Members<'_, S> {
    type Item = Result<Member, JsonError>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let member = match self.0.begin()? {
            Ok(()) => self.0.member(),
            Err(error) => Err(error),
        };
        self.0.ended = member.is_err();
        Some(member)
    }
}

impl Iterator for Elements<'_> {
    type Item = Result<Range<usize>, JsonError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let element = match self.0.begin()? {
            Ok(()) => self.0.value(),
            Err(error) => Err(error),
        };
        self.0.ended = element.is_err();
        Some(element)
    }
}

/// What members and elements have in common.
#[derive(Debug)]
struct Walk<'a, S> {
    /// The bytes up to the closing bracket.
    bytes: &'a [u8],
    cursor: Cursor<'a, S>,
    at: usize,
    begun: bool,
    /// Found before the first part.
    error: Option<JsonError>,
    ended: bool,
}

impl<'a, S: Simd> Walk<'a, S> {
    #[inline(always)]
    fn new(
        simd: S,
        bytes: &'a [u8],
        range: Range<usize>,
        open: u8,
        close: u8,
        expected: &'static str,
    ) -> Self {
        let sound = bytes
            .get(range.clone())
            .is_some_and(|text| text.len() >= 2 && text[0] == open && text.ends_with(&[close]));
        let (at, end) = if sound {
            (range.start, range.end - 1)
        } else {
            (0, 0)
        };
        Self {
            bytes: &bytes[..end],
            cursor: Cursor::new(simd, bytes, at, end),
            at: at + 1,
            begun: false,
            error: (!sound).then_some(JsonError {
                at: range.start,
                expected,
            }),
            ended: false,
        }
    }

    /// Goes to the next part, behind the comma if it is not the first; None if there is none.
    #[inline(always)]
    fn begin(&mut self) -> Option<Result<(), JsonError>> {
        if self.ended {
            return None;
        }
        if let Some(error) = self.error {
            return Some(Err(error));
        }
        self.at = skip_blanks(self.bytes, self.at);
        if self.at == self.bytes.len() {
            self.ended = true;
            return None;
        }
        Some(self.comma())
    }

    #[inline(always)]
    fn member(&mut self) -> Result<Member, JsonError> {
        let key = self.named()?;
        let value = self.value()?;
        Ok(Member { key, value })
    }

    /// The name of a member; goes to its value.
    #[inline(always)]
    fn named(&mut self) -> Result<Range<usize>, JsonError> {
        let key = self.key()?;
        self.at = skip_blanks(self.bytes, self.at);
        self.expect(b':', "':'")?;
        self.at = skip_blanks(self.bytes, self.at);
        Ok(key)
    }

    #[inline(always)]
    fn comma(&mut self) -> Result<(), JsonError> {
        if self.begun {
            self.expect(b',', "','")?;
            self.at = skip_blanks(self.bytes, self.at);
        }
        self.begun = true;
        Ok(())
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.bytes.get(self.at) != Some(&byte) {
            return Err(self.error(expected));
        }
        self.at += 1;
        Ok(())
    }

    #[inline(always)]
    fn key(&mut self) -> Result<Range<usize>, JsonError> {
        self.expect(b'"', "a name in quotes")?;
        let start = self.at;
        let end = self.cursor.quote(start).ok_or(self.error("'\"'"))?;
        self.at = end + 1;
        Ok(start..end)
    }

    #[inline(always)]
    fn value(&mut self) -> Result<Range<usize>, JsonError> {
        let start = self.at;
        let end = match self.bytes.get(start) {
            Some(b'"') => self.cursor.quote(start + 1).map(|quote| quote + 1),
            Some(b'{') => self.closer(b'}'),
            Some(b'[') => self.closer(b']'),
            _ => scalar_end(self.bytes, start),
        };
        self.at = end.ok_or(self.error("a value"))?;
        Ok(start..self.at)
    }

    #[inline(always)]
    fn closer(&mut self, bracket: u8) -> Option<usize> {
        let at = self.cursor.closer(self.at)?;
        (self.bytes[at] == bracket).then_some(at + 1)
    }

    fn error(&self, expected: &'static str) -> JsonError {
        JsonError {
            at: self.at,
            expected,
        }
    }
}

/// Where the object or array ends that begins at `start`; None if it breaks off, or none begins
/// there.
pub(crate) fn nested_end(bytes: &[u8], start: usize) -> Option<usize> {
    let closing = match bytes.get(start)? {
        b'{' => b'}',
        b'[' => b']',
        _ => return None,
    };
    let at = Cursor::new(Plain, bytes, start, bytes.len()).closer(start)?;
    (bytes[at] == closing).then_some(at + 1)
}

/// Whether nothing but objects and arrays stand one after the other, with commas or white space
/// between them, and none of them breaks off. Brackets are counted: what is within is not looked at.
pub fn are_whole(bytes: &[u8]) -> bool {
    let mut at = 0;
    loop {
        at = skip_blanks(bytes, at);
        match bytes.get(at) {
            None => return true,
            Some(b',') => at += 1,
            Some(_) => match nested_end(bytes, at) {
                Some(end) => at = end,
                None => return false,
            },
        }
    }
}
