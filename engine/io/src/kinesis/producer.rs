//! Writing to a stream.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, PutRecordsResultEntry};
use bytes::Bytes;
use loglens_engine::shard::Sequence;
use loglens_engine::{Error, Owner};

use super::KinesisStream;
use super::connection::Connection;
use super::refused::Ask;
use crate::aws::backoff::pause;
use crate::aws::refusal::Refusal;
use crate::aws::service::Patience;

/// The most records of a request.
const MOST_RECORDS: usize = 500;

/// The most bytes of a request, data and keys.
const MOST_BYTES: usize = 5 << 20;

/// A record to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key whose hash chooses the shard; up to 256 characters.
    pub partition_key: String,
    /// What is written; 1 MiB, if the stream does not allow more.
    pub data: Bytes,
    /// A hash in the place of the key's.
    pub hash_key: Option<u128>,
}

/// Where a record was written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The shard.
    pub shard: Arc<str>,
    /// The record's number there.
    pub sequence: Sequence,
}

impl KinesisStream {
    /// Writes records, and says where each of them is, in the same order.
    ///
    /// As many requests are made as their number and size ask for, one after the other. Records that
    /// the stream has no room for now are written again until it has. If an answer is lost, its
    /// records are written again too, and are there twice: Kinesis has no other way. Records of
    /// different shards, and those that were written again, are in no order.
    ///
    /// # Errors
    ///
    /// What does not pass by itself: no such stream, no permission, a record that is too large. Some of
    /// the records may be written then.
    pub async fn put(&self, entries: &[Entry]) -> Result<Vec<Placed>, Error> {
        let mut placed = Vec::with_capacity(entries.len());
        for batch in batches(entries) {
            placed.extend(write(&self.connection, batch).await?);
        }
        Ok(placed)
    }
}

/// Records divided into what fits into a request each.
fn batches(mut entries: &[Entry]) -> impl Iterator<Item = &[Entry]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fit = entries.iter().take(MOST_RECORDS).take_while(|entry| {
            bytes += entry.partition_key.len() + entry.data.len();
            bytes <= MOST_BYTES
        });
        // One that fits into none is for Kinesis to refuse.
        let count = fit.count().max(1).min(entries.len());
        let (batch, rest) = entries.split_at(count);
        entries = rest;
        (!batch.is_empty()).then_some(batch)
    })
}

async fn write(connection: &Connection, batch: &[Entry]) -> Result<Vec<Placed>, Error> {
    let mut placed: Vec<Option<Placed>> = vec![None; batch.len()];
    let mut left: Vec<usize> = (0..batch.len()).collect();
    let mut tries = 0;
    while !left.is_empty() {
        if tries > 0 {
            connection
                .counters
                .rewritten
                .fetch_add(left.len() as u64, Relaxed);
            tokio::time::sleep(pause(tries)).await;
        }
        tries += 1;
        let answers = put(connection, left.iter().map(|at| &batch[*at])).await?;
        if answers.len() != left.len() {
            let message = "PutRecords answered for another number of records";
            return Err(Error::new(Owner::External, message));
        }
        let mut refused = Vec::new();
        for (at, answer) in left.into_iter().zip(answers) {
            match outcome(connection, answer)? {
                None => refused.push(at),
                done => placed[at] = done,
            }
        }
        left = refused;
    }
    connection
        .counters
        .written
        .fetch_add(batch.len() as u64, Relaxed);
    Ok(placed.into_iter().flatten().collect())
}

async fn put(
    connection: &Connection,
    entries: impl Iterator<Item = &Entry>,
) -> Result<Vec<PutRecordsResultEntry>, Error> {
    let records = entries.map(|entry| {
        PutRecordsRequestEntry::builder()
            .partition_key(&entry.partition_key)
            .data(Blob::new(entry.data.clone()))
            .set_explicit_hash_key(entry.hash_key.map(|key| key.to_string()))
            .build()
            .map_err(|error| Error::new(Owner::Internal, error.to_string()))
    });
    let records: Vec<_> = records.collect::<Result<_, _>>()?;
    let stream = connection.stream.clone();
    let answer = connection.ask(Ask::new("PutRecords"), Patience::Forever, move |client| {
        let request = client.put_records().stream_name(&stream);
        let request = request.set_records(Some(records.clone()));
        async move { request.send().await.map_err(Refusal::from) }
    });
    Ok(answer.await?.records)
}

/// Where a record is; None if it was refused for a passing reason.
fn outcome(
    connection: &Connection,
    answer: PutRecordsResultEntry,
) -> Result<Option<Placed>, Error> {
    match (
        answer.error_code.as_deref(),
        &answer.shard_id,
        &answer.sequence_number,
    ) {
        (None, Some(shard), Some(sequence)) => Ok(Some(Placed {
            shard: Arc::from(shard.as_str()),
            sequence: Sequence::new(sequence),
        })),
        (Some("ProvisionedThroughputExceededException" | "InternalFailure"), ..) => Ok(None),
        _ => {
            let refusal = Refusal {
                status: Some(200),
                message: answer.error_message.unwrap_or_default(),
                code: answer.error_code,
                ..Refusal::default()
            };
            Err(connection.error(Ask::new("PutRecords"), &refusal))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_hold_what_they_may() {
        let entry = |bytes| Entry {
            partition_key: "k".to_owned(),
            data: vec![0; bytes].into(),
            hash_key: None,
        };
        let sizes = |entries: &[Entry]| batches(entries).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&vec![entry(10); 1201]), [500, 500, 201]);
        assert_eq!(sizes(&vec![entry(1 << 20); 9]), [4, 4, 1]);
        assert_eq!(sizes(&[entry(6 << 20), entry(1)]), [1, 1]);
    }
}
