//! A steady load of records, each of which can be recognised.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use loglens_io::kinesis::KinesisStream;
use loglens_io::kinesis::producer::Entry;
use loglens_parsers::envelope::kpl;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::random::{Random, mix};
use super::services::Services;
use super::settings::Settings;

/// So often records are sent.
const STEP: Duration = Duration::from_millis(100);

/// The records that go into an envelope together.
const TOGETHER: u64 = 5;

/// Hash keys choose the shards.
const KEY: &str = "key";

/// The window that stands over the load. Flows lie 7 s apart.
pub(super) const HOURS: &str = "SELECT window_end, bytes % 2 AS parity, count(*) AS flows, sum(packets) AS checksum \
     FROM vpc_flow_logs GROUP BY hop(event_time, INTERVAL '1' HOUR, INTERVAL '2' HOUR), 2";

/// What was sent: flows with the numbers up to `flows`, and records of no table likewise.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Sent {
    pub(super) flows: u64,
    pub(super) garbage: u64,
}

impl Sent {
    pub(super) fn records(self) -> u64 {
        self.flows + self.garbage
    }
}

/// A flow as it is in the lake: its number, and checksums of that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flow {
    pub(super) bytes: u64,
    pub(super) packets: u64,
    pub(super) srcport: u64,
    pub(super) start: u64,
}

impl Flow {
    /// The flow of a number: its bytes. All else is made from that.
    pub(super) fn new(number: u64) -> Self {
        let mixed = mix(number);
        Self {
            bytes: number,
            packets: mixed >> 33,
            srcport: mixed & 0xffff,
            // Days begin and end among them.
            start: 1_767_220_000 + number * 7,
        }
    }

    fn line(&self) -> String {
        let Self {
            bytes,
            packets,
            srcport,
            start,
        } = self;
        format!(
            "2 123456789012 eni-1 10.0.0.1 10.0.0.9 {srcport} 443 6 {packets} {bytes} {start} {start} ACCEPT OK"
        )
    }
}

/// The bytes of a record that is of no table.
pub(super) fn garbage(number: u64) -> String {
    format!("no log record, number {number}, {:016x}", mix(number))
}

/// The load, as long as it goes on.
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    sending: JoinHandle<Sent>,
    runtime: tokio::runtime::Handle,
}

impl Load {
    pub(super) fn start(services: &Services, settings: &Settings) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let runtime = services.runtime.handle().clone();
        let sending = send(
            services.stream.clone(),
            Random::new(mix(settings.seed)),
            settings.rate * STEP.as_millis() as u64 / 1000,
            Arc::clone(&stop),
        );
        Self {
            stop,
            sending: runtime.spawn(sending),
            runtime,
        }
    }

    pub(super) fn stop(self) -> Sent {
        self.stop.store(true, Relaxed);
        self.runtime.block_on(self.sending).unwrap()
    }
}

async fn send(
    stream: KinesisStream,
    mut random: Random,
    at_once: u64,
    stop: Arc<AtomicBool>,
) -> Sent {
    let mut sent = Sent::default();
    let mut next = Instant::now();
    while !stop.load(Relaxed) {
        let entries = entries(&mut sent, at_once, &mut random);
        stream.put(&entries).await.unwrap();
        next += STEP;
        sleep_until(next).await;
    }
    sent
}

fn entries(sent: &mut Sent, at_once: u64, random: &mut Random) -> Vec<Entry> {
    let mut entries = Vec::new();
    let end = sent.flows + at_once;
    while sent.flows < end {
        let hash_key = u128::from(random.next()) << 64;
        let data = match random.below(8) {
            0 => aggregate(&lines(sent, TOGETHER), hash_key),
            1 => message(&lines(sent, TOGETHER)),
            _ => lines(sent, 1).concat().into_bytes(),
        };
        entries.push(entry(data, hash_key));
    }
    if random.one_in(5) {
        let hash_key = u128::from(random.next()) << 64;
        entries.push(entry(garbage(sent.garbage).into_bytes(), hash_key));
        sent.garbage += 1;
    }
    entries
}

fn entry(data: Vec<u8>, hash_key: u128) -> Entry {
    Entry {
        partition_key: KEY.to_owned(),
        data: data.into(),
        hash_key: Some(hash_key),
    }
}

/// The next lines.
fn lines(sent: &mut Sent, count: u64) -> Vec<String> {
    let first = sent.flows;
    sent.flows += count;
    (first..sent.flows)
        .map(|number| Flow::new(number).line())
        .collect()
}

/// An aggregate whose records belong to the same shard as itself.
fn aggregate(lines: &[String], hash_key: u128) -> Vec<u8> {
    let hash_key = hash_key.to_string();
    let records = lines.iter();
    kpl::pack(records.map(|line| (KEY, Some(hash_key.as_str()), line.as_bytes())))
}

/// A message of CloudWatch Logs.
fn message(lines: &[String]) -> Vec<u8> {
    let events = lines.iter();
    let events = events.map(|line| json!({"id": "1", "timestamp": 0, "message": line}));
    let message = json!({
        "messageType": "DATA_MESSAGE",
        "owner": "111122223333",
        "logGroup": "my-vpc-flow-logs",
        "logStream": "eni-1",
        "logEvents": events.collect::<Vec<_>>(),
    });
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(message.to_string().as_bytes()).unwrap();
    gzip.finish().unwrap()
}
