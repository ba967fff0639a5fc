//! Rejects: what did not fit, where and why; and the counts that account for every record.

use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;

use crate::field::Misfit;
use crate::frame::FrameError;

/// The longest excerpt that a reject carries, in bytes.
pub const EXCERPT_BYTES: usize = 200;

/// Something in the data that did not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Line of the record, from 1; 0 where there is none.
    pub line: u64,
    /// Byte offset of the record in the inflated object.
    pub offset: u64,
    /// Column whose value did not fit; None for whole records.
    pub column: Option<Arc<str>>,
    /// What was wrong.
    pub reason: Reason,
    /// The beginning of the record, with U+FFFD in the place of what is not UTF-8.
    pub excerpt: String,
}

/// Why something was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The record has another number of fields than its header says.
    FieldCount {
        /// Fields that the header (or the default order) has.
        expected: usize,
        /// Fields that the record has.
        found: usize,
    },
    /// The record is not the JSON that it should be.
    Json {
        /// What was expected, in a few words.
        expected: &'static str,
    },
    /// The record is longer than a record may be.
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The object ends inside this record.
    CutOff,
    /// A header line has this name twice: its first field is used.
    DuplicateName(String),
    /// A value does not fit its column: it is NULL, or for text not in UTF-8, mended.
    Value(Misfit),
    /// The object itself is damaged: what came before was read.
    Frame(FrameError),
    /// The object ended early: it shrank while it was read.
    Shrank {
        /// Bytes it had when it was listed.
        expected: u64,
        /// Bytes that were there.
        found: u64,
    },
}

/// What a reject is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectKind {
    /// A record that is not among the rows.
    Record,
    /// A value of a record that is among the rows.
    Value,
    /// The rest of an object.
    Object,
}

impl RejectKind {
    /// The kind's name in the `rejects` table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Value => "value",
            Self::Object => "object",
        }
    }
}

impl Reason {
    /// What this reason is about.
    pub fn kind(&self) -> RejectKind {
        match self {
            Self::Value(_) => RejectKind::Value,
            Self::Frame(_) | Self::Shrank { .. } => RejectKind::Object,
            _ => RejectKind::Record,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FieldCount { expected, found } => {
                write!(f, "expected {expected} fields, found {found}")
            }
            Self::Json { expected } => write!(f, "expected {expected}"),
            Self::TooLong { limit } => write!(f, "record longer than {limit} bytes"),
            Self::CutOff => write!(f, "the object ends inside this record"),
            Self::DuplicateName(name) => write!(f, "the header names \"{name}\" twice"),
            Self::Value(Misfit::NotAnInteger) => write!(f, "not an integer"),
            Self::Value(Misfit::OutOfRange) => write!(f, "integer out of range"),
            Self::Value(Misfit::NotUtf8) => write!(f, "not UTF-8"),
            Self::Frame(error) => error.fmt(f),
            Self::Shrank { expected, found } => {
                write!(
                    f,
                    "the object had {expected} bytes when it was listed and {found} when it was read"
                )
            }
        }
    }
}

/// The beginning of a record, for a reject.
pub fn excerpt(record: &[u8]) -> String {
    String::from_utf8_lossy(&record[..record.len().min(EXCERPT_BYTES)]).into_owned()
}

/// What became of the records of some bytes.
///
/// Always: `rows + filtered + unexamined + rejects + skipped == records`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records seen.
    pub records: u64,
    /// Records that are rows.
    pub rows: u64,
    /// Records that the filter left out.
    pub filtered: u64,
    /// Records that were passed over without a look.
    pub unexamined: u64,
    /// Records that were rejected.
    pub rejects: u64,
    /// Headers, blank lines and control messages.
    pub skipped: u64,
    /// Values that did not fit their columns, in columns that were read.
    pub values: u64,
}

impl Counts {
    /// Whether every record is accounted for.
    pub fn add_up(&self) -> bool {
        self.rows + self.filtered + self.unexamined + self.rejects + self.skipped == self.records
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.rows += other.rows;
        self.filtered += other.filtered;
        self.unexamined += other.unexamined;
        self.rejects += other.rejects;
        self.skipped += other.skipped;
        self.values += other.values;
    }
}
