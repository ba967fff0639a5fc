//! Literals: texts of which one stands in every record that can match.
//!
//! Searching for a text is several times faster than finding the fields of every record, so what
//! holds none of the texts is passed over (the trick of ripgrep: search first, find the lines of
//! the hits, then look closely).

use arrow_buffer::Buffer;
use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memrchr};

use crate::record::{Block, Gap, RecordSpan};

/// Shorter texts stand in too many records.
const LEAST_BYTES: usize = 3;
/// Every text is a search of its own.
const MOST_TEXTS: usize = 8;
/// Unless at least so many times more bytes are passed over than looked at, searching does not pay.
const LEAST_GAIN: usize = 4;
/// What stands in JSON strings in which a character is escaped that need not be: any by its number,
/// and the slash by itself.
const ANY_ESCAPED: &[u8] = b"\\u";
const SLASH_ESCAPED: &[u8] = b"\\/";
/// Blocks that are parsed without a search after one in which it did not pay; doubled each time.
const FIRST_PAUSE: u32 = 4;
const LONGEST_PAUSE: u32 = 256;

/// Texts of which at least one stands, byte for byte, in every record that can match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literals(Vec<Vec<u8>>);

impl Literals {
    /// Texts that stand in a line as they are; None if searching for them cannot pay.
    pub fn in_lines<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        // U+FFFD is what a column has in the place of bytes that are not UTF-8, and a line feed
        // ends a line.
        let whole = |text: &'a str| (!text.contains(['\u{fffd}', '\n'])).then_some(text);
        Self::new(texts.into_iter().map(whole))
    }

    /// Texts that stand in JSON values. There, characters may be escaped: those that have an
    /// escape that they need are not searched for, and all others hide behind `\u` or `\/` only.
    /// Neither are those around which a column of text has no blanks where the log may have some.
    pub fn in_json<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let changes = |char: char| {
            char.is_control()
                || matches!(char, '"' | '\\' | ',' | '[' | ']' | '{' | '}' | '\u{fffd}')
        };
        let verbatim = |text: &'a str| {
            let parts = text.split(changes);
            // Within a string, or the one behind a key.
            let parts = parts.map(|part| part.trim_start_matches(':'));
            parts.max_by_key(|part| part.len())
        };
        let mut literals = Self::new(texts.into_iter().map(verbatim))?;
        if literals.0.iter().any(|text| text.contains(&b'/')) {
            literals.0.push(SLASH_ESCAPED.to_vec());
        }
        literals.0.push(ANY_ESCAPED.to_vec());
        Some(literals)
    }

    fn new<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Option<Self> {
        let mut literals = Vec::new();
        for text in texts {
            let text = text?.as_bytes();
            if text.len() < LEAST_BYTES || literals.len() == MOST_TEXTS {
                return None;
            }
            literals.push(text.to_vec());
        }
        (!literals.is_empty()).then_some(Self(literals))
    }

    /// Whichever is expected to hit fewer records: the one whose shortest text is longer.
    pub fn rarer(self, other: Self) -> Self {
        let shortest = |literals: &Self| {
            // Those of escapes are shorter.
            let texts = literals.0.iter().filter(|text| text.len() >= LEAST_BYTES);
            texts.map(Vec::len).min()
        };
        if shortest(&other) > shortest(&self) {
            other
        } else {
            self
        }
    }

    /// The texts.
    pub fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}

/// Takes the records out of blocks that hold none of the literals.
#[derive(Debug)]
pub(crate) struct Prefilter {
    finders: Vec<Finder<'static>>,
    /// Blocks still to be parsed without a search.
    pause: u32,
    next_pause: u32,
}

impl Prefilter {
    pub(crate) fn new(literals: &Literals) -> Self {
        let finder = |text| Finder::new(text).into_owned();
        Self {
            finders: literals.texts().map(finder).collect(),
            pause: 0,
            next_pause: FIRST_PAUSE,
        }
    }

    /// The block without the records that hold no literal, and how many those are; None where it
    /// does not pay.
    pub(crate) fn narrow(&mut self, block: &Block, lines: bool) -> Option<(Block, u64)> {
        if self.pause > 0 {
            self.pause -= 1;
            return None;
        }
        let narrowed = if lines {
            self.narrow_lines(block)
        } else {
            self.narrow_spans(block)
        };
        if narrowed.is_some() {
            self.next_pause = FIRST_PAUSE;
        } else {
            self.pause = self.next_pause;
            self.next_pause = (self.next_pause * 2).min(LONGEST_PAUSE);
        }
        narrowed
    }

    fn narrow_lines(&self, block: &Block) -> Option<(Block, u64)> {
        let text = block.bytes.as_slice();
        let mut kept = Vec::new();
        let mut gaps = Vec::new();
        let (mut lines, mut bytes) = (0, 0);
        let mut at = 0;
        let mut hits = self.hits(text);
        while let Some(hit) = hits.next_from(at) {
            let start = memrchr(b'\n', &text[at..hit]).map_or(at, |end| at + end + 1);
            let end = memchr(b'\n', &text[hit..]).map_or(text.len(), |end| hit + end + 1);
            if start > at {
                lines += memchr_iter(b'\n', &text[at..start]).count() as u64;
                bytes += (start - at) as u64;
                gaps.push(Gap {
                    at: kept.len() as u32,
                    lines,
                    bytes,
                });
            }
            kept.extend_from_slice(&text[start..end]);
            if kept.len() > text.len() / LEAST_GAIN {
                return None;
            }
            at = end;
        }
        lines += memchr_iter(b'\n', &text[at..]).count() as u64;
        let unterminated = at < text.len() && text.last() != Some(&b'\n');
        let unexamined = lines + u64::from(unterminated);
        Some((
            block.narrowed(Buffer::from_vec(kept), Vec::new(), gaps),
            unexamined,
        ))
    }

    fn narrow_spans(&self, block: &Block) -> Option<(Block, u64)> {
        let text = block.bytes.as_slice();
        let mut kept: Vec<RecordSpan> = Vec::new();
        let mut hits = self.hits(text);
        let mut at = 0;
        for span in &block.spans {
            let (start, end) = (span.start as usize, span.end as usize);
            if end <= at {
                continue;
            }
            let Some(hit) = hits.next_from(start.max(at)) else {
                break;
            };
            at = hit;
            if hit < end {
                kept.push(*span);
                if kept.len() * LEAST_GAIN > block.spans.len() {
                    return None;
                }
                at = end;
            }
        }
        let unexamined = (block.spans.len() - kept.len()) as u64;
        Some((
            block.narrowed(block.bytes.clone(), kept, Vec::new()),
            unexamined,
        ))
    }

    fn hits<'a>(&'a self, text: &'a [u8]) -> Hits<'a> {
        Hits {
            text,
            next: self
                .finders
                .iter()
                .map(|finder| (finder, Some(0)))
                .collect(),
        }
    }
}

/// The places where any of the literals stands.
struct Hits<'a> {
    text: &'a [u8],
    /// Each literal's next place, or a place up to which there is none; None at the end.
    next: Vec<(&'a Finder<'static>, Option<usize>)>,
}

impl Hits<'_> {
    /// The first place at or behind `from`, which must not go back.
    fn next_from(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let next = self.next.iter_mut().filter_map(|(finder, next)| {
            let known = next.is_some_and(|next| next >= from && next > 0);
            if !known && next.is_some() {
                *next = finder.find(&text[from..]).map(|at| from + at);
            }
            *next
        });
        next.min()
    }
}
