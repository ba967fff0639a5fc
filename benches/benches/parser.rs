//! Bytes per second of the parsers, beside what is idiomatic elsewhere (a plain nom twin for lines,
//! `serde_json` for CloudTrail) and the newline scan that nothing can beat. Every benchmark checks
//! its answer.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros and a benchmark's own checks"
)]

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use loglens_bench::{alb_logs, blocks, cloudtrail_logs, flow_logs};
use loglens_parsers::delimited::{plain, quoted};
use loglens_parsers::filter::Literals;
use loglens_parsers::format::{Format, Shape, by_name};
use loglens_parsers::layout::Layout;
use loglens_parsers::offsets::Offsets;
use loglens_parsers::oracle;
use loglens_parsers::parse::{ParseOptions, Parser};
use loglens_parsers::record::{Block, Cutter};
use loglens_parsers::table::{ColumnSource, Table};

/// The allocator of the binary that is measured for. That of the system gives the columns of each
/// block back and asks for fresh pages, whose zeroing was 40 % of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A log in memory, and its table.
struct Log {
    format: Arc<Format>,
    table: Arc<Table>,
    text: Vec<u8>,
    blocks: Vec<Block>,
    rows: usize,
}

impl Log {
    fn new(table: &str, text: Vec<u8>, rows: u64) -> Self {
        let format = Arc::clone(by_name(table).unwrap());
        Self {
            table: Arc::new(Table::new(Arc::clone(&format), [])),
            blocks: blocks(&format, &text),
            format,
            text,
            rows: usize::try_from(rows).unwrap(),
        }
    }

    /// The column of a name, or of a dotted way.
    fn column(&self, name: &str) -> usize {
        let mut names = name.split('.');
        let top = self.format.column(names.next().unwrap()).unwrap();
        let names: Vec<_> = names.collect();
        let source = match names.is_empty() {
            true => ColumnSource::Format(top),
            false => self.table.member(top, &names).unwrap(),
        };
        self.table.index_of(source)
    }

    /// All columns of these names, and last the one that is summed.
    fn columns<'a>(&self, names: impl Iterator<Item = &'a str>, last: &str) -> Vec<usize> {
        let last = self.column(last);
        let mut columns: Vec<_> = names.map(|name| self.column(name)).collect();
        columns.retain(|&column| column != last);
        columns.push(last);
        columns
    }

    /// Parses all blocks; gives rows and the sum of the last column if it holds long integers.
    fn parse(&self, projection: &[usize]) -> (usize, i64) {
        let table = Arc::clone(&self.table);
        let mut parser = Parser::new(table, projection, &[], ParseOptions::default());
        let (mut rows, mut sum) = (0, 0);
        for block in &self.blocks {
            let batch = parser.parse(block, None).unwrap().batch;
            rows += batch.num_rows();
            if let Some(last) = batch.columns().last() {
                black_box(last.len());
                if let Some(values) = last.as_primitive_opt::<Int64Type>() {
                    sum += values.iter().flatten().sum::<i64>();
                }
            }
        }
        (rows, sum)
    }

    fn group<'a>(&self, criterion: &'a mut Criterion) -> BenchmarkGroup<'a, WallTime> {
        let mut group = criterion.benchmark_group(self.format.table.clone());
        group.throughput(Throughput::Bytes(self.text.len() as u64));
        group
    }

    /// The newline scan, cutting, and parsing of ever more columns.
    fn common(
        &self,
        group: &mut BenchmarkGroup<'_, WallTime>,
        columns: &[(&str, Vec<usize>, i64)],
    ) {
        group.bench_function("newlines", |b| {
            let expected = memchr::memchr_iter(b'\n', &self.text).count();
            b.iter(|| {
                let found = memchr::memchr_iter(b'\n', black_box(&self.text)).count();
                assert_eq!(found, expected);
            });
        });
        group.bench_function("cut", |b| {
            b.iter(|| assert_eq!(blocks(&self.format, &self.text).len(), self.blocks.len()));
        });
        for (name, projection, sum) in columns {
            group.bench_function(*name, |b| {
                b.iter(|| assert_eq!(self.parse(projection), (self.rows, *sum)));
            });
        }
    }

    fn twin(&self, group: &mut BenchmarkGroup<'_, WallTime>) {
        group.sample_size(10);
        group.bench_function("plain nom twin", |b| {
            b.iter(|| {
                let layout = Layout::default_of(&self.format);
                let records = oracle::records(&self.format, layout, &self.text);
                let rows = records
                    .iter()
                    .filter(|record| matches!(record, oracle::Record::Row(..)));
                assert_eq!(rows.count(), self.rows);
            });
        });
    }
}

/// The sum of a field of integers by the plainest means; `field` finds it in a line.
fn expected_sum<'a>(text: &'a [u8], field: impl Fn(&'a str) -> Option<&'a str>) -> i64 {
    let lines = std::str::from_utf8(text).unwrap().lines();
    lines
        .filter_map(|line| field(line)?.parse::<i64>().ok())
        .sum()
}

fn vpc_flow_logs(criterion: &mut Criterion) {
    const ROWS: u64 = 200_000;
    let log = Log::new("vpc_flow_logs", flow_logs(ROWS), ROWS);
    let order = log.format.default_order.iter().map(String::as_str);
    let sum = expected_sum(&log.text, |line| line.split(' ').nth(9));
    let two = log.columns(["srcaddr"].into_iter(), "bytes");
    let all = log.columns(order, "bytes");
    let mut group = log.group(criterion);
    group.bench_function("offsets", |b| {
        let mut offsets = Offsets::default();
        b.iter(|| {
            let mut records = 0;
            for block in &log.blocks {
                plain::scan(&mut offsets, &block.bytes, b' ', 14);
                records += offsets.records();
            }
            assert_eq!(records, log.rows);
        });
    });
    let columns = [
        ("count", vec![], 0),
        ("two columns", two, sum),
        ("all 14 columns", all, sum),
    ];
    log.common(&mut group, &columns);
    log.twin(&mut group);
    group.finish();
}

fn alb_access_logs(criterion: &mut Criterion) {
    const ROWS: u64 = 40_000;
    let log = Log::new("alb_access_logs", alb_logs(ROWS), ROWS);
    let names = log.format.columns.iter().map(|column| column.name.as_ref());
    let sum = expected_sum(&log.text, |line| line.split(' ').nth(11));
    let two = log.columns(["request_url"].into_iter(), "sent_bytes");
    let all = log.columns(names, "sent_bytes");
    let mut group = log.group(criterion);
    group.bench_function("offsets", |b| {
        let mut offsets = Offsets::default();
        let Shape::Quoted {
            quoting,
            least,
            ref skip,
        } = log.format.shape
        else {
            panic!("not quoted");
        };
        let fields = log.format.default_order.len();
        let shape = quoted::Shape {
            quoting,
            fields,
            least,
            skip,
        };
        b.iter(|| {
            let mut records = 0;
            for block in &log.blocks {
                quoted::scan(&mut offsets, &block.bytes, shape);
                records += offsets.records();
            }
            assert_eq!(records, log.rows);
        });
    });
    let columns = [
        ("count", vec![], 0),
        ("two columns", two, sum),
        ("all 39 columns", all, sum),
    ];
    log.common(&mut group, &columns);
    log.twin(&mut group);
    group.finish();
}

fn cloudtrail(criterion: &mut Criterion) {
    const ROWS: u64 = 20_000;
    let log = Log::new("cloudtrail_logs", cloudtrail_logs(ROWS), ROWS);
    let names = log.format.columns.iter().map(|column| column.name.as_ref());
    let one = vec![log.column("eventname")];
    let two = log.columns(["eventname"].into_iter(), "errorcode");
    let six = [
        "eventtime",
        "eventname",
        "eventsource",
        "awsregion",
        "sourceipaddress",
        "useridentity.arn",
    ];
    let six = six.map(|name| log.column(name)).to_vec();
    let identity = vec![log.column("useridentity")];
    let all = log.columns(names, "eventname");
    let mut group = log.group(criterion);
    let columns = [
        ("count", vec![], 0),
        ("one column", one, 0),
        ("two columns", two, 0),
        ("six columns", six, 0),
        ("useridentity", identity, 0),
        ("all columns", all, 0),
    ];
    log.common(&mut group, &columns);
    group.sample_size(10);
    group.bench_function("serde_json tree", |b| {
        b.iter(|| {
            let tree: serde_json::Value = serde_json::from_slice(&log.text).unwrap();
            assert_eq!(tree["Records"].as_array().unwrap().len(), log.rows);
        });
    });
    group.bench_function("serde_json, two members", |b| {
        #[derive(serde::Deserialize)]
        struct Trail<'a> {
            #[serde(rename = "Records", borrow)]
            records: Vec<Event<'a>>,
        }
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Event<'a> {
            event_name: &'a str,
            error_code: Option<&'a str>,
        }
        b.iter(|| {
            let trail: Trail<'_> = serde_json::from_slice(&log.text).unwrap();
            let named = trail
                .records
                .iter()
                .filter(|event| !event.event_name.is_empty());
            assert_eq!(named.count(), log.rows);
            black_box(
                trail
                    .records
                    .iter()
                    .filter(|event| event.error_code.is_some())
                    .count(),
            );
        });
    });
    group.finish();
}

/// Looking for a few records: the search alone, and parsing what it leaves.
fn prefilter(criterion: &mut Criterion) {
    let flows = Log::new("vpc_flow_logs", flow_logs(200_000), 200_000);
    let trail = Log::new("cloudtrail_logs", cloudtrail_logs(20_000), 20_000);
    // Those of one record in the middle, which some others share.
    let address = word(&flows.text, b"\n", |line| line.split(' ').nth(3));
    let event = word(&trail.text, b"\"eventID\":\"", |id| id.split('"').next());
    for (log, column, text, literals) in [
        (&flows, "srcaddr", &address, Literals::in_lines([&*address])),
        (&trail, "eventid", &event, Literals::in_json([&*event])),
    ] {
        let literals = literals.unwrap();
        let projection = [log.column(column)];
        let found = memchr::memmem::find_iter(&log.text, text.as_bytes()).count();
        let mut group = criterion.benchmark_group(format!("prefilter of {}", log.format.table));
        group.throughput(Throughput::Bytes(log.text.len() as u64));
        group.bench_function("memmem", |b| {
            b.iter(|| {
                let found_now = memchr::memmem::find_iter(black_box(&log.text), text.as_bytes());
                assert_eq!(found_now.count(), found);
            });
        });
        group.bench_function("records with the literal", |b| {
            b.iter(|| {
                let table = Arc::clone(&log.table);
                let parser = Parser::new(table, &projection, &[], ParseOptions::default());
                let mut parser = parser.with_literals(&literals);
                let (mut rows, mut examined) = (0, 0);
                for block in &log.blocks {
                    let parsed = parser.parse(block, None).unwrap();
                    rows += parsed.batch.num_rows();
                    examined += parsed.counts.records - parsed.counts.unexamined;
                }
                assert!(rows >= 1 && rows <= found && examined < log.rows as u64 / 10);
            });
        });
        group.finish();
    }
}

/// What `pick` finds behind the first `mark` after the middle of the text.
fn word(text: &[u8], mark: &[u8], pick: impl Fn(&str) -> Option<&str>) -> String {
    let half = &text[text.len() / 2..];
    let start = memchr::memmem::find(half, mark).unwrap() + mark.len();
    let end = half.len().min(start + 4000);
    let record = String::from_utf8_lossy(&half[start..end]);
    pick(&record).unwrap().to_owned()
}

/// Inflated bytes per second of cutting CloudTrail, whose records have to be found by structure.
fn cut_in_pieces(criterion: &mut Criterion) {
    let log = Log::new("cloudtrail_logs", cloudtrail_logs(20_000), 20_000);
    let mut group = criterion.benchmark_group("cloudtrail_logs in pieces");
    group.throughput(Throughput::Bytes(log.text.len() as u64));
    group.bench_function("of 128 KiB", |b| {
        b.iter(|| {
            let layout = Arc::new(Layout::default_of(&log.format));
            let mut cutter = Cutter::new(Arc::clone(&log.format), layout);
            let mut blocks = VecDeque::new();
            for piece in log.text.chunks(128 << 10) {
                cutter.buffer().extend_from_slice(piece);
                cutter.cut(&mut blocks);
            }
            cutter.finish(false, &mut blocks);
            let records: usize = blocks.iter().map(|block| block.spans.len()).sum();
            assert_eq!(records, log.rows);
        });
    });
    group.finish();
}

criterion_group!(
    benches,
    vpc_flow_logs,
    alb_access_logs,
    cloudtrail,
    prefilter,
    cut_in_pieces
);
criterion_main!(benches);
