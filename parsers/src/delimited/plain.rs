//! Fields of lines in which a separator always separates.
//!
//! The ends of all fields of 64 bytes are written down at once, without a branch for each; then
//! each line is judged by where in that list its end is (the flattening of Langdale and Lemire,
//! "Parsing Gigabytes of JSON per Second", 2019).

use crate::arch::{self, LANE, Simd, Work, last_chunk};
use crate::offsets::{Offsets, Scan};
use crate::record::MAX_RECORD_BYTES;
use crate::reject::Reason;

/// Finds the fields of every line of `bytes` that has `fields` of them.
pub fn scan(offsets: &mut Offsets, bytes: &[u8], separator: u8, fields: usize) -> Scan {
    offsets.begin(fields);
    arch::run(Find {
        offsets,
        separator,
        complete: 0,
        lines: Lines::new(bytes, fields),
    })
}

/// How many lines of `bytes` have `fields` fields, and what became of the others: what [`scan`]
/// says, without finding the fields.
pub fn count(bytes: &[u8], separator: u8, fields: usize) -> (usize, Scan) {
    arch::run(Count {
        separator,
        records: 0,
        before: 0,
        lines: Lines::new(bytes, fields),
    })
}

/// The lines of a block while they are found.
struct Lines<'a> {
    bytes: &'a [u8],
    fields: usize,
    /// Where the line begins.
    start: usize,
    scan: Scan,
}

/// A line that is a record: start, end and number.
type Record = (usize, usize, u32);

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8], fields: usize) -> Self {
        Self {
            bytes,
            fields,
            start: 0,
            scan: Scan::default(),
        }
    }

    /// Judges the line that ends at `end` and in which so many fields were found.
    #[inline(always)]
    fn end(&mut self, end: usize, found: usize) -> Option<Record> {
        let start = std::mem::replace(&mut self.start, end + 1);
        let line = self.scan.records as u32;
        self.scan.records += 1;
        let end = without_carriage_return(self.bytes, start, end);
        if found == self.fields && end > start && end - start <= MAX_RECORD_BYTES {
            Some((start, end, line))
        } else {
            self.leave_out(start, end, line, found);
            None
        }
    }

    #[cold]
    fn leave_out(&mut self, start: usize, end: usize, line: u32, found: usize) {
        if end == start {
            self.scan.skipped += 1;
            return;
        }
        let reason = if end - start > MAX_RECORD_BYTES {
            Reason::TooLong {
                limit: MAX_RECORD_BYTES,
            }
        } else {
            Reason::FieldCount {
                expected: self.fields,
                found,
            }
        };
        self.scan
            .rejects
            .push((line, start as u32, end as u32, reason));
    }
}

/// Finds fields. The ends of the matrix are also those that no line has taken yet.
struct Find<'a> {
    offsets: &'a mut Offsets,
    separator: u8,
    /// How many ends the records have.
    complete: usize,
    lines: Lines<'a>,
}

impl Work for Find<'_> {
    type Output = Scan;

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) -> Scan {
        let bytes = self.lines.bytes;
        let mut above_ascii = 0;
        let (chunks, rest) = bytes.as_chunks::<LANE>();
        for (index, chunk) in chunks.iter().enumerate() {
            above_ascii |= simd.above_ascii(chunk);
            self.chunk(simd, chunk, index * LANE, u64::MAX);
        }
        if !rest.is_empty() {
            let (chunk, present) = last_chunk(rest);
            above_ascii |= simd.above_ascii(&chunk);
            self.chunk(simd, &chunk, bytes.len() - rest.len(), present);
        }
        if self.lines.start < bytes.len() {
            let at = self.offsets.ends.len();
            self.offsets.ends.push(bytes.len() as u32);
            self.end(bytes.len(), at);
        }
        self.lines.scan.ascii = above_ascii == 0;
        self.lines.scan
    }
}

impl Find<'_> {
    /// Takes down the fields and lines that end in a chunk.
    #[inline(always)]
    fn chunk<S: Simd>(&mut self, simd: S, chunk: &[u8; LANE], base: usize, present: u64) {
        let (separators, newlines) = simd.masks(chunk, self.separator, b'\n');
        let mut newlines = newlines & present;
        let gaps = (separators & present) | newlines;
        // Ends before this chunk's, and how many are gone since.
        let (first, mut gone) = (self.offsets.ends.len(), 0);
        flatten::<8>(&mut self.offsets.ends, base as u32, gaps);
        while newlines != 0 {
            let bit = newlines.trailing_zeros();
            let before = (gaps & (newlines ^ (newlines - 1)) >> 1).count_ones();
            gone += self.end(base + bit as usize, first + before as usize - gone);
            newlines &= newlines - 1;
        }
    }

    /// Takes the line whose end is number `at` into the matrix, or out of it: gives how many ends
    /// are gone.
    #[inline(always)]
    fn end(&mut self, end: usize, at: usize) -> usize {
        let found = at + 1 - self.complete;
        match self.lines.end(end, found) {
            Some((start, end, line)) => {
                self.offsets.ends[at] = end as u32;
                self.complete = at + 1;
                self.offsets.push(start, line);
                0
            }
            None => {
                self.offsets.ends.drain(self.complete..=at);
                found
            }
        }
    }
}

/// Appends the places of all bits: some `TOGETHER`, since a loop of a known length needs no branch
/// for each; what is too much is cut off. As many as most chunks have, or half of that: more is
/// work for nothing, fewer are branches that are guessed wrong.
#[inline(always)]
pub(super) fn flatten<const TOGETHER: usize>(ends: &mut Vec<u32>, base: u32, mut bits: u64) {
    let complete = ends.len() + bits.count_ones() as usize;
    while bits != 0 {
        let mut places = [0; TOGETHER];
        for place in &mut places {
            *place = base.wrapping_add(bits.trailing_zeros());
            bits &= bits.wrapping_sub(1);
        }
        ends.extend_from_slice(&places);
    }
    ends.truncate(complete);
}

/// Counts records.
struct Count<'a> {
    separator: u8,
    /// Records so far.
    records: usize,
    /// Separators of the line so far.
    before: usize,
    lines: Lines<'a>,
}

impl Work for Count<'_> {
    type Output = (usize, Scan);

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) -> (usize, Scan) {
        let bytes = self.lines.bytes;
        let (chunks, rest) = bytes.as_chunks::<LANE>();
        for (index, chunk) in chunks.iter().enumerate() {
            self.chunk(simd, chunk, index * LANE, u64::MAX);
        }
        if !rest.is_empty() {
            let (chunk, present) = last_chunk(rest);
            self.chunk(simd, &chunk, bytes.len() - rest.len(), present);
        }
        if self.lines.start < bytes.len() {
            let record = self.lines.end(bytes.len(), self.before + 1);
            self.records += usize::from(record.is_some());
        }
        (self.records, self.lines.scan)
    }
}

impl Count<'_> {
    /// Counts the lines that end in a chunk.
    #[inline(always)]
    fn chunk<S: Simd>(&mut self, simd: S, chunk: &[u8; LANE], base: usize, present: u64) {
        let (separators, newlines) = simd.masks(chunk, self.separator, b'\n');
        let (mut separators, mut newlines) = (separators & present, newlines & present);
        while newlines != 0 {
            let bit = newlines.trailing_zeros();
            let line = newlines ^ (newlines - 1);
            let found = self.before + (separators & line).count_ones() as usize + 1;
            let record = self.lines.end(base + bit as usize, found);
            self.records += usize::from(record.is_some());
            self.before = 0;
            separators &= !line;
            newlines &= newlines - 1;
        }
        self.before += separators.count_ones() as usize;
    }
}

/// The end of a line without the carriage return that CRLF leaves.
#[inline]
pub(super) fn without_carriage_return(bytes: &[u8], start: usize, end: usize) -> usize {
    if end > start && bytes[end - 1] == b'\r' {
        end - 1
    } else {
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(bytes: &[u8], fields: usize) -> (Vec<Vec<String>>, Scan) {
        let mut offsets = Offsets::default();
        let scan = scan(&mut offsets, bytes, b' ', fields);
        let mut rows = vec![Vec::new(); offsets.records()];
        for field in 0..fields {
            for (row, (start, end)) in offsets.field(field).enumerate() {
                rows[row].push(String::from_utf8_lossy(&bytes[start..end]).into_owned());
            }
        }
        (rows, scan)
    }

    #[test]
    fn lines_of_every_kind() {
        let (rows, scan) = table(b"a b\r\n\nccc dd\n\r\nx\n y\nl m n\ne f", 2);
        assert_eq!(rows, [["a", "b"], ["ccc", "dd"], ["", "y"], ["e", "f"]]);
        assert_eq!(scan.records, 8);
        assert_eq!(scan.skipped, 2);
        let rejects: Vec<_> = scan
            .rejects
            .iter()
            .map(|r| (r.0, r.3.to_string()))
            .collect();
        assert_eq!(
            rejects,
            [
                (4, "expected 2 fields, found 1".to_owned()),
                (6, "expected 2 fields, found 3".to_owned())
            ]
        );
    }

    #[test]
    fn one_field_and_no_bytes() {
        assert_eq!(table(b"a\nb\n", 1).0, [["a"], ["b"]]);
        assert_eq!(table(b"", 3).1.records, 0);
        assert_eq!(table(b"\r", 3).1.skipped, 1);
    }

    proptest! {
        /// Whatever the chunks cut, the fields are those of lines that are split one by one, and
        /// counting says the same.
        #[test]
        fn the_mask_pass_equals_splitting(
            text in r#"(a b c\n|a b c\r\n|[ab \r\n]|ü|aaaaaaaaa b|\n\n){0,60}"#,
            lead in 0..70usize,
        ) {
            let bytes = [&b"-".repeat(lead)[..], text.as_bytes()].concat();
            let (rows, scan) = table(&bytes, 3);
            prop_assert_eq!(scan.ascii, text.is_ascii());
            let mut expected = Vec::new();
            let (mut records, mut skipped, mut rejects) = (0, 0, Vec::new());
            for line in text_lines(&bytes) {
                let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
                let fields: Vec<_> = line.split(' ').map(str::to_owned).collect();
                if line.is_empty() {
                    skipped += 1;
                } else if fields.len() == 3 {
                    expected.push(fields);
                } else {
                    rejects.push((records, fields.len()));
                }
                records += 1;
            }
            prop_assert_eq!(&rows, &expected);
            prop_assert_eq!((scan.records, scan.skipped), (u64::from(records), skipped));
            let found: Vec<_> = scan.rejects.iter().map(|reject| match reject.3 {
                Reason::FieldCount { found, .. } => (reject.0, found),
                _ => (reject.0, 0),
            }).collect();
            prop_assert_eq!(found, rejects);
            let (counted, by_count) = count(&bytes, b' ', 3);
            prop_assert_eq!(counted, rows.len());
            prop_assert_eq!(by_count.rejects, scan.rejects);
            prop_assert_eq!((by_count.records, by_count.skipped), (scan.records, scan.skipped));
        }
    }

    /// The lines, of which the last may lack its end.
    fn text_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
        bytes
            .split_inclusive(|&byte| byte == b'\n')
            .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
    }
}
