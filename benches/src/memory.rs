//! The cases about memory: ten times the data, in one plain file.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use crate::arguments::Compare;
use crate::cases::{Cases, Family, MemoryCase, Storage};
use crate::data::{self, Data};
use crate::error::{Error, Result};
use crate::loglens::Loglens;
use crate::measure;
use crate::results::MemoryResult;

/// Runs each case once.
pub(crate) fn measure(
    arguments: &Compare,
    cases: &Cases,
    loglens: &Loglens,
    threads: usize,
) -> Result<Vec<MemoryResult>> {
    let mut results = Vec::new();
    for case in cases.memory() {
        let rows = data::rows_of(Family::Flow, arguments.rows) * case.times;
        eprintln!("memory: {}: {rows} records", case.title);
        let table = &cases.of(Family::Flow).table;
        let data = Data::ensure_plain(&arguments.data, Family::Flow, table, rows)?;
        let result = run(case, loglens, threads, &data.place(Storage::Plain))?;
        eprintln!(
            "  {} MB at most, {:.1} s",
            result.peak_bytes / 1_000_000,
            result.seconds
        );
        results.push(result);
    }
    Ok(results)
}

/// The result goes into a file beside the data, which is removed: it may be as large.
fn run(case: &MemoryCase, loglens: &Loglens, threads: usize, log: &Path) -> Result<MemoryResult> {
    let to = log.with_file_name("answer.csv");
    let mut arguments = vec![OsStr::new("query"), OsStr::new("--to"), to.as_os_str()];
    if let Some(limit) = &case.limit {
        arguments.extend([OsStr::new("--memory-limit"), OsStr::new(limit)]);
    }
    arguments.extend([OsStr::new(&case.loglens), log.as_os_str()]);
    let measured = measure::run_whatever_comes(threads, &loglens.path, &arguments)?;
    if to.exists() {
        fs::remove_file(&to).map_err(Error::at(&to))?;
    }
    Ok(MemoryResult {
        name: case.name.clone(),
        title: case.title.clone(),
        limit: case.limit.clone(),
        allowed_bytes: case
            .allowed_megabytes
            .map(|megabytes| megabytes * 1_000_000),
        seconds: measured.seconds,
        cpu_seconds: measured.cpu_seconds,
        peak_bytes: measured.peak_bytes,
        failed: (!measured.succeeded).then(|| measured.stderr.trim().to_owned()),
    })
}
