//! The results for people: Markdown, with a chart beside it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::bars::{Bar, Check, Needed, bars};
use crate::cases::Storage;
use crate::chart;
use crate::error::{Error, Result};
use crate::results::{CaseResults, Contestant, LOGLENS, LayoutResults, ONE_CORE, Results};

/// What counts, in the words that the README uses too.
const WHAT_COUNTS: &str = "Seconds are wall time, medians of runs in turn after one that warms up; \
files are in the page cache. loglens counts as a whole process from its start to its exit; a peer \
stays loaded and counts without its start-up, from the text of the query to the last row. All \
answers are compared.";

/// Writes `results.json`, `results.md` and `chart.svg`.
pub(crate) fn write(results: &Results, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(Error::at(folder))?;
    let json = serde_json::to_string_pretty(results)? + "\n";
    for (name, text) in [
        ("results.json", json),
        ("results.md", markdown(results)),
        ("chart.svg", chart::svg(results)),
    ] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(Error::at(&path))?;
    }
    Ok(())
}

/// Writes what follows from a `results.json` again.
pub(crate) fn render(folder: &Path) -> Result<()> {
    let path = folder.join("results.json");
    let results: Results = serde_json::from_slice(&fs::read(&path).map_err(Error::at(&path))?)?;
    write(&results, folder)
}

/// A case in one line, for whoever waits.
pub(crate) fn case_line(case: &CaseResults) -> String {
    let mut line = format!("{:<8}", case.name);
    for contestant in &case.contestants {
        let took = cell(case, contestant);
        let _ = write!(line, " {} {took} |", contestant.name);
    }
    line.trim_end_matches(" |").to_owned()
}

/// All of it as Markdown.
pub(crate) fn markdown(results: &Results) -> String {
    let mut out = String::new();
    let machine = &results.machine;
    let versions: Vec<String> = results
        .versions
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let _ = write!(
        out,
        "# {}, {}\n\n{} cores of {}, {:.0} GB of memory, everybody on {}. Commit {}. {} flow log records, {} runs. {}\n\n\
         {WHAT_COUNTS}\n\n\
         Peers: {}. Peak memory is that of the whole process in the measured runs: of a peer's \
         process for this case alone, with its interpreter. In brackets: how many times as long as loglens.\n\n\
         ![chart](chart.svg)\n\n",
        results.date,
        machine.name(),
        machine.cores,
        machine.cpu,
        machine.memory_bytes as f64 / 1e9,
        results.threads,
        results.commit,
        thousands(results.rows),
        results.runs,
        quiet(results.load),
        versions.join(", "),
    );
    let _ = write!(
        out,
        "loglens is {} of binary, and takes {} for `select 1`, with {} at most.\n\n",
        megabytes(results.binary_bytes),
        results
            .select_one
            .median()
            .map_or_else(|| "-".to_owned(), seconds),
        megabytes(results.select_one.peak_bytes),
    );
    bars_section(&mut out, &bars(results));
    peers_win(&mut out, results);
    for layout in &results.layouts {
        layout_section(&mut out, layout);
    }
    parsers_section(&mut out, results);
    memory_section(&mut out, results);
    out
}

/// Whether anybody else was at work, which changes all numbers.
fn quiet(load: Option<f64>) -> String {
    match load {
        Some(load) if load >= 0.5 => {
            format!("**The machine's load was {load} before: others may have been at work.**")
        }
        Some(load) => format!("Load before: {load}."),
        None => "Load before: unknown.".to_owned(),
    }
}

fn bars_section(out: &mut String, bars: &[Bar]) {
    out.push_str("## Bars\n\n| case | bar | measured | |\n|---|---|---|---|\n");
    for bar in bars {
        let checks: Vec<String> = bar
            .checks
            .iter()
            .filter(|check| check.measured.is_some())
            .map(check_text)
            .collect();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            bar.what,
            bar.bar,
            checks.join("; "),
            verdict(bar)
        );
    }
    out.push('\n');
}

fn verdict(bar: &Bar) -> String {
    let missing = bar
        .checks
        .iter()
        .filter(|check| check.measured.is_none())
        .count();
    match (bar.is_met(), missing) {
        (Some(true), 0) => "met".to_owned(),
        (Some(true), missing) => format!("met; {missing} not measured"),
        (Some(false), _) => "**not met**".to_owned(),
        (None, _) => "not measured".to_owned(),
    }
}

fn check_text(check: &Check) -> String {
    let measured = check.measured.unwrap_or(f64::NAN);
    if measured.is_infinite() {
        return format!("**{} did not finish**", check.label);
    }
    let number = if check.unit == " MB" {
        format!("{measured:.0}")
    } else {
        format!("{measured:.2}")
    };
    let text = format!("{} {number}{}", check.label, check.unit);
    if check.is_met() == Some(true) {
        return text;
    }
    let (sign, bar) = match check.needed {
        Needed::AtLeast(bar) => (">=", bar),
        Needed::MoreThan(bar) => (">", bar),
        Needed::AtMost(bar) => ("<=", bar),
    };
    format!("**{text}** ({sign} {bar})")
}

/// The cases in which somebody is faster than loglens.
fn peers_win(out: &mut String, results: &Results) {
    out.push_str("## Where a peer wins\n\n");
    let before = out.len();
    for layout in &results.layouts {
        for case in &layout.cases {
            let faster: Vec<String> = case
                .contestants
                .iter()
                .filter(|contestant| ![LOGLENS, ONE_CORE].contains(&contestant.name.as_str()))
                .filter_map(|contestant| {
                    let ratio = case.ratio(&contestant.name).filter(|&ratio| ratio < 1.0)?;
                    Some(format!("{} {}", contestant.name, times(ratio)))
                })
                .collect();
            if !faster.is_empty() {
                let (layout, faster) = (layout.layout.title(), faster.join(", "));
                let _ = writeln!(out, "- {layout}: {}: {faster}", case.title);
            }
        }
    }
    if out.len() == before {
        out.push_str("Nowhere in these results.\n");
    }
    out.push('\n');
}

fn layout_section(out: &mut String, layout: &LayoutResults) {
    let names = contestants(layout);
    let _ = write!(
        out,
        "## {}\n\n{} records, {} of text, {} in files.",
        layout.layout.title(),
        thousands(layout.rows),
        megabytes(layout.text_bytes),
        megabytes(layout.file_bytes),
    );
    if layout.layout.storage == Storage::Parquet {
        out.push_str(" The peers read a table that was loaded before; loglens reads the log.");
    }
    out.push_str("\n\n");
    if !layout.floors.is_empty() {
        out.push_str("| floor | seconds |\n|---|---|\n");
        for floor in &layout.floors {
            let median = layout
                .floor(&floor.name)
                .map_or_else(|| "-".to_owned(), seconds);
            let _ = writeln!(out, "| {} | {median} |", floor.name);
        }
        out.push('\n');
    }
    table(out, layout, &names, "seconds", cell);
    table(
        out,
        layout,
        &names,
        "cores used, peak memory",
        |_, contestant| {
            contestant.cores().map_or_else(
                || "-".to_owned(),
                |cores| format!("{cores:.1}, {}", megabytes(contestant.peak_bytes)),
            )
        },
    );
    for name in names {
        cannot(out, layout, name);
    }
    for case in &layout.cases {
        for contestant in &case.contestants {
            if let Some(difference) = &contestant.disagrees {
                let (case, name) = (&case.name, &contestant.name);
                let _ = writeln!(out, "- **{case}: {name} disagrees**: {difference}");
            }
        }
        if let Some(note) = &case.note {
            let _ = writeln!(out, "- {}: {note}", case.name);
        }
    }
    out.push('\n');
}

/// Why somebody cannot do a case; once if it is for the same reason everywhere.
fn cannot(out: &mut String, layout: &LayoutResults, name: &str) {
    let reason = |case: &CaseResults| case.contestant(name)?.cannot.clone();
    let reasons: Vec<Option<String>> = layout.cases.iter().map(reason).collect();
    if let Some(Some(first)) = reasons.first()
        && reasons.iter().all(|reason| reason.as_ref() == Some(first))
    {
        let _ = writeln!(out, "- {name} cannot: {first}");
        return;
    }
    for (case, reason) in layout.cases.iter().zip(reasons) {
        if let Some(reason) = reason {
            let _ = writeln!(out, "- {}: {name} cannot: {reason}", case.name);
        }
    }
}

fn table(
    out: &mut String,
    layout: &LayoutResults,
    names: &[&str],
    what: &str,
    cell: impl Fn(&CaseResults, &Contestant) -> String,
) {
    let _ = writeln!(out, "| {what} | {} |", names.join(" | "));
    let _ = writeln!(out, "|---|{}", "---|".repeat(names.len()));
    for case in &layout.cases {
        let _ = write!(out, "| {} |", case.title);
        for name in names {
            let text = case
                .contestant(name)
                .map_or_else(|| "-".to_owned(), |contestant| cell(case, contestant));
            let _ = write!(out, " {text} |");
        }
        out.push('\n');
    }
    out.push('\n');
}

/// The names of all who take part anywhere, in their order.
fn contestants(layout: &LayoutResults) -> Vec<&str> {
    let mut names = Vec::new();
    for contestant in layout.cases.iter().flat_map(|case| &case.contestants) {
        if !names.contains(&contestant.name.as_str()) {
            names.push(&contestant.name);
        }
    }
    names
}

/// Seconds, and how many times as long as loglens.
fn cell(case: &CaseResults, contestant: &Contestant) -> String {
    if contestant.disagrees.is_some() {
        return "disagrees".to_owned();
    }
    let Some(took) = contestant.median() else {
        return "cannot".to_owned();
    };
    if contestant.name == LOGLENS {
        return format!("**{}**", seconds(took));
    }
    case.ratio(&contestant.name).map_or_else(
        || seconds(took),
        |ratio| format!("{} ({})", seconds(took), times(ratio)),
    )
}

fn parsers_section(out: &mut String, results: &Results) {
    if results.parsers.is_empty() {
        return;
    }
    out.push_str(
        "## Parsers, one core, in memory\n\n| parser | GB/s | ns for a record |\n|---|---|---|\n",
    );
    for parser in &results.parsers {
        let Some(rate) = parser.rate() else { continue };
        let per_record = parser.bytes as f64 / rate / parser.records as f64 * 1e9;
        let _ = writeln!(
            out,
            "| {} | {:.2} | {per_record:.0} |",
            parser.name,
            rate / 1e9
        );
    }
    out.push('\n');
}

fn memory_section(out: &mut String, results: &Results) {
    if results.memory.is_empty() {
        return;
    }
    out.push_str("## Memory\n\n| case | limit | peak | seconds | |\n|---|---|---|---|---|\n");
    for result in &results.memory {
        let limit = result.limit.as_deref().unwrap_or("-");
        let _ = writeln!(
            out,
            "| {} | {limit} | {} | {:.1} | {} |",
            result.title,
            megabytes(result.peak_bytes),
            result.seconds,
            result.failed.as_deref().unwrap_or("finished"),
        );
    }
    out.push('\n');
}

/// Three digits that mean something, down to a millisecond.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{seconds:.3}")
    } else {
        format!("{seconds:.2}")
    }
}

/// One digit behind the point, two where there is nothing before it.
fn times(ratio: f64) -> String {
    if ratio < 1.0 {
        format!("{ratio:.2}x")
    } else {
        format!("{ratio:.1}x")
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", thousands((bytes as f64 / 1e6).round() as u64))
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::results;

    #[test]
    fn a_page_has_bars_wins_layouts_and_reasons() {
        insta::assert_snapshot!(markdown(&results()));
    }

    #[test]
    fn results_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        write(&results(), folder.path()).unwrap();
        let page = fs::read_to_string(folder.path().join("results.md")).unwrap();
        render(folder.path()).unwrap();
        let again = fs::read_to_string(folder.path().join("results.md")).unwrap();
        assert_eq!(page, again);
    }

    #[test]
    fn numbers_are_short() {
        for (number, expected) in [(7, "7"), (1_000, "1,000"), (5_000_000, "5,000,000")] {
            assert_eq!(thousands(number), expected);
        }
        assert_eq!([seconds(0.012_34), seconds(1.234)], ["0.012", "1.23"]);
        assert_eq!([times(0.5), times(3.04)], ["0.50x", "3.0x"]);
    }
}
