//! Bytes per second of the flow log parser, beside its plain nom twin and the newline scan that
//! nothing can beat. Every benchmark checks its answer.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros and a benchmark's own checks"
)]

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use loglens_bench::{blocks, flow_logs};
use loglens_parsers::delimited::plain;
use loglens_parsers::format::{Format, by_name};
use loglens_parsers::layout::Layout;
use loglens_parsers::offsets::Offsets;
use loglens_parsers::oracle;
use loglens_parsers::parse::{ParseOptions, Parser};
use loglens_parsers::record::Block;
use loglens_parsers::table::{ColumnSource, Table};

const ROWS: u64 = 200_000;

/// Parses all blocks; gives rows and the sum of the column `bytes` if it is the last projected.
fn parse(table: &Arc<Table>, blocks: &[Block], projection: &[usize]) -> (usize, i64) {
    let mut parser = Parser::new(Arc::clone(table), projection, &[], ParseOptions::default());
    let (mut rows, mut sum) = (0, 0);
    for block in blocks {
        let batch = parser.parse(block, None).unwrap().batch;
        rows += batch.num_rows();
        if let Some(last) = batch.columns().last()
            && let Some(bytes) = last.as_primitive_opt::<Int64Type>()
        {
            sum += bytes.iter().flatten().sum::<i64>();
            black_box(bytes.len());
        }
    }
    (rows, sum)
}

/// The same sum by the plainest means.
fn expected_sum(text: &[u8], field: usize) -> i64 {
    let lines = std::str::from_utf8(text).unwrap().lines().skip(1);
    lines
        .filter_map(|line| line.split(' ').nth(field)?.parse::<i64>().ok())
        .sum()
}

fn flow_log_parser(criterion: &mut Criterion) {
    let format: &Arc<Format> = by_name("vpc_flow_logs").unwrap();
    let text = flow_logs(ROWS);
    let blocks = blocks(format, &text);
    let table = Arc::new(Table::new(Arc::clone(format), []));
    let column = |name: &str| table.index_of(ColumnSource::Format(format.column(name).unwrap()));
    let mut all: Vec<_> = format
        .default_order
        .iter()
        .map(|name| column(name))
        .collect();
    all.retain(|&index| index != column("bytes"));
    all.push(column("bytes"));
    let two = [column("srcaddr"), column("bytes")];
    let answer = (usize::try_from(ROWS).unwrap(), expected_sum(&text, 9));

    let mut group = criterion.benchmark_group("vpc_flow_logs");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("newlines", |b| {
        b.iter(|| {
            assert_eq!(
                memchr::memchr_iter(b'\n', black_box(&text)).count() as u64,
                ROWS + 1
            );
        });
    });
    group.bench_function("offsets", |b| {
        let mut offsets = Offsets::default();
        b.iter(|| {
            let records: usize = blocks
                .iter()
                .map(|block| {
                    plain::scan(&mut offsets, &block.bytes, b' ', 14);
                    offsets.records()
                })
                .sum();
            assert_eq!(records as u64, ROWS);
        });
    });
    group.bench_function("count", |b| {
        b.iter(|| assert_eq!(parse(&table, &blocks, &[]).0, answer.0));
    });
    group.bench_function("two columns", |b| {
        b.iter(|| assert_eq!(parse(&table, &blocks, &two), answer));
    });
    group.bench_function("all 14 columns", |b| {
        b.iter(|| assert_eq!(parse(&table, &blocks, &all), answer));
    });
    group.sample_size(10);
    group.bench_function("plain nom twin", |b| {
        b.iter(|| {
            let records = oracle::records(format, Layout::default_of(format), &text);
            assert_eq!(
                records
                    .iter()
                    .filter(|r| matches!(r, oracle::Record::Row(..)))
                    .count() as u64,
                ROWS
            );
        });
    });
    group.finish();
}

criterion_group!(benches, flow_log_parser);
criterion_main!(benches);
