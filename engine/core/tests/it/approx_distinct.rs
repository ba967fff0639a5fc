//! `approx_distinct` and its sketches: in the memory that a session may take, and in files.

use std::sync::Arc;

use loglens_engine::{Engine, EngineOptions};
use loglens_io::places::WritablePlaces;

use crate::ask::ask;
use crate::logs::{HEADER, records};
use crate::memory::{MemoryObject, over};

/// 60,000 records in three objects.
fn logs() -> EngineOptions {
    let object = |number: usize| {
        let text = format!("{HEADER}\n{}", records(number * 20_000, 20_000));
        MemoryObject::new(&format!("{number}.log"), text)
    };
    EngineOptions {
        threads: Some(2),
        places: Some(Arc::new(WritablePlaces::default())),
        ..over((0..3).map(object).collect())
    }
}

/// The number that follows `spilled_rows=` in a plan with metrics, summed.
fn spilled_rows(plan: &str) -> u64 {
    let numbers = plan.split("spilled_rows=").skip(1);
    let digits = numbers.filter_map(|text| text.split(|c: char| !c.is_ascii_digit()).next());
    digits.filter_map(|digits| digits.parse::<u64>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn approx_distinct_spills_within_a_limit() {
    // As many groups as rows.
    let sql = "SELECT bytes, approx_distinct(srcport) AS ports, approx_distinct(srcaddr, 0.1) AS \
               sources, hll_sketch(dstaddr) AS s FROM vpc_flow_logs GROUP BY bytes ORDER BY bytes";
    let unlimited = Engine::new(logs()).unwrap();
    let limited = Engine::new(EngineOptions {
        memory_limit: Some(4_000_000),
        ..logs()
    })
    .unwrap();
    let expected = ask(&unlimited, sql).await.unwrap();
    let answer = ask(&limited, sql).await.unwrap();
    assert_eq!(expected.rows.len(), 60_000);
    assert!(expected.lines() == answer.lines());
    let plan = ask(&limited, &format!("EXPLAIN ANALYZE {sql}")).await;
    let plan = plan.unwrap().lines().join("\n");
    assert!(spilled_rows(&plan) > 0, "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn approx_distinct_of_stored_sketches_is_that_of_all_values() {
    let engine = Engine::new(logs()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("sketches");
    // Text views, in the memory of the log; Parquet's columns have other types.
    let unload = format!(
        "UNLOAD (SELECT srcport % 7 AS g, hll_sketch(srcaddr) AS sources, hll_sketch(bytes) AS \
         sizes, hll_sketch(event_time) AS times FROM vpc_flow_logs GROUP BY 1) TO '{}' WITH \
         (partitioned_by = ARRAY['g'])",
        place.display()
    );
    ask(&engine, &unload).await.unwrap();
    let sql = "SELECT approx_distinct(srcaddr), approx_distinct(bytes), \
               approx_distinct(CAST(event_time AS timestamp(6))), true FROM vpc_flow_logs";
    let expected = ask(&engine, sql).await.unwrap();
    let stored = Engine::new(EngineOptions {
        sources: vec![loglens_io::source(place.to_str().unwrap()).unwrap()],
        ..EngineOptions::default()
    })
    .unwrap();
    let sql = "SELECT hll_count(hll_merge(sources)), cardinality(merge(sizes)), \
               hll_count(hll_merge(times)), min(hll_count(sizes)) > 8000 FROM sketches";
    let answer = ask(&stored, sql).await.unwrap();
    assert_eq!(answer.lines(), expected.lines());
}
