//! What goes wrong on the way, and that the bytes are exact all the same.

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use loglens_engine::object::ObjectSource;
use loglens_engine::sink::ObjectSink;
use loglens_test_server::{Bucket, Fault, Server, Wrong};

use crate::world::{bucket, bytes, listed, only_object, read, server};

fn with_object(size: usize) -> (Server, Vec<u8>) {
    let all = bytes(size);
    let mut objects = Bucket::new();
    objects.put("x.log", all.clone());
    (server(objects), all)
}

#[tokio::test]
async fn a_body_that_breaks_is_read_on_where_it_broke() {
    const MIB: usize = 1 << 20;
    let (server, all) = with_object(20 * MIB);
    let source = bucket(&server);
    let object = only_object(&source).await;
    server.fail(Fault::once("GetObject", Wrong::BreakAfter(3 * MIB)).times(5));
    assert!(read(&source, &object, MIB).await.unwrap() == all);
    let log = server.log();
    let resumed = log.iter().filter_map(|asked| asked.details.get("range"));
    let resumed: Vec<_> = resumed
        .filter_map(|range| {
            range
                .strip_prefix("bytes=")?
                .split('-')
                .next()?
                .parse()
                .ok()
        })
        .filter(|first: &usize| !first.is_multiple_of(8 * MIB))
        .collect();
    assert!(
        !resumed.is_empty(),
        "no request begins in the middle of a part"
    );
}

#[tokio::test]
async fn what_breaks_is_corrupt_or_refused_for_a_while_is_asked_for_again() {
    let (server, all) = with_object(20_000);
    let source = bucket(&server);
    let object = only_object(&source).await;
    for wrong in [
        Wrong::BreakAfter(0),
        Wrong::BreakAfter(7_000),
        Wrong::Corrupt,
        Wrong::LoseAnswer,
        Fault::status(
            "",
            500,
            "InternalError",
            "We encountered an internal error.",
        )
        .wrong,
        Fault::slow_down("", 1).wrong,
    ] {
        server.forget();
        server.fail(Fault::once("GetObject", wrong.clone()).times(2));
        assert!(
            read(&source, &object, 100_000).await.unwrap() == all,
            "{wrong:?}"
        );
        assert_eq!(server.count("GetObject"), 3, "{wrong:?}");
    }
    let requests = source.requests().unwrap();
    assert_eq!((requests.slow_downs, requests.retries), (2, 12));
}

#[tokio::test]
async fn what_stays_wrong_is_an_error() {
    let (server, _) = with_object(20_000);
    let source = bucket(&server);
    let object = only_object(&source).await;
    server.fail(Fault::once("GetObject", Wrong::Corrupt).times(100));
    let error = read(&source, &object, 100_000).await.unwrap_err();
    assert!(error.message.contains("asked 8 times"), "{}", error.message);
    assert!(
        error.message.to_lowercase().contains("checksum"),
        "{}",
        error.message
    );
}

/// Objects that are there and not listed yet, and objects that are listed and gone.
#[tokio::test]
async fn an_object_that_vanished_or_changed_is_reported() {
    let (server, _) = with_object(20_000);
    let source = bucket(&server);
    let object = only_object(&source).await;
    server.with("org-logs", |bucket| bucket.put("x.log", bytes(20_001)));
    let error = read(&source, &object, 100_000).await.unwrap_err();
    assert_eq!(
        error.message,
        "s3://org-logs/x.log: the object was changed after it was listed \
         (GetObject in us-east-1, 412 PreconditionFailed, request TESTREQUEST)"
    );
    server.with("org-logs", |bucket| bucket.remove("x.log"));
    let error = read(&source, &object, 100_000).await.unwrap_err();
    assert_eq!(
        error.message,
        "s3://org-logs/x.log: the object was listed and is not there any more \
         (GetObject in us-east-1, 404 NoSuchKey, request TESTREQUEST)"
    );
    server.with("org-logs", |bucket| {
        bucket.put("late.log", "late");
        bucket.hide("late.log");
    });
    assert!(listed(&source).await.unwrap().is_empty());
    let late = source.get("s3://org-logs/late.log").await.unwrap();
    assert_eq!(late.unwrap().bytes, "late");
}

#[tokio::test]
async fn a_burst_of_slow_downs_slows_the_source_and_every_object_comes() {
    let mut objects = Bucket::new();
    for number in 0..400 {
        objects.put(&format!("{number:03}.log"), bytes(number));
    }
    let server = server(objects);
    server.delay(Duration::from_millis(20));
    let source = bucket(&server);
    let objects = listed(&source).await.unwrap();
    server.forget();
    server.fail(Fault::slow_down("GetObject", 60).after(100));
    let begun = Instant::now();
    let sizes: Vec<usize> = stream::iter(&objects)
        .map(|object| async { Ok(read(&source, object, 1000).await?.len()) })
        .buffered(128)
        .try_collect::<Vec<_>>()
        .await
        .map_err(|error: loglens_engine::Error| error.message)
        .unwrap();
    assert_eq!(sizes, (0..400).collect::<Vec<_>>());
    let requests = source.requests().unwrap();
    assert_eq!(requests.slow_downs, 60);
    // An empty object is not asked for.
    assert_eq!(server.count("GetObject"), 399 + 60);
    assert!(server.most_under_way() >= 32, "{}", server.most_under_way());
    assert!(begun.elapsed() < Duration::from_secs(30));
}
