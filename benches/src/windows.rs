//! Windows over an hour of flow logs: loglens over text and over Parquet, `DuckDB` and Flink beside it.
//!
//! The data is that of `streaming.md`'s table of peers: sources by a Zipf law, targets at
//! random, an hour of event time with up to 30 seconds of disorder. loglens counts as a whole process
//! with reading; `DuckDB` has the rows in memory and counts the statement alone; Flink reads the text
//! as a stream, and its JVM runs before the clock does.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::arguments::Windows;
use crate::error::{Error, Result};
use crate::loglens::Loglens;
use crate::measure::{Measured, run_whatever_comes};

/// The beginning of the hour.
const START: u64 = 1_767_888_000;

const SOURCES: u64 = 50_000;
const TARGETS: u64 = 200_000;

/// Seconds by which a row may stand too early or too late in the log.
const DISORDER: u64 = 30;

/// What is asked: a name, slide and size in seconds, what is computed, and what is kept.
struct Case {
    name: &'static str,
    slide: u64,
    size: u64,
    aggregates: &'static str,
    key: &'static str,
    keeps: &'static str,
    /// Whether the peers are asked too, and if so for distinct targets.
    peers: Option<bool>,
}

const SUMS: &str = "count(*) AS n, sum(bytes) AS b, 0 AS d";
const DISTINCT: &str = "count(*) AS n, sum(bytes) AS b, count(DISTINCT dstaddr) AS d";
const SKETCH: &str = "count(*) AS n, sum(bytes) AS b, approx_distinct(dstaddr) AS d";
const TOP: &str = "QUALIFY row_number() OVER (PARTITION BY window_end ORDER BY n DESC) <= 10";

/// A key of a thousand values.
const FEW: &str = "dstport";

const CASES: [Case; 7] = [
    Case {
        name: "5 min by 1 min: count, sum per source",
        slide: 60,
        size: 300,
        aggregates: SUMS,
        key: "srcaddr",
        keeps: "",
        peers: Some(false),
    },
    Case {
        name: "the same with approx_distinct(dstaddr)",
        slide: 60,
        size: 300,
        aggregates: SKETCH,
        key: "srcaddr",
        keeps: "",
        peers: None,
    },
    Case {
        name: "the same with count(DISTINCT dstaddr)",
        slide: 60,
        size: 300,
        aggregates: DISTINCT,
        key: "srcaddr",
        keeps: "",
        peers: Some(true),
    },
    Case {
        name: "60 min by 5 min, 1,000 keys",
        slide: 300,
        size: 3600,
        aggregates: SUMS,
        key: FEW,
        keeps: "",
        peers: None,
    },
    Case {
        name: "60 min by 10 s, 1,000 keys",
        slide: 10,
        size: 3600,
        aggregates: SUMS,
        key: FEW,
        keeps: "",
        peers: None,
    },
    Case {
        name: "60 min by 5 min, top 10 sources",
        slide: 300,
        size: 3600,
        aggregates: SUMS,
        key: "srcaddr",
        keeps: TOP,
        peers: None,
    },
    Case {
        name: "60 min by 10 s, top 10 sources",
        slide: 10,
        size: 3600,
        aggregates: SUMS,
        key: "srcaddr",
        keeps: TOP,
        peers: None,
    },
];

impl Case {
    fn sql(&self, table: &str) -> String {
        let Self {
            slide,
            size,
            aggregates,
            key,
            keeps,
            ..
        } = self;
        format!(
            "SELECT count(*) AS groups, sum(n) AS flows, sum(b) AS bytes, sum(d) AS targets FROM (\
             SELECT window_end, {key}, {aggregates} FROM {table} GROUP BY \
             hop(event_time, INTERVAL '{slide}' SECOND, INTERVAL '{size}' SECOND), {key} {keeps})"
        )
    }
}

/// Who answers, as a column of the table.
struct Entrant<'a> {
    name: &'static str,
    how: How<'a>,
}

enum How<'a> {
    /// A table at a place.
    Loglens(&'a Loglens, &'static str, &'a Path),
    /// A Python with the peer in it, its script, and the file that it reads.
    Script(&'a Path, &'static str, PathBuf),
}

/// What was measured of an answer.
#[derive(Deserialize)]
struct Answered {
    seconds: f64,
    peak_bytes: u64,
    /// Groups, flows, bytes and targets.
    sums: Vec<i64>,
}

/// Runs all cases and prints a table; false if answers differ.
pub(crate) fn run(arguments: &Windows) -> Result<bool> {
    let loglens = Loglens::find(arguments.loglens.as_deref())?;
    let data = Data::make(&loglens, arguments)?;
    let entrants = entrants(&loglens, &data, arguments);
    println!(
        "{} rows; medians of {} runs in turn; rows a second, and peak memory",
        arguments.rows, arguments.runs
    );
    let names: Vec<_> = entrants.iter().map(|entrant| entrant.name).collect();
    println!("| case | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
    let mut agree = true;
    for case in &CASES {
        agree &= run_case(case, &entrants, arguments)?;
    }
    Ok(agree)
}

fn entrants<'a>(loglens: &'a Loglens, data: &'a Data, arguments: &'a Windows) -> Vec<Entrant<'a>> {
    let of_loglens = [
        ("text", "vpc_flow_logs", &data.text),
        ("Parquet", "flows", &data.parquet),
    ];
    let of_loglens = of_loglens.map(|(name, table, place)| Entrant {
        name,
        how: How::Loglens(loglens, table, place),
    });
    let parquet = data.parquet.join("0.parquet");
    let peers = [
        ("DuckDB", &arguments.python, "windows_duckdb.py", parquet),
        (
            "Flink",
            &arguments.flink,
            "windows_flink.py",
            data.text.clone(),
        ),
    ];
    let peers = peers
        .into_iter()
        .filter_map(|(name, python, script, file)| {
            let how = How::Script(python.as_deref()?, script, file);
            Some(Entrant { name, how })
        });
    of_loglens.into_iter().chain(peers).collect()
}

/// Runs a case and prints its line; false if answers differ.
fn run_case(case: &Case, entrants: &[Entrant<'_>], arguments: &Windows) -> Result<bool> {
    let mut answers: Vec<Vec<Answered>> = entrants.iter().map(|_| Vec::new()).collect();
    for _ in 0..arguments.runs {
        for (entrant, answers) in entrants.iter().zip(&mut answers) {
            answers.extend(entrant.answer(case)?);
        }
    }
    let sums: Vec<_> = answers
        .iter()
        .flatten()
        .map(|answer| &answer.sums)
        .collect();
    let exact = !case.aggregates.contains("approx");
    let compared = if exact { 4 } else { 3 };
    let same = sums
        .iter()
        .all(|answer| answer[..compared] == sums[0][..compared]);
    let groups = sums[0][0];
    let cells: Vec<_> = answers
        .iter()
        .map(|answers| cell(answers, arguments.rows))
        .collect();
    println!("| {}: {groups} groups | {} |", case.name, cells.join(" | "));
    if !same {
        println!("    answers differ: {sums:?}");
    }
    // Of equal rows in a top 10, any may be left out.
    Ok(same || !case.keeps.is_empty())
}

/// The median of an entrant's answers, and the most memory that one of them took.
fn cell(answers: &[Answered], rows: u64) -> String {
    let mut seconds: Vec<_> = answers.iter().map(|answer| answer.seconds).collect();
    let peak = answers.iter().map(|answer| answer.peak_bytes).max();
    match (median(&mut seconds), peak) {
        (Some(seconds), Some(peak)) => format!(
            "{:.2} M/s ({seconds:.2} s), {:.0} MB",
            rows as f64 / seconds / 1e6,
            peak as f64 / 1e6
        ),
        _ => String::new(),
    }
}

impl Entrant<'_> {
    /// None for a case that it is not asked.
    fn answer(&self, case: &Case) -> Result<Option<Answered>> {
        match &self.how {
            How::Loglens(loglens, table, place) => {
                let (measured, _) = loglens.run(2, &[], &case.sql(table), Some(place))?;
                Ok(Some(Answered {
                    seconds: measured.seconds,
                    peak_bytes: measured.peak_bytes,
                    sums: sums(&measured)?,
                }))
            }
            How::Script(python, script, file) => match case.peers {
                Some(distinct) => answer_of_script(python, script, file, case, distinct).map(Some),
                None => Ok(None),
            },
        }
    }
}

/// The four numbers of an answer.
fn sums(measured: &Measured) -> Result<Vec<i64>> {
    let rows: Vec<Value> = serde_json::from_str(&measured.stdout)?;
    let row = rows.first().ok_or_else(|| Error::new("no row"))?;
    let number = |name| row.get(name).and_then(Value::as_i64).unwrap_or(-1);
    Ok(["groups", "flows", "bytes", "targets"].map(number).to_vec())
}

fn answer_of_script(
    python: &Path,
    script: &str,
    file: &Path,
    case: &Case,
    distinct: bool,
) -> Result<Answered> {
    let output = Command::new(python)
        .arg(Path::new("benches/peers").join(script))
        .arg(file)
        .args(["2", &case.slide.to_string(), &case.size.to_string()])
        .arg(if distinct { "1" } else { "0" })
        .output()
        .map_err(Error::at(python))?;
    if !output.status.success() {
        return Err(Error::new(String::from_utf8_lossy(&output.stderr).trim()));
    }
    // A JVM may have said something before.
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().last().unwrap_or_default();
    Ok(serde_json::from_str(last)?)
}

/// The same rows as text and as Parquet.
struct Data {
    text: PathBuf,
    parquet: PathBuf,
}

impl Data {
    fn make(loglens: &Loglens, arguments: &Windows) -> Result<Self> {
        let folder = arguments.data.join(format!("windows-{}", arguments.rows));
        let (text, parquet) = (folder.join("flow.log"), folder.join("flows"));
        if !text.is_file() {
            fs::create_dir_all(&folder).map_err(Error::at(&folder))?;
            let part = folder.join("flow.log.part");
            write(&part, arguments.rows).map_err(Error::at(&part))?;
            fs::rename(&part, &text).map_err(Error::at(&text))?;
        }
        if !parquet.is_dir() {
            fs::create_dir_all(&parquet).map_err(Error::at(&parquet))?;
            let file = parquet.join("0.parquet");
            let sql = "SELECT event_time, srcaddr, dstaddr, dstport, bytes FROM vpc_flow_logs";
            let arguments = [
                "query".as_ref(),
                "--to".as_ref(),
                file.as_os_str(),
                sql.as_ref(),
                text.as_os_str(),
            ];
            let measured = run_whatever_comes(2, &loglens.path, &arguments)?;
            if !measured.succeeded {
                return Err(Error::new(measured.stderr));
            }
        }
        Ok(Self { text, parquet })
    }
}

/// Writes the flow log.
fn write(path: &Path, rows: u64) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(
        out,
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
    )?;
    let mut state = 7_u64;
    let mut number = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    // The sum of the weights up to each source.
    let mut weights = Vec::new();
    let mut total = 0.0;
    for source in 1..=SOURCES {
        total += (source as f64).powf(-1.1);
        weights.push(total);
    }
    for row in 0..rows {
        let at = total * number(1 << 30) as f64 / (1_u64 << 30) as f64;
        let source = weights.partition_point(|&weight| weight < at) as u64;
        let target = number(TARGETS);
        let time = START + row * 3600 / rows + number(DISORDER);
        writeln!(
            out,
            "2 123456789010 eni-0a1b2c3d4e5f6a7b8 10.{}.{}.{} 172.{}.{}.{} {} {} 6 {} {} {time} {} ACCEPT OK",
            source >> 16,
            source >> 8 & 255,
            source & 255,
            16 + (target >> 16),
            target >> 8 & 255,
            target & 255,
            1024 + number(60_000),
            number(1000),
            1 + number(20),
            40 + number(1460),
            time + 60,
        )?;
    }
    out.flush()
}

fn median(seconds: &mut [f64]) -> Option<f64> {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied()
}
