//! The text of values.

use std::borrow::Cow;

use memchr::memchr;

use super::strings::{Strings, lane_masks};
use crate::arch::{LANE, Plain};

/// The text of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'a> {
    /// The text; borrowed if the string has no escape.
    pub bytes: Cow<'a, [u8]>,
    /// An escape was wrong, or half of a surrogate pair: U+FFFD stands in the place of its
    /// backslash, or of the half.
    pub mended: bool,
}

/// The text of a string that is given with its quotes.
pub fn string(value: &[u8]) -> Text<'_> {
    unescape(
        value
            .get(1..value.len().saturating_sub(1))
            .unwrap_or_default(),
    )
}

/// The text of a string that is given without its quotes.
pub(super) fn unescape(raw: &[u8]) -> Text<'_> {
    let Some(first) = memchr(b'\\', raw) else {
        return Text {
            bytes: Cow::Borrowed(raw),
            mended: false,
        };
    };
    let mut out = raw[..first].to_vec();
    let mut rest = &raw[first..];
    let mut mended = false;
    while let Some((length, c)) = escape(rest) {
        mended |= c.is_none();
        let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[length..];
        let plain = memchr(b'\\', rest).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
    }
    Text {
        bytes: Cow::Owned(out),
        mended,
    }
}

/// The escape that `text` begins with: its length and character, if it has one.
fn escape(text: &[u8]) -> Option<(usize, Option<char>)> {
    let c = match text.get(1) {
        Some(&c @ (b'"' | b'\\' | b'/')) => c,
        Some(b'b') => 0x08,
        Some(b'f') => 0x0c,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'u') => return Some(unicode_escape(text)),
        Some(_) => return Some((1, None)),
        None => return (!text.is_empty()).then_some((1, None)),
    };
    Some((2, Some(char::from(c))))
}

fn unicode_escape(text: &[u8]) -> (usize, Option<char>) {
    let Some(unit) = code_unit(text) else {
        return (1, None);
    };
    if let (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) = (unit, code_unit(&text[6..])) {
        let point = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        return (12, char::from_u32(point));
    }
    (6, char::from_u32(unit))
}

/// The UTF-16 code unit of the `\uXXXX` that `text` begins with.
fn code_unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, &digit| {
        Some(unit << 4 | char::from(digit).to_digit(16)?)
    })
}

/// A well-formed value without the white space between its parts; borrowed if there is none.
pub fn compact(value: &[u8]) -> Cow<'_, [u8]> {
    let mut strings = Strings::default();
    let mut out: Option<Vec<u8>> = None;
    let mut kept = 0;
    for base in (0..value.len()).step_by(LANE) {
        let found = lane_masks(Plain, value, base);
        let (_, inside) = strings.follow(Plain, &found);
        let mut drops = found.blanks & !inside;
        while drops != 0 {
            let at = base + drops.trailing_zeros() as usize;
            if at >= value.len() {
                break;
            }
            let out = out.get_or_insert_with(|| Vec::with_capacity(value.len()));
            out.extend_from_slice(&value[kept..at]);
            kept = at + 1;
            drops &= drops - 1;
        }
    }
    match out {
        None => Cow::Borrowed(value),
        Some(mut out) => {
            out.extend_from_slice(&value[kept..]);
            Cow::Owned(out)
        }
    }
}
