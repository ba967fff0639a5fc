//! What fits no table, with cause, position and bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use loglens_parsers::format::Shape;
use loglens_parsers::layout::Layout;
use loglens_parsers::parse::{ParseOptions, Parser};
use loglens_parsers::record::Cutter;
use loglens_parsers::reject::{Reject, RejectKind};
use loglens_parsers::table::Table;
use serde::Serialize;
use serde::de::IgnoredAny;

use super::chunk::Chunk;
use super::payload::Place;

/// A record that fits no table.
#[derive(Debug)]
pub(super) struct Rejected {
    pub(super) place: Place,
    /// The table that it was thought to be of.
    pub(super) table: Option<Arc<str>>,
    pub(super) why: String,
    pub(super) bytes: Bytes,
}

/// A line of an object of rejected records.
#[derive(Serialize)]
struct Line<'a> {
    shard: &'a str,
    sequence: &'a str,
    sub: u64,
    /// When it came to the stream, in microseconds since 1970.
    arrived: i64,
    table: Option<&'a str>,
    cause: &'a str,
    /// How often it was tried.
    attempt: u32,
    /// All of its bytes, in base64.
    data: String,
}

/// Rejected records of a shard as lines of JSON.
pub(super) fn lines(shard: &str, rejected: &[Rejected]) -> serde_json::Result<Bytes> {
    let mut lines = Vec::new();
    for record in rejected {
        let line = Line {
            shard,
            sequence: record.place.sequence.digits(),
            sub: record.place.sub,
            arrived: record.place.arrived,
            table: record.table.as_deref(),
            cause: &record.why,
            attempt: 1,
            data: BASE64_STANDARD.encode(&record.bytes),
        };
        serde_json::to_writer(&mut lines, &line)?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}

/// The records of a chunk that its table rejects.
pub(super) fn of(chunk: &Chunk, table: &Arc<Table>, layout: &Arc<Layout>) -> Vec<Rejected> {
    let mut cutter = Cutter::new(Arc::clone(&chunk.format), Arc::clone(layout));
    let mut parser = Parser::new(Arc::clone(table), &[], &[], ParseOptions::default());
    let (mut rejects, mut blocks) = (Vec::new(), VecDeque::new());
    let mut rest = chunk.bytes();
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

fn rejected(chunk: &Chunk, reject: &Reject) -> Option<Rejected> {
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
        bytes: Bytes::copy_from_slice(rest[..end.unwrap_or(rest.len())].trim_ascii_end()),
    })
}

/// The bytes of the JSON value at the beginning; None if it is broken.
fn value_length(bytes: &[u8]) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}
