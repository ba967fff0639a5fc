//! The statements in `tests/golden`: the same rows in batch, as a stream, as a stream in random
//! pieces and out of order, and as a stream that was stopped and went on.
//!
//! Each file says its input in its first line: a table, how many generated records, and by how many
//! seconds the statement's own time is out of order besides. The rows
//! stand beside it in a file of their own. `LOGLENS_COMPLETE=1` writes them, from the batch: read
//! the difference before you keep it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loglens_engine::object::Object;
use loglens_engine::stream::{Output, Stream, StreamOptions};
use loglens_engine::{Engine, EngineOptions, Error};
use loglens_generate::{AlbLogs, CloudTrailLayout, CloudTrailLogs, FlowLogs};

use crate::ask::{ask, cells};
use crate::memory::{MemoryObject, over};

/// Records of an input, each with its event time in microseconds, in the order of the log.
struct Input {
    /// A line that goes before the records of each object, if they need one.
    header: Option<String>,
    records: Vec<(i64, String)>,
}

/// What decides by chance, and the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

impl Input {
    async fn of(table: &str, rows: u64) -> Self {
        let mut text = Vec::new();
        let wrote = match table {
            "vpc_flow_logs" => FlowLogs::new(rows, 7).write_to(&mut text),
            "alb_access_logs" => AlbLogs::new(rows, 7).write_to(&mut text),
            "cloudtrail_logs" => CloudTrailLogs::new(rows, 7)
                .with_layout(CloudTrailLayout::Ndjson)
                .write_to(&mut text),
            other => panic!("no such input: {other}"),
        };
        wrote.unwrap();
        let text = String::from_utf8(text).unwrap();
        let mut lines = text.lines().map(str::to_owned);
        let header = (table == "vpc_flow_logs").then(|| lines.next().unwrap());
        let lines: Vec<_> = lines.collect();
        let engine = engine(&[object(header.as_deref(), &lines)]);
        let sql = format!(
            "SELECT CAST(date_part('epoch', event_time) * 1000000 AS BIGINT) FROM {table} ORDER BY \"$line\""
        );
        let times = ask(&engine, &sql).await.unwrap().rows;
        assert_eq!(times.len(), lines.len());
        let times = times.into_iter().map(|row| row[0].parse().unwrap());
        Self {
            header,
            records: times.zip(lines).collect(),
        }
    }

    /// Some records as an object.
    fn object(&self, records: &[&(i64, String)]) -> Vec<u8> {
        let lines: Vec<_> = records.iter().map(|(_, line)| line.clone()).collect();
        object(self.header.as_deref(), &lines)
    }

    /// All records in their order.
    fn whole(&self) -> Vec<Vec<u8>> {
        vec![self.object(&self.records.iter().collect::<Vec<_>>())]
    }

    /// All records in objects of chance, none of them earlier than `disorder` before one that came
    /// first.
    fn in_pieces(&self, chance: &mut Chance, disorder: i64) -> Vec<Vec<u8>> {
        let mut records: Vec<_> = self
            .records
            .iter()
            .map(|record| (record.0 + chance.below(disorder as usize) as i64, record))
            .collect();
        records.sort_by_key(|(at, _)| *at);
        let records: Vec<_> = records.into_iter().map(|(_, record)| record).collect();
        let mut pieces = Vec::new();
        let mut rest = records.as_slice();
        while !rest.is_empty() {
            let (piece, others) = rest.split_at((1 + chance.below(200)).min(rest.len()));
            pieces.push(self.object(piece));
            rest = others;
        }
        pieces
    }
}

fn object(header: Option<&str>, lines: &[String]) -> Vec<u8> {
    let lines = header.into_iter().chain(lines.iter().map(String::as_str));
    lines
        .flat_map(|line| [line, "\n"])
        .collect::<String>()
        .into_bytes()
}

fn engine(objects: &[Vec<u8>]) -> Engine {
    let objects = objects.iter().enumerate();
    let objects = objects.map(|(number, bytes)| MemoryObject::new(&key(number), bytes.clone()));
    Engine::new(EngineOptions {
        threads: Some(2),
        ..over(objects.collect())
    })
    .unwrap()
}

fn key(number: usize) -> String {
    format!("{number:06}.log")
}

async fn stream(engine: &Engine, sql: &str, disorder: i64) -> Stream {
    let statement = engine.parse(sql).unwrap().remove(0);
    let options = StreamOptions {
        disorder: Some(Duration::from_micros(disorder.unsigned_abs())),
        lateness: Duration::ZERO,
        idle: Duration::from_secs(3600),
    };
    engine.stream(statement, options).await.unwrap()
}

/// Feeds a stream one object after the other; gives the rows in their order.
async fn feed(stream: &mut Stream, objects: &[Vec<u8>], from: usize) -> Vec<String> {
    let mut rows = Vec::new();
    for (number, bytes) in objects.iter().enumerate() {
        let object = Object {
            key: Arc::from(key(from + number)),
            size: Some(bytes.len() as u64),
            modified: None,
            etag: None,
        };
        assert!(stream.take(0, vec![object]).await.unwrap().is_empty());
        while stream
            .step(|output| take(output, &mut rows))
            .await
            .unwrap()
            .is_some()
        {}
    }
    rows
}

async fn end(stream: &mut Stream) -> Vec<String> {
    let mut rows = Vec::new();
    stream.ended(0);
    stream
        .advance(|output| take(output, &mut rows))
        .await
        .unwrap();
    rows
}

fn take(output: Output, into: &mut Vec<String>) -> Result<(), Error> {
    let (Output::Rows(rows)
    | Output::Windows {
        revision: 0, rows, ..
    }) = output
    else {
        panic!("nothing is late or revised: {output:?}");
    };
    into.extend(cells(&rows).iter().map(|row| row.join(" ")));
    Ok(())
}

fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

fn files() -> Vec<PathBuf> {
    let files = std::fs::read_dir("tests/golden").unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    files
}

async fn check(file: &Path, inputs: &mut BTreeMap<String, Input>, chance: &mut Chance) {
    let text = std::fs::read_to_string(file).unwrap();
    let (input, sql) = text.split_once('\n').unwrap();
    let mut words = input.strip_prefix("-- input: ").unwrap().split(' ');
    let (table, rows) = (words.next().unwrap(), words.next().unwrap());
    // Seconds by which another time than the event's is out of order besides.
    let more: i64 = words.next().map_or(0, |seconds| seconds.parse().unwrap());
    if !inputs.contains_key(input) {
        let made = Input::of(table, rows.parse().unwrap()).await;
        inputs.insert(input.to_owned(), made);
    }
    let logs = &inputs[input];
    let whole = logs.whole();
    let batch = ask(&engine(&whole), sql).await.unwrap();
    let expected = file.with_extension("txt");
    let in_order = sql.contains("ORDER BY window_end, ");
    let all = if in_order {
        batch.lines()
    } else {
        batch.sorted()
    };
    assert!(!all.is_empty(), "{}: no rows", file.display());
    if std::env::var_os("LOGLENS_COMPLETE").is_some() {
        std::fs::write(&expected, all.join("\n") + "\n").unwrap();
    }
    let expected = std::fs::read_to_string(&expected).unwrap();
    let expected: Vec<_> = expected.lines().map(str::to_owned).collect();
    let same = |rows: Vec<String>, mode: &str| {
        let rows = if in_order { rows } else { sorted(rows) };
        assert!(
            rows == expected,
            "{}: {mode}\n{}",
            file.display(),
            rows.join("\n")
        );
    };
    same(all, "batch");

    let over = engine(&whole);
    let mut one = stream(&over, sql, 0).await;
    let mut rows = feed(&mut one, &whole, 0).await;
    rows.extend(end(&mut one).await);
    same(rows, "stream");

    let disorder = 1 + chance.below(600_000_000) as i64;
    let pieces = logs.in_pieces(chance, disorder);
    let disorder = disorder + more * 1_000_000;
    let over = engine(&pieces);
    let mut several = stream(&over, sql, disorder).await;
    let mut rows = feed(&mut several, &pieces, 0).await;
    rows.extend(end(&mut several).await);
    same(rows, "stream in pieces");

    let stop = chance.below(pieces.len());
    let mut stopped = stream(&over, sql, disorder).await;
    let mut rows = feed(&mut stopped, &pieces[..stop], 0).await;
    let state = stopped.save("here").unwrap();
    drop(stopped);
    let mut resumed = stream(&over, sql, disorder).await;
    assert_eq!(resumed.restore(&state).unwrap(), "here");
    rows.extend(feed(&mut resumed, &pieces[stop..], stop).await);
    rows.extend(end(&mut resumed).await);
    same(rows, "stream that went on");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_gives_the_same_rows_in_batch_and_as_a_stream() {
    let (mut inputs, mut chance) = (BTreeMap::new(), Chance(3));
    let files = files();
    assert!(files.len() >= 30, "{}", files.len());
    for file in files {
        check(&file, &mut inputs, &mut chance).await;
    }
}
