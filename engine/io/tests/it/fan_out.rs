//! Enhanced fan-out: a shard over one subscription after the other.

use std::time::Duration;

use loglens_engine::shard::{ShardReader, ShardRecord, ShardSource, Start};
use loglens_kinesis_server::{Fault, Options, Wrong};

use crate::kinesis::{STREAM, put, server, server_with, stream, texts};

const FIRST: &str = "shardId-000000000000";

/// Reads until so many records came; more would be found by the next fetch.
async fn some(reader: &mut dyn ShardReader, count: usize) -> Vec<ShardRecord> {
    let mut records = Vec::new();
    while records.len() < count {
        let fetched = tokio::time::timeout(Duration::from_secs(20), reader.fetch());
        let fetched = fetched.await.expect("records come").unwrap();
        assert!(!fetched.ended);
        records.extend(fetched.records);
    }
    records
}

#[tokio::test]
async fn a_shard_is_read_to_its_end() {
    let server = server(1).await;
    let stream = stream(&server).with_fan_out("loglens");
    put(&stream, &["a", "b"]).await;
    let mut reader = stream.open(FIRST, &Start::Oldest).await.unwrap();
    let records = some(&mut *reader, 2).await;
    assert_eq!(texts(&records), ["a", "b"]);
    put(&stream, &["c"]).await;
    assert_eq!(texts(&some(&mut *reader, 1).await), ["c"]);
    server.split(STREAM, FIRST).await.unwrap();
    let mut fetched = reader.fetch().await.unwrap();
    while !fetched.ended {
        assert!(fetched.records.is_empty());
        fetched = reader.fetch().await.unwrap();
    }
    assert!(reader.fetch().await.unwrap().ended);
    assert_eq!(server.count("GetRecords"), 0);
    // Another reader of the same consumer finds it registered.
    assert_eq!(server.count("RegisterStreamConsumer"), 1);
    stream
        .open("shardId-000000000001", &Start::Oldest)
        .await
        .unwrap();
    assert_eq!(server.count("RegisterStreamConsumer"), 1);
}

#[tokio::test]
async fn subscriptions_that_end_break_or_are_refused_follow_each_other() {
    let server = server_with(
        1,
        Options {
            subscriptions: Duration::from_secs(1),
            ..Options::default()
        },
    )
    .await;
    let stream = stream(&server).with_fan_out("loglens");
    let mut reader = stream.open(FIRST, &Start::Latest).await.unwrap();
    let in_use = "Another active subscription exists for this consumer";
    server.fail(Fault::status(
        "SubscribeToShard",
        400,
        "ResourceInUseException",
        in_use,
    ));
    server.fail(Fault::once("SubscribeToShard", Wrong::BreakAfter(600)));
    server.fail(Fault::once("SubscribeToShard", Wrong::LoseAnswer).after(1));
    let write = async {
        for number in 0..40 {
            put(&stream, &[&number.to_string()]).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let ((), records) = tokio::join!(write, some(&mut *reader, 40));
    let expected: Vec<_> = (0..40).map(|number| number.to_string()).collect();
    assert_eq!(texts(&records), expected);
    let counts = stream.counts();
    assert!(counts.subscriptions >= 3, "{counts:?}");
}

#[tokio::test]
async fn a_consumer_that_may_not_be_made_is_said() {
    let server = server(1).await;
    let stream = stream(&server).with_fan_out("loglens");
    let code = "LimitExceededException";
    let fault = Fault::status("RegisterStreamConsumer", 400, code, "too many");
    server.fail(fault.times(100));
    let Err(error) = stream.open(FIRST, &Start::Oldest).await else {
        panic!("there is no consumer")
    };
    assert_eq!(
        error.message,
        "kinesis://flow-logs: the stream has as many consumers as it may have \
         (RegisterStreamConsumer in us-east-1, 400 LimitExceededException, asked 5 times, request TESTREQUEST)"
    );
}
