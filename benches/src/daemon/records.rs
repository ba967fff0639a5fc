//! Records of a stream in memory: the same flow logs again and again.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use loglens_engine::shard::{
    Fetched, Sequence, Shard, ShardReader, ShardRecord, ShardSource, Start,
};
use loglens_generate::FlowLogs;

use crate::error::{Error, Result};

/// Lines that are generated; the stream gives them again and again.
const LINES: u64 = 100_000;

/// Log events of a message of CloudWatch Logs.
const EVENTS: usize = 500;

/// Records that are given together, and their bytes: what `GetRecords` gives at most.
const MOST_RECORDS: usize = 10_000;
const MOST_BYTES: usize = 10 << 20;

/// What a record of the stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// A line.
    Lines,
    /// A message of CloudWatch Logs, as gzip.
    CloudWatch,
}

/// Records, and how many flows each holds.
pub(super) struct Records {
    data: Vec<Bytes>,
    flows: u64,
}

impl Records {
    /// Flow logs of so many accounts, each on so many days.
    pub(super) fn new(packing: Packing, accounts: u64, days: u64) -> Result<Self> {
        let mut text = Vec::new();
        FlowLogs::new(LINES, 1)
            .write_to(&mut text)
            .map_err(|error| Error::new(error.to_string()))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().skip(1).collect();
        if packing == Packing::Lines {
            let data = lines.iter().map(|line| Bytes::from((*line).to_owned()));
            return Ok(Self {
                data: data.collect(),
                flows: 1,
            });
        }
        let messages = (0..).zip(lines.chunks_exact(EVENTS));
        let messages = messages.map(|(number, lines)| message(number % accounts, days, lines));
        let data = messages.collect::<std::io::Result<_>>();
        Ok(Self {
            data: data.map_err(|error| Error::new(error.to_string()))?,
            flows: EVENTS as u64,
        })
    }

    /// As many flows as whole records hold.
    pub(super) fn rounded(&self, flows: u64) -> u64 {
        flows.div_ceil(self.flows) * self.flows
    }

    /// A stream of so many shards of so many flows.
    pub(super) fn stream(self, shards: u64, flows: u64) -> Stream {
        Stream {
            shards,
            records: flows / self.flows,
            data: self.data.into(),
        }
    }
}

/// A message whose events lie on so many days, one after the other.
fn message(account: u64, days: u64, lines: &[&str]) -> std::io::Result<Bytes> {
    let events = (0..).zip(lines).map(|(number, line)| {
        serde_json::json!({"id": "1", "timestamp": 0, "message": on_day(line, number % days)})
    });
    let message = serde_json::json!({
        "messageType": "DATA_MESSAGE",
        "owner": format!("{:012}", 100_000_000_000 + account),
        "logGroup": "vpc",
        "logStream": "eni",
        "subscriptionFilters": ["all"],
        "logEvents": events.collect::<Vec<_>>(),
    });
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(message.to_string().as_bytes())?;
    Ok(gzip.finish()?.into())
}

/// The same line, so many days later.
fn on_day(line: &str, day: u64) -> String {
    let fields = line.split(' ').enumerate().map(|(place, field)| {
        // Start and end.
        match (place, field.parse::<u64>()) {
            (10 | 11, Ok(time)) => (time + day * 86_400).to_string(),
            _ => field.to_owned(),
        }
    });
    fields.collect::<Vec<_>>().join(" ")
}

/// Shards of the same records, which end.
#[derive(Debug)]
pub(super) struct Stream {
    shards: u64,
    data: Arc<[Bytes]>,
    /// Of each shard.
    records: u64,
}

#[async_trait]
impl ShardSource for Stream {
    fn name(&self) -> &'static str {
        "kinesis://bench"
    }

    async fn shards(&self) -> std::result::Result<Vec<Shard>, loglens_engine::Error> {
        let shards = (0..self.shards).map(|number| Shard {
            id: Arc::from(format!("shard-{number}")),
            parents: Vec::new(),
            hash_keys: 0..=u128::MAX,
            closed: true,
        });
        Ok(shards.collect())
    }

    async fn open(
        &self,
        _: &str,
        start: &Start,
    ) -> std::result::Result<Box<dyn ShardReader>, loglens_engine::Error> {
        let next = match start {
            Start::After(position) => position.sequence.digits().parse().unwrap_or(0),
            _ => 0,
        };
        Ok(Box::new(Reader {
            data: Arc::clone(&self.data),
            records: self.records,
            next,
        }))
    }
}

struct Reader {
    data: Arc<[Bytes]>,
    records: u64,
    /// Records that were given; the first has the number 1.
    next: u64,
}

#[async_trait]
impl ShardReader for Reader {
    async fn fetch(&mut self) -> std::result::Result<Fetched, loglens_engine::Error> {
        let key: Arc<str> = Arc::from("key");
        let (mut records, mut bytes) = (Vec::new(), 0);
        while self.next < self.records && records.len() < MOST_RECORDS && bytes < MOST_BYTES {
            let data = self.data[(self.next % self.data.len() as u64) as usize].clone();
            bytes += data.len();
            self.next += 1;
            records.push(ShardRecord {
                sequence: Sequence::new(&self.next.to_string()),
                partition_key: Arc::clone(&key),
                data,
                arrived: 0,
            });
        }
        Ok(Fetched {
            records,
            behind: Duration::ZERO,
            ended: self.next == self.records,
        })
    }
}
