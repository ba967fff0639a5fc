use super::*;
use crate::output::ResultWriter;

const WIDE: Style = Style {
    width: Some(80),
    colour: false,
    expanded: false,
};
const NARROW: Style = Style {
    width: Some(30),
    colour: false,
    expanded: false,
};

#[track_caller]
fn check(style: Style, batches: &[RecordBatch], expected: &[&str]) {
    let shown = text(Format::Table, style, batches);
    assert_eq!(shown.lines().collect::<Vec<_>>(), expected);
    assert!(shown.ends_with('\n'));
}

#[test]
fn columns_are_aligned() {
    let expected = [
        "action  bytes  ratio  event_time",
        "------  -----  -----  ------------------------",
        "ACCEPT   4249    0.1  2014-12-14T04:06:50Z",
        "REJECT   NULL    3.0  NULL",
        "NULL       -7   1e21  2014-12-14T04:06:50.120Z",
        "",
        "3 rows",
    ];
    check(PLAIN, &[flows()], &expected);
    check(WIDE, &[flows()], &expected);
    check(
        PLAIN,
        &[flows().slice(0, 1), flows().slice(1, 2)],
        &expected,
    );
}

#[test]
fn widths_are_those_of_the_terminal() {
    let words = strings([Some("日本"), Some("🦀"), Some("e\u{301}"), Some("plain")]);
    let numbers = Arc::new(Int64Array::from(vec![1, 2, 3, 4]));
    check(
        PLAIN,
        &[batch([("word", words), ("n", numbers)])],
        &[
            "word   n",
            "-----  -",
            "日本   1",
            "🦀     2",
            "e\u{301}      3",
            "plain  4",
            "",
            "4 rows",
        ],
    );
}

#[test]
fn nothing_acts_on_the_terminal() {
    check(
        PLAIN,
        &[hostile()],
        &[
            "agent",
            "------------------------------",
            r"\x1b]0;owned\x07",
            r"a\r\n\tb",
            r"\u{9b}31m \u{202e}evil\u{2069}",
            r"\u{e0041}",
            r#"back\slash "quoted""#,
            "",
            "NULL",
            "",
            "7 rows",
        ],
    );
    let name = batch([("a\nb", strings([Some("x")]))]);
    check(PLAIN, &[name], &[r"a\nb", "----", "x", "", "1 row"]);
}

#[test]
fn every_kind_of_value_is_shown() {
    let records = text(Format::Table, NARROW, &[kinds()]);
    let mut lines = records.lines();
    assert_eq!(lines.next(), Some("-[ record 1 ]-----------------"));
    for (name, value) in KINDS {
        assert_eq!(lines.next(), Some(format!("{name:<7}  {value}").as_str()));
    }
    assert_eq!(lines.next(), Some("-[ record 2 ]-----------------"));
    for (name, _) in KINDS {
        assert_eq!(lines.next(), Some(format!("{name:<7}  NULL").as_str()));
    }
    assert_eq!(lines.collect::<Vec<_>>(), ["", "2 rows"]);
}

#[test]
fn a_value_out_of_range_does_not_end_the_output() {
    let shown = text(Format::Table, PLAIN, &[out_of_range()]);
    assert!(
        shown.contains("ERROR: Cast error: Failed to convert 9223372036854775807"),
        "{shown}"
    );
    assert!(shown.ends_with("\n1 row\n"));
}

#[test]
fn an_empty_result_has_headers() {
    let expected = ["n  name", "-  ----", "", "0 rows"];
    check(PLAIN, &[numbered(0..0)], &expected);
    check(
        Style {
            width: Some(3),
            colour: false,
            expanded: false,
        },
        &[numbered(0..0)],
        &expected,
    );
    check(PLAIN, &[batch([])], &["0 rows"]);
}

#[test]
fn a_table_too_wide_for_the_terminal_becomes_records() {
    check(
        NARROW,
        &[numbered(0..1), numbered(1..2)],
        &["n  name", "-  -----", "0  row 0", "1  row 1", "", "2 rows"],
    );
    check(
        NARROW,
        &[flows().slice(0, 2), flows().slice(2, 1)],
        &[
            "-[ record 1 ]-----------------",
            "action      ACCEPT",
            "bytes       4249",
            "ratio       0.1",
            "event_time  2014-12-14T04:06:50Z",
            "-[ record 2 ]-----------------",
            "action      REJECT",
            "bytes       NULL",
            "ratio       3.0",
            "event_time  NULL",
            "-[ record 3 ]-----------------",
            "action      NULL",
            "bytes       -7",
            "ratio       1e21",
            "event_time  2014-12-14T04:06:50.120Z",
            "",
            "3 rows",
        ],
    );
    // Records of one column would be as long, with a line more each.
    let long = "x".repeat(40);
    check(
        NARROW,
        &[batch([("line", strings([Some(&long)]))])],
        &["line", &"-".repeat(40), &long, "", "1 row"],
    );
}

#[test]
fn colour_marks_headings_and_null() {
    let style = Style {
        width: None,
        colour: true,
        expanded: false,
    };
    let values = batch([("a", strings([None, Some("NULL")]))]);
    check(
        style,
        &[values],
        &[
            "\x1b[1ma\x1b[0m",
            "\x1b[2m----\x1b[0m",
            "\x1b[2mNULL\x1b[0m",
            "NULL",
            "",
            "\x1b[2m2 rows\x1b[0m",
        ],
    );
}

#[test]
fn a_long_result_streams_in_the_widths_of_its_first_rows() {
    let batches: Vec<_> = (0..13).map(|i| numbered(i * 100..i * 100 + 100)).collect();
    let shown = text(Format::Table, PLAIN, &batches);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[..3], ["  n  name", "---  -------", "  0  row 0"]);
    assert_eq!(lines[1001..1003], ["999  row 999", "1000  row 1000"]);
    assert_eq!(lines[1301..], ["1299  row 1299", "", "1,300 rows"]);
}

#[test]
fn long_values_are_never_cut_nor_padded_to() {
    let long = "x".repeat(5000);
    let values = batch([
        ("a", strings([Some(&long), Some("y")])),
        ("b", strings([Some("1"), Some("2")])),
    ]);
    let shown = text(Format::Table, PLAIN, &[values]);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[2], format!("{long}  1"));
    assert_eq!(lines[3], format!("{:<256}  2", "y"));
}

#[test]
fn many_columns_and_long_names_do_not_panic() {
    let fields = (0..300).map(|n| Field::new(format!("{n:0>300}"), DataType::Utf8View, true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let texts = (0..300).map(|n| if n < 299 { "" } else { "last" });
    let columns = texts.map(|text| strings([Some(text)])).collect();
    let empty = RecordBatch::try_new(schema, columns).unwrap();
    assert!(text(Format::Table, PLAIN, &[empty]).contains("  last\n"));

    let name = "x".repeat(70_000);
    let values = batch([
        (name.as_str(), strings([Some("1")])),
        ("b", strings([Some("2")])),
    ]);
    let records = text(Format::Table, NARROW, &[values]);
    assert!(records.contains(&format!("\n{name}  1\nb{:255}  2\n", "")));
}

#[test]
fn rows_held_back_are_few_and_can_be_asked_for() {
    fn new(out: &mut Vec<u8>) -> Box<dyn ResultWriter + '_> {
        writer(Format::Table, "", &numbered(0..0).schema(), out, PLAIN).unwrap()
    }
    let lines = |out: &[u8]| out.iter().filter(|byte| **byte == b'\n').count();

    let mut out = Vec::new();
    new(&mut out).write(&numbered(0..999)).unwrap();
    assert_eq!(lines(&out), 0);

    let mut out = Vec::new();
    let mut writer = new(&mut out);
    writer.flush().unwrap();
    writer.write(&numbered(0..2)).unwrap();
    writer.flush().unwrap();
    writer.write(&numbered(2..3)).unwrap();
    drop(writer);
    assert_eq!(lines(&out), 2 + 3);

    let mut out = Vec::new();
    new(&mut out).write(&numbered(0..1001)).unwrap();
    assert_eq!(lines(&out), 2 + 1001);

    let mut out = Vec::new();
    let long = "x".repeat(1 << 20);
    let wide = batch([
        ("n", Arc::new(Int64Array::from(vec![1]))),
        ("name", strings([Some(&long)])),
    ]);
    new(&mut out).write(&wide).unwrap();
    assert_eq!(lines(&out), 2 + 1);
}
