//! How far a shard was read: where reading begins again, and what came before.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types::{Record, ShardIteratorType, StartingPosition};
use bytes::Bytes;
use loglens_engine::shard::{Position, Sequence, ShardRecord, Start};

use super::counts::Counters;

/// How far a shard was read.
#[derive(Debug)]
pub(super) struct Resume {
    start: Start,
    /// When it was opened, in microseconds since 1970.
    opened: i64,
    /// A place that the stream named, behind all that it gave.
    named: Option<String>,
    /// The last record that was read.
    last: Option<Sequence>,
}

/// A place as the requests have it.
#[derive(Debug, Clone)]
pub(super) struct From {
    pub(super) kind: ShardIteratorType,
    pub(super) sequence: Option<String>,
    pub(super) time: Option<DateTime>,
}

impl From {
    fn new(kind: ShardIteratorType) -> Self {
        Self {
            kind,
            sequence: None,
            time: None,
        }
    }

    fn sequence(kind: ShardIteratorType, sequence: &str) -> Self {
        Self {
            sequence: Some(sequence.to_owned()),
            ..Self::new(kind)
        }
    }

    /// The same for a subscription; None if the SDK does not like it.
    pub(super) fn position(self) -> Option<StartingPosition> {
        let position = StartingPosition::builder()
            .r#type(self.kind)
            .set_sequence_number(self.sequence)
            .set_timestamp(self.time);
        position.build().ok()
    }
}

impl Resume {
    pub(super) fn new(start: &Start) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let opened = since.unwrap_or_default().as_micros();
        Self {
            start: start.clone(),
            opened: i64::try_from(opened).unwrap_or(i64::MAX),
            named: None,
            last: None,
        }
    }

    /// Where reading begins, or goes on.
    pub(super) fn from(&self) -> From {
        use ShardIteratorType as Kind;
        if let Some(last) = &self.last {
            return From::sequence(Kind::AfterSequenceNumber, last.digits());
        }
        if let Some(named) = &self.named {
            return From::sequence(Kind::AtSequenceNumber, named);
        }
        match &self.start {
            Start::Oldest => From::new(Kind::TrimHorizon),
            Start::Latest => From::new(Kind::Latest),
            Start::Time(micros) => From {
                time: Some(DateTime::from_millis(micros.div_euclid(1000))),
                ..From::new(Kind::AtTimestamp)
            },
            Start::After(Position { sequence, sub }) => {
                // What is left of the record itself can be told only by reading it again.
                let kind = match sub {
                    None => Kind::AfterSequenceNumber,
                    Some(_) => Kind::AtSequenceNumber,
                };
                From::sequence(kind, sequence.digits())
            }
        }
    }

    /// Reading has begun: the newest place of later, if nothing came, is not that of now.
    pub(super) fn begun(&mut self) {
        if self.start == Start::Latest {
            self.start = Start::Time(self.opened);
        }
    }

    /// The stream named a place from which to go on.
    pub(super) fn name(&mut self, place: &str) {
        self.named = Some(place.to_owned());
    }

    /// Takes what came: records that came before are left out and counted.
    pub(super) fn take(&mut self, records: Vec<Record>, counters: &Counters) -> Vec<ShardRecord> {
        let mut taken = Vec::with_capacity(records.len());
        let mut bytes = 0;
        for record in records {
            let sequence = Sequence::new(&record.sequence_number);
            if !self.is_new(&sequence) {
                counters.repeated.fetch_add(1, Relaxed);
                continue;
            }
            bytes += record.data.as_ref().len() as u64;
            self.last = Some(sequence.clone());
            taken.push(ShardRecord {
                sequence,
                partition_key: Arc::from(record.partition_key.unwrap_or_default()),
                data: Bytes::from(record.data.into_inner()),
                arrived: record
                    .approximate_arrival_timestamp
                    .map_or(0, |time| micros(&time)),
            });
        }
        counters.reads.fetch_add(1, Relaxed);
        counters.records.fetch_add(taken.len() as u64, Relaxed);
        counters.bytes.fetch_add(bytes, Relaxed);
        taken
    }

    fn is_new(&self, sequence: &Sequence) -> bool {
        match (&self.last, &self.start) {
            (Some(last), _) => sequence > last,
            (
                None,
                Start::After(Position {
                    sequence: after,
                    sub,
                }),
            ) => sequence > after || (sub.is_some() && sequence == after),
            _ => true,
        }
    }
}

fn micros(time: &DateTime) -> i64 {
    time.secs() * 1_000_000 + i64::from(time.subsec_nanos() / 1000)
}
