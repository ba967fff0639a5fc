//! Cutting JSON into records.

use std::collections::VecDeque;
use std::sync::Arc;

use loglens_parsers::layout::Layout;
use loglens_parsers::record::{BLOCK_BYTES, Block, JsonCutter, MAX_RECORD_BYTES};
use loglens_parsers::reject::{Counts, Reason, Reject};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use crate::json::{ONE_LINE, PRETTY, SPACED, Style, any_damage, any_object, any_style, damaged};

/// What a document is cut into.
#[derive(Debug, Clone, PartialEq)]
struct Cut {
    /// Line, offset and text of each record.
    records: Vec<(u64, u64, String)>,
    rejects: Vec<Reject>,
}

impl Cut {
    fn texts(&self) -> Vec<&str> {
        self.records
            .iter()
            .map(|record| record.2.as_str())
            .collect()
    }

    /// Line, offset, reason and excerpt.
    fn reasons(&self) -> Vec<String> {
        let reject = |r: &Reject| format!("{}@{}: {}: {}", r.line, r.offset, r.reason, r.excerpt);
        self.rejects.iter().map(reject).collect()
    }
}

/// Cuts `document` in pieces of the given sizes, over and over.
fn cut(document: &[u8], sizes: &[usize], block_bytes: usize, cut_off: bool) -> Cut {
    let layout = Arc::new(Layout::default_of(&crate::vpc()));
    let mut cutter = JsonCutter::new(layout, Some("Records")).with_block_bytes(block_bytes);
    let mut blocks = VecDeque::new();
    let mut rest = document;
    for size in sizes.iter().cycle() {
        let (piece, after) = rest.split_at(rest.len().min(*size));
        cutter.buffer().extend_from_slice(piece);
        cutter.cut(&mut blocks);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    cutter.finish(cut_off, &mut blocks);
    collect(document, blocks)
}

/// The content of the blocks, after a look at what each must keep to.
fn collect(document: &[u8], blocks: impl IntoIterator<Item = Block>) -> Cut {
    let (mut records, mut rejects) = (Vec::new(), Vec::new());
    let mut counts = Counts::default();
    for block in blocks {
        let offset = block.offset as usize;
        assert_eq!(
            &document[offset..][..block.bytes.len()],
            block.bytes.as_slice()
        );
        for span in &block.spans {
            let text = &block.bytes[span.start as usize..span.end as usize];
            records.push((
                block.first_line + u64::from(span.line),
                block.offset + u64::from(span.start),
                String::from_utf8_lossy(text).into_owned(),
            ));
        }
        if let (Some(first), Some(last)) = (block.spans.first(), block.spans.last()) {
            assert_eq!((first.start, first.line), (0, 0));
            assert_eq!(last.end as usize, block.bytes.len());
        }
        counts += block.counts;
        rejects.extend(block.rejects);
    }
    assert_eq!(counts.records, counts.rejects);
    assert_eq!(counts.rejects, rejects.len() as u64);
    let places = records.iter().map(|record| (record.0, record.1));
    for (line, offset) in places.chain(rejects.iter().map(|reject| (reject.line, reject.offset))) {
        let before = &document[..offset as usize];
        assert_eq!(
            line,
            1 + before.iter().filter(|&&byte| byte == b'\n').count() as u64
        );
    }
    Cut { records, rejects }
}

fn cut_whole(document: &[u8]) -> Cut {
    let whole = cut(document, &[usize::MAX], 1 << 20, false);
    assert_eq!(cut(document, &[1], 1, false), whole, "byte by byte");
    whole
}

#[test]
fn documents() {
    const NONE: &[&str] = &[];
    let (a, b) = (r#"{"a":1}"#, r#"{"b":[{},"}"]}"#);
    let cases: &[(&str, &[&str], &[&str])] = &[
        // Where records stand.
        ("", NONE, NONE),
        (" \r\n\t\n", NONE, NONE),
        ("\u{feff}", NONE, NONE),
        ("\u{feff}{\"a\":1}", &[a], NONE),
        (r#"{"Records":[{"a":1},{"b":[{},"}"]}]}"#, &[a, b], NONE),
        (
            "{ \"Records\" :\n[\n{\"a\":1} ,\n{\"b\":[{},\"}\"]}\n]\n}\n",
            &[a, b],
            NONE,
        ),
        (
            r#"{"x":{"Records":[2]},"Records":[{"a":1}],"y":[{}]}"#,
            &[a],
            NONE,
        ),
        (r#"{"Records":[]}"#, NONE, NONE),
        (r#"{"Records":[]}{"Records":[{"a":1}]}"#, &[a], NONE),
        (
            "{\"Records\":[{\"a\":1}]}\n{\"b\":[{},\"}\"]}\n",
            &[a, b],
            NONE,
        ),
        ("{\"a\":1}\r\n\r\n{\"b\":[{},\"}\"]}", &[a, b], NONE),
        (r#"{"a":1}{"b":[{},"}"]},{"a":1} "#, &[a, b, a], NONE),
        (r#"[{"a":1},{"b":[{},"}"]}][{"a":1}]"#, &[a, b, a], NONE),
        ("{}", &["{}"], NONE),
        // What looks like a wrapper and is none.
        (r#"{"Records":{}}"#, &[r#"{"Records":{}}"#], NONE),
        (r#"{"records":[{}]}"#, &[r#"{"records":[{}]}"#], NONE),
        (r#"{"x\"Records":[{}]}"#, &[r#"{"x\"Records":[{}]}"#], NONE),
        (
            r#"{"a":{"Records":[{}]}}"#,
            &[r#"{"a":{"Records":[{}]}}"#],
            NONE,
        ),
        // Strings.
        (r#"{"a":"\\"}{"a":1}"#, &[r#"{"a":"\\"}"#, a], NONE),
        (r#"{"a":"\\\"{["}{"a":1}"#, &[r#"{"a":"\\\"{["}"#, a], NONE),
        // No objects.
        (
            r#"[1,"},{",[{"a":1}],null,{"a":1}]"#,
            &[a],
            &[
                "1@1: expected a JSON object: 1",
                "1@3: expected a JSON object: \"},{\"",
                "1@9: expected a JSON object: [{\"a\":1}]",
                "1@19: expected a JSON object: null",
            ],
        ),
        (
            "1 2\n\"a{\\\"\"{\"a\":1}\nit's {\"a\":1}",
            &[a, a],
            &[
                "1@0: expected a JSON object: 1 2",
                "2@4: expected a JSON object: \"a{\\\"\"",
                "3@18: expected a JSON object: it's",
            ],
        ),
        (
            "{\"a\":1}}\n]\n{\"a\":1}",
            &[a, a],
            &[
                "1@7: expected a JSON object: }",
                "2@9: expected a JSON object: ]",
            ],
        ),
        // Broken records, and those after them.
        (
            "{\"x\":{\n{\"a\":1}\n",
            &[a],
            &["1@0: expected ':' before '{': {\"x\":{"],
        ),
        (
            "{\"x\":{\"y\":1}\n{\"a\":1}\n",
            &[a],
            &["1@0: expected ':' before '{': {\"x\":{\"y\":1}"],
        ),
        (
            "{\"x\":1,\n{\"a\":1}\n",
            &[a],
            &["1@0: expected ':' before '{': {\"x\":1,"],
        ),
        (
            "{\"x\":[1\n{\"a\":1}\n",
            &[a],
            &["1@0: expected ',' before '{': {\"x\":[1"],
        ),
        (
            "{\"x\":\"y\n{\"a\":1}\n",
            &[a],
            &["1@0: expected '\"' before the end of the line: {\"x\":\"y"],
        ),
        (
            "{\"x\":\"y\\\n{\"a\":1}\n",
            &[a],
            &["1@0: expected '\"' before the end of the line: {\"x\":\"y\\"],
        ),
        (
            r#"{"Records":[{"x":[1},{"a":1}]}"#,
            &[a],
            &["1@12: expected ']': {\"x\":[1}"],
        ),
        (
            r#"{"Records":[{"x":{"y":1],"z":2}},{"a":1}]}"#,
            &[a],
            &["1@12: expected '}': {\"x\":{\"y\":1],\"z\":2}}"],
        ),
        (
            r#"{"Records":[{"x":{"y":1],"z":2},{"a":1}]}"#,
            &[a],
            &["1@12: expected '}': {\"x\":{\"y\":1],\"z\":2},"],
        ),
        (
            r#"{"Records":[{"x" [1]},{"a":1}]}"#,
            &[a],
            &["1@12: expected ':' before '[': {\"x\" [1]}"],
        ),
        (
            r#"{"Records":[{"x":[1[2]]},{"a":1}]}"#,
            &[a],
            &["1@12: expected ',' before '[': {\"x\":[1[2]]}"],
        ),
        (
            r#"{"Records":[{"a":1}},{"a":1}]}{"a":1}"#,
            &[a, a, a],
            &[
                "1@19: expected a JSON object: },",
                "1@28: expected a JSON object: ]}",
            ],
        ),
        (
            "{\"Records\":[{\"a\":1}}\n{\"Records\":[{\"a\":1}]}",
            &[a, a],
            &["1@19: expected a JSON object: }"],
        ),
        (
            "{\"Records\":[{\"a\":1}]\n{\"Records\":[{\"a\":1}]}",
            &[a, a],
            &["1@19: expected ':' before '{': ]"],
        ),
        (
            r#"{"x":1],"Records":[{"a":1}]}"#,
            &[a],
            &["1@0: expected '}': {\"x\":1],\"Records\":"],
        ),
        (
            r#"{"Records":[{"x":"y"z"},{"a":1}]}"#,
            &[a],
            &["1@12: expected no '\"' here: {\"x\":\"y\"z\"}"],
        ),
        (
            r#"{"Records":[{"x":"y,"z":"{"},{"a":1}]}"#,
            &[a],
            &["1@12: expected no '\"' here: {\"x\":\"y,\"z\":\"{\"}"],
        ),
        (
            r#"{"Records":[{"x":1 "z":"{"},{"a":1}]}"#,
            &[a],
            &["1@12: expected no '\"' here: {\"x\":1 \"z\":\"{\"}"],
        ),
        // Documents that end too early.
        (
            r#"{"a":1}{"x"#,
            &[a],
            &["1@7: the object ends inside this record: {\"x"],
        ),
        (
            r#"{"a":1} tru"#,
            &[a],
            &["1@8: expected a JSON object: tru"],
        ),
        (
            r#"{"Records":[{"a":1},{"x":{"#,
            &[a],
            &["1@20: the object ends inside this record: {\"x\":{"],
        ),
        (
            "{\"Records\":[{\"a\":1},\n",
            &[a],
            &["2@21: the object ends inside this record: "],
        ),
        (
            r#"{"Records":[{"a":1}] "#,
            &[a],
            &["1@19: the object ends inside this record: ]"],
        ),
        (
            r#"{"Records":[{"a":1},12"#,
            &[a],
            &["1@20: the object ends inside this record: 12"],
        ),
        ("[", NONE, &["1@1: the object ends inside this record: "]),
    ];
    for (document, records, rejects) in cases {
        let found = cut_whole(document.as_bytes());
        assert_eq!(found.texts(), *records, "{document}");
        assert_eq!(found.reasons(), *rejects, "{document}");
    }
}

#[test]
fn a_quote_too_many_or_too_few_does_not_turn_the_rest_inside_out() {
    let record = r#"{"x":"y","z":{"u":"v"},"w":"}"}"#;
    let good = r#"{"a":"b","c":"d"}"#;
    let after = [good; 20].join(",");
    for (at, _) in record.match_indices('"') {
        for quotes in ["", "\"\""] {
            let (before, behind) = (&record[..at], &record[at + 1..]);
            let document = format!(r#"{{"Records":[{before}{quotes}{behind},{after}]}}"#);
            let found = cut_whole(document.as_bytes());
            let kept = found.texts().iter().filter(|text| **text == good).count();
            assert!(kept >= 19, "{kept} after {before}{quotes}{behind}");
            assert!(!found.rejects.is_empty());
        }
    }
}

#[test]
fn a_cut_off_object_gives_its_complete_records() {
    for (document, rejects) in [
        ("{\"a\":1}", 0),
        ("{\"a\":1}\n", 0),
        ("{\"a\":1} 12", 1),
        ("{\"a\":1}{", 1),
        ("[{\"a\":1}", 1),
    ] {
        let found = cut(document.as_bytes(), &[3], 1, true);
        assert_eq!(found.texts(), ["{\"a\":1}"], "{document}");
        let reasons: Vec<_> = found.rejects.iter().map(|reject| &reject.reason).collect();
        assert_eq!(reasons, vec![&Reason::CutOff; rejects], "{document}");
    }
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: usize| {
        let arrays = depth - 1;
        format!("{{\"a\":{}{}}}", "[".repeat(arrays), "]".repeat(arrays))
    };
    let document = format!("[{},{},{{\"a\":1}}]", nested(128), nested(300));
    let found = cut_whole(document.as_bytes());
    assert_eq!(found.texts(), [nested(128).as_str(), "{\"a\":1}"]);
    assert_eq!(
        found.rejects[0].reason.to_string(),
        "expected at most 128 levels of brackets"
    );
}

#[test]
fn what_is_too_long_is_not_held() {
    let small = "{\"a\":1}";
    let filling = "[1, 2], ".repeat(MAX_RECORD_BYTES / 8 + 1);
    let long = format!("{{\"x\":[{filling}3]}}");
    let unclosed = format!("{{\"x\":[{filling}\n");
    let garbage = format!("garbage {filling}");
    let blanks = " ".repeat(MAX_RECORD_BYTES + 1);
    let document = format!(
        "{{\"Records\":[{small},{long},{small}], \"x\":[{filling}4]}}\n{garbage}\n{small}{blanks}{small}\n{unclosed}1{small}"
    );
    for sizes in [&[usize::MAX][..], &[64 << 10], &[1000, 7_000_000]] {
        for block_bytes in [1000, BLOCK_BYTES] {
            let found = cut(document.as_bytes(), sizes, block_bytes, false);
            assert_eq!(found.texts(), [small; 5]);
            let reasons: Vec<_> = found
                .rejects
                .iter()
                .map(|r| (r.line, r.reason.to_string()))
                .collect();
            let too_long = "record longer than 4194304 bytes".to_owned();
            assert_eq!(
                reasons,
                [(1, too_long.clone()), (2, too_long.clone()), (4, too_long)]
            );
            assert_eq!(found.rejects[0].excerpt, long[..200]);
        }
    }
}

#[test]
fn one_long_line_streams() {
    let record = format!("{{\"x\":\"{}\"}},", "y".repeat(1000));
    let layout = Arc::new(Layout::default_of(&crate::vpc()));
    let mut cutter = JsonCutter::new(layout, Some("Records"));
    let mut blocks = VecDeque::new();
    cutter.buffer().extend_from_slice(b"{\"Records\":[");
    let mut found = 0;
    for _ in 0..20_000 {
        cutter.buffer().extend_from_slice(record.as_bytes());
        cutter.cut(&mut blocks);
        assert!(cutter.buffer().len() < 2 * BLOCK_BYTES);
        for block in blocks.drain(..) {
            assert!(block.bytes.len() < 2 * BLOCK_BYTES);
            found += block.spans.len();
        }
    }
    cutter.buffer().extend_from_slice(b"]}");
    cutter.finish(false, &mut blocks);
    found += blocks.iter().map(|block| block.spans.len()).sum::<usize>();
    assert_eq!(found, 20_000);
    assert!(blocks.iter().all(|block| block.rejects.is_empty()));
}

#[test]
fn rejects_do_not_pile_up() {
    let layout = Arc::new(Layout::default_of(&crate::vpc()));
    let mut cutter = JsonCutter::new(layout, None);
    let mut blocks = VecDeque::new();
    for _ in 0..10 {
        cutter.buffer().extend("no\n".repeat(500).bytes());
        cutter.cut(&mut blocks);
    }
    assert!(blocks.len() >= 4);
    cutter.finish(false, &mut blocks);
    assert_eq!(
        blocks.iter().map(|block| block.counts.rejects).sum::<u64>(),
        5000
    );
}

/// Where the records of a document stand.
#[derive(Debug, Clone, Copy)]
enum Wrapping {
    Wrapper,
    Array,
    Lines,
    BackToBack,
}

/// A document of records, and where each begins and ends.
fn document(
    records: &[Value],
    wrapping: Wrapping,
    style: &mut Style,
) -> (String, Vec<(usize, usize)>) {
    let (head, between, tail) = match wrapping {
        Wrapping::Wrapper => ("{\"v\":[{}],\"Records\":[", ",", "],\"w\":[{},\"]}\"]}"),
        Wrapping::Array => ("[", ",", "]"),
        Wrapping::Lines => ("", "\n", "\n"),
        Wrapping::BackToBack => ("", "", ""),
    };
    let mut text = format!("{}{head}", style.gap());
    let mut places = Vec::new();
    for (index, record) in records.iter().enumerate() {
        text.push_str(if index > 0 { between } else { "" });
        text.push_str(style.gap());
        let start = text.len();
        text.push_str(&style.write(record));
        places.push((start, text.len()));
        text.push_str(style.gap());
    }
    text.push_str(tail);
    (text, places)
}

fn any_records() -> impl Strategy<Value = Vec<Value>> {
    vec(any_object(), 0..8)
}

fn any_wrapping() -> impl Strategy<Value = Wrapping> {
    select(vec![
        Wrapping::Wrapper,
        Wrapping::Array,
        Wrapping::Lines,
        Wrapping::BackToBack,
    ])
}

fn any_sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(1..300_usize, 1..6)
}

fn any_block_bytes() -> impl Strategy<Value = usize> {
    select(vec![1, 50, 400, BLOCK_BYTES])
}

proptest! {
    #[test]
    fn every_wrapping_gives_its_records(
        records in any_records(),
        wrapping in any_wrapping(),
        mut style in any_style(&[ONE_LINE, SPACED, PRETTY]),
        sizes in any_sizes(),
        block_bytes in any_block_bytes(),
    ) {
        let (text, places) = document(&records, wrapping, &mut style);
        let found = cut(text.as_bytes(), &sizes, block_bytes, false);
        prop_assert_eq!(found.reasons(), Vec::<String>::new());
        let expected: Vec<_> = places.iter().map(|&(start, end)| (start as u64, &text[start..end])).collect();
        let cut: Vec<_> = found.records.iter().map(|record| (record.1, record.2.as_str())).collect();
        prop_assert_eq!(cut, expected);
        for (record, value) in found.records.iter().zip(&records) {
            prop_assert_eq!(&serde_json::from_str::<Value>(&record.2)?, value);
        }
    }

    #[test]
    fn a_truncated_document_gives_what_is_complete(
        records in any_records(),
        wrapping in any_wrapping(),
        mut style in any_style(&[ONE_LINE, PRETTY]),
        sizes in any_sizes(),
        end in any::<Index>(),
        cut_off in any::<bool>(),
    ) {
        let (text, places) = document(&records, wrapping, &mut style);
        let end = end.index(text.len() + 1);
        let found = cut(&text.as_bytes()[..end], &sizes, 100, cut_off);
        let complete = places.iter().filter(|place| place.1 <= end).count();
        prop_assert_eq!(found.records.len(), complete);
        prop_assert!(found.rejects.len() <= 1);
        prop_assert!(found.rejects.iter().all(|reject| reject.reason == Reason::CutOff));
        let inside = places.iter().any(|place| place.0 < end && end < place.1);
        prop_assert!(!inside || found.rejects.len() == 1);
    }

    /// But for one case: an object that follows on `:`, `[` or `,` may be a part of the record.
    #[test]
    fn a_truncated_line_loses_only_itself(
        records in vec(any_object(), 1..8),
        mut style in any_style(&[ONE_LINE, SPACED]),
        line in any::<Index>(),
        length in any::<Index>(),
    ) {
        let mut lines: Vec<Vec<u8>> = records.iter().map(|record| style.write(record).into_bytes()).collect();
        let line = line.index(lines.len());
        let length = length.index(lines[line].len());
        lines[line].truncate(length);
        let open_end = lines[line].trim_ascii_end().last().is_some_and(|last| b":[,".contains(last));
        let found = cut(&lines.join(&b'\n'), &[100], 100, false);
        prop_assert_eq!(found.rejects.len(), usize::from(length > 0));
        let kept: Vec<_> = found.records.iter().map(|record| record.2.as_bytes()).collect();
        let lost = if open_end { line..line + 2 } else { line..line + 1 };
        let others: Vec<_> = (0..lines.len())
            .filter(|index| !lost.contains(index))
            .map(|index| lines[index].as_slice())
            .collect();
        let next = lines.get(line + 1).filter(|_| open_end);
        let mut with_next = others.clone();
        if let Some(next) = next {
            with_next.insert(line, next);
        }
        prop_assert!(kept == others || kept == with_next);
    }

    #[test]
    fn pieces_and_blocks_change_nothing_whatever_the_bytes(
        records in any_records(),
        wrapping in any_wrapping(),
        mut style in any_style(&[ONE_LINE, PRETTY]),
        damages in vec(any_damage(), 0..6),
        sizes in any_sizes(),
        block_bytes in any_block_bytes(),
        cut_off in any::<bool>(),
    ) {
        let text = damaged(&document(&records, wrapping, &mut style).0, &damages);
        let whole = cut(&text, &[usize::MAX], BLOCK_BYTES, cut_off);
        prop_assert_eq!(cut(&text, &sizes, block_bytes, cut_off), whole);
    }

    #[test]
    fn noise_changes_nothing_either(
        text in vec(prop_oneof![select(&b"{}[]\",:\\ \n1"[..]), any::<u8>()], 0..400),
        sizes in any_sizes(),
        block_bytes in any_block_bytes(),
    ) {
        let whole = cut(&text, &[usize::MAX], BLOCK_BYTES, false);
        prop_assert_eq!(cut(&text, &sizes, block_bytes, false), whole);
    }
}
