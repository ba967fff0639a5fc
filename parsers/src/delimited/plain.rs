//! Fields of lines in which a separator always separates.

use crate::arch::{LANE, masks};
use crate::offsets::{Offsets, Scan};
use crate::record::MAX_RECORD_BYTES;
use crate::reject::Reason;

/// Finds the fields of every line of `bytes` that has `fields` of them.
pub fn scan(offsets: &mut Offsets, bytes: &[u8], separator: u8, fields: usize) -> Scan {
    offsets.begin(fields);
    let mut lines = Lines {
        offsets,
        bytes,
        fields,
        start: 0,
        scan: Scan::default(),
    };
    let (chunks, rest) = bytes.as_chunks::<LANE>();
    for (index, chunk) in chunks.iter().enumerate() {
        lines.chunk(index * LANE, masks(chunk, separator, b'\n'));
    }
    if !rest.is_empty() {
        let mut chunk = [0; LANE];
        chunk[..rest.len()].copy_from_slice(rest);
        let (mut separators, mut newlines) = masks(&chunk, separator, b'\n');
        let present = (1 << rest.len()) - 1;
        separators &= present;
        newlines &= present;
        lines.chunk(bytes.len() - rest.len(), (separators, newlines));
    }
    if lines.start < bytes.len() {
        lines.end(bytes.len());
    }
    lines.scan
}

/// The lines of a block while they are found.
struct Lines<'a> {
    offsets: &'a mut Offsets,
    bytes: &'a [u8],
    fields: usize,
    /// Where the line begins.
    start: usize,
    scan: Scan,
}

impl Lines<'_> {
    #[inline(always)]
    fn chunk(&mut self, base: usize, (separators, newlines): (u64, u64)) {
        let mut both = separators | newlines;
        while both != 0 {
            let bit = both.trailing_zeros();
            let at = base + bit as usize;
            both &= both - 1;
            if newlines >> bit & 1 == 0 {
                self.offsets.ends.push(at as u32);
            } else {
                self.end(at);
            }
        }
    }

    /// Takes the line that ends at `end` into the matrix, or out of it.
    #[inline]
    fn end(&mut self, end: usize) {
        let start = std::mem::replace(&mut self.start, end + 1);
        let line = self.scan.records as u32;
        self.scan.records += 1;
        let end = without_carriage_return(self.bytes, start, end);
        let complete = self.offsets.complete();
        let found = self.offsets.ends.len() - complete + 1;
        if found == self.fields && end > start && end - start <= MAX_RECORD_BYTES {
            self.offsets.ends.push(end as u32);
            self.offsets.push(start, line);
            return;
        }
        self.offsets.ends.truncate(complete);
        if end == start {
            self.scan.skipped += 1;
        } else {
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
}
