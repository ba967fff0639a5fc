//! What fits no table, with cause, position and bytes.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use loglens_engine::shard::Sequence;
use loglens_engine::{Error, Owner};
use loglens_parsers::format::Shape;
use loglens_parsers::layout::Layout;
use loglens_parsers::parse::{ParseOptions, Parser};
use loglens_parsers::record::Cutter;
use loglens_parsers::reject::{Reject, RejectKind};
use loglens_parsers::table::Table;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::chunk::SealedChunk;
use super::payload::Place;

/// A record that fits no table.
#[derive(Debug)]
pub(super) struct Rejected {
    pub(super) place: Place,
    /// The table that it was thought to be of.
    pub(super) table: Option<Arc<str>>,
    pub(super) why: String,
    /// It belongs to another shard, where its producer has sent it again.
    pub(super) resent: bool,
    pub(super) bytes: Bytes,
}

impl Rejected {
    pub(super) fn resent(place: Place, bytes: Bytes) -> Self {
        Self {
            place,
            table: None,
            why: "its hash key is outside of the shard: its producer has sent it again".to_owned(),
            resent: true,
            bytes,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A line of an object of rejected records.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    shard: Cow<'a, str>,
    sequence: Cow<'a, str>,
    sub: u64,
    /// When it came to the stream, in microseconds since 1970.
    arrived: i64,
    table: Option<Cow<'a, str>>,
    cause: Cow<'a, str>,
    /// How often it was tried.
    attempt: u32,
    /// It belongs to another shard, where its producer has sent it again: it becomes no row.
    #[serde(default, skip_serializing_if = "is_false")]
    resent: bool,
    /// All of its bytes, in base64.
    data: Cow<'a, str>,
}

/// Rejected records of a shard, after so many tries, as lines of JSON.
pub(super) fn lines(shard: &str, attempt: u32, rejected: &[Rejected]) -> serde_json::Result<Bytes> {
    let mut lines = Vec::new();
    for record in rejected {
        let line = Line {
            shard: shard.into(),
            sequence: record.place.sequence.digits().into(),
            sub: record.place.sub,
            arrived: record.place.arrived,
            table: record.table.as_deref().map(Cow::Borrowed),
            cause: record.why.as_str().into(),
            attempt,
            resent: record.resent,
            data: BASE64_STANDARD.encode(&record.bytes).into(),
        };
        serde_json::to_writer(&mut lines, &line)?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}

/// The records of an object of rejected ones: all of them are of one shard, and were tried as often.
pub(super) struct Read {
    pub(super) shard: Arc<str>,
    pub(super) attempt: u32,
    /// Those that were sent again, and are rows where they belong.
    pub(super) resent: u64,
    pub(super) records: Vec<(Place, Bytes)>,
}

/// Reads the object of this name; None if it is empty.
pub(super) fn read(name: &str, object: &[u8]) -> Result<Option<Read>, Error> {
    let mut read: Option<Read> = None;
    let lines = object.split(|byte| *byte == b'\n');
    for (number, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        let wrong = |what: &dyn Display| {
            let message = format!("{name}:{}: no rejected record: {what}", number + 1);
            Error::new(Owner::Data, message)
                .hint("`loglens consume` writes such objects; do not edit what they say")
        };
        let line: Line<'_> = serde_json::from_slice(line).map_err(|error| wrong(&error))?;
        let read = read.get_or_insert_with(|| Read {
            shard: Arc::from(&*line.shard),
            attempt: line.attempt,
            resent: 0,
            records: Vec::new(),
        });
        if *read.shard != *line.shard || read.attempt != line.attempt {
            return Err(wrong(&"of another shard, or tried more or less often"));
        }
        if line.resent {
            read.resent += 1;
            continue;
        }
        let data = BASE64_STANDARD.decode(&*line.data);
        let place = Place {
            sequence: Sequence::new(&line.sequence),
            sub: line.sub,
            arrived: line.arrived,
        };
        let data = data.map_err(|error| wrong(&error))?;
        read.records.push((place, data.into()));
    }
    Ok(read)
}

/// The records of a chunk that its table rejects.
pub(super) fn of(chunk: &SealedChunk, table: &Arc<Table>, layout: &Arc<Layout>) -> Vec<Rejected> {
    let mut cutter = Cutter::new(Arc::clone(&chunk.format), Arc::clone(layout));
    let mut parser = Parser::new(Arc::clone(table), &[], &[], ParseOptions::default());
    let (mut rejects, mut blocks) = (Vec::new(), VecDeque::new());
    let mut rest = &*chunk.bytes;
    loop {
        let (piece, behind) = rest.split_at(cutter.wants().min(rest.len()));
        rest = behind;
        cutter.buffer().extend_from_slice(piece);
        match piece.is_empty() {
            true => cutter.finish(false, &mut blocks),
            false => cutter.cut(&mut blocks),
        }
        for block in blocks.drain(..) {
            // Without a filter nothing can fail.
            let parsed = parser.parse(&block, None);
            rejects.extend(parsed.into_iter().flat_map(|parsed| parsed.rejects));
        }
        if piece.is_empty() {
            break;
        }
    }
    let records = rejects.iter();
    let records = records.filter(|reject| reject.reason.kind() == RejectKind::Record);
    records
        .filter_map(|reject| rejected(chunk, reject))
        .collect()
}

fn rejected(chunk: &SealedChunk, reject: &Reject) -> Option<Rejected> {
    let at = usize::try_from(reject.offset).ok()?;
    let rest = chunk.rest_of_payload(at);
    let is_json = chunk.wrapped || matches!(chunk.format.shape, Shape::Json { .. });
    let end = match is_json {
        true => value_length(rest),
        false => memchr::memchr(b'\n', rest),
    };
    Some(Rejected {
        place: chunk.place(at)?.clone(),
        table: Some(Arc::from(chunk.format.table.as_str())),
        why: reject.reason.to_string(),
        resent: false,
        bytes: Bytes::copy_from_slice(rest[..end.unwrap_or(rest.len())].trim_ascii_end()),
    })
}

/// The bytes of the JSON value at the beginning; None if it is broken.
fn value_length(bytes: &[u8]) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}
