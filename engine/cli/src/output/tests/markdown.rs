use super::*;

#[track_caller]
fn check(batches: &[RecordBatch], expected: &[&str]) {
    let written = text(Format::Markdown, PLAIN, batches);
    assert_eq!(written.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_github_table() {
    let head = [
        "| action | bytes | ratio | event_time |",
        "| --- | ---: | ---: | --- |",
    ];
    let rows = [
        "| ACCEPT | 4249 | 0.1 | 2014-12-14T04:06:50Z |",
        "| REJECT | NULL | 3.0 | NULL |",
        "| NULL | -7 | 1e21 | 2014-12-14T04:06:50.120Z |",
    ];
    let whole = [&head[..], &rows[..]].concat();
    check(&[flows()], &whole);
    check(&[flows().slice(0, 1), flows().slice(1, 2)], &whole);
    check(&[flows().slice(0, 0)], &head);
    check(&[batch([])], &[]);
}

#[test]
fn markup_and_control_characters_are_escaped() {
    let cases = [
        ("a|b", r"a\|b"),
        (r"a\|b", r"a\\\|b"),
        (r"C:\dir\", r"C:\dir\\"),
        ("<script>", r"\<script>"),
        (
            "![x](https://example.com/y)",
            r"![x\](https://example.com/y)",
        ),
        ("`code` *bold*", r"\`code\` \*bold\*"),
        (r#"["a","b_c"]"#, r#"["a","b_c"]"#),
        (
            "https://example.com/_next?a=1&b=2",
            "https://example.com/_next?a=1&b=2",
        ),
        ("two\nlines\x1b[2J", r"two\nlines\x1b[2J"),
        ("\u{202e}", r"\u{202e}"),
        ("", ""),
    ];
    for (value, expected) in cases {
        let head = ["| a\\|b |", "| --- |"];
        check(
            &[batch([("a|b", strings([Some(value)]))])],
            &[head[0], head[1], &format!("| {expected} |")],
        );
    }
}

#[test]
fn every_kind_of_value_is_shown() {
    let written = text(Format::Markdown, PLAIN, &[kinds()]);
    let values = KINDS.map(|(_, value)| format!("| {value} "));
    assert_eq!(
        written.lines().nth(2).unwrap(),
        format!("{}|", values.concat())
    );
    assert_eq!(
        written.lines().nth(3).unwrap(),
        format!("{}|", "| NULL ".repeat(KINDS.len()))
    );
}
