//! Kinesis as it is on bad days: every record comes once and in order all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use loglens_engine::shard::{Sequence, ShardSource, Start};
use loglens_io::kinesis::KinesisStream;
use loglens_kinesis_server::{Fault, Options, Server, Wrong};

use crate::kinesis::{STREAM, drain, entry, put, read, server, server_with, stream, texts};

const FIRST: &str = "shardId-000000000000";

fn throttled(operation: &'static str, times: usize) -> Fault {
    let code = "ProvisionedThroughputExceededException";
    Fault::status(operation, 400, code, "Rate exceeded for shard").times(times)
}

#[tokio::test]
async fn an_iterator_that_expired_is_made_again_behind_the_last_record() {
    let server = server_with(
        1,
        Options {
            iterators: Duration::from_secs(1),
            ..Options::default()
        },
    )
    .await;
    let stream = stream(&server);
    let mut latest = stream.open(FIRST, &Start::Latest).await.unwrap();
    let mut oldest = stream.open(FIRST, &Start::Oldest).await.unwrap();
    put(&stream, &["a"]).await;
    assert_eq!(texts(&drain(&mut *oldest).await.0), ["a"]);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    put(&stream, &["b"]).await;
    assert_eq!(
        texts(&drain(&mut *latest).await.0),
        ["a", "b"],
        "the newest place of now is not that of then"
    );
    assert_eq!(texts(&drain(&mut *oldest).await.0), ["b"]);
    assert!(stream.counts().expired >= 2);
}

#[tokio::test]
async fn throttling_is_waited_for_and_counted() {
    let server = server(1).await;
    let stream = stream(&server);
    server.fail(throttled("ListShards", 2));
    server.fail(throttled("GetShardIterator", 2));
    server.fail(throttled("GetRecords", 2));
    server.fail(throttled("PutRecords", 2));
    stream.shards().await.unwrap();
    put(&stream, &["a"]).await;
    assert_eq!(texts(&read(&stream, FIRST, Start::Oldest).await), ["a"]);
    let counts = stream.counts();
    assert_eq!((counts.retries, counts.throttles), (8, 8));
}

#[tokio::test]
async fn what_fails_for_longer_than_anybody_waits_is_still_waited_for() {
    let server = server(1).await;
    let stream = stream(&server);
    let mut reader = stream.open(FIRST, &Start::Oldest).await.unwrap();
    put(&stream, &["a"]).await;
    server.fail(Fault::status("GetRecords", 500, "InternalFailure", "").times(1_000_000));
    let waited = tokio::time::timeout(Duration::from_secs(2), reader.fetch()).await;
    assert!(waited.is_err(), "it waits");
    let retries = stream.counts().retries;
    assert!((2..20).contains(&retries), "{retries}");
    server.mend();
    assert_eq!(
        texts(&drain(&mut *reader).await.0),
        ["a"],
        "a fetch that was left loses nothing"
    );
}

#[tokio::test]
async fn records_that_come_twice_are_given_once() {
    let server = server(1).await;
    let stream = stream(&server);
    let mut reader = stream.open(FIRST, &Start::Oldest).await.unwrap();
    let mut all = Vec::new();
    server.deliver_again(3);
    for text in ["a", "b", "c", "d"] {
        put(&stream, &[text]).await;
        all.extend(reader.fetch().await.unwrap().records);
    }
    assert_eq!(texts(&all), ["a", "b", "c", "d"]);
    assert_eq!(stream.counts().repeated, 3);
}

/// All that a stream has, by shard and number, read in peace.
async fn there(stream: &KinesisStream) -> BTreeSet<(Arc<str>, String)> {
    let mut all = BTreeSet::new();
    for shard in stream.shards().await.unwrap() {
        for record in read(stream, &shard.id, Start::Oldest).await {
            all.insert((shard.id.clone(), record.sequence.digits().to_owned()));
        }
    }
    all
}

/// Reads all shards, also those that come meanwhile, until `done`.
async fn follow(
    stream: &KinesisStream,
    done: impl Fn(&[(Arc<str>, Sequence, String)]) -> bool,
) -> Vec<(Arc<str>, Sequence, String)> {
    let mut readers = Vec::new();
    let mut known = BTreeSet::new();
    let mut all = Vec::new();
    while !done(&all) {
        for shard in stream.shards().await.unwrap() {
            if known.insert(shard.id.clone()) {
                let reader = stream.open(&shard.id, &Start::Oldest).await.unwrap();
                readers.push((shard.id.clone(), reader));
            }
        }
        let fetches = readers
            .iter_mut()
            .map(|(id, reader)| async move { (id.clone(), reader.fetch().await.unwrap()) });
        for (id, fetched) in futures::future::join_all(fetches).await {
            all.extend(fetched.records.into_iter().map(|record| {
                (
                    id.clone(),
                    record.sequence,
                    record.partition_key.to_string(),
                )
            }));
        }
    }
    all
}

fn bad_day(server: &Server) {
    server.limit_reads();
    server.deliver_again(10);
    server.refuse_some(5);
    for (operation, after) in [("GetRecords", 3), ("PutRecords", 1), ("ListShards", 1)] {
        for (index, wrong) in [
            Wrong::LoseAnswer,
            Wrong::BreakAfter(100),
            Wrong::BreakAfter(1),
            Wrong::Status {
                status: 500,
                code: "InternalFailure",
                message: "",
            },
            Wrong::Status {
                status: 503,
                code: "ServiceUnavailable",
                message: "",
            },
            Wrong::Status {
                status: 400,
                code: "ProvisionedThroughputExceededException",
                message: "",
            },
        ]
        .into_iter()
        .enumerate()
        {
            server.fail(Fault::once(operation, wrong).after(after + 2 * index));
        }
    }
    let expired = Fault::status(
        "GetRecords",
        400,
        "ExpiredIteratorException",
        "Iterator expired.",
    );
    server.fail(expired.clone().after(7));
    server.fail(expired.after(15));
}

#[tokio::test]
async fn every_record_comes_once_and_in_order_through_faults_splits_and_merges() {
    let server = server(2).await;
    let (writer, reader) = (stream(&server), stream(&server));
    // Both have heard of the server before the bad day.
    reader.shards().await.unwrap();
    writer.shards().await.unwrap();
    bad_day(&server);
    let write = async {
        let mut placed = Vec::new();
        for round in 0..12 {
            let entries: Vec<_> = (0..50)
                .map(|number| entry(&format!("{round}-{number}")))
                .collect();
            placed.extend(writer.put(&entries).await.unwrap());
            match round {
                3 => server.split(STREAM, FIRST).await.unwrap(),
                7 => server
                    .merge(STREAM, "shardId-000000000002", "shardId-000000000003")
                    .await
                    .unwrap(),
                _ => {}
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        placed
    };
    let all_written = |all: &[(Arc<str>, Sequence, String)]| {
        let texts: BTreeSet<_> = all.iter().map(|(_, _, text)| text).collect();
        texts.len() == 600
    };
    let (placed, read) = tokio::join!(write, follow(&reader, all_written));
    let mut last: BTreeMap<&str, &Sequence> = BTreeMap::new();
    for (shard, sequence, _) in &read {
        if let Some(before) = last.insert(shard, sequence) {
            assert!(before < sequence, "{shard}: {before} before {sequence}");
        }
    }
    let found: BTreeSet<_> = read
        .iter()
        .map(|(shard, sequence, _)| (shard.clone(), sequence.digits().to_owned()))
        .collect();
    assert_eq!(found.len(), read.len());
    for placed in placed {
        assert!(found.contains(&(placed.shard, placed.sequence.digits().to_owned())));
    }
    let counts = reader.counts();
    assert!(
        counts.repeated > 0 && counts.expired >= 1 && counts.retries >= 5,
        "{counts:?}"
    );

    server.mend();
    let there = there(&stream(&server)).await;
    // A record whose answer was lost is there twice; the reader may have stopped before its twin.
    assert!(found.is_subset(&there));
    assert!(
        there.len() - found.len() <= 100,
        "{} of {}",
        found.len(),
        there.len()
    );
}
