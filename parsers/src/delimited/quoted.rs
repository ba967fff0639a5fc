//! Fields of lines in which some fields stand in quotes, as load balancers write them.
//!
//! A field that begins with a quote runs to the next quote before a separator or the end of the
//! line, and a backslash takes a quote's meaning away. One mask pass finds the fields of lines
//! whose quotes are regular: each opens after a separator, or closes before one, and none follows
//! a backslash. Inside of quotes is where the number of quotes so far is odd: a prefix XOR over
//! the mask (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019). Any other line
//! is read again, field by field.

use memchr::memchr_iter;

use super::plain::{flatten, without_carriage_return};
use crate::arch::{self, LANE, Simd, Work, last_chunk};
use crate::format::Quoting;
use crate::offsets::{Offsets, Scan};
use crate::record::MAX_RECORD_BYTES;
use crate::reject::Reason;

/// What a line needs to be a record.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// What separates and encloses fields.
    pub quoting: Quoting,
    /// Fields that are looked for. What follows them is one more field of the matrix.
    pub fields: usize,
    /// The fewest that a record has.
    pub least: usize,
    /// Beginnings of lines that are no records.
    pub skip: &'a [String],
}

impl<'a> Shape<'a> {
    /// The shape of records with so many known fields, of which the oldest have `least`.
    pub(crate) fn new(quoting: Quoting, fields: usize, least: usize, skip: &'a [String]) -> Self {
        Self {
            quoting,
            fields,
            least: least.min(fields),
            skip,
        }
    }
}

/// Finds the fields of every line of `bytes`. The matrix has one field more than the shape: what
/// follows the known fields, without the separator before it.
pub fn scan(offsets: &mut Offsets, bytes: &[u8], shape: Shape<'_>) -> Scan {
    offsets.begin(shape.fields + 1);
    lines(offsets, bytes, shape).1
}

/// How many lines of `bytes` are records, and what became of the others: what [`scan`] says,
/// without taking down the fields.
pub fn count(bytes: &[u8], shape: Shape<'_>) -> (usize, Scan) {
    let (counted, scan) = lines(Counted::default(), bytes, shape);
    (counted.records, scan)
}

fn lines<F: Found>(found: F, bytes: &[u8], shape: Shape<'_>) -> (F, Scan) {
    let mut lines = Lines {
        found,
        bytes,
        shape,
        start: 0,
        irregular: false,
        scan: Scan::default(),
    };
    if shape.quoting.brackets {
        for at in memchr_iter(b'\n', bytes) {
            lines.irregular = true;
            lines.end(at);
        }
        lines.irregular = true;
        lines.finish()
    } else {
        arch::run(lines)
    }
}

/// The fields of one line: their ends in `ends`, whether its quotes are balanced.
pub fn split(line: &[u8], quoting: Quoting, ends: &mut Vec<u32>) -> bool {
    let before = ends.len();
    for escapes in [true, false] {
        // A backslash at the end of a quoted field takes the meaning of its quote away, and then
        // nothing closes it: read as a plain character, the line may still be sound.
        ends.truncate(before);
        if split_with(line, 0, quoting, escapes, ends) {
            return true;
        }
    }
    false
}

/// The fields of one line, with what encloses them; None if a quote is not closed.
pub(crate) fn fields(line: &[u8], quoting: Quoting) -> Option<impl Iterator<Item = &[u8]>> {
    let mut ends = Vec::new();
    let mut start = 0;
    split(line, quoting, &mut ends).then(|| {
        ends.into_iter().map(move |end| {
            let field = &line[start..end as usize];
            start = end as usize + 1;
            field
        })
    })
}

/// What crosses from one chunk of 64 bytes to the next.
#[derive(Clone, Copy)]
struct Carry {
    /// All ones inside of quotes.
    inside: u64,
    /// Bit 0: the byte before was a separator or line end.
    gap: u64,
    /// Bit 0: it was a closing quote.
    closing: u64,
    /// Bit 0: it was a backslash.
    backslash: u64,
}

/// What a chunk leaves to the next one, of its masks.
#[inline(always)]
fn carry_of(inside: u64, gaps: u64, quotes: u64, backslashes: u64) -> Carry {
    Carry {
        inside: (inside.cast_signed() >> 63).cast_unsigned(),
        gap: gaps >> 63,
        closing: (quotes & !inside) >> 63,
        backslash: backslashes >> 63,
    }
}

/// Where quotes are not as the mask pass has them: one that opens behind something else than a
/// gap, something else than a gap behind one that closes, one behind a backslash.
#[inline(always)]
fn irregular(quotes: u64, inside: u64, gaps: u64, backslashes: u64, carry: Carry) -> u64 {
    let (opening, closing) = (quotes & inside, quotes & !inside);
    (opening & !(gaps << 1 | carry.gap))
        | ((closing << 1 | carry.closing) & !gaps)
        | (quotes & (backslashes << 1 | carry.backslash))
}

const LINE_START: Carry = Carry {
    inside: 0,
    gap: 1,
    closing: 0,
    backslash: 0,
};

/// What is kept of the fields that are found.
trait Found {
    /// Takes down the ends of fields: a place for each bit.
    fn fields(&mut self, base: usize, ends: u64);

    /// Takes down those of a line that is read again, by their places in it.
    fn fields_again(&mut self, start: usize, ends: &[u32]);

    /// How many fields the line has so far.
    fn of_line(&self) -> usize;

    /// Forgets the fields of the line.
    fn forget(&mut self);

    /// The line is a record, of which so many fields are looked for.
    fn record(&mut self, fields: usize, start: usize, end: usize, line: u32);
}

impl Found for &mut Offsets {
    #[inline(always)]
    fn fields(&mut self, base: usize, ends: u64) {
        flatten::<4>(&mut self.ends, base as u32, ends);
    }

    fn fields_again(&mut self, start: usize, ends: &[u32]) {
        let ends = ends.iter().map(|end| end + start as u32);
        self.ends.extend(ends);
    }

    #[inline(always)]
    fn of_line(&self) -> usize {
        self.ends.len() - self.complete()
    }

    fn forget(&mut self) {
        self.ends.truncate(self.complete());
    }

    #[inline(always)]
    fn record(&mut self, fields: usize, start: usize, end: usize, line: u32) {
        let complete = self.complete();
        self.ends.truncate(complete + fields);
        self.ends.resize(complete + fields + 1, end as u32);
        self.push(start, line);
    }
}

/// Records and the line's fields, which are only counted.
#[derive(Default)]
struct Counted {
    records: usize,
    of_line: usize,
}

impl Found for Counted {
    #[inline(always)]
    fn fields(&mut self, _: usize, ends: u64) {
        self.of_line += ends.count_ones() as usize;
    }

    fn fields_again(&mut self, _: usize, ends: &[u32]) {
        self.of_line += ends.len();
    }

    #[inline(always)]
    fn of_line(&self) -> usize {
        self.of_line
    }

    #[inline(always)]
    fn forget(&mut self) {
        self.of_line = 0;
    }

    #[inline(always)]
    fn record(&mut self, _: usize, _: usize, _: usize, _: u32) {
        self.records += 1;
        self.of_line = 0;
    }
}

/// The lines of a block while they are found.
struct Lines<'a, F> {
    found: F,
    bytes: &'a [u8],
    shape: Shape<'a>,
    /// Where the line begins.
    start: usize,
    /// The mask pass cannot tell the line's fields.
    irregular: bool,
    scan: Scan,
}

impl<F: Found> Work for Lines<'_, F> {
    type Output = (F, Scan);

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) -> (F, Scan) {
        let bytes = self.bytes;
        let (mut carry, mut above_ascii) = (LINE_START, 0);
        let (chunks, rest) = bytes.as_chunks::<LANE>();
        for (index, chunk) in chunks.iter().enumerate() {
            above_ascii |= simd.above_ascii(chunk);
            carry = self.chunk(simd, chunk, index * LANE, u64::MAX, carry);
        }
        if !rest.is_empty() {
            let (chunk, present) = last_chunk(rest);
            above_ascii |= simd.above_ascii(&chunk);
            carry = self.chunk(simd, &chunk, bytes.len() - rest.len(), present, carry);
        }
        self.irregular |= carry.inside != 0;
        self.scan.ascii = above_ascii == 0;
        self.finish()
    }
}

impl<F: Found> Lines<'_, F> {
    /// Takes the last line, which may lack its end.
    fn finish(mut self) -> (F, Scan) {
        if self.start < self.bytes.len() {
            self.end(self.bytes.len());
        }
        (self.found, self.scan)
    }

    #[inline(always)]
    fn chunk<S: Simd>(
        &mut self,
        simd: S,
        chunk: &[u8; LANE],
        base: usize,
        present: u64,
        carry: Carry,
    ) -> Carry {
        let quoting = self.shape.quoting;
        let (separators, newlines) = simd.masks(chunk, quoting.separator, b'\n');
        let (quotes, backslashes) = simd.masks(chunk, quoting.quote, b'\\');
        let (separators, newlines, quotes) =
            (separators & present, newlines & present, quotes & present);
        let inside = simd.prefix_xor(quotes) ^ carry.inside;
        if inside & newlines != 0 {
            let masks = [separators, newlines, quotes, backslashes, present];
            return self.torn(simd, base, masks, carry);
        }
        let gaps = (separators & !inside) | newlines;
        let irregular = irregular(quotes, inside, gaps, backslashes, carry);
        self.events(base, gaps, newlines, irregular & present);
        carry_of(inside, gaps, quotes, backslashes)
    }

    /// A chunk in which a line ends inside of quotes: they do not go on in the line after it.
    #[cold]
    #[inline(never)]
    fn torn<S: Simd>(
        &mut self,
        simd: S,
        base: usize,
        [separators, newlines, quotes, backslashes, present]: [u64; 5],
        mut carry: Carry,
    ) -> Carry {
        // The bits that are still to be looked at.
        let mut todo = u64::MAX;
        loop {
            let inside = simd.prefix_xor(quotes & todo) ^ carry.inside;
            let torn = inside & newlines & todo;
            let now = match torn {
                0 => todo,
                _ => todo & (torn ^ (torn - 1)),
            };
            let gaps = (separators & !inside) | newlines;
            let irregular = irregular(quotes, inside, gaps, backslashes, carry) | torn;
            self.events(base, gaps & now, newlines & now, irregular & now & present);
            if torn == 0 {
                return carry_of(inside, gaps, quotes, backslashes);
            }
            todo &= !now;
            carry = Carry {
                gap: carry.gap,
                closing: 0,
                backslash: carry.backslash,
                inside: 0,
            };
            if todo == 0 {
                return LINE_START;
            }
        }
    }

    /// Takes down fields and lines, in their order.
    #[inline(always)]
    fn events(&mut self, base: usize, gaps: u64, newlines: u64, irregular: u64) {
        let (mut fields, mut newlines) = (gaps & !newlines, newlines);
        let mut irregular = irregular;
        while newlines != 0 {
            let line = newlines ^ (newlines - 1);
            self.found.fields(base, fields & line);
            self.irregular |= irregular & line != 0;
            self.end(base + newlines.trailing_zeros() as usize);
            fields &= !line;
            irregular &= !line;
            newlines &= !line;
        }
        self.found.fields(base, fields);
        self.irregular |= irregular != 0;
    }

    /// Takes the line that ends at `end` for a record, or leaves it out.
    #[inline]
    fn end(&mut self, end: usize) {
        let start = std::mem::replace(&mut self.start, end + 1);
        let line = self.scan.records as u32;
        self.scan.records += 1;
        let end = without_carriage_return(self.bytes, start, end);
        let (mut balanced, mut last) = (true, 1);
        if std::mem::take(&mut self.irregular) {
            balanced = self.split_again(start, end);
            last = 0;
        }
        let found = self.found.of_line() + last;
        let text = &self.bytes[start..end];
        let control = |beginning: &String| text.starts_with(beginning.as_bytes());
        if text.is_empty() || self.shape.skip.iter().any(control) {
            self.found.forget();
            self.scan.skipped += 1;
        } else if balanced && found >= self.shape.least && text.len() <= MAX_RECORD_BYTES {
            self.found.record(self.shape.fields, start, end, line);
        } else {
            self.found.forget();
            self.reject(line, start, end, balanced, found);
        }
    }

    #[cold]
    fn split_again(&mut self, start: usize, end: usize) -> bool {
        let mut ends = Vec::new();
        let balanced = split(&self.bytes[start..end], self.shape.quoting, &mut ends);
        self.found.forget();
        self.found.fields_again(start, &ends);
        balanced
    }

    #[cold]
    fn reject(&mut self, line: u32, start: usize, end: usize, balanced: bool, found: usize) {
        let reason = if end - start > MAX_RECORD_BYTES {
            Reason::TooLong {
                limit: MAX_RECORD_BYTES,
            }
        } else if balanced {
            Reason::TooFewFields {
                least: self.shape.least,
                found,
            }
        } else {
            Reason::Quote
        };
        self.scan
            .rejects
            .push((line, start as u32, end as u32, reason));
    }
}

/// Appends the ends of a line's fields; false if a quote or bracket is not closed.
fn split_with(
    line: &[u8],
    base: usize,
    quoting: Quoting,
    escapes: bool,
    ends: &mut Vec<u32>,
) -> bool {
    let mut at = 0;
    loop {
        let close = match line.get(at) {
            Some(&byte) if byte == quoting.quote => Some(byte),
            Some(b'[') if quoting.brackets => Some(b']'),
            _ => None,
        };
        let end = match close {
            Some(close) => match closing(line, at + 1, close, quoting.separator, escapes) {
                Some(closed) => closed + 1,
                None => return false,
            },
            None => {
                memchr::memchr(quoting.separator, &line[at..]).map_or(line.len(), |gap| at + gap)
            }
        };
        ends.push((base + end) as u32);
        if end >= line.len() {
            return true;
        }
        at = end + 1;
    }
}

/// Where the byte `close` closes what was opened before `from`: before a separator or at the end.
fn closing(line: &[u8], from: usize, close: u8, separator: u8, escapes: bool) -> Option<usize> {
    memchr_iter(close, &line[from..])
        .map(|at| from + at)
        .filter(|&at| line.get(at + 1).is_none_or(|&next| next == separator))
        .find(|&at| !escapes || !is_escaped(&line[from..at]))
}

/// Whether what follows `text` stands behind a backslash that is not itself escaped.
fn is_escaped(text: &[u8]) -> bool {
    let backslashes = text.iter().rev().take_while(|&&byte| byte == b'\\').count();
    backslashes % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUOTING: Quoting = Quoting {
        separator: b' ',
        quote: b'"',
        brackets: false,
    };

    fn table(
        bytes: &[u8],
        quoting: Quoting,
        fields: usize,
        least: usize,
    ) -> (Vec<Vec<Option<String>>>, Scan) {
        let mut offsets = Offsets::default();
        let shape = Shape {
            quoting,
            fields,
            least,
            skip: &["Enable".to_owned()],
        };
        let scan = scan(&mut offsets, bytes, shape);
        let (counted, same) = count(bytes, shape);
        assert_eq!(
            (counted, same.records, same.skipped, &same.rejects),
            (offsets.records(), scan.records, scan.skipped, &scan.rejects)
        );
        let mut rows = vec![Vec::new(); offsets.records()];
        for field in 0..=fields {
            for (row, (start, end)) in offsets.field(field).enumerate() {
                let text = bytes.get(start..end).map(String::from_utf8_lossy);
                rows[row].push(text.map(std::borrow::Cow::into_owned));
            }
        }
        (rows, scan)
    }

    fn fields(line: &str) -> Vec<String> {
        let (rows, scan) = table(line.as_bytes(), QUOTING, 6, 1);
        assert!(scan.rejects.is_empty(), "{line}: {:?}", scan.rejects);
        rows[0].iter().flatten().cloned().collect()
    }

    #[test]
    fn lines_of_every_kind() {
        let rows: &[(&str, &[&str])] = &[
            (r#"a "b c" d"#, &["a", r#""b c""#, "d"]),
            (r#""b c""#, &[r#""b c""#]),
            (r#"a "" b"#, &["a", r#""""#, "b"]),
            (r#"a "b \" c" d"#, &["a", r#""b \" c""#, "d"]),
            (r#"a "b \\" d"#, &["a", r#""b \\""#, "d"]),
            (r#"a "b \" d"#, &["a", r#""b \""#, "d"]),
            (r#"a "b"c" d"#, &["a", r#""b"c""#, "d"]),
            (r#"a "h2","http/1.1" d"#, &["a", r#""h2","http/1.1""#, "d"]),
            (r#"a b"c d"#, &["a", r#"b"c"#, "d"]),
            ("a  b", &["a", "", "b"]),
            ("a b ", &["a", "b", ""]),
            ("1 2 3 4 5 6 7 8", &["1", "2", "3", "4", "5", "6", "7 8"]),
            (
                r#"1 2 3 4 5 6 "7 x" 8"#,
                &["1", "2", "3", "4", "5", "6", r#""7 x" 8"#],
            ),
        ];
        for (line, expected) in rows {
            assert_eq!(fields(line), *expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_record() {
        let text = b"a b c\r\n\nEnable AccessLog\nx\na \"b c\n\"d e\" f\na b \"c d\"\r\n";
        let (rows, scan) = table(text, QUOTING, 3, 2);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            rows,
            [
                [some("a"), some("b"), some("c"), None],
                [some("\"d e\""), some("f"), None, None],
                [some("a"), some("b"), some("\"c d\""), None]
            ]
        );
        assert_eq!((scan.records, scan.skipped), (7, 2));
        let rejects: Vec<_> = scan
            .rejects
            .iter()
            .map(|r| (r.0, r.3.to_string()))
            .collect();
        assert_eq!(
            rejects,
            [
                (3, "expected at least 2 fields, found 1".to_owned()),
                (4, "a quote is not closed".to_owned())
            ]
        );
    }

    #[test]
    fn brackets() {
        let quoting = Quoting {
            brackets: true,
            ..QUOTING
        };
        let (rows, _) = table(
            b"a [06/Feb/2019:00:00:38 +0000] \"b c\"\n[x\n",
            quoting,
            3,
            1,
        );
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            rows,
            [[
                some("a"),
                some("[06/Feb/2019:00:00:38 +0000]"),
                some("\"b c\""),
                None
            ]]
        );
    }

    proptest! {
        /// The mask pass gives what reading field by field gives, wherever the chunks end.
        #[test]
        fn the_mask_pass_equals_the_field_by_field_way(
            text in r#"([a"\\ \n\r]|ab"? "c|" "|ü){0,90}"#,
            lead in 0..70usize,
        ) {
            let bytes = [&b"-".repeat(lead)[..], text.as_bytes()].concat();
            let (rows, scan) = table(&bytes, QUOTING, 4, 1);
            prop_assert_eq!(scan.ascii, text.is_ascii());
            let mut expected = Vec::new();
            let mut rejects = 0;
            for line in bytes.split(|&byte| byte == b'\n') {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let mut ends = Vec::new();
                if line.is_empty() {
                    continue;
                }
                if !split(line, QUOTING, &mut ends) {
                    rejects += 1;
                    continue;
                }
                let mut start = 0;
                let mut row: Vec<Option<String>> = Vec::new();
                for &end in ends.iter().take(4) {
                    row.push(Some(String::from_utf8_lossy(&line[start..end as usize]).into_owned()));
                    start = end as usize + 1;
                }
                let tail = line.get(start..).filter(|_| ends.len() > 4);
                row.resize(4, None);
                row.push(tail.map(|tail| String::from_utf8_lossy(tail).into_owned()));
                expected.push(row);
            }
            prop_assert_eq!(rows, expected);
            prop_assert_eq!(scan.rejects.len(), rejects);
        }
    }
}
