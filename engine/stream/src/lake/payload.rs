//! Records of a stream taken apart, and told which table they are of.

use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;
use loglens_engine::shard::{Position, Sequence, ShardRecord, Start};
use loglens_parsers::detect::{self, HEAD_BYTES};
use loglens_parsers::envelope::kpl::{self, Packing};
use loglens_parsers::envelope::wraps;
use loglens_parsers::format::{Format, Formats, Shape};
use loglens_parsers::frame::{self, ExpansionLimit};
use loglens_parsers::json;
use loglens_parsers::layout::has_header;

/// Where a payload was in its shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) sequence: Sequence,
    /// Its place in an aggregate, from 0.
    pub(super) sub: u64,
    /// When it came to the stream, in microseconds since 1970.
    pub(super) arrived: i64,
}

/// What one record of a producer holds.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) place: Place,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    /// Logs of a table, out of their frame.
    Logs {
        format: Arc<Format>,
        /// They are in envelopes.
        wrapped: bool,
        /// What follows on them would be read in another way: they have a header, or leave JSON open.
        alone: bool,
        bytes: Bytes,
    },
    /// A record of an aggregate that belongs to another shard: its producer has sent it again.
    Resent { bytes: Bytes },
    /// Bytes that fit no table, as they came, and why.
    Unknown { bytes: Bytes, why: String },
}

/// How records are taken apart.
#[derive(Debug, Clone)]
pub(super) struct Unpacking {
    pub(super) formats: Formats,
    /// The only table, if the user says so.
    pub(super) format: Option<Arc<Format>>,
    /// Field order of flow logs without a header, if the user gives one.
    pub(super) fields: Option<Vec<String>>,
    pub(super) limit: ExpansionLimit,
}

impl Unpacking {
    /// What a record of a shard holds: what its producer packed into it, or itself. What was read
    /// before `start` is left out. Of an aggregate, what is outside of `hash_keys` was sent again.
    pub(super) fn payloads<'a>(
        &'a self,
        record: &'a ShardRecord,
        start: &Start,
        hash_keys: Option<&'a RangeInclusive<u128>>,
    ) -> impl Iterator<Item = Payload> + use<'a> {
        let read = match start {
            Start::After(Position {
                sequence,
                sub: Some(sub),
            }) if *sequence == record.sequence => Some(*sub),
            _ => None,
        };
        let (users, packing) = kpl::unpack(&record.partition_key, &record.data);
        let users = users.filter(move |user| read.is_none_or(|read| user.sub > read));
        let hash_keys = hash_keys.filter(|_| packing == Packing::Aggregated);
        users.map(move |user| Payload {
            place: Place {
                sequence: record.sequence.clone(),
                sub: user.sub,
                arrived: record.arrived,
            },
            content: match hash_keys {
                Some(keys) if !keys.contains(&user.hash_key()) => {
                    Content::Resent { bytes: user.data }
                }
                _ => self.content(user.data),
            },
        })
    }

    /// Which logs a payload is.
    pub(super) fn content(&self, data: Bytes) -> Content {
        let bytes = match frame::Frame::of(&data) {
            frame::Frame::Plain => data.clone(),
            _ => {
                let mut inflated = Vec::new();
                if let Err(error) = frame::decode_all(&data, self.limit, &mut inflated) {
                    let why = error.to_string();
                    return Content::Unknown { bytes: data, why };
                }
                inflated.into()
            }
        };
        let head = &bytes[..bytes.len().min(HEAD_BYTES)];
        match self.format(head) {
            Some(format) => {
                let wrapped = wraps(&bytes, &format, true).unwrap_or(false);
                let is_json = wrapped || matches!(format.shape, Shape::Json { .. });
                Content::Logs {
                    wrapped,
                    alone: match is_json {
                        true => !json::are_whole(&bytes),
                        false => has_header(&format, &bytes),
                    },
                    format,
                    bytes,
                }
            }
            None => Content::Unknown {
                bytes: data,
                why: "no known log format".to_owned(),
            },
        }
    }

    fn format(&self, head: &[u8]) -> Option<Arc<Format>> {
        if let Some(format) = &self.format {
            return Some(Arc::clone(format));
        }
        let found = detect::by_head(head, self.formats.all(), self.fields.as_deref());
        found.map(|found| found.format)
    }
}
