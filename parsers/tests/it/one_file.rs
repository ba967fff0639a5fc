//! Adding a format touches one file: a description given at run time is all that a new log needs.

use std::sync::Arc;

use loglens_parsers::detect::by_head;
use loglens_parsers::format::Format;

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
