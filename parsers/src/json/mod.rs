//! JSON where it lies: spans of bytes instead of trees of values.
//!
//! A record is a few thousand bytes of which a query wants a few members. So nothing is built:
//! [`members`] and [`elements`] give the spans of an object's or array's parts, and
//! [`MemberMatcher`] finds the members that a table has. What lies deeper is passed over without
//! a look at more than its brackets; [`is_valid`] is the full look. [`string()`] and [`compact`]
//! give a value's text.
//!
//! The bytes of structure are found 64 at a time as bit masks: quotes that are not escaped, by
//! the lengths of the runs of backslashes before them; the insides of strings, by a prefix XOR
//! over these quotes; then brackets and line feeds inside or outside of strings. The method is
//! that of Langdale and Lemire, "Parsing Gigabytes of JSON per Second", The VLDB Journal 28 (2019).

mod columns;
mod cursor;
pub(crate) mod detect;
mod matcher;
mod nest;
pub(crate) mod records;
mod scalar;
mod strings;
mod text;
mod valid;
mod walk;

use std::fmt;

pub use matcher::{MISSING, MemberMatcher};
pub use nest::MAX_DEPTH;
pub use text::{Text, compact, string};
pub use valid::is_valid;
pub use walk::{Elements, Member, Members, are_whole, elements, members};

pub(crate) use nest::Nest;
pub(crate) use strings::{Starts, Strings, lane_masks};
pub(crate) use walk::{begun_members, nested_end};

/// Where and how some text is not the JSON that it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonError {
    /// The byte.
    pub at: usize,
    /// What was expected there, in a few words.
    pub expected: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

impl std::error::Error for JsonError {}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// `null`
    Null,
    /// Text in quotes.
    String,
    /// A number.
    Number,
    /// `true` or `false`
    Bool,
    /// Members in braces.
    Object,
    /// Elements in brackets.
    Array,
}

/// What a well-formed value is, by its first byte.
pub fn kind_of(value: &[u8]) -> ValueKind {
    match value.first() {
        Some(b'"') => ValueKind::String,
        Some(b'{') => ValueKind::Object,
        Some(b'[') => ValueKind::Array,
        Some(b't' | b'f') => ValueKind::Bool,
        Some(b'-' | b'0'..=b'9') => ValueKind::Number,
        _ => ValueKind::Null,
    }
}

/// Whether JSON allows this byte between its parts.
#[inline(always)]
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// The first byte from `at` on that is not white space, or where the bytes end.
#[inline(always)]
pub(crate) fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && is_blank(bytes[at]) {
        at += 1;
    }
    at
}
