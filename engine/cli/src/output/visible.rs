//! Characters which do something to a terminal or to a reader's eye instead of being seen.
//!
//! A log line holds what its sender put there. Shown raw, an escape sequence can retitle or rewrite
//! the terminal, a carriage return can cover a line with another one, and a bidi override can make
//! an address read backwards.

use std::fmt::Write as _;

/// Appends `text` to `out` with every such character escaped: `\n`, `\x1b`, `\u{202e}`.
///
/// A backslash stays as it is, since URLs and regular expressions are full of them: this is for
/// eyes, not for reading back.
pub(super) fn push_visible(text: &str, out: &mut String) {
    if is_plain(text.as_bytes()) {
        out.push_str(text);
        return;
    }
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if !is_unseen(c) => out.push(c),
            // Writing to a String cannot fail.
            c if c.is_ascii() => _ = write!(out, "\\x{:02x}", u32::from(c)),
            c => _ = write!(out, "{}", c.escape_unicode()),
        }
    }
}

/// `text` with such characters escaped.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_visible(text, &mut out);
    out
}

/// Whether `bytes` are printable ASCII only: the common case, told without decoding.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 0x20..=0x7e))
}

/// Control characters (C0, DEL, C1) and the formatting characters that hide, reorder or break text.
///
/// Joiners (U+200C, U+200D) are not among them: emoji and several scripts need them.
pub(crate) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}'                    // soft hyphen
            | '\u{61c}'                 // Arabic letter mark
            | '\u{180e}'                // Mongolian vowel separator
            | '\u{200b}'                // zero width space
            | '\u{200e}'..='\u{200f}'   // left-to-right and right-to-left marks
            | '\u{2028}'..='\u{202e}'   // line and paragraph separators, bidi embeddings and overrides
            | '\u{2060}'..='\u{206f}'   // word joiner, invisible operators, bidi isolates
            | '\u{feff}'                // byte order mark
            | '\u{fff9}'..='\u{fffb}'   // interlinear annotation
            | '\u{e0000}'..='\u{e007f}' // tags
        )
}
