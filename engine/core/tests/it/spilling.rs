//! Statements that need more memory than they may have: they spill, and the answer is the same.

use loglens_engine::{Engine, EngineOptions};

use crate::ask::ask;
use crate::logs::{HEADER, records};
use crate::memory::{MemoryObject, over};

/// 30,000 records in two objects.
fn logs() -> EngineOptions {
    let object = |key: &str, first: usize| {
        let text = format!("{HEADER}\n{}", records(first, 15_000));
        MemoryObject::new(key, text)
    };
    EngineOptions {
        threads: Some(2),
        ..over(vec![object("a.log", 0), object("b.log", 15_000)])
    }
}

/// Sums of `name=number` in a plan with metrics.
fn sum_of(metric: &str, plan: &str) -> u64 {
    let name = format!(" {metric}=");
    let numbers = plan.split(&name).skip(1);
    let digits = numbers.map(|text| text.split(|c: char| !c.is_ascii_digit()).next());
    digits
        .flatten()
        .filter_map(|digits| digits.parse::<u64>().ok())
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn sorting_and_grouping_within_a_limit() {
    let unlimited = Engine::new(logs()).unwrap();
    for (megabytes, sql) in [
        (
            8,
            "SELECT * FROM vpc_flow_logs ORDER BY srcport, bytes DESC",
        ),
        (
            2,
            "SELECT srcport, upper(action) AS verdict, bytes FROM \
         (SELECT * FROM vpc_flow_logs ORDER BY srcport, bytes) ORDER BY bytes DESC",
        ),
        (
            2,
            "SELECT srcaddr, bytes, count(*) AS flows FROM vpc_flow_logs \
         GROUP BY srcaddr, bytes ORDER BY bytes",
        ),
        (
            2,
            "SELECT window_start, srcaddr, bytes, count(*) AS flows FROM vpc_flow_logs \
         GROUP BY tumble(event_time, INTERVAL '1' HOUR), srcaddr, bytes ORDER BY bytes",
        ),
        (
            2,
            "SELECT window_start, srcaddr, bytes, count(*) AS flows FROM vpc_flow_logs \
         GROUP BY session(event_time, INTERVAL '1' HOUR), srcaddr, bytes ORDER BY bytes",
        ),
    ] {
        let limited = Engine::new(EngineOptions {
            memory_limit: Some(megabytes * 1_000_000),
            ..logs()
        })
        .unwrap();
        let expected = ask(&unlimited, sql).await.unwrap();
        let answer = ask(&limited, sql).await.unwrap();
        assert_eq!(expected.rows.len(), 30_000, "{sql}");
        assert!(expected.lines() == answer.lines(), "{sql}");
        let plan = ask(&limited, &format!("EXPLAIN ANALYZE {sql}"))
            .await
            .unwrap();
        let spilled = sum_of("spilled_rows", &plan.lines().join("\n"));
        assert!(spilled > 0, "{sql}\n{plan:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_within_text_is_sorted_within_a_limit() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata");
    let options = |memory_limit| EngineOptions {
        sources: vec![loglens_io::source(folder).unwrap()],
        memory_limit,
        ..EngineOptions::default()
    };
    let sql = "SELECT useridentity, resources, eventname FROM cloudtrail_logs ORDER BY eventid";
    let unlimited = Engine::new(options(None)).unwrap();
    let limited = Engine::new(options(Some(64_000_000))).unwrap();
    let expected = ask(&unlimited, sql).await.unwrap();
    let answer = ask(&limited, sql).await.unwrap();
    assert!(!expected.rows.is_empty());
    assert_eq!(expected.lines(), answer.lines());
    let plan = ask(&limited, &format!("EXPLAIN {sql}")).await.unwrap();
    assert!(plan.lines().join("\n").contains("LargeUtf8"), "{plan:?}");
}
