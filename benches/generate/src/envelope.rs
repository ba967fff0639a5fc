//! Records on their way through a stream: by themselves, or in what services and producers put
//! around them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use loglens_parsers::envelope::kpl;
use serde_json::json;

use crate::LogRecord;

/// The most log events of a message.
const EVENTS: usize = 100;

/// Bytes of records in an aggregate: the Kinesis Producer Library fills them up to 50 KiB.
const AGGREGATE_BYTES: usize = 50 << 10;

/// What log records are put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// Nothing: a log record is a record of the stream.
    Plain,
    /// Messages of CloudWatch Logs to those that subscribed to a log group.
    CloudWatch,
    /// Aggregates of the Kinesis Producer Library.
    Kpl,
}

/// A record of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRecord {
    /// Its partition key: no two have the same, so that they go to all shards.
    pub partition_key: String,
    /// Its bytes.
    pub data: Vec<u8>,
    /// How many log records it holds.
    pub records: u64,
}

/// Makes records of a stream.
#[derive(Clone, Debug)]
pub struct Packer {
    envelope: Envelope,
    log_group: &'static str,
    /// Those that were made.
    made: u64,
}

impl Packer {
    /// Puts log records into such envelopes; `log_group` is where CloudWatch Logs has them from.
    pub fn new(envelope: Envelope, log_group: &'static str) -> Self {
        Self {
            envelope,
            log_group,
            made: 0,
        }
    }

    /// Records of a stream that hold these log records, in their order.
    pub fn pack(&mut self, records: Vec<LogRecord>) -> Vec<StreamRecord> {
        match self.envelope {
            Envelope::Plain => {
                let records = records.into_iter();
                let made = records.map(|record| self.record(1, |_| record.line));
                made.collect()
            }
            Envelope::CloudWatch => {
                let of_one_log =
                    records.chunk_by(|a, b| a.account == b.account && a.region == b.region);
                let messages = of_one_log.flat_map(|records| records.chunks(EVENTS));
                let log_group = self.log_group;
                let made = messages.map(|records| {
                    self.record(records.len(), |key| message(log_group, key, records))
                });
                made.collect()
            }
            Envelope::Kpl => {
                let made = aggregates(&records).map(|records| {
                    // All of one key: a reader leaves out what belongs to another shard.
                    self.record(records.len(), |key| {
                        kpl::pack(records.iter().map(|record| (key, None, &*record.line)))
                    })
                });
                made.collect()
            }
        }
    }

    fn record(&mut self, records: usize, data: impl FnOnce(&str) -> Vec<u8>) -> StreamRecord {
        let partition_key = self.made.to_string();
        self.made += 1;
        StreamRecord {
            data: data(&partition_key),
            partition_key,
            records: records as u64,
        }
    }
}

/// A message of CloudWatch Logs, compressed as it comes through a stream. Its log events have no
/// times: those of the records count.
fn message(log_group: &str, number: &str, records: &[LogRecord]) -> Vec<u8> {
    let events = records.iter().enumerate().map(|(event, record)| {
        json!({
            "id": format!("{number:0>40}{event:016}"),
            "timestamp": 0,
            "message": String::from_utf8_lossy(&record.line),
        })
    });
    let first = records.first();
    let account = first.map_or("", |record| &record.account);
    let region = first.map_or("", |record| record.region);
    let message = json!({
        "messageType": "DATA_MESSAGE",
        "owner": account,
        "logGroup": log_group,
        "logStream": format!("{account}_{region}"),
        "subscriptionFilters": ["to-kinesis"],
        "logEvents": events.collect::<Vec<_>>(),
    });
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let _ = gzip.write_all(message.to_string().as_bytes());
    gzip.finish().unwrap_or_default()
}

/// Records divided into what fits into an aggregate each.
fn aggregates(mut records: &[LogRecord]) -> impl Iterator<Item = &[LogRecord]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fit = records.iter().take_while(|record| {
            bytes += record.line.len();
            bytes <= AGGREGATE_BYTES
        });
        let count = fit.count().max(1).min(records.len());
        let (aggregate, rest) = records.split_at(count);
        records = rest;
        (!aggregate.is_empty()).then_some(aggregate)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Read;
    use std::sync::Arc;

    use flate2::read::MultiGzDecoder;
    use loglens_parsers::envelope::cloudwatch::Message;
    use loglens_parsers::envelope::kpl::Packing;

    use super::*;
    use crate::{CloudTrailLogs, FlowLogs};

    fn records(accounts: u32) -> Vec<LogRecord> {
        let mut records = Vec::new();
        let logs = FlowLogs::new(2000, 1).with_accounts(accounts);
        logs.each_record(&mut |record| {
            records.push(record);
            Ok(())
        })
        .unwrap();
        records
    }

    fn pack(envelope: Envelope, records: &[LogRecord]) -> Vec<StreamRecord> {
        let mut packer = Packer::new(envelope, "vpc-flow-logs");
        let (first, second) = records.split_at(records.len() / 2);
        [packer.pack(first.to_vec()), packer.pack(second.to_vec())].concat()
    }

    #[test]
    fn records_are_the_lines_of_the_text() {
        let mut text = Vec::new();
        FlowLogs::new(2000, 1).write_to(&mut text).unwrap();
        let lines = text.split(|byte| *byte == b'\n').skip(1);
        let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        let records = records(1);
        assert!(
            records
                .iter()
                .all(|record| &*record.account == "111122223333")
        );
        let packed = pack(Envelope::Plain, &records);
        assert_eq!(
            packed
                .iter()
                .map(|record| &*record.data)
                .collect::<Vec<_>>(),
            lines
        );
        let keys: std::collections::HashSet<_> =
            packed.iter().map(|record| &record.partition_key).collect();
        assert_eq!(keys.len(), packed.len());
    }

    #[test]
    fn events_by_themselves_are_json() {
        let mut events = 0;
        CloudTrailLogs::new(20, 1)
            .each_record(&mut |record| {
                let event: serde_json::Value = serde_json::from_slice(&record.line)?;
                assert!(event["eventName"].is_string());
                events += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(events, 20);
    }

    #[test]
    fn messages_are_of_one_account_each() {
        let records = records(3);
        let mut read = Vec::new();
        for packed in pack(Envelope::CloudWatch, &records) {
            let mut text = Vec::new();
            MultiGzDecoder::new(&*packed.data)
                .read_to_end(&mut text)
                .unwrap();
            let message = Message::read(&text, 0..text.len()).unwrap();
            assert_eq!(message.log_group.as_deref(), Some("vpc-flow-logs"));
            let before = read.len();
            for event in message.events(&text) {
                read.push((
                    message.owner.clone().unwrap(),
                    event.unwrap().message.into_owned(),
                ));
            }
            let events = (read.len() - before) as u64;
            assert!(
                events == packed.records && (1..=100).contains(&events),
                "{events}"
            );
        }
        let records = records
            .into_iter()
            .map(|record| (record.account, record.line));
        assert!(records.eq(read));
    }

    #[test]
    fn aggregates_hold_all_records_under_their_own_key() {
        let records = records(1);
        let packed = pack(Envelope::Kpl, &records);
        assert!(packed.len() < 10, "{}", packed.len());
        let mut lines = Vec::new();
        for packed in packed {
            let key: Arc<str> = Arc::from(packed.partition_key);
            let (users, packing) = kpl::unpack(&key, &packed.data.into());
            let users: Vec<_> = users.collect();
            assert_eq!(
                (users.len() as u64, packing),
                (packed.records, Packing::Aggregated)
            );
            for user in users {
                assert_eq!(user.partition_key, key);
                lines.push(user.data.to_vec());
            }
        }
        assert!(
            lines
                .into_iter()
                .eq(records.into_iter().map(|record| record.line))
        );
    }
}
