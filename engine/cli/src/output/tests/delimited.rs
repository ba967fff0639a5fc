use std::io::Cursor;

use super::*;

#[track_caller]
fn check(format: Format, batches: &[RecordBatch], expected: &str) {
    assert_eq!(text(format, PLAIN, batches), expected);
}

#[test]
fn null_is_empty_and_the_empty_string_is_quoted() {
    let values = batch([
        ("a", strings([Some(""), None, Some("x")])),
        ("b", strings([None, Some(""), Some("NULL")])),
    ]);
    check(Format::Csv, &[values], "a,b\n\"\",\n,\"\"\nx,NULL\n");
    // Readers skip empty lines.
    check(
        Format::Csv,
        &[batch([("a", strings([None, Some("x")]))])],
        "a\n\"\"\nx\n",
    );
}

#[test]
fn special_characters_are_quoted() {
    let values = batch([
        (
            "a,b",
            strings([Some("x,y"), Some("say \"hi\""), Some("two\nlines")]),
        ),
        (
            "c\td",
            strings([Some("x\ty"), Some("cr\r"), Some(" spaced ")]),
        ),
    ]);
    check(
        Format::Csv,
        std::slice::from_ref(&values),
        "\"a,b\",c\td\n\"x,y\",x\ty\n\"say \"\"hi\"\"\",\"cr\r\"\n\"two\nlines\", spaced \n",
    );
    check(
        Format::Tsv,
        &[values],
        "a,b\t\"c\td\"\nx,y\t\"x\ty\"\n\"say \"\"hi\"\"\"\t\"cr\r\"\n\"two\nlines\"\t spaced \n",
    );
}

#[test]
fn several_batches_have_one_header() {
    let expected = "action,bytes,ratio,event_time\n\
        ACCEPT,4249,0.1,2014-12-14T04:06:50Z\n\
        REJECT,,3.0,\n\
        ,-7,1e21,2014-12-14T04:06:50.120Z\n";
    check(Format::Csv, &[flows()], expected);
    check(
        Format::Csv,
        &[
            flows().slice(0, 0),
            flows().slice(0, 1),
            flows().slice(1, 2),
        ],
        expected,
    );
    check(
        Format::Csv,
        &[flows().slice(0, 0)],
        "action,bytes,ratio,event_time\n",
    );
    check(Format::Csv, &[batch([])], "");
}

#[test]
fn every_kind_of_value_is_written() {
    let values: Vec<&str> = KINDS.iter().map(|(_, value)| *value).collect();
    let written = text(Format::Tsv, PLAIN, &[kinds()])
        .replace("\"\"", "'")
        .replace('"', "");
    let row = values.join("\t").replace('"', "'").replace("NULL", "");
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines[1..], [row.as_str(), &"\t".repeat(KINDS.len() - 1)]);
}

#[test]
fn equal_names_stay_as_the_query_wrote_them() {
    check(
        Format::Csv,
        &[batch([
            ("x", strings([Some("1")])),
            ("x", strings([Some("2")])),
        ])],
        "x,x\n1,2\n",
    );
}

#[test]
fn a_pipe_gets_the_bytes_and_a_terminal_does_not() {
    let values = batch([("a", strings([Some("\x1b[2J\u{9b}\t\"")]))]);
    check(
        Format::Csv,
        std::slice::from_ref(&values),
        "a\n\"\x1b[2J\u{9b}\t\"\"\"\n",
    );
    let terminal = Style {
        width: Some(80),
        colour: false,
        expanded: false,
    };
    assert_eq!(
        text(Format::Csv, terminal, &[values]),
        "a\n\"\\x1b[2J\\u{9b}\\t\"\"\"\n"
    );
}

#[test]
fn csv_reads_back() {
    let csv = bytes(Format::Csv, PLAIN, &[flows(), flows()]);
    let schema = Arc::new(Schema::new(vec![
        Field::new("action", DataType::Utf8View, true),
        Field::new("bytes", DataType::Int64, true),
        Field::new("ratio", DataType::Float64, true),
        Field::new(
            "event_time",
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            true,
        ),
    ]));
    let reader = arrow::csv::ReaderBuilder::new(schema)
        .with_header(true)
        .build(Cursor::new(csv));
    let read: Vec<_> = reader.unwrap().map(Result::unwrap).collect();
    let read = arrow::compute::concat_batches(&read[0].schema(), &read).unwrap();
    assert_eq!(read.num_rows(), 6);
    // An empty field of a text column is the empty string to this reader.
    for column in [1, 2, 3] {
        assert_eq!(
            read.column(column).slice(3, 3).as_ref(),
            flows().column(column).as_ref()
        );
    }
}
