//! Bytes per second of Vector's parsers (VRL), beside ours in `parser.rs` on the same lines.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros and a benchmark's own checks"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use loglens_bench::vector::{ALB_LOG, FLOW_LOG, VectorParser};
use loglens_bench::{alb_logs, flow_logs};

fn vrl(criterion: &mut Criterion) {
    for (table, source, text, rows) in [
        ("vpc_flow_logs", FLOW_LOG, flow_logs(20_000), 20_000),
        ("alb_access_logs", ALB_LOG, alb_logs(4_000), 4_000),
    ] {
        let mut group = criterion.benchmark_group(table);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.sample_size(10);
        let mut parser = VectorParser::new(source).unwrap();
        group.bench_function("VRL", |b| b.iter(|| assert_eq!(parser.parse(&text), rows)));
        group.finish();
    }
}

criterion_group!(benches, vrl);
criterion_main!(benches);
