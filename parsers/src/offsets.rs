//! Field offsets of a block of records.

use std::ops::Range;

use crate::reject::Reason;

/// Where the fields of a block's records are: a matrix of records by fields.
///
/// A field begins one byte after the one before it ends, as separators have it. One that the
/// record does not have begins after its own end. Where fields do not follow each other (JSON),
/// every other field is the gap between two.
///
/// Its vectors are kept from block to block, so that nothing is allocated once they have grown.
#[derive(Debug, Default)]
pub struct Offsets {
    fields: usize,
    /// Start of each record.
    starts: Vec<u32>,
    /// End of each field: record by record, field by field.
    pub(crate) ends: Vec<u32>,
    /// Line of each record, from 0 within the block.
    lines: Vec<u32>,
}

/// What became of the records that are not in the matrix.
#[derive(Debug, Default)]
pub struct Scan {
    /// All records, blank lines among them.
    pub records: u64,
    /// Blank lines and control records.
    pub skipped: u64,
    /// What is no record: line within the block, start, end, reason.
    pub rejects: Vec<(u32, u32, u32, Reason)>,
    /// Every byte was seen to be ASCII. It may be so where this is not said.
    pub ascii: bool,
}

impl Offsets {
    /// Empties the matrix for records of so many fields.
    pub(crate) fn begin(&mut self, fields: usize) {
        self.fields = fields;
        self.starts.clear();
        self.ends.clear();
        self.lines.clear();
    }

    /// How many ends the records that are complete have.
    pub(crate) fn complete(&self) -> usize {
        self.starts.len() * self.fields
    }

    /// Completes a record whose ends were appended. Those of later records may follow them.
    #[inline]
    pub(crate) fn push(&mut self, start: usize, line: u32) {
        self.starts.push(start as u32);
        self.lines.push(line);
        debug_assert!(self.ends.len() >= self.complete());
    }

    /// How many records there are.
    pub fn records(&self) -> usize {
        self.starts.len()
    }

    /// Start and end of one field of every record; the start lies behind the end where the
    /// record does not have the field.
    pub fn field(&self, field: usize) -> impl Iterator<Item = (usize, usize)> {
        let ends = self.ends.chunks_exact(self.fields);
        self.starts.iter().zip(ends).map(move |(&start, ends)| {
            let start = if field == 0 {
                start
            } else {
                ends[field - 1] + 1
            };
            (start as usize, ends[field] as usize)
        })
    }

    /// The same of some records, into `places`.
    pub(crate) fn places(&self, field: usize, records: Range<usize>, places: &mut Vec<(u32, u32)>) {
        let fields = self.fields;
        let ends = self.ends[records.start * fields..records.end * fields].chunks_exact(fields);
        places.clear();
        match field.checked_sub(1) {
            Some(before) => places.extend(ends.map(|ends| (ends[before] + 1, ends[field]))),
            None => {
                let starts = &self.starts[records];
                places.extend(
                    starts
                        .iter()
                        .zip(ends)
                        .map(|(&start, ends)| (start, ends[0])),
                );
            }
        }
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
