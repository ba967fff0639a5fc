//! Objects as the world has them: odd keys, odd reads, damage, size; and many cores.

use loglens_engine::{Engine, EngineOptions, Owner};

use crate::ask::{Answer, ask, ask_new};
use crate::logs::{HEADER, RECORD, gzip, records, text, zstd};
use crate::memory::{MemoryObject, over};

const COUNT: &str = "SELECT count(*) FROM vpc_flow_logs";

/// A log of so many records.
fn log(count: usize) -> Vec<u8> {
    format!("{HEADER}\n{}", records(0, count)).into_bytes()
}

/// The reasons of objects that were not read to their end.
async fn object_rejects(engine: &Engine) -> Vec<String> {
    let sql = "SELECT object, line, reason FROM rejects WHERE kind = 'object'";
    ask(engine, sql).await.unwrap().sorted()
}

#[tokio::test]
async fn raw_keys_stay_as_they_are() {
    let key = "//AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/01/02/a b%20?.log";
    let engine = Engine::new(over(vec![MemoryObject::new(key, text(&[HEADER, RECORD]))])).unwrap();
    let answer = ask(
        &engine,
        "SELECT \"$path\", accid, region, \"$file_modified_time\" FROM vpc_flow_logs",
    )
    .await
    .unwrap();
    assert_eq!(answer.rows, [[key, "123456789012", "us-east-1", "NULL"]]);
}

#[tokio::test]
async fn it_does_not_matter_how_bytes_come() {
    for bytes in [log(3000), gzip(&log(3000)), zstd(&log(3000))] {
        for most in [1, 7, 4096, 70_001] {
            let objects = vec![MemoryObject::new("a.log", bytes.clone()).trickling(most)];
            let sql = "SELECT count(*), sum(bytes), max(\"$line\") FROM vpc_flow_logs";
            let answer = ask_new(over(objects), sql).await.unwrap();
            assert_eq!(answer.lines(), ["3000 4498500 3001"], "{most}");
            assert_eq!(answer.totals.rejects.records, 0);
            assert_eq!(answer.totals.bytes_read, bytes.len() as u64);
        }
    }
}

/// Objects that nobody knows the size of are taken apart as large ones are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_objects_are_read_by_all_partitions() {
    const RECORDS: usize = 30_000;
    let sql =
        "SELECT count(*), sum(bytes), max(\"$line\"), count(DISTINCT \"$line\") FROM vpc_flow_logs";
    for object in [
        MemoryObject::new("ranges.log", log(RECORDS)).at_any_place(),
        MemoryObject::new("pump.log", log(RECORDS)),
        MemoryObject::new("gzip.log", gzip(&log(RECORDS))).at_any_place(),
    ] {
        let answer = ask_new(over(vec![object.of_unknown_size()]), sql)
            .await
            .unwrap();
        assert_eq!(answer.lines(), ["30000 449985000 30001 30000"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_object_that_fails_in_the_middle_fails_the_statement() {
    let object = MemoryObject::new("a.log", log(30_000)).of_unknown_size();
    for object in [object.clone(), object.at_any_place()] {
        let failing = over(vec![object.failing_at(2_000_000)]);
        let error = ask_new(failing, COUNT).await.unwrap_err();
        assert_eq!(error.message, "a.log: the connection was reset");
    }
}

#[tokio::test]
async fn an_object_that_shrank_gives_what_is_there() {
    let whole = MemoryObject::new("whole.log", log(10));
    let mut cut = log(10);
    cut.truncate(cut.len() - 20);
    let found = cut.len();
    let shrunk = MemoryObject::new("shrunk.log", cut).shrunk_by(20);
    let engine = Engine::new(over(vec![whole, shrunk])).unwrap();
    let answer = ask(&engine, COUNT).await.unwrap();
    assert_eq!(answer.to_string(), "19", "the record that was cut is none");
    assert_eq!(
        (answer.totals.rejects.records, answer.totals.rejects.objects),
        (1, 1)
    );
    assert_eq!(
        object_rejects(&engine).await,
        [format!(
            "shrunk.log NULL the object had {} bytes when it was listed and {found} when it was read",
            found + 20
        )]
    );
}

#[tokio::test]
async fn an_object_that_grew_is_read_to_its_end() {
    let objects = vec![MemoryObject::new("a.log", log(10)).of_unknown_size()];
    assert_eq!(
        ask_new(over(objects), COUNT).await.unwrap().to_string(),
        "10"
    );
}

#[tokio::test]
async fn a_read_that_fails_fails_the_statement() {
    let objects = vec![
        MemoryObject::new("a.log", log(10)),
        MemoryObject::new("b.log", log(3000)).failing_at(200_000),
    ];
    for sql in [
        COUNT,
        "SELECT count(*) FROM rejects",
        "SELECT * FROM vpc_flow_logs ORDER BY bytes",
    ] {
        let error = ask_new(over(objects.clone()), sql).await.unwrap_err();
        assert_eq!(error.message, "b.log: the connection was reset", "{sql}");
        assert_eq!(error.owner, Owner::External);
    }
}

#[tokio::test]
async fn an_object_that_may_not_be_read_fails_the_statement() {
    let objects = vec![
        MemoryObject::new("a.log", log(10)),
        MemoryObject::new("b.log", log(10)).unreadable(),
    ];
    let error = ask_new(over(objects), COUNT).await.unwrap_err();
    assert_eq!(error.message, "b.log: permission denied");
}

#[tokio::test]
async fn a_truncated_frame_gives_its_leading_records() {
    for (frame, name) in [(gzip(&log(3000)), "gzip"), (zstd(&log(3000)), "zstd")] {
        let half = frame[..frame.len() / 2].to_vec();
        let objects = vec![
            MemoryObject::new("a.log", half),
            MemoryObject::new("b.log", log(1)),
        ];
        let engine = Engine::new(over(objects)).unwrap();
        let answer = ask(
            &engine,
            "SELECT count(*), min(bytes), count(DISTINCT bytes) FROM vpc_flow_logs",
        )
        .await
        .unwrap();
        let rows: usize = answer.rows[0][0].parse().unwrap();
        assert!((1000..2000).contains(&rows), "{name}: {rows}");
        // Number 0 stands in both objects.
        assert_eq!(
            answer.rows[0][1..],
            ["0".to_owned(), (rows - 1).to_string()]
        );
        assert_eq!(answer.totals.rejects.objects, 1);
        assert_eq!(
            object_rejects(&engine).await,
            [format!("a.log NULL truncated {name}")]
        );
    }
}

#[tokio::test]
async fn a_damaged_member_ends_the_object() {
    let mut bytes = gzip(&log(100));
    let good = bytes.len();
    bytes.extend(gzip(records(100, 100).as_bytes()));
    bytes[good + 200] ^= 1;
    let engine = Engine::new(over(vec![MemoryObject::new("a.log", bytes)])).unwrap();
    let answer = ask(&engine, COUNT).await.unwrap();
    assert!(answer.to_string().parse::<u32>().unwrap() >= 100);
    assert_eq!(answer.totals.rejects.objects, 1);
    let rejects = object_rejects(&engine).await;
    assert!(
        rejects[0].starts_with("a.log NULL damaged gzip"),
        "{rejects:?}"
    );
}

#[tokio::test]
async fn members_follow_one_another() {
    let mut bytes = gzip(&log(100));
    bytes.extend(gzip(b""));
    bytes.extend(gzip(records(100, 100).as_bytes()));
    let answer = ask_new(over(vec![MemoryObject::new("a.log", bytes)]), COUNT)
        .await
        .unwrap();
    assert_eq!(answer.to_string(), "200");
    assert_eq!(answer.totals.rejects.objects, 0);
}

/// 1 MiB of one record over and over: `gzip -9` makes 3.6 KB of it. 72 of them pass the 64 MiB
/// that any object may expand to.
const BOMB_MEMBER: &[u8] = include_bytes!("bomb_member.gz");

#[tokio::test]
async fn a_bomb_is_left_where_it_expands_too_far() {
    let mut options = over(vec![
        MemoryObject::new("bomb.log.gz", BOMB_MEMBER.repeat(72)),
        MemoryObject::new("good.log", log(10)),
    ]);
    options.max_expansion = Some(20);
    let engine = Engine::new(options).unwrap();
    let answer = ask(&engine, COUNT).await.unwrap();
    let rows: u64 = answer.to_string().parse().unwrap();
    let member_rows = 9892;
    assert!(rows > 60 * member_rows && rows < 72 * member_rows, "{rows}");
    assert_eq!(answer.totals.rejects.objects, 1);
    assert_eq!(
        answer.totals.rejects.first[0].1.reason.to_string(),
        "expands to more than 20 times its size; read no further"
    );
    assert!(answer.totals.bytes_inflated < 72 << 20);
}

#[tokio::test]
async fn what_no_format_knows_is_not_read() {
    let objects = vec![
        MemoryObject::new("a.log", log(1)),
        MemoryObject::new("b.parquet", b"PAR1....".to_vec()),
        MemoryObject::new("c.zip", b"PK\x03\x04".to_vec()),
        MemoryObject::new("d", Vec::new()),
    ];
    let engine = Engine::new(over(objects)).unwrap();
    let unrecognised: Vec<_> = engine
        .archive()
        .await
        .unwrap()
        .unrecognised()
        .iter()
        .map(|object| format!("{}: {}", object.key, object.reason))
        .collect();
    let [parquet, others @ ..] = &unrecognised[..] else {
        panic!("nothing is left out");
    };
    assert!(parquet.starts_with("b.parquet: Parquet: "), "{parquet}");
    assert_eq!(others, ["c.zip: zip is not read", "d: empty"]);
    assert_eq!(ask(&engine, COUNT).await.unwrap().to_string(), "1");
}

fn with_threads(objects: &[MemoryObject], threads: usize) -> Engine {
    Engine::new(EngineOptions {
        threads: Some(threads),
        ..over(objects.to_vec())
    })
    .unwrap()
}

/// More than 16 MiB in objects of all sizes and frames, with some damage.
fn many() -> Vec<MemoryObject> {
    let mut objects = Vec::new();
    for number in 0..12_usize {
        let mut bytes = format!(
            "{HEADER}\n{}",
            records(number * 20_000, 3_000 * (number % 4 + 1))
        )
        .into_bytes();
        bytes.extend_from_slice(b"garbage\n");
        bytes.extend_from_slice(records(number * 20_000 + 15_000, 8_000).as_bytes());
        let key = format!("{number:02}.log");
        objects.push(match number % 3 {
            0 => MemoryObject::new(&key, gzip(&bytes)),
            1 => MemoryObject::new(&key, zstd(&bytes)).trickling(99_991),
            _ => MemoryObject::new(&key, bytes),
        });
    }
    objects
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_do_not_change_answers() {
    let objects = many();
    for sql in [
        "SELECT count(*), sum(bytes), count(DISTINCT srcport), sum(\"$line\") FROM vpc_flow_logs",
        "SELECT \"$path\", count(*), max(\"$line\") FROM vpc_flow_logs GROUP BY \"$path\"",
        "SELECT bytes, \"$line\" FROM vpc_flow_logs WHERE srcport = 77 AND srcaddr LIKE '10.0.1.%'",
        "SELECT object, line, byte_offset FROM rejects",
        "SELECT srcaddr, bytes FROM vpc_flow_logs ORDER BY bytes DESC LIMIT 5",
    ] {
        let one = ask(&with_threads(&objects, 1), sql).await.unwrap();
        let four = ask(&with_threads(&objects, 4), sql).await.unwrap();
        assert_eq!(one.sorted(), four.sorted(), "{sql}");
        assert!(!one.rows.is_empty(), "{sql}");
        let counts = one.totals.counts;
        // Searching for a literal passes over records that would be rejects.
        let searched = counts.unexamined > 0 && counts.rejects <= 12;
        assert!(counts.rejects == 12 || searched, "{sql}: {counts:?}");
        assert_eq!(
            one.totals.counts.records, four.totals.counts.records,
            "{sql}"
        );
        assert_eq!(
            one.totals.bytes_inflated, four.totals.bytes_inflated,
            "{sql}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_stops_the_scan() {
    let objects = many();
    let engine = with_threads(&objects, 4);
    for limit in [1, 10, 9_000, 60_000] {
        let answer = ask(
            &engine,
            &format!("SELECT bytes, \"$path\" FROM vpc_flow_logs LIMIT {limit}"),
        )
        .await
        .unwrap();
        assert_eq!(answer.rows.len(), limit);
        let mut different = answer.sorted();
        different.dedup();
        assert_eq!(different.len(), limit, "no row comes twice");
    }
    let few = ask(&engine, "SELECT bytes FROM vpc_flow_logs LIMIT 10")
        .await
        .unwrap();
    let all = ask(&engine, COUNT).await.unwrap();
    assert!(
        few.totals.bytes_inflated < all.totals.bytes_inflated / 2,
        "{few:?}"
    );
    let beyond = ask(
        &engine,
        "SELECT count(*) FROM (SELECT bytes FROM vpc_flow_logs LIMIT 1000000)",
    )
    .await
    .unwrap();
    assert_eq!(beyond.to_string(), all.to_string());
    let filtered = ask(
        &engine,
        "SELECT bytes FROM vpc_flow_logs WHERE srcport = 5 LIMIT 7",
    )
    .await
    .unwrap();
    assert_eq!(filtered.rows.len(), 7);
}

/// A file whose header changes every 10,000 records, with another order of fields.
fn changing_headers(parts: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in 0..parts {
        let numbers = part * 10_000..(part + 1) * 10_000;
        if part % 2 == 0 {
            bytes.extend(b"version srcaddr bytes start end filler-field\n");
            for number in numbers {
                bytes.extend(
                    format!("2 10.0.0.1 {number} 1700000000 1700000060 {:>064}\n", 0).bytes(),
                );
            }
        } else {
            bytes.extend(b"bytes dstaddr version start end action filler-field\n");
            for number in numbers {
                bytes.extend(
                    format!(
                        "{number} 10.0.0.2 3 1700000000 1700000060 ACCEPT {:>064}\n",
                        0
                    )
                    .bytes(),
                );
            }
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_may_change_in_the_middle() {
    let bytes = changing_headers(20);
    assert!(bytes.len() > 16 << 20);
    let objects = [MemoryObject::new("a.log", bytes)];
    for threads in [1, 4] {
        let engine = with_threads(&objects, threads);
        let sql = "SELECT version, count(*), sum(bytes), count(srcaddr), count(dstaddr), count(action), min(\"$line\"), max(\"$line\") FROM vpc_flow_logs GROUP BY version ORDER BY version";
        let answer = ask(&engine, sql).await.unwrap();
        assert_eq!(
            answer.lines(),
            [
                "2 100000 9499950000 100000 0 0 2 190019",
                "3 100000 10499950000 0 100000 100000 10003 200020",
            ],
            "{threads} threads"
        );
        assert_eq!(answer.totals.counts.skipped, 20);
        assert_eq!(answer.totals.rejects.records, 0);
    }
}

/// The scan's line of a plan.
pub(crate) async fn scan(engine: &Engine, sql: &str) -> String {
    let Answer { rows, .. } = ask(engine, &format!("EXPLAIN {sql}")).await.unwrap();
    let plans: Vec<_> = rows.concat();
    let line = plans
        .iter()
        .flat_map(|plan| plan.lines())
        .find(|line| line.contains("DataSourceExec"));
    line.unwrap_or_else(|| panic!("{plans:?}"))
        .trim()
        .to_owned()
}

#[tokio::test]
async fn plans_show_the_scan() {
    let objects = vec![
        MemoryObject::new("a.log", log(1)),
        MemoryObject::new("b.log", log(1)),
    ];
    let engine = Engine::new(over(objects)).unwrap();
    for (sql, expected) in [
        (
            "SELECT srcaddr, bytes FROM vpc_flow",
            "table=vpc_flow_logs, objects=2, projection=[srcaddr, bytes]",
        ),
        (
            "SELECT bytes FROM vpc_flow WHERE dstport = 443 AND action <> '-'",
            "table=vpc_flow_logs, objects=2, projection=[bytes], fields=[dstport = 443, action is not null]",
        ),
        (
            "SELECT bytes FROM vpc_flow LIMIT 3",
            "table=vpc_flow_logs, objects=2, projection=[bytes], limit=3",
        ),
        (
            "SELECT \"$line\" FROM vpc_flow WHERE bytes > 5 LIMIT 2",
            "table=vpc_flow_logs, objects=2, projection=[$line], fields=[bytes >= 6], limit=2",
        ),
        (
            "SELECT bytes FROM vpc_flow WHERE srcaddr IN ('10.1.2.3', '10.4.5.6') AND lower(action) = 'ok'",
            "table=vpc_flow_logs, objects=2, projection=[bytes], literals=[\"10.1.2.3\", \"10.4.5.6\"], fields=[srcaddr in (10.1.2.3, 10.4.5.6)], filter=lower(action@0) = ok",
        ),
        (
            "SELECT bytes FROM vpc_flow WHERE contains('10.0.0.0/16', srcaddr) AND interface_id LIKE 'eni-12%'",
            "table=vpc_flow_logs, objects=2, projection=[bytes], literals=[\"eni-12\"], fields=[srcaddr in 10.0.0.0/16, interface_id starts with eni-12]",
        ),
        (
            "SELECT reason FROM rejects",
            "table=vpc_flow_logs, objects=2, output=rejects, examine=everything, projection=[reason]",
        ),
        (
            "SELECT count(*) FROM vpc_flow",
            "table=vpc_flow_logs, objects=2, projection=[]",
        ),
    ] {
        assert_eq!(
            scan(&engine, sql).await,
            format!("DataSourceExec: {expected}"),
            "{sql}"
        );
    }
}

#[tokio::test]
async fn a_volatile_filter_is_asked_by_datafusion() {
    let engine = Engine::new(over(vec![MemoryObject::new("a.log", log(10))])).unwrap();
    let answer = ask(
        &engine,
        "SELECT bytes FROM vpc_flow_logs WHERE random() >= 0 AND bytes < 3",
    )
    .await
    .unwrap();
    assert_eq!(answer.sorted(), ["0", "1", "2"]);
    let answer = ask(&engine, "SELECT bytes FROM vpc_flow_logs a WHERE bytes = (SELECT max(b.bytes) FROM vpc_flow_logs b WHERE b.srcport = a.srcport)").await.unwrap();
    assert_eq!(answer.rows.len(), 10);
}
