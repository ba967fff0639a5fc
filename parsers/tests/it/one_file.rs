//! Adding a format touches one file: a description given at run time is all that a new log needs.

use std::sync::Arc;

use loglens_parsers::detect::by_head;
use loglens_parsers::format::{Format, Formats};

use crate::reader::{Reader, gzip};

const DOOR_LOG: &str = r#"
table = "door_log"
aliases = ["doors"]
title = "Doors"
about = "One row for each time that a door was opened."
source = "https://example.com/doors"
shape = { kind = "header", separator = "|", null = "none" }
default_order = ["door", "opened_at", "badge"]
event_time = ["opened_at"]
columns = [
    { name = "door", kind = "text", doc = "name of the door" },
    { name = "opened_at", kind = "unix_seconds", unit = "s since 1970", doc = "when it was opened" },
    { name = "badge", kind = "int32", doc = "badge that opened it" },
    { name = "room", kind = "text", doc = "room behind it" },
]

[recognise]
record = { column = "door", values = ["front", "back"] }
"#;

const LOG: &str = "front|1700000000|7\n\
    back|1700000060|none\n\
    back|1700000061\n\
    badge|opened-at|room|door|colour\n\
    9|1700000120|hall|front|red\n\
    many|none|none|back|none\n";

#[test]
fn a_description_is_all_that_a_format_needs() {
    let format = Arc::new(Format::from_toml(DOOR_LOG).unwrap());
    assert!(format.is_called("doors"));

    let recognised = by_head(LOG.as_bytes(), &[Arc::clone(&format)], None).unwrap();
    assert_eq!(recognised.format.table, "door_log");

    let found = Reader::new(&format).read(&gzip(LOG.as_bytes()));
    let text = |values: [Option<&str>; 4]| values.map(|value| value.map(str::to_owned));
    assert_eq!(
        found.column("door"),
        text([Some("front"), Some("back"), Some("front"), Some("back")])
    );
    assert_eq!(
        found.column("opened_at"),
        text([
            Some("1700000000"),
            Some("1700000060"),
            Some("1700000120"),
            None
        ])
    );
    assert_eq!(
        found.column("badge"),
        text([Some("7"), None, Some("9"), None])
    );
    assert_eq!(found.column("room"), text([None, None, Some("hall"), None]));
    assert_eq!(
        found.column("extra"),
        text([None, None, Some(r#"{"colour":"red"}"#), None])
    );
    assert_eq!(
        found.column("event_time"),
        text([
            Some("1700000000000000"),
            Some("1700000060000000"),
            Some("1700000120000000"),
            None
        ])
    );
    assert_eq!(
        found.reasons(),
        ["3: expected 3 fields, found 2", "6 badge: not an integer"]
    );
}

/// The example of a user's own format under `testdata/`, with its log.
#[test]
fn an_nginx_log() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/nginx");
    let description = std::fs::read_to_string(folder.join("nginx.toml")).unwrap();
    let log = std::fs::read(folder.join("access.log")).unwrap();
    let format = Format::from_toml(&description).unwrap();
    for sample in &format.samples {
        assert!(log.len() > sample.line.len());
    }
    let formats = Formats::default().with(format);
    let recognised = by_head(&log, formats.all(), None).unwrap();
    assert_eq!(recognised.format.table, "nginx_access_logs");
    let found = Reader::new(&recognised.format).read(&log);
    assert_eq!((found.counts.rows, found.counts.rejects), (11, 1));
    assert_eq!(found.reasons(), ["7: expected at least 9 fields, found 6"]);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(found.column("request_url")[6], text("/a page.html"));
    assert_eq!(found.column("request_method")[3], None, "a TLS handshake");
    assert_eq!(found.column("remote_user")[2], text("alice"));
    assert_eq!(found.column("event_time")[0], text("1794461124000000"));
    for (sample, expected) in recognised.format.samples.iter().zip([true, true]) {
        let found = Reader::new(&recognised.format).read_plain(sample.line.as_bytes());
        assert_eq!(found.counts.rows == 1, expected);
        for (column, expected) in &sample.row {
            let expected = Some(expected.clone()).filter(|text| !text.is_empty());
            assert_eq!(found.column(column), [expected], "{column}");
        }
    }
}
