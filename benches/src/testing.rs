//! Results to test with.

use std::collections::BTreeMap;

use crate::cases::{Family, Layout, Storage};
use crate::floors::NEWLINES_READING;
use crate::machine::Machine;
use crate::parsers::{FLOW_ALL, FLOW_TWO, FLOW_VRL};
use crate::results::{
    CaseResults, Contestant, Floor, LOGLENS, LayoutResults, MemoryResult, ONE_CORE, ParserResult,
    Results,
};

/// A comparison with something of everything.
pub(crate) fn results() -> Results {
    let plain = LayoutResults {
        layout: Layout::new(Family::Flow, Storage::Plain),
        rows: 1_000,
        file_bytes: 113_000_000,
        text_bytes: 113_000_000,
        floors: vec![Floor {
            name: NEWLINES_READING.to_owned(),
            seconds: vec![0.1, 0.09, 0.3],
        }],
        cases: vec![
            case(
                "count",
                &[
                    (LOGLENS, 0.12),
                    (ONE_CORE, 0.2),
                    ("duckdb", 0.3),
                    ("polars", 0.06),
                ],
            ),
            case(
                "top",
                &[
                    (LOGLENS, 0.2),
                    (ONE_CORE, 0.4),
                    ("duckdb", 0.7),
                    ("polars", 0.3),
                ],
            ),
        ],
    };
    let mut gzip = LayoutResults {
        layout: Layout::new(Family::Flow, Storage::Gzip),
        file_bytes: 20_000_000,
        floors: Vec::new(),
        cases: vec![case("top", &[(LOGLENS, 0.5), ("duckdb", 1.1)])],
        ..plain.clone()
    };
    let mut wrong = Contestant::new("polars");
    wrong.disagrees = Some("2 rows, not 3".to_owned());
    gzip.cases[0].note = Some("A note.".to_owned());
    gzip.cases[0].contestants.push(wrong);
    gzip.cases[0]
        .contestants
        .push(Contestant::cannot("datafusion", "built without <gzip>"));
    Results {
        date: "2026-11-25".to_owned(),
        commit: "0123456789ab".to_owned(),
        machine: Machine {
            cpu: "AMD EPYC".to_owned(),
            cores: 2,
            memory_bytes: 24_000_000_000,
        },
        load: Some(0.04),
        threads: 2,
        rows: 1_000,
        runs: 3,
        binary_bytes: 70_000_000,
        select_one: contestant(LOGLENS, 0.01),
        versions: BTreeMap::from([("duckdb".to_owned(), "2.0.1".to_owned())]),
        layouts: vec![plain, gzip],
        parsers: vec![
            parser(FLOW_ALL, 0.1),
            parser(FLOW_TWO, 0.04),
            parser(FLOW_VRL, 2.5),
        ],
        memory: vec![
            MemoryResult {
                name: "sum".to_owned(),
                title: "bytes by action, 10x the data".to_owned(),
                limit: None,
                allowed_bytes: Some(500_000_000),
                seconds: 3.0,
                cpu_seconds: 6.0,
                peak_bytes: 120_000_000,
                failed: None,
            },
            MemoryResult {
                name: "sort".to_owned(),
                title: "ORDER BY over 1 GB of text".to_owned(),
                limit: Some("256MB".to_owned()),
                allowed_bytes: None,
                seconds: 3.0,
                cpu_seconds: 6.0,
                peak_bytes: 300_000_000,
                failed: Some("error: out of memory".to_owned()),
            },
        ],
    }
}

fn case(name: &str, took: &[(&str, f64)]) -> CaseResults {
    CaseResults {
        name: name.to_owned(),
        title: format!("the case {name}"),
        note: None,
        answer_rows: 3,
        contestants: took
            .iter()
            .map(|&(name, seconds)| contestant(name, seconds))
            .collect(),
    }
}

fn contestant(name: &str, seconds: f64) -> Contestant {
    let mut contestant = Contestant::new(name);
    for part in [0.9, 1.0, 1.5] {
        contestant.add(seconds * part, seconds * part * 1.8, 90_000_000);
    }
    contestant
}

fn parser(name: &str, seconds: f64) -> ParserResult {
    ParserResult {
        name: name.to_owned(),
        bytes: 100_000_000,
        records: 1_000_000,
        seconds: vec![seconds; 3],
    }
}
