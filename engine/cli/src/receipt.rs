//! What is said on standard error after a query: rejects, objects that are no logs, `--stats`.

use std::time::Duration;

use loglens_engine::Receipt;
use loglens_engine::archive::Archive;
use loglens_engine::ledger::{RejectTotals, Totals};

use crate::units::{bytes, count, things};

/// How many unrecognised objects are all named; of more only the first is.
const NAMED: usize = 2;

/// One line about rejects, if there are any, with what shows all of them.
pub(crate) fn rejects(totals: &RejectTotals, all: &str) -> Option<String> {
    let parts: Vec<String> = [
        (totals.records, "record", "rejected"),
        (totals.values, "value", "set aside"),
        (totals.objects, "object", "not read to the end"),
    ]
    .into_iter()
    .filter(|(number, _, _)| *number > 0)
    .map(|(number, name, fate)| format!("{} {fate}", things(number, name)))
    .collect();
    if parts.is_empty() {
        return None;
    }
    let first = totals.first.first().map(|(object, reject)| {
        let line = if reject.line > 0 {
            format!(":{}", reject.line)
        } else {
            String::new()
        };
        let column = reject
            .column
            .as_ref()
            .map(|column| format!("{column} "))
            .unwrap_or_default();
        format!(", first {object}{line}: {column}{}", reject.reason)
    });
    Some(format!(
        "note: {}{}; all of them: {all}",
        parts.join(", "),
        first.unwrap_or_default()
    ))
}

/// One line about rows that lie in no window, if there are any.
pub(crate) fn without_time(rows: u64) -> Option<String> {
    let lie = if rows == 1 { "lies" } else { "lie" };
    (rows > 0).then(|| format!("{} without a time {lie} in no window", things(rows, "row")))
}

/// The command that shows the rejects of logs; `logs` are the words that name them.
pub(crate) fn rejects_command(logs: &[String]) -> String {
    let logs: Vec<_> = logs.iter().map(|word| quoted(word)).collect();
    format!("loglens query \"SELECT * FROM rejects\" {}", logs.join(" "))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    if word.contains(|c: char| c.is_whitespace() || "*?[]{}'\"$&;|<>()".contains(c)) {
        format!("'{}'", word.replace('\'', "'\\''"))
    } else {
        word.to_owned()
    }
}

/// One line about objects that nothing recognised, if there are any.
pub(crate) fn unrecognised(archive: &Archive) -> Option<String> {
    let all = archive.unrecognised();
    if all.is_empty() {
        return None;
    }
    let several = all.len() > NAMED;
    let names: Vec<_> = all
        .iter()
        .take(if several { 1 } else { NAMED })
        .map(|object| format!("{} ({})", object.key, object.reason))
        .collect();
    let more = if several {
        ", ...; all of them: loglens tables"
    } else {
        ""
    };
    Some(format!(
        "note: {} left out: {}{more}",
        things(all.len() as u64, "object"),
        names.join(", ")
    ))
}

/// The lines of `--stats`.
pub(crate) fn stats(totals: &Totals, elapsed: Duration) -> String {
    let counts = &totals.counts;
    let mut text = format!(
        "objects  {}\nbytes    {} read, {} inflated\nrecords  {} = {} rows + {} filtered + {} unexamined + {} rejects + {} skipped\n",
        count(totals.objects),
        bytes(totals.bytes_read),
        bytes(totals.bytes_inflated),
        count(counts.records),
        count(counts.rows),
        count(counts.filtered),
        count(counts.unexamined),
        count(counts.rejects),
        count(counts.skipped),
    );
    if counts.values > 0 {
        text.push_str(&format!("values   {} set aside\n", count(counts.values)));
    }
    text.push_str(&format!("time     {:.3} s\n", elapsed.as_secs_f64()));
    if let Some(peak) = peak_memory() {
        text.push_str(&format!("memory   {} at most\n", bytes(peak)));
    }
    text
}

/// The line of `--stats` that says what there is to pay.
pub(crate) fn paid(receipt: &Receipt) -> String {
    let Receipt {
        requests,
        bill,
        prices_of,
    } = receipt;
    let again = match requests.retries {
        0 => String::new(),
        retries => format!(", {} made again", count(retries)),
    };
    format!(
        "requests {} LIST, {} GET{again}, {} came\ncost     ${:.6} at S3, ${:.6} with the bytes carried out of AWS; ${:.6} at Athena (prices of {prices_of})\n",
        count(requests.list),
        count(requests.get),
        bytes(requests.bytes),
        bill.requests,
        bill.internet(),
        bill.athena,
    )
}

/// The most memory this process had, in bytes, where the system tells (Linux).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
