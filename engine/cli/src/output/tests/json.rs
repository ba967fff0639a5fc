use std::io::Cursor;

use super::*;

#[track_caller]
fn check(format: Format, batches: &[RecordBatch], expected: &[&str]) {
    let written = text(format, PLAIN, batches);
    assert_eq!(written.lines().collect::<Vec<_>>(), expected);
    assert!(written.is_empty() || written.ends_with('\n'));
}

/// The rows of JSON lines, or of an array with one object to a line.
fn read(json: &str, schema: &SchemaRef) -> RecordBatch {
    let lines: Vec<&str> = json
        .lines()
        .filter(|line| !matches!(*line, "[" | "]" | "[]"))
        .map(|line| line.trim_end_matches(','))
        .collect();
    let reader = arrow::json::ReaderBuilder::new(SchemaRef::clone(schema));
    let reader = reader.build(Cursor::new(lines.join("\n"))).unwrap();
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    arrow::compute::concat_batches(schema, &batches).unwrap()
}

#[test]
fn nulls_are_explicit_and_objects_stand_on_lines_of_their_own() {
    let first =
        r#"{"action":"ACCEPT","bytes":4249,"ratio":0.1,"event_time":"2014-12-14T04:06:50Z"}"#;
    let second = r#"{"action":"REJECT","bytes":null,"ratio":3.0,"event_time":null}"#;
    check(Format::Ndjson, &[flows().slice(0, 2)], &[first, second]);
    let expected = ["[", &format!("{first},"), second, "]"];
    check(Format::Json, &[flows().slice(0, 2)], &expected);
    check(
        Format::Json,
        &[
            flows().slice(0, 1),
            flows().slice(0, 0),
            flows().slice(1, 1),
        ],
        &expected,
    );
}

#[test]
fn an_empty_result_is_an_empty_array() {
    check(Format::Json, &[flows().slice(0, 0)], &["[]"]);
    check(Format::Ndjson, &[flows().slice(0, 0)], &[]);
    check(Format::Json, &[batch([])], &["[]"]);
}

#[test]
fn every_kind_of_value_is_written() {
    let is_bare =
        |name: &&str| ["flag", "big", "amount", "list", "object", "map", "nothing"].contains(name);
    let members = KINDS.map(|(name, value)| {
        let value = value.replace("NULL", "null");
        if is_bare(&name) {
            format!("\"{name}\":{value}")
        } else {
            format!("\"{name}\":\"{value}\"")
        }
    });
    let nulls = KINDS.map(|(name, _)| format!("\"{name}\":null"));
    check(
        Format::Ndjson,
        &[kinds()],
        &[
            &format!("{{{}}}", members.join(",")),
            &format!("{{{}}}", nulls.join(",")),
        ],
    );
}

#[test]
fn equal_names_are_told_apart() {
    let values = batch([("x", strings([Some("1")])), ("x", strings([Some("2")]))]);
    check(Format::Ndjson, &[values], &[r#"{"x":"1","x_1":"2"}"#]);
}

#[test]
fn what_acts_on_a_terminal_is_escaped_and_reads_back() {
    let lines = [
        r#"{"agent":"\u001b]0;owned\u0007"}"#,
        r#"{"agent":"a\r\n\tb"}"#,
        r#"{"agent":"\u009b31m \u202eevil\u2069"}"#,
        "{\"agent\":\"\u{e0041}\"}",
        r#"{"agent":"back\\slash \"quoted\""}"#,
        r#"{"agent":""}"#,
        r#"{"agent":null}"#,
    ];
    check(Format::Ndjson, &[hostile()], &lines);
    assert_eq!(read(&lines.join("\n"), &hostile().schema()), hostile());
}

#[test]
fn values_that_json_has_no_form_for() {
    let floats = vec![f64::NAN, f64::INFINITY];
    check(
        Format::Ndjson,
        &[batch([("f", Arc::new(Float64Array::from(floats)))])],
        &[r#"{"f":null}"#, r#"{"f":null}"#],
    );
    check(
        Format::Ndjson,
        &[out_of_range()],
        &[
            r#"{"t":"ERROR: Cast error: Failed to convert 9223372036854775807 to datetime for Timestamp(s, \"UTC\")"}"#,
        ],
    );
}

#[test]
fn json_reads_back() {
    for format in [Format::Json, Format::Ndjson] {
        let written = text(format, PLAIN, &[flows(), flows().slice(1, 2)]);
        let read = read(&written, &flows().schema());
        assert_eq!(read.slice(0, 3), flows());
        assert_eq!(read.slice(3, 2), flows().slice(1, 2));
    }
}
