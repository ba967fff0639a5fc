//! Field offsets of a block of lines.

use crate::arch::{LANE, masks};
use crate::record::MAX_LINE_BYTES;
use crate::reject::Reason;

/// Where the fields of a block's records are: a matrix of records by fields.
///
/// Its vectors are kept from block to block, so that nothing is allocated once they have grown.
#[derive(Debug, Default)]
pub struct Offsets {
    fields: usize,
    /// Start of each record.
    starts: Vec<u32>,
    /// End of each field: record by record, field by field.
    ends: Vec<u32>,
    /// Line of each record, from 0 within the block.
    lines: Vec<u32>,
}

/// What became of the lines that are not in the matrix.
#[derive(Debug, Default)]
pub struct Scan {
    /// All lines.
    pub lines: u64,
    /// Blank lines.
    pub blank: u64,
    /// Lines that are no record: line within the block, start, end, reason.
    pub rejects: Vec<(u32, u32, u32, Reason)>,
}

impl Offsets {
    /// Finds the fields of every line of `bytes` that has `fields` of them.
    pub fn scan(&mut self, bytes: &[u8], separator: u8, fields: usize) -> Scan {
        self.fields = fields;
        self.starts.clear();
        self.ends.clear();
        self.lines.clear();
        let mut scan = Scan::default();
        let mut line_start = 0;
        let (chunks, rest) = bytes.as_chunks::<LANE>();
        for (index, chunk) in chunks.iter().enumerate() {
            let found = masks(chunk, separator, b'\n');
            self.chunk(bytes, index * LANE, found, &mut line_start, &mut scan);
        }
        if !rest.is_empty() {
            let mut chunk = [0; LANE];
            chunk[..rest.len()].copy_from_slice(rest);
            let (mut separators, mut newlines) = masks(&chunk, separator, b'\n');
            let present = (1 << rest.len()) - 1;
            separators &= present;
            newlines &= present;
            self.chunk(
                bytes,
                bytes.len() - rest.len(),
                (separators, newlines),
                &mut line_start,
                &mut scan,
            );
        }
        if line_start < bytes.len() {
            self.end_line(bytes, line_start, bytes.len(), &mut scan);
        }
        scan
    }

    #[inline(always)]
    fn chunk(
        &mut self,
        bytes: &[u8],
        base: usize,
        (separators, newlines): (u64, u64),
        line_start: &mut usize,
        scan: &mut Scan,
    ) {
        let mut both = separators | newlines;
        while both != 0 {
            let bit = both.trailing_zeros();
            let at = base + bit as usize;
            both &= both - 1;
            if newlines >> bit & 1 == 0 {
                self.ends.push(at as u32);
            } else {
                self.end_line(bytes, *line_start, at, scan);
                *line_start = at + 1;
            }
        }
    }

    /// Takes the line `start..end` into the matrix, or out of it.
    #[inline]
    fn end_line(&mut self, bytes: &[u8], start: usize, end: usize, scan: &mut Scan) {
        let line = scan.lines as u32;
        scan.lines += 1;
        let end = if end > start && bytes[end - 1] == b'\r' {
            end - 1
        } else {
            end
        };
        let complete = self.starts.len() * self.fields;
        let found = self.ends.len() - complete + 1;
        if found == self.fields && end > start && end - start <= MAX_LINE_BYTES {
            self.ends.push(end as u32);
            self.starts.push(start as u32);
            self.lines.push(line);
            return;
        }
        self.ends.truncate(complete);
        if end == start {
            scan.blank += 1;
        } else {
            let reason = if end - start > MAX_LINE_BYTES {
                Reason::TooLong {
                    limit: MAX_LINE_BYTES,
                }
            } else {
                Reason::FieldCount {
                    expected: self.fields,
                    found,
                }
            };
            scan.rejects.push((line, start as u32, end as u32, reason));
        }
    }

    /// How many records there are.
    pub fn records(&self) -> usize {
        self.starts.len()
    }

    /// Start and end of one field of every record.
    pub fn field(&self, field: usize) -> impl Iterator<Item = (usize, usize)> {
        let fields = self.fields;
        self.starts
            .iter()
            .zip(self.ends.chunks_exact(fields))
            .map(move |(&start, ends)| {
                let start = if field == 0 {
                    start
                } else {
                    ends[field - 1] + 1
                };
                (start as usize, ends[field] as usize)
            })
    }

    /// Start and end of a record, and its line within the block.
    pub fn record(&self, record: usize) -> (usize, usize, u32) {
        let end = self.ends[(record + 1) * self.fields - 1];
        (
            self.starts[record] as usize,
            end as usize,
            self.lines[record],
        )
    }

    /// Keeps the records for which `keep` says so.
    pub fn retain(&mut self, keep: impl Iterator<Item = bool>) {
        let mut kept = 0;
        for (record, keep) in keep.enumerate() {
            if keep {
                let fields = self.fields;
                self.starts[kept] = self.starts[record];
                self.lines[kept] = self.lines[record];
                self.ends
                    .copy_within(record * fields..(record + 1) * fields, kept * fields);
                kept += 1;
            }
        }
        self.starts.truncate(kept);
        self.lines.truncate(kept);
        self.ends.truncate(kept * self.fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(bytes: &[u8], fields: usize) -> (Vec<Vec<String>>, Scan) {
        let mut offsets = Offsets::default();
        let scan = offsets.scan(bytes, b' ', fields);
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
        assert_eq!(scan.lines, 8);
        assert_eq!(scan.blank, 2);
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
        assert_eq!(table(b"", 3).1.lines, 0);
        assert_eq!(table(b"\r", 3).1.blank, 1);
    }
}
