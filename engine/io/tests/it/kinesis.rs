//! Kinesis: shards, places to begin at, ends, pace, writing, and what is refused for good.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loglens_engine::shard::{
    Fetched, Position, Sequence, Shard, ShardReader, ShardRecord, ShardSource, Start,
};
use loglens_engine::{Error, Owner};
use loglens_io::kinesis::KinesisStream;
use loglens_io::kinesis::producer::{Entry, Placed};
use loglens_io::s3::access::Access;
use loglens_kinesis_server::{Fault, Options, Server};

use crate::refusals::shown;

/// The stream of these tests.
pub(crate) const STREAM: &str = "flow-logs";

/// A server with a stream of so many shards.
pub(crate) async fn server(shards: usize) -> Server {
    server_with(shards, Options::default()).await
}

pub(crate) async fn server_with(shards: usize, options: Options) -> Server {
    let server = Server::start_with(0, options).unwrap();
    server.create(STREAM, shards).await.unwrap();
    server
}

/// The stream of the server.
pub(crate) fn stream(server: &Server) -> KinesisStream {
    named(server, STREAM)
}

fn named(server: &Server, name: &str) -> KinesisStream {
    let access = Access {
        endpoint_url: Some(server.endpoint()),
        anonymous: true,
        ..Access::default()
    };
    KinesisStream::new(&format!("kinesis://{name}"), access).unwrap()
}

/// A record with this text; the text is its key too.
pub(crate) fn entry(text: &str) -> Entry {
    Entry {
        partition_key: text.to_owned(),
        data: text.to_owned().into(),
        hash_key: None,
    }
}

pub(crate) async fn put(stream: &KinesisStream, texts: &[&str]) -> Vec<Placed> {
    let entries: Vec<_> = texts.iter().map(|text| entry(text)).collect();
    stream.put(&entries).await.unwrap()
}

/// Reads until there is nothing more for now, or ever.
pub(crate) async fn drain(reader: &mut dyn ShardReader) -> (Vec<ShardRecord>, bool) {
    let mut records = Vec::new();
    loop {
        let fetched = reader.fetch().await.unwrap();
        let idle = fetched.records.is_empty() && fetched.behind.is_zero();
        records.extend(fetched.records);
        if fetched.ended || idle {
            return (records, fetched.ended);
        }
    }
}

pub(crate) async fn read(stream: &KinesisStream, shard: &str, start: Start) -> Vec<ShardRecord> {
    let mut reader = stream.open(shard, &start).await.unwrap();
    drain(&mut *reader).await.0
}

pub(crate) fn texts(records: &[ShardRecord]) -> Vec<&str> {
    records
        .iter()
        .map(|record| std::str::from_utf8(&record.data).unwrap())
        .collect()
}

fn id(number: u32) -> Arc<str> {
    Arc::from(format!("shardId-{number:012}"))
}

fn after(sequence: &Sequence, sub: Option<u64>) -> Start {
    Start::After(Position {
        sequence: sequence.clone(),
        sub,
    })
}

#[tokio::test]
async fn shards_with_their_parents_over_pages() {
    let server = server(3).await;
    let stream = stream(&server);
    server.split(STREAM, &id(1)).await.unwrap();
    server.merge(STREAM, &id(3), &id(4)).await.unwrap();
    server.pages_of(2);
    let shards = stream.shards().await.unwrap();
    assert_eq!(server.count("ListShards"), 3);
    let told: Vec<_> = shards
        .iter()
        .map(|shard| (shard.id.clone(), shard.parents.clone(), shard.closed))
        .collect();
    assert_eq!(
        told,
        [
            (id(0), vec![], false),
            (id(1), vec![], true),
            (id(2), vec![], false),
            (id(3), vec![id(1)], true),
            (id(4), vec![id(1)], true),
            (id(5), vec![id(3), id(4)], false),
        ]
    );
    let mut open: Vec<_> = shards.iter().filter(|shard| !shard.closed).collect();
    open.sort_by_key(|shard| *shard.hash_keys.start());
    let next = |shard: &Shard| shard.hash_keys.end().wrapping_add(1);
    assert_eq!(*open[0].hash_keys.start(), 0);
    assert_eq!(*open[1].hash_keys.start(), next(open[0]));
    assert_eq!(*open[2].hash_keys.start(), next(open[1]));
    assert_eq!(next(open[2]), 0, "all keys have a shard");
}

#[tokio::test]
async fn reading_begins_where_it_is_told_to() {
    let server = server(1).await;
    let stream = stream(&server);
    let placed = put(&stream, &["a", "b", "c"]).await;
    let second = &placed[1].sequence;
    assert_eq!(
        texts(&read(&stream, &id(0), Start::Oldest).await),
        ["a", "b", "c"]
    );
    assert_eq!(
        texts(&read(&stream, &id(0), after(second, None)).await),
        ["c"]
    );
    assert_eq!(
        texts(&read(&stream, &id(0), after(second, Some(0))).await),
        ["b", "c"],
        "the rest of a record can be told only by reading it again"
    );
    let last = after(&placed[2].sequence, None);
    assert_eq!(texts(&read(&stream, &id(0), last).await), [""; 0]);

    let mut latest = stream.open(&id(0), &Start::Latest).await.unwrap();
    // A place within a second is as good as its beginning here.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.unwrap().as_micros()).unwrap();
    put(&stream, &["d"]).await;
    let since = read(&stream, &id(0), Start::Time(now)).await;
    assert_eq!(texts(&since), ["d"]);
    assert!((now - since[0].arrived).abs() < 2_000_000);
    assert_eq!(*since[0].partition_key, *"d");
    assert_eq!(texts(&drain(&mut *latest).await.0), ["d"]);
}

#[tokio::test]
async fn a_closed_shard_ends_and_its_children_go_on() {
    let server = server(1).await;
    let stream = stream(&server);
    put(&stream, &["a", "b"]).await;
    let mut parent = stream.open(&id(0), &Start::Oldest).await.unwrap();
    let (records, ended) = drain(&mut *parent).await;
    assert_eq!((texts(&records), ended), (vec!["a", "b"], false));
    put(&stream, &["c"]).await;
    server.split(STREAM, &id(0)).await.unwrap();
    put(&stream, &["d", "e", "f", "g"]).await;
    let mut rest = Vec::new();
    loop {
        let Fetched { records, ended, .. } = parent.fetch().await.unwrap();
        rest.extend(records);
        if ended {
            break;
        }
    }
    assert_eq!(texts(&rest), ["c"]);
    let again = parent.fetch().await.unwrap();
    assert!(again.ended && again.records.is_empty(), "an end stays one");
    let mut children = read(&stream, &id(1), Start::Oldest).await;
    children.extend(read(&stream, &id(2), Start::Oldest).await);
    let mut children = texts(&children);
    children.sort_unstable();
    assert_eq!(children, ["d", "e", "f", "g"]);
    let at_end = after(&rest[0].sequence, None);
    let mut closed = stream.open(&id(0), &at_end).await.unwrap();
    let mut fetched = closed.fetch().await.unwrap();
    while !fetched.ended {
        assert!(fetched.records.is_empty());
        fetched = closed.fetch().await.unwrap();
    }
}

#[tokio::test]
async fn the_pace_is_within_the_limits_of_a_shard() {
    let server = server(1).await;
    let stream = stream(&server);
    server.limit_reads();
    let entries: Vec<_> = (0..12)
        .map(|number| Entry {
            data: vec![b'x'; 500_000].into(),
            ..entry(&number.to_string())
        })
        .collect();
    stream.put(&entries).await.unwrap();
    let mut reader = stream.open(&id(0), &Start::Oldest).await.unwrap();
    let begun = Instant::now();
    let (mut records, mut reads) = (0, 0);
    while records < entries.len() {
        records += reader.fetch().await.unwrap().records.len();
        reads += 1;
    }
    for _ in 0..6 {
        reader.fetch().await.unwrap();
        reads += 1;
    }
    // 6 MB take three seconds, and six reads more than one.
    assert!(
        begun.elapsed() >= Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    let counts = stream.counts();
    assert_eq!(
        (counts.reads, counts.records, counts.bytes),
        (reads, 12, 6_000_000)
    );
    assert!(counts.throttles <= 1, "{counts:?}");
}

#[tokio::test]
async fn how_far_a_reader_is_behind() {
    let server = server(1).await;
    let stream = stream(&server);
    let texts: Vec<_> = (0..10_001).map(|number| number.to_string()).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    put(&stream, &texts).await;
    let mut reader = stream.open(&id(0), &Start::Oldest).await.unwrap();
    let first = reader.fetch().await.unwrap();
    assert_eq!(first.records.len(), 10_000, "what an answer holds at most");
    assert!(first.behind > Duration::ZERO);
    let second = reader.fetch().await.unwrap();
    assert_eq!((second.records.len(), second.behind), (1, Duration::ZERO));
}

#[tokio::test]
async fn records_that_are_refused_one_by_one_are_written_again() {
    let server = server(2).await;
    let stream = stream(&server);
    server.refuse_some(3);
    let texts: Vec<_> = (0..40).map(|number| number.to_string()).collect();
    let placed = put(
        &stream,
        &texts.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .await;
    assert_eq!(
        (stream.counts().written, stream.counts().rewritten),
        (40, 20 + 10 + 5)
    );
    let mut found = BTreeMap::new();
    for shard in [id(0), id(1)] {
        for record in read(&stream, &shard, Start::Oldest).await {
            found.insert(
                record.partition_key.to_string(),
                (shard.clone(), record.sequence),
            );
        }
    }
    for (text, placed) in texts.iter().zip(placed) {
        assert_eq!(
            found[text],
            (placed.shard, placed.sequence),
            "in the order of the entries"
        );
    }

    let hash_key = stream.shards().await.unwrap()[1]
        .hash_keys
        .start()
        .to_owned();
    let chosen = Entry {
        hash_key: Some(hash_key),
        ..entry("chosen")
    };
    assert_eq!(stream.put(&[chosen]).await.unwrap()[0].shard, id(1));
}

#[tokio::test]
async fn how_long_records_are_kept() {
    let server = server(1).await;
    let day = Duration::from_secs(24 * 60 * 60);
    assert_eq!(stream(&server).retention().await.unwrap(), day);
}

#[tokio::test]
async fn what_does_not_pass_is_said() {
    let server = server(1).await;
    let missing = named(&server, "flow-lgos");
    let error = missing.shards().await.unwrap_err();
    let without_request = |error: &Error| {
        let text = shown(error);
        let (start, rest) = text.split_once(", request ").unwrap();
        format!("{start}{}", &rest[rest.find(')').unwrap()..])
    };
    assert_eq!(
        without_request(&error),
        "Usage: kinesis://flow-lgos: there is no stream flow-lgos \
         (ListShards in us-east-1, 400 ResourceNotFoundException)\n  \
         look for a typing mistake, and at the Region (--region); `aws kinesis list-streams` shows your streams"
    );
    let stream = stream(&server);
    let Err(error) = stream.open(&id(7), &Start::Oldest).await else {
        panic!("there is no such shard")
    };
    assert_eq!(
        without_request(&error),
        "External: kinesis://flow-logs, shardId-000000000007: there is no such shard, or no stream flow-logs \
         (GetShardIterator in us-east-1, 400 ResourceNotFoundException)\n  \
         a shard goes when the last of its records does; `aws kinesis list-shards` shows which there are"
    );
    let mut large = entry("large");
    large.data = vec![0; (1 << 20) + 1].into();
    let error = stream.put(&[large]).await.unwrap_err();
    assert_eq!(error.owner, Owner::External);
    assert!(error.message.contains("Kinesis refused: "), "{error:?}");
    assert!(
        error.message.contains("(PutRecords in us-east-1, 400 "),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_a_reader_is_refused_for_good() {
    let server = server(1).await;
    let stream = stream(&server);
    let mut reader = stream.open(&id(0), &Start::Oldest).await.unwrap();
    let mut said = Vec::new();
    for (code, message) in [
        ("AccessDeniedException", "User is not authorized"),
        ("KMSAccessDeniedException", "no access"),
        ("KMSDisabledException", "disabled"),
        ("KMSNotFoundException", "gone"),
        ("ExpiredTokenException", "expired"),
        (
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        ("InvalidArgumentException", "Invalid ShardIterator."),
    ] {
        server.fail(Fault::status("GetRecords", 400, code, message));
        let error = reader.fetch().await.unwrap_err();
        let place = "kinesis://flow-logs, shardId-000000000000: ";
        let what = error.message.strip_prefix(place).unwrap_or(&error.message);
        let request = format!(" (GetRecords in us-east-1, 400 {code}, request TESTREQUEST)");
        let what = what.strip_suffix(request.as_str()).unwrap_or(what);
        said.push(format!(
            "{:?}: {what}\n  {}",
            error.owner,
            error.hint.unwrap_or_default()
        ));
    }
    assert_eq!(
        said,
        [
            "External: access denied: kinesis:GetRecords is not allowed\n  \
             allow it in a policy of the user or role; a policy of the organisation may deny it too",
            "External: the KMS key of the stream may not be used\n  \
             allow kms:Decrypt on the key to read, kms:GenerateDataKey to write; in its key policy too, if it is another account's",
            "External: the KMS key of the stream is disabled or deleted\n  \
             enable the key: what was encrypted with it cannot be read before",
            "External: the KMS key of the stream is disabled or deleted\n  \
             enable the key: what was encrypted with it cannot be read before",
            "Config: the credentials have expired\n  \
             get new ones: `aws sso login`, or ask for a new session token",
            "Config: AWS does not know these credentials\n  \
             look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or name a profile: --profile",
            "External: Kinesis refused: Invalid ShardIterator.\n  \
             the request id tells AWS's support which request it was",
        ]
    );
    put(&stream, &["a"]).await;
    assert_eq!(
        texts(&drain(&mut *reader).await.0),
        ["a"],
        "a reader can be asked again"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let access = Access {
        endpoint_url: Some("http://127.0.0.1:1".to_owned()),
        anonymous: true,
        ..Access::default()
    };
    let stream = KinesisStream::new("kinesis://flow-logs", access).unwrap();
    let error = stream.shards().await.unwrap_err();
    assert_eq!(error.owner, Owner::External);
    assert!(
        error.message.contains("Kinesis cannot be reached"),
        "{}",
        error.message
    );
    assert!(error.message.contains("asked 3 times"), "{}", error.message);
    assert!(error.hint.unwrap().contains("--endpoint-url"));
}
