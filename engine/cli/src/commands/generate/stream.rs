//! Generated records into a stream, at a pace.

use std::io;
use std::time::Duration;

use futures::stream::{FuturesOrdered, StreamExt};
use loglens_generate::{LogRecord, Packer, StreamRecord};
use loglens_io::kinesis::KinesisStream;
use loglens_io::kinesis::producer::Entry;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::Logs;
use crate::arguments::{Envelope, GenerateOptions};
use crate::commands::session::{access, note};
use crate::config;
use crate::failure::{self, Failure};
use crate::runtime::{self, Stop};
use crate::units::{bytes, count, things};

/// The most log records that are sent at once.
const AT_ONCE: usize = 2_000;

/// So many requests are under way at the same time.
const UNDER_WAY: usize = 4;

/// At a pace, what is due within this time is sent at once.
const STEP: Duration = Duration::from_millis(100);

/// The same where several records go into one envelope.
const STEP_OF_ENVELOPES: Duration = Duration::from_secs(1);

/// What was sent.
#[derive(Debug, Default, Clone, Copy)]
struct Sent {
    records: u64,
    in_stream: u64,
    bytes: u64,
}

/// Sends the records, and says how many went.
pub(super) fn send(options: GenerateOptions, logs: impl Logs) -> Result<(), Failure> {
    let runtime = runtime::start()?;
    let work = async { tokio::spawn(sending(options, logs)).await };
    let result = runtime.block_on(work);
    runtime::end(runtime);
    result.unwrap_or_else(|error| Err(Failure::panicked(&error)))
}

async fn sending<L: Logs>(mut options: GenerateOptions, logs: L) -> Result<(), Failure> {
    let mut asked = Stop::new()?;
    let config = options.config.as_deref();
    config::complete_places(&mut vec![options.to.clone()], &mut options.s3, config)?;
    let stream = KinesisStream::new(&options.to, access(&options.s3, None)?)?;
    let envelope = match options.envelope {
        None => loglens_generate::Envelope::Plain,
        Some(Envelope::Cloudwatch) => loglens_generate::Envelope::CloudWatch,
        Some(Envelope::Kpl) => loglens_generate::Envelope::Kpl,
    };
    let mut packer = Packer::new(envelope, L::LOG_GROUP);
    let mut pace = Pace::new(&options);
    let (give, mut records) = mpsc::channel(AT_ONCE);
    // It ends when nobody takes its records any more.
    tokio::task::spawn_blocking(move || {
        logs.each_record(&mut |record| give.blocking_send(record).map_err(io::Error::other))
    });
    let mut sent = Sent::default();
    let mut under_way = FuturesOrdered::new();
    let is_over = loop {
        tokio::select! {
            biased;
            () = asked.asked() => break false,
            Some(done) = under_way.next(), if !under_way.is_empty() => sent.add(done?),
            due = pace.next(&mut records), if under_way.len() < UNDER_WAY => {
                let Some(due) = due else { break true };
                under_way.push_back(put(&stream, packer.pack(due)));
            }
        }
    };
    // What is under way may be there already: it is waited for, so that what is said is true.
    while !under_way.is_empty() {
        tokio::select! {
            biased;
            () = asked.asked() => {
                say(&sent, &options, &stream);
                std::process::exit(failure::INTERRUPTED.into());
            }
            Some(done) = under_way.next() => sent.add(done?),
        }
    }
    say(&sent, &options, &stream);
    match is_over || sent.records == options.rows {
        true => Ok(()),
        false => Err(Failure::Interrupted),
    }
}

/// Puts records into the stream, and says how much that was.
async fn put(stream: &KinesisStream, records: Vec<StreamRecord>) -> Result<Sent, Failure> {
    let sent = Sent {
        records: records.iter().map(|record| record.records).sum(),
        in_stream: records.len() as u64,
        bytes: records.iter().map(|record| record.data.len() as u64).sum(),
    };
    let entries = records.into_iter().map(|record| Entry {
        partition_key: record.partition_key,
        data: record.data.into(),
        hash_key: None,
    });
    stream.put(&entries.collect::<Vec<_>>()).await?;
    Ok(sent)
}

impl Sent {
    fn add(&mut self, more: Self) {
        self.records += more.records;
        self.in_stream += more.in_stream;
        self.bytes += more.bytes;
    }
}

fn say(sent: &Sent, options: &GenerateOptions, stream: &KinesisStream) {
    let GenerateOptions { rows, to, .. } = options;
    let written = match sent.records == *rows {
        true => things(*rows, "record"),
        false => format!("{} of {}", count(sent.records), things(*rows, "record")),
    };
    note(&format!(
        "wrote {written}, {} in {}, to {to}",
        bytes(sent.bytes),
        things(sent.in_stream, "stream record"),
    ));
    let counts = stream.counts();
    if counts.rewritten + counts.throttles > 0 {
        note(&format!(
            "note: the stream had no room at times: {} and {} were sent again",
            things(counts.rewritten, "record"),
            things(counts.throttles, "request"),
        ));
    }
    if counts.retries > counts.throttles {
        note(&format!(
            "note: {} failed and were made again; if only an answer was lost, its records are there twice",
            things(counts.retries - counts.throttles, "request"),
        ));
    }
}

/// When how many records are due.
struct Pace {
    /// Records a second; None is as many as go.
    rate: Option<f64>,
    at_once: usize,
    next: Instant,
}

impl Pace {
    fn new(options: &GenerateOptions) -> Self {
        let rate = options.rate.map(f64::from);
        let step = match options.envelope {
            None => STEP,
            Some(_) => STEP_OF_ENVELOPES,
        };
        let at_once = rate.map_or(AT_ONCE, |rate| (rate * step.as_secs_f64()) as usize);
        Self {
            rate,
            at_once: at_once.clamp(1, AT_ONCE),
            next: Instant::now(),
        }
    }

    /// Waits until records are due, and takes them; None if there are no more. Cancelled, it takes
    /// none.
    async fn next(&mut self, records: &mut mpsc::Receiver<LogRecord>) -> Option<Vec<LogRecord>> {
        sleep_until(self.next).await;
        let mut due = Vec::with_capacity(self.at_once);
        let count = records.recv_many(&mut due, self.at_once).await;
        if let Some(rate) = self.rate {
            // A stream that stood still for a while is not flooded then.
            let from = self.next.max(Instant::now() - STEP_OF_ENVELOPES);
            self.next = from + Duration::from_secs_f64(count as f64 / rate);
        }
        (count > 0).then_some(due)
    }
}
