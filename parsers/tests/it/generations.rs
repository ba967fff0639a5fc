//! Load balancers append fields: older logs have fewer, newer ones more than any description.

use std::path::PathBuf;

use arrow_array::RecordBatch;
use loglens_parsers::detect::by_head;
use loglens_parsers::format::{Shape, built_in};
use loglens_parsers::table::EXTRA;

use crate::reader::{Reader, Reading};
use crate::samples::log_files;

/// The logs under `testdata/` whose fields come in a fixed order.
fn quoted_logs() -> Vec<(PathBuf, Vec<u8>, Reader)> {
    let logs = log_files().into_iter().filter_map(|path| {
        let bytes = std::fs::read(&path).unwrap();
        let format = by_head(&bytes, built_in(), None)?.format;
        let quoted = matches!(format.shape, Shape::Quoted { .. });
        quoted.then(|| (path, bytes, Reader::new(&format)))
    });
    logs.collect()
}

/// The rows without `extra`.
fn known(reading: &Reading) -> RecordBatch {
    let batch = reading.batch();
    let extra = batch.schema().index_of(EXTRA).unwrap();
    let columns: Vec<usize> = (0..batch.num_columns()).filter(|&at| at != extra).collect();
    batch.project(&columns).unwrap()
}

fn each_line(bytes: &[u8], change: impl Fn(&str) -> String) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).unwrap();
    let lines = text.lines().map(|line| match line {
        "" => String::new(),
        line => change(line),
    });
    lines.collect::<Vec<_>>().join("\n").into_bytes()
}

#[test]
fn unknown_fields_at_the_end_change_nothing_but_extra() {
    let logs = quoted_logs();
    assert!(logs.len() > 8, "{}", logs.len());
    for (path, bytes, reader) in logs {
        let expected = reader.read_plain(&bytes);
        let fields = reader.table.format.default_order.len();
        // Made as long as the newest generation first: what comes after is unknown.
        let complete = |line: &str| {
            let mut ends = Vec::new();
            let Shape::Quoted { quoting, .. } = reader.table.format.shape else {
                unreachable!();
            };
            assert!(loglens_parsers::delimited::quoted::split(
                line.as_bytes(),
                quoting,
                &mut ends
            ));
            format!("{line}{}", " -".repeat(fields - ends.len()))
        };
        let longer = each_line(&bytes, |line| {
            format!(r#"{} new "two words" - "-""#, complete(line))
        });
        let found = reader.read_plain(&longer);
        assert_eq!(known(&found), known(&expected), "{}", path.display());
        assert_eq!(found.counts, expected.counts);
        let extra = format!(
            r#"{{"field_{}":"new","field_{}":"two words"}}"#,
            fields + 1,
            fields + 2
        );
        assert!(
            found
                .column(EXTRA)
                .into_iter()
                .all(|text| text == Some(extra.clone()))
        );

        // AWS writes a lone dash before it announces a field.
        let dash = each_line(&bytes, |line| format!("{} -", complete(line)));
        let found = reader.read_plain(&dash);
        assert_eq!(found.batch(), expected.batch(), "{}", path.display());
    }
}

#[test]
fn a_line_cut_off_before_the_fewest_fields_is_rejected() {
    for (path, bytes, reader) in quoted_logs() {
        let Shape::Quoted { least, .. } = reader.table.format.shape else {
            continue;
        };
        let short = each_line(&bytes, |line| {
            line.split(' ')
                .take(least - 1)
                .collect::<Vec<_>>()
                .join(" ")
        });
        let found = reader.read_plain(&short);
        assert_eq!(found.counts.rows, 0, "{}", path.display());
        assert_eq!(found.counts.rejects, reader.read_plain(&bytes).counts.rows);
    }
}

#[test]
fn control_lines_are_no_records() {
    for table in [
        "alb_access_logs",
        "alb_connection_logs",
        "nlb_access_logs",
        "clb_access_logs",
    ] {
        let format = loglens_parsers::format::by_name(table).unwrap();
        let line =
            "Enable AccessLog for ELB: app/web/50dc6c495c0c9188 at 2026-11-23T10:00:00.000Z\n";
        let found = Reader::new(format).read_plain(line.as_bytes());
        assert_eq!(
            (found.counts.records, found.counts.skipped),
            (1, 1),
            "{table}"
        );
    }
    // The object that AWS writes to see whether it may, by its content alone.
    let test_object = b"Enable AccessLog for ELB: my-loadbalancer at 2017-01-24T18:44:43.116Z";
    assert!(by_head(test_object, built_in(), None).is_some());
}
