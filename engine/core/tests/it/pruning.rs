//! What a scan does not read, and that no answer changes by it.

use std::sync::Arc;

use loglens_engine::{Engine, EngineOptions};

use crate::ask::ask;
use crate::logs::HEADER;
use crate::memory::{MemoryObject, over};

/// Objects of five minutes each from 2026-01-31 00:00 on, a record a second; some of them late.
fn two_days() -> Vec<MemoryObject> {
    const START: i64 = 1_769_817_600;
    let object = |number: i64| {
        let (day, minutes) = (31 + number / 288, number % 288 * 5);
        let date = if day == 31 { "20260131" } else { "20260201" };
        let mut text = format!("{HEADER}\n");
        for second in 0..300 {
            let at = START + number * 300 + second - if second == 7 { 3600 } else { 0 };
            let bytes = (number * 7919 + second * 31) % 100_003;
            text += &format!(
                "2 1 eni-1 10.0.{}.{} 10.0.0.1 1 2 6 1 {bytes} {at} {at} ACCEPT OK\n",
                number % 250,
                second % 250
            );
        }
        let key = format!(
            "123456789012_vpcflowlogs_us-east-1_fl-1_{date}T{:02}{:02}Z_x.log",
            minutes / 60,
            minutes % 60
        );
        MemoryObject::new(&key, text.into_bytes())
    };
    (0..576).step_by(6).map(object).collect()
}

fn engine(threads: usize, strict: bool) -> Engine {
    Engine::new(EngineOptions {
        threads: Some(threads),
        strict,
        ..over(two_days())
    })
    .unwrap()
}

#[tokio::test]
async fn objects_are_passed_over_by_the_times_in_their_names() {
    const ALL: u64 = 96;
    for (sql, most) in [
        (
            "SELECT event_time, bytes FROM vpc_flow_logs ORDER BY event_time DESC, bytes LIMIT 5",
            5,
        ),
        (
            "SELECT start, bytes FROM vpc_flow_logs ORDER BY start DESC, bytes LIMIT 5",
            5,
        ),
        (
            "SELECT event_time, bytes FROM vpc_flow_logs ORDER BY event_time, bytes LIMIT 5",
            60,
        ),
        (
            "SELECT count(*), sum(bytes) FROM vpc_flow_logs WHERE start < 1769821200",
            60,
        ),
        (
            "SELECT count(*), sum(bytes) FROM vpc_flow_logs WHERE event_time >= timestamp '2026-02-01 20:00:00'",
            12,
        ),
        (
            "SELECT count(*), sum(bytes) FROM vpc_flow_logs WHERE start = 1769821200 OR start = 1769821207",
            60,
        ),
    ] {
        // Who examines everything passes over nothing.
        let whole = ask(&engine(1, true), sql).await.unwrap();
        assert_eq!(whole.totals.objects, ALL, "{sql}");
        for threads in [1, 4] {
            let answer = ask(&engine(threads, false), sql).await.unwrap();
            assert_eq!(answer.rows, whole.rows, "{sql}");
            assert!(
                answer.totals.objects <= most,
                "{sql}: {}",
                answer.totals.objects
            );
        }
    }
}

#[tokio::test]
async fn a_growing_bound_leaves_rows_out_before_they_are_built() {
    let sql = "SELECT * FROM vpc_flow_logs ORDER BY bytes DESC, start LIMIT 3";
    let answer = ask(&engine(1, false), sql).await.unwrap();
    let counts = answer.totals.counts;
    assert_eq!(counts.records, 96 * 301);
    assert!(counts.filtered > counts.rows, "{counts:?}");
    let all = ask(&engine(1, false), "SELECT bytes FROM vpc_flow_logs")
        .await
        .unwrap();
    let mut bytes: Vec<i64> = all.rows.iter().map(|row| row[0].parse().unwrap()).collect();
    bytes.sort_unstable();
    let sql = "SELECT bytes FROM vpc_flow_logs ORDER BY bytes DESC LIMIT 3";
    let top = ask(&engine(4, false), sql).await.unwrap();
    let top: Vec<i64> = top.rows.iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(top, bytes.iter().rev().take(3).copied().collect::<Vec<_>>());
}

#[tokio::test]
async fn analysing_a_plan_shows_what_became_of_the_records() {
    let sql = "EXPLAIN ANALYZE SELECT bytes FROM vpc_flow_logs WHERE srcaddr = '10.0.42.17'";
    let plan = ask(&engine(1, false), sql)
        .await
        .unwrap()
        .lines()
        .join("\n");
    for part in [
        "literals=[\"10.0.42.17\"], fields=[srcaddr = 10.0.42.17]",
        "output_rows=2",
        "objects_read=96",
        "records_filtered=10",
        "records_skipped=96",
    ] {
        assert!(plan.contains(part), "{part} in {plan}");
    }
}

#[tokio::test]
async fn addresses_in_networks() {
    let engine = Arc::new(engine(1, false));
    for (sql, expected) in [
        ("SELECT contains('10.0.0.0/8', '10.200.3.4')", "true"),
        ("SELECT contains('10.0.0.0/8', '11.0.0.0')", "false"),
        ("SELECT contains('10.0.0.0/8', 'masked')", "false"),
        ("SELECT contains('10.0.0.0/8', NULL)", "NULL"),
        ("SELECT contains('some text', 'me t')", "true"),
        (
            "SELECT contains(net, addr) FROM (VALUES ('10.0.0.0/8', '10.0.0.1'), ('2001:db8::/32', '2001:db8::1')) AS t(net, addr) GROUP BY 1",
            "true",
        ),
        (
            "SELECT count(*) FROM vpc_flow_logs WHERE contains('10.0.6.0/23', srcaddr)",
            "300",
        ),
        (
            "SELECT count(*) FROM vpc_flow_logs WHERE NOT contains('10.0.6.0/23', srcaddr)",
            "28500",
        ),
    ] {
        assert_eq!(
            ask(&engine, sql).await.unwrap().to_string(),
            expected,
            "{sql}"
        );
    }
}
