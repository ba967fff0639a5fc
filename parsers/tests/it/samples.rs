//! The samples of the descriptions, and the logs under `testdata/`.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use loglens_parsers::detect::by_head;
use loglens_parsers::format::built_in;
use loglens_parsers::reject::Counts;

use crate::reader::{Reader, cell};

#[test]
fn samples_of_the_descriptions() {
    for format in built_in() {
        for sample in &format.samples {
            let found = Reader::new(format).read_plain(sample.line.as_bytes());
            assert_eq!(found.reasons(), [""; 0], "{}", sample.line);
            for (column, expected) in &sample.row {
                let expected = Some(expected.clone()).filter(|text| !text.is_empty());
                assert_eq!(
                    found.column(column),
                    [expected],
                    "{column} of {}",
                    sample.line
                );
            }
        }
    }
}

#[test]
fn rejects_of_the_descriptions() {
    for format in built_in() {
        for sample in &format.reject_samples {
            let found = Reader::new(format).read_plain(sample.line.as_bytes());
            assert_eq!(
                found.counts,
                Counts {
                    records: 1,
                    rejects: 1,
                    ..Counts::default()
                }
            );
            assert_eq!(
                found.reasons(),
                [format!("1: {}", sample.reason)],
                "{}",
                sample.line
            );
        }
    }
}

#[test]
fn logs_of_others() {
    let origins = origins();
    assert!(!origins.is_empty());
    for Origin { file, records } in origins {
        if file.starts_with("nginx/") {
            // Not built in: its description lies beside it.
            continue;
        }
        let bytes = std::fs::read(testdata().join(&file)).unwrap();
        let recognised = by_head(&bytes, built_in(), None).unwrap();
        assert_eq!(recognised.format.table, table_of(&file), "{file}");
        assert!(
            recognised.unknown.is_empty(),
            "{file}: {:?}",
            recognised.unknown
        );
        let found = Reader::new(&recognised.format).read(&bytes);
        assert!(found.counts.add_up());
        assert_eq!(found.counts.rows, records, "{file}");
        assert_eq!(found.reasons(), [""; 0], "{file}");
        let name = file.replace(['/', '.'], "_");
        insta::assert_snapshot!(name, shown(&found.batch()), &file);
    }
}

#[test]
fn every_log_has_an_origin() {
    let mut expected: Vec<String> = origins().into_iter().map(|origin| origin.file).collect();
    expected.sort();
    let mut found: Vec<String> = log_files()
        .iter()
        .filter(|path| path.extension().is_none_or(|extension| extension != "toml"))
        .map(|path| {
            path.strip_prefix(testdata())
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    found.sort();
    assert_eq!(found, expected);
}

/// A row of the table in ORIGINS.md.
struct Origin {
    file: String,
    records: u64,
}

fn origins() -> Vec<Origin> {
    let text = std::fs::read_to_string(testdata().join("ORIGINS.md")).unwrap();
    let mut rows = text.lines().filter(|line| line.starts_with('|')).map(cells);
    let head = rows.next().unwrap();
    let column = |name: &str| head.iter().position(|cell| cell == name).unwrap();
    let (file, records) = (column("file"), column("records"));
    // The line under the head is a rule.
    rows.skip(1)
        .map(|row| Origin {
            file: row[file].clone(),
            records: row[records].parse().unwrap(),
        })
        .collect()
}

fn cells(row: &str) -> Vec<String> {
    row.trim_matches('|')
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}

fn table_of(file: &str) -> &'static str {
    match file.split_once('/').unwrap().0 {
        "vpcflow" => "vpc_flow_logs",
        "tgw" => "tgw_flow_logs",
        "alb" => "alb_access_logs",
        "alb_conn" => "alb_connection_logs",
        "alb_health" => "alb_health_check_logs",
        "nlb" => "nlb_access_logs",
        "clb" => "clb_access_logs",
        "cloudtrail" => "cloudtrail_logs",
        other => panic!("which table has the logs in {other}/?"),
    }
}

/// One line for each row: the columns that are not NULL.
fn shown(batch: &RecordBatch) -> String {
    let schema = batch.schema();
    let row = |row| {
        let values = schema
            .fields()
            .iter()
            .zip(batch.columns())
            .filter_map(|(field, column)| Some(format!("{}={}", field.name(), cell(column, row)?)));
        values.collect::<Vec<_>>().join(" ")
    };
    (0..batch.num_rows())
        .map(row)
        .collect::<Vec<_>>()
        .join("\n")
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata")
}

/// The logs under `testdata/`, wherever they came from.
pub(crate) fn log_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in std::fs::read_dir(testdata())
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if folder.is_dir() {
            files.extend(
                std::fs::read_dir(folder)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
    }
    files.sort();
    files
}
