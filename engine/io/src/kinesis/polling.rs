//! Reading a shard with `GetRecords`.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_kinesis::operation::get_records::GetRecordsOutput;
use loglens_engine::shard::{Fetched, ShardReader, Start};
use loglens_engine::{Error, Owner};
use tokio::time::Instant;

use super::connection::Connection;
use super::pace::Pace;
use super::refused::Ask;
use super::resume::Resume;
use crate::aws::backoff::pause;
use crate::aws::refusal::{Passing, Refusal};
use crate::aws::service::Patience;

/// Reads a shard from front to back. A call of `fetch` that is not waited for loses nothing: what it
/// would have given comes from the next one.
#[derive(Debug)]
pub(super) struct PollingReader {
    connection: Arc<Connection>,
    shard: String,
    resume: Resume,
    /// Where the next read begins, in Kinesis's words; None after it expired.
    iterator: Option<String>,
    pace: Pace,
    ended: bool,
}

impl PollingReader {
    pub(super) async fn open(
        connection: Arc<Connection>,
        shard: &str,
        start: &Start,
    ) -> Result<Self, Error> {
        let mut reader = Self {
            connection,
            shard: shard.to_owned(),
            resume: Resume::new(start),
            iterator: None,
            pace: Pace::new(),
            ended: false,
        };
        reader.iterator().await?;
        Ok(reader)
    }

    /// Where the next read begins.
    async fn iterator(&mut self) -> Result<String, Error> {
        if let Some(iterator) = &self.iterator {
            return Ok(iterator.clone());
        }
        let (stream, shard) = (self.connection.stream.clone(), self.shard.clone());
        let from = self.resume.from();
        let ask = Ask::of("GetShardIterator", &self.shard);
        let answer = self.connection.ask(ask, Patience::Forever, move |client| {
            let request = client
                .get_shard_iterator()
                .stream_name(&stream)
                .shard_id(&shard)
                .shard_iterator_type(from.kind.clone())
                .set_starting_sequence_number(from.sequence.clone())
                .set_timestamp(from.time);
            async move { request.send().await.map_err(Refusal::from) }
        });
        let iterator = answer.await?.shard_iterator.ok_or_else(|| {
            let message = format!("{}: an answer without an iterator", self.shard);
            Error::new(Owner::External, message)
        })?;
        self.resume.begun();
        self.iterator = Some(iterator.clone());
        Ok(iterator)
    }

    /// One read, if the shard may be read; a refusal is for the caller.
    async fn read(&self, iterator: String) -> Result<Result<GetRecordsOutput, Refusal>, Error> {
        self.pace.turn().await;
        let answer = self.connection.try_ask(Patience::Once, move |client| {
            let request = client.get_records().shard_iterator(&iterator);
            async move { request.send().await.map_err(Refusal::from) }
        });
        answer.await
    }

    fn take(&mut self, begun: Instant, answer: GetRecordsOutput) -> Fetched {
        let bytes = answer
            .records
            .iter()
            .map(|record| record.data.as_ref().len() + record.partition_key().map_or(0, str::len));
        let bytes: usize = bytes.sum();
        let behind = answer.millis_behind_latest.unwrap_or(0);
        let behind = Duration::from_millis(behind.try_into().unwrap_or(0));
        self.pace.gave(begun, bytes, bytes == 0 && behind.is_zero());
        self.ended = answer.next_shard_iterator.is_none();
        self.iterator = answer.next_shard_iterator;
        Fetched {
            records: self.resume.take(answer.records, &self.connection.counters),
            behind,
            ended: self.ended,
        }
    }
}

#[async_trait]
impl ShardReader for PollingReader {
    async fn fetch(&mut self) -> Result<Fetched, Error> {
        let mut tries = 0;
        while !self.ended {
            let iterator = self.iterator().await?;
            let begun = Instant::now();
            let refusal = match self.read(iterator).await? {
                Ok(answer) => return Ok(self.take(begun, answer)),
                Err(refusal) => refusal,
            };
            if refusal.is("ExpiredIteratorException") {
                self.connection.counters.expired.fetch_add(1, Relaxed);
                self.iterator = None;
                continue;
            }
            tries += 1;
            match refusal.passing() {
                Passing::No => {
                    return Err(self
                        .connection
                        .error(Ask::of("GetRecords", &self.shard), &refusal.after(tries)));
                }
                Passing::SlowDown => self.pace.throttled(),
                Passing::Yes => tokio::time::sleep(pause(tries)).await,
            }
            self.connection.count_retry();
        }
        Ok(Fetched {
            ended: true,
            ..Fetched::default()
        })
    }
}
