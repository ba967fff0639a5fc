//! Records in, files out: whatever the fetches, and whatever the records are packed in.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::FutureExt;
use loglens_engine::archive::Given;
use loglens_engine::arrow::array::AsArray;
use loglens_engine::arrow::datatypes::Int64Type;
use loglens_engine::shard::{Fetched, Position, Sequence, ShardRecord, Start};
use loglens_parsers::envelope::kpl;
use loglens_parsers::format::{Format, Formats};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use super::maker::{Lake, LakeSettings, Partitioning};
use crate::cut::{Beginning, CutMaker};
use crate::shard_log::{CutRange, HashKeys};

/// A time just before midnight, UTC.
const EVENING: u64 = 1_767_225_500;

async fn lake(given: Given) -> Lake {
    Lake::new(settings(given)).await.unwrap()
}

fn settings(given: Given) -> LakeSettings {
    LakeSettings {
        stream: Arc::from("kinesis://logs"),
        given,
        partitioned_by: Partitioning::default(),
        keep_resent: false,
        cut_bytes: 1 << 20,
        cut_age: Duration::from_secs(60),
        memory_limit: None,
        threads: Some(2),
        windows: Vec::new(),
    }
}

/// A flow whose bytes are its number.
fn flow(number: u64) -> String {
    let start = EVENING + number;
    format!("2 123456789010 eni-1 10.0.0.1 10.0.0.2 1 443 6 1 {number} {start} {start} ACCEPT OK")
}

fn record(number: u64, data: impl Into<Vec<u8>>) -> ShardRecord {
    ShardRecord {
        sequence: Sequence::new(&(1000 + number).to_string()),
        partition_key: Arc::from("key"),
        data: Bytes::from(data.into()),
        arrived: 7,
    }
}

fn message(group: &str, lines: &[String]) -> Vec<u8> {
    let events = lines
        .iter()
        .map(|line| json!({"id": "1", "timestamp": 0, "message": line}));
    let message = json!({
        "messageType": "DATA_MESSAGE",
        "owner": "111122223333",
        "logGroup": group,
        "logStream": "s",
        "logEvents": events.collect::<Vec<_>>(),
    });
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(message.to_string().as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// The bytes in a line of rejected records.
fn data(line: &Value) -> Vec<u8> {
    let data = line["data"].as_str().unwrap();
    BASE64_STANDARD.decode(data).unwrap()
}

/// What became of records: the numbers in each file, and the lines of rejected records.
#[derive(Debug, Default, PartialEq)]
struct Made {
    files: BTreeMap<String, Vec<i64>>,
    rejected: Vec<Value>,
}

async fn make(records: &[ShardRecord], in_a_fetch: usize, after: &Start) -> Made {
    make_of(Given::default(), records, in_a_fetch, after).await
}

async fn make_of(given: Given, records: &[ShardRecord], in_a_fetch: usize, after: &Start) -> Made {
    let lake = lake(given).await;
    let configuration = lake.configuration();
    let beginning = Beginning {
        shard: &Arc::from("shard-1"),
        after,
        hash_keys: None,
        state: None,
        configuration: &configuration,
    };
    make_from(&lake, beginning, records, in_a_fetch).await
}

async fn make_from(
    lake: &Lake,
    beginning: Beginning<'_>,
    records: &[ShardRecord],
    in_a_fetch: usize,
) -> Made {
    let after = beginning.after;
    let mut making = lake.begin(beginning).await.unwrap();
    let mut range = CutRange::new(after.clone());
    for records in records.chunks(in_a_fetch) {
        records
            .iter()
            .for_each(|record| assert!(range.add(&record.sequence)));
        let fetched = Fetched {
            records: records.to_vec(),
            ..Fetched::default()
        };
        making.take(fetched, Duration::ZERO).await.unwrap();
    }
    let mut made = Made::default();
    for name in making.names(&range).await.unwrap() {
        let object = making.object(&name).await.unwrap();
        if name.ends_with(".ndjson") {
            let lines = object
                .bytes
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty());
            made.rejected
                .extend(lines.map(|line| serde_json::from_slice::<Value>(line).unwrap()));
            assert_eq!(object.rows, made.rejected.len() as u64);
            continue;
        }
        let reader = ParquetRecordBatchReaderBuilder::try_new(object.bytes).unwrap();
        let mut numbers = Vec::new();
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            match batch.column_by_name("bytes") {
                Some(column) => numbers.extend(column.as_primitive::<Int64Type>().values()),
                None => numbers.extend(vec![0; batch.num_rows()]),
            }
        }
        assert_eq!(object.rows, numbers.len() as u64);
        numbers.sort_unstable();
        made.files.insert(name, numbers);
    }
    making.state().await.unwrap();
    assert!(
        making
            .names(&CutRange::new(Start::Oldest))
            .await
            .unwrap()
            .is_empty()
    );
    made
}

#[tokio::test]
async fn records_lie_by_table_and_day_whatever_the_fetches() {
    let records: Vec<_> = (0..200)
        .map(|number| record(number, flow(number)))
        .collect();
    let made = make(&records, 200, &Start::Oldest).await;
    let none = "accid=__HIVE_DEFAULT_PARTITION__/region=__HIVE_DEFAULT_PARTITION__";
    let name = |day| format!("vpc_flow_logs/{none}/date={day}/shard-1-1000-1199.parquet");
    let expected = [
        (name("2025-12-31"), (0..100).collect()),
        (name("2026-01-01"), (100..200).collect()),
    ];
    assert_eq!(made.files, BTreeMap::from(expected));
    assert_eq!(made.rejected, Vec::<Value>::new());
    for in_a_fetch in [1, 7, 64] {
        assert_eq!(make(&records, in_a_fetch, &Start::Oldest).await, made);
    }
}

/// Where the memory is full, a shard that has much of it cuts, and one that has nothing does not take
/// any until the memory is free.
#[tokio::test]
async fn shards_share_the_memory_of_their_worker() {
    let lake = Lake::new(LakeSettings {
        memory_limit: Some(128 << 10),
        ..settings(Given::default())
    });
    let lake = lake.await.unwrap();
    let configuration = lake.configuration();
    let shards = ["shard-1", "shard-2", "shard-3", "shard-4"].map(Arc::from);
    let mut makings = Vec::new();
    for shard in &shards {
        let beginning = Beginning {
            shard,
            after: &Start::Oldest,
            hash_keys: None,
            state: None,
            configuration: &configuration,
        };
        makings.push(lake.begin(beginning).await.unwrap());
    }
    let [large, small, empty, none] = &mut makings[..] else {
        unreachable!()
    };
    let mut range = CutRange::new(Start::Oldest);
    let mut fetched = |numbers: std::ops::Range<u64>| {
        let records = numbers.map(|number| record(number, flow(number)));
        let records: Vec<_> = records.collect();
        records.iter().for_each(|record| {
            range.add(&record.sequence);
        });
        Fetched {
            records,
            ..Fetched::default()
        }
    };
    let now = Duration::ZERO;
    small.take(fetched(0..1), now).await.unwrap();
    assert!(!small.should_cut(now));
    large.take(fetched(0..200), now).await.unwrap();
    assert!(large.should_cut(now) && !small.should_cut(now) && !none.should_cut(now));
    // Who has some goes on, and be it empty; who has none waits.
    assert!(small.ready().now_or_never().is_some());
    small.take(fetched(1..2), now).await.unwrap();
    let nothing = Fetched {
        records: vec![record(0, "")],
        ..Fetched::default()
    };
    empty.take(nothing, now).await.unwrap();
    assert!(empty.ready().now_or_never().is_some());
    let mut waiting = none.ready();
    assert!((&mut waiting).now_or_never().is_none());
    let mut rows = 0;
    for name in large.names(&range).await.unwrap() {
        rows += large.object(&name).await.unwrap().rows;
    }
    large.state().await.unwrap();
    assert_eq!(rows, 200);
    waiting.await;
    assert!(!small.should_cut(now) && !none.should_cut(now));
}

/// A payload by itself says how it is read: neither its header nor what it leaves open reaches the next.
#[tokio::test]
async fn payloads_do_not_reach_into_one_another() {
    let reordered = "bytes version account-id interface-id srcaddr dstaddr srcport dstport protocol \
                     packets start end action log-status\n7 2 1 eni-1 10.0.0.1 10.0.0.2 1 443 6 1 \
                     1767225500 1767225500 ACCEPT OK";
    let records = [
        record(0, flow(0)),
        record(1, reordered),
        record(2, format!("{}\n{reordered}", flow(1))),
        record(3, flow(2)),
    ];
    let made = make(&records, 4, &Start::Oldest).await;
    let numbers: Vec<_> = made.files.into_values().flatten().collect();
    assert_eq!(numbers, [0, 1, 2, 7, 7]);
    assert_eq!(made.rejected, Vec::<Value>::new());

    let trail = json!({"eventVersion": "1.08", "eventTime": "2026-01-01T00:00:00Z", "eventName": "GetUser",
        "eventSource": "iam.amazonaws.com", "awsRegion": "us-east-1", "eventID": "{x", "eventType": "AwsApiCall",
        "resources": [{"a": 1}]});
    let pretty = serde_json::to_vec_pretty(&trail).unwrap();
    for end in (1..pretty.len()).step_by(9) {
        let broken = &pretty[..end];
        // Alone it is recognised as nothing; behind a whole one it is known what it should have been.
        for (before, rows) in [(&b""[..], 2), (&pretty, 3)] {
            let payload = [before, broken].concat();
            let payloads = [pretty.clone(), payload, pretty.clone()];
            let records = (0..)
                .zip(payloads)
                .map(|(number, payload)| record(number, payload));
            let made = make(&records.collect::<Vec<_>>(), 2, &Start::Oldest).await;
            assert_eq!(
                made.files.values().map(Vec::len).sum::<usize>(),
                rows,
                "{end}"
            );
            let kept: Vec<_> = made.rejected.iter().map(data).collect();
            assert_eq!(kept.len(), 1, "{end}");
            assert_eq!(kept[0].trim_ascii_end(), broken.trim_ascii_end(), "{end}");
        }
    }
}

/// A table that nothing partitions, of which a cut has nothing but what is rejected.
#[tokio::test]
async fn a_cut_without_rows_has_no_files() {
    let toml = include_str!("../../../../testdata/nginx/nginx.toml");
    let format = Format::from_toml(toml).unwrap();
    let formats = Formats::default().with(format);
    let given = || Given {
        format: formats.by_name("nginx").cloned(),
        formats: formats.clone(),
        fields: None,
    };
    let bad = [record(0, "nothing of nginx's")];
    let made = make_of(given(), &bad, 1, &Start::Oldest).await;
    assert_eq!(made.files, BTreeMap::new());
    assert_eq!(data(&made.rejected[0]), b"nothing of nginx's");
    let line = r#"192.0.2.1 - - [12/Nov/2026:06:25:24 +0100] "GET / HTTP/1.1" 200 5 "-" "-""#;
    let good = [record(0, "nothing of nginx's"), record(1, line)];
    let made = make_of(given(), &good, 1, &Start::Oldest).await;
    let files: Vec<_> = made.files.into_iter().collect();
    assert_eq!(
        files,
        [(
            "nginx_access_logs/shard-1-1000-1001.parquet".to_owned(),
            vec![0]
        )]
    );
}

#[tokio::test]
async fn envelopes_aggregates_and_plain_records_side_by_side() {
    let trail = json!({"eventVersion": "1.08", "eventTime": "2026-01-01T00:00:00Z", "eventName": "GetUser",
        "eventSource": "iam.amazonaws.com", "awsRegion": "us-east-1", "eventID": "x"});
    let packed = [flow(1), flow(2)];
    let packed = packed.iter().map(|line| ("key", None, line.as_bytes()));
    let records = [
        record(0, flow(0)),
        record(1, kpl::pack(packed)),
        record(2, message("my-vpc-flow-logs", &[flow(3), flow(4)])),
        record(3, message("x_CloudTrail_us-east-1", &[trail.to_string()])),
    ];
    let made = make(&records, 4, &Start::Oldest).await;
    assert_eq!(made.rejected, Vec::<Value>::new());
    let folders: Vec<_> = made
        .files
        .iter()
        .map(|(name, rows)| {
            let (folder, stem) = name.rsplit_once('/').unwrap();
            assert_eq!(stem, "shard-1-1000-1003.parquet");
            (folder, rows.as_slice())
        })
        .collect();
    let none = "__HIVE_DEFAULT_PARTITION__";
    let flows =
        |account: &str| format!("vpc_flow_logs/accid={account}/region={none}/date=2025-12-31");
    assert_eq!(
        folders,
        [
            (
                format!("cloudtrail_logs/account=111122223333/region={none}/date=2026-01-01")
                    .as_str(),
                &[0][..]
            ),
            (&flows("111122223333"), &[3, 4]),
            (&flows(none), &[0, 1, 2]),
        ]
    );
    // Of an aggregate of which a part was read before, the rest.
    let after = Start::After(Position {
        sequence: Sequence::new("1001"),
        sub: Some(0),
    });
    let rest = make(&records[1..2], 1, &after).await;
    assert_eq!(rest.files.into_values().collect::<Vec<_>>(), [vec![2]]);
}

#[tokio::test]
async fn what_fits_no_table_is_kept_with_its_bytes() {
    let mut cut_off = message("my-vpc-flow-logs", &[flow(3)]);
    cut_off.truncate(30);
    let records = [
        record(0, flow(0)),
        record(1, "neither this nor that"),
        record(2, cut_off.clone()),
        record(3, format!("{}\n2 too few fields\n{}", flow(1), flow(2))),
        record(
            4,
            message("my-vpc-flow-logs", &[flow(5), "2 bad".to_owned(), flow(6)]),
        ),
    ];
    let made = make(&records, 2, &Start::Oldest).await;
    let numbers: Vec<_> = made.files.into_values().flatten().collect();
    assert_eq!(numbers, [5, 6, 0, 1, 2]);
    let said: Vec<_> = made
        .rejected
        .iter()
        .map(|line| {
            let number = line["sequence"].as_str().unwrap();
            let cause = line["cause"].as_str().unwrap();
            (number.to_owned(), line["table"].clone(), cause, data(line))
        })
        .collect();
    assert_eq!(said.len(), 4, "{said:?}");
    assert_eq!(said[0].0, "1001");
    assert_eq!(
        (said[0].2, said[0].3.as_slice()),
        ("no known log format", &b"neither this nor that"[..])
    );
    assert_eq!(
        (said[1].2, said[1].3.as_slice()),
        ("truncated gzip", cut_off.as_slice())
    );
    assert_eq!(
        (said[2].0.as_str(), said[2].3.as_slice()),
        ("1003", &b"2 too few fields"[..])
    );
    assert_eq!(said[3].0, "1004");
    let event: Value = serde_json::from_slice(&said[3].3).unwrap();
    assert_eq!(event["message"], "2 bad");
    assert!(said[2..].iter().all(|line| line.1 == "vpc_flow_logs"));
}

/// An aggregate reaches the shard of its own key. What in it belongs to another one since a split was
/// sent again by its producer, and is a row there.
#[tokio::test]
async fn what_belongs_to_another_shard_is_left_out_and_kept() {
    let lines = [flow(1), flow(2), flow(3)];
    let packed = lines.iter().zip(["9", "10", "101"]);
    let packed = packed.map(|(line, key)| ("key", Some(key), line.as_bytes()));
    let records = [record(0, flow(0)), record(1, kpl::pack(packed))];
    let keep = LakeSettings {
        keep_resent: true,
        ..settings(Given::default())
    };
    let (leaves, keeps) = (lake(Given::default()).await, Lake::new(keep).await.unwrap());
    // Who finishes a cut does as it was claimed, whatever it does by itself.
    for (lake, claimed, expected) in [
        (&leaves, leaves.configuration(), vec![0, 2]),
        (&keeps, leaves.configuration(), vec![0, 2]),
        (&leaves, keeps.configuration(), vec![0, 1, 2, 3]),
        (&keeps, keeps.configuration(), vec![0, 1, 2, 3]),
    ] {
        let beginning = Beginning {
            shard: &Arc::from("shard-1"),
            after: &Start::Oldest,
            hash_keys: Some(HashKeys::new(&(10..=100))),
            state: None,
            configuration: &claimed,
        };
        let made = make_from(lake, beginning, &records, 2).await;
        let left_out = 4 - expected.len();
        assert_eq!(made.files.into_values().collect::<Vec<_>>(), [expected]);
        let kept: Vec<_> = made.rejected.iter().map(data).collect();
        assert_eq!(kept.len(), left_out);
        if left_out > 0 {
            assert_eq!(kept, [lines[0].as_bytes(), lines[2].as_bytes()]);
            assert!(
                made.rejected.iter().all(|line| line["resent"] == true),
                "{:?}",
                made.rejected
            );
        }
    }
}

/// As large as a stream can be made to allow.
#[tokio::test]
async fn a_record_of_10_mib() {
    let most = 10 << 20;
    let mut lines = String::new();
    let mut rows = 0;
    while lines.len() + 100 < most {
        lines += &flow(rows % 50);
        lines.push('\n');
        rows += 1;
    }
    let garbage = vec![0xab; most];
    let records = [
        record(0, lines),
        record(1, garbage.clone()),
        record(2, flow(1)),
    ];
    let made = make(&records, 1, &Start::Oldest).await;
    let numbers: usize = made.files.values().map(Vec::len).sum();
    assert_eq!(numbers as u64, rows + 1);
    assert_eq!(made.rejected.len(), 1);
    assert!(data(&made.rejected[0]) == garbage);
}

#[tokio::test]
async fn a_cut_is_due_by_bytes_and_by_age() {
    let lake = lake(Given::default()).await;
    let configuration = lake.configuration();
    let beginning = Beginning {
        shard: &Arc::from("shard-1"),
        after: &Start::Oldest,
        hash_keys: None,
        state: None,
        configuration: &configuration,
    };
    let mut making = lake.begin(beginning).await.unwrap();
    let fetched = |data: Vec<u8>| Fetched {
        records: vec![record(0, data)],
        ..Fetched::default()
    };
    let at = Duration::from_secs;
    assert!(!making.should_cut(at(1000)));
    making
        .take(fetched(flow(0).into_bytes()), at(1000))
        .await
        .unwrap();
    assert!(!making.should_cut(at(1059)));
    assert!(making.should_cut(at(1060)));
    making
        .take(fetched(vec![b'x'; 1 << 20]), at(1001))
        .await
        .unwrap();
    assert!(making.should_cut(at(1001)));
}
