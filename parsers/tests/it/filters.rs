//! Filters over bytes leave the rows that the same filter leaves afterwards.

use std::sync::Arc;

use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_schema::DataType;
use arrow_select::filter::filter_record_batch;
use loglens_parsers::field::Kind;
use loglens_parsers::filter::{FieldPredicate, FieldTest, Literals, TextTest};
use loglens_parsers::format::by_name;
use loglens_parsers::reject::{Reject, RejectKind};
use loglens_parsers::table::{ColumnSource, Table};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::logs::any_log;
use crate::reader::{Reader, Reading, cell};
use crate::vpc;

/// A test by the value that some row has in the column.
#[derive(Debug, Clone, Copy)]
enum Way {
    IsNull,
    IsNotNull,
    Equals,
    Differs,
    OneOf,
    StartsWith,
    EndsWith,
    Contains,
    Below,
    From,
    Outside,
}

const WAYS: [Way; 11] = [
    Way::IsNull,
    Way::IsNotNull,
    Way::Equals,
    Way::Differs,
    Way::OneOf,
    Way::StartsWith,
    Way::EndsWith,
    Way::Contains,
    Way::Below,
    Way::From,
    Way::Outside,
];

impl Way {
    fn test(self, number: bool, value: &str, other: &str) -> FieldTest {
        let bytes = |text: &str| Box::from(text.as_bytes());
        if number {
            let (value, other): (i64, i64) = (value.parse().unwrap(), other.parse().unwrap());
            return match self {
                Self::IsNull => FieldTest::IsNull,
                Self::IsNotNull => FieldTest::IsNotNull,
                Self::OneOf => FieldTest::Integer(vec![value..=value, other..=other]),
                Self::Differs | Self::Outside => FieldTest::Integer(vec![
                    i64::MIN..=value.saturating_sub(1),
                    value.saturating_add(1)..=i64::MAX,
                ]),
                Self::Below => FieldTest::Integer(vec![i64::MIN..=value]),
                Self::From => FieldTest::Integer(vec![value..=i64::MAX]),
                _ => FieldTest::Integer(vec![value..=value]),
            };
        }
        match self {
            Self::IsNull => FieldTest::IsNull,
            Self::IsNotNull => FieldTest::IsNotNull,
            Self::OneOf => {
                FieldTest::Text(TextTest::one_of(vec![bytes(value), bytes(other)]), true)
            }
            Self::Differs | Self::Outside => FieldTest::Text(TextTest::Equals(bytes(value)), false),
            Self::StartsWith => FieldTest::Text(TextTest::StartsWith(bytes(value)), true),
            Self::EndsWith => FieldTest::Text(TextTest::EndsWith(bytes(value)), true),
            Self::Contains => FieldTest::Text(TextTest::contains(value), true),
            _ => FieldTest::Text(TextTest::Equals(bytes(value)), true),
        }
    }
}

/// What a test means, said of the value that the column has.
fn passes(test: &FieldTest, value: Option<&str>) -> bool {
    match (test, value) {
        (FieldTest::IsNull, value) => value.is_none(),
        (_, None) => false,
        (FieldTest::IsNotNull, _) => true,
        (FieldTest::Integer(ranges), Some(value)) => {
            let value: i64 = value.parse().unwrap();
            ranges.iter().any(|range| range.contains(&value))
        }
        (FieldTest::Text(test, wanted), Some(value)) => {
            let passes = match test {
                TextTest::Equals(text) => **text == *value.as_bytes(),
                TextTest::OneOf(texts) => texts.iter().any(|text| **text == *value.as_bytes()),
                TextTest::StartsWith(text) => value.as_bytes().starts_with(text),
                TextTest::EndsWith(text) => value.as_bytes().ends_with(text),
                TextTest::Contains(text) => {
                    value.contains(std::str::from_utf8(text.needle()).unwrap())
                }
                TextTest::In(cidr) => cidr.contains(value.as_bytes()) == Some(true),
            };
            passes == *wanted
        }
    }
}

/// The columns that are one field of text or of an integer.
fn testable(table: &Table) -> Vec<ColumnSource> {
    let mut sources: Vec<_> = table.sources().collect();
    sources.retain(|&source| FieldPredicate::new(table, source, FieldTest::IsNull).is_some());
    sources
}

/// The values of a column, and one that it may not have.
fn values_of(all: &Reading, column: usize) -> Vec<String> {
    let batch = all.batch();
    let column = batch.column(column);
    let unheard_of = match column.data_type() {
        DataType::Utf8View => "nothing",
        _ => "7",
    };
    let values = (0..batch.num_rows()).filter_map(|row| cell(column, row));
    values.chain([unheard_of.to_owned()]).collect()
}

fn rows_that_pass(rows: &RecordBatch, column: usize, test: &FieldTest) -> RecordBatch {
    let passes = |row| Some(passes(test, cell(rows.column(column), row).as_deref()));
    let mask: BooleanArray = (0..rows.num_rows()).map(passes).collect();
    filter_record_batch(rows, &mask).unwrap()
}

/// What was found is some of what there is.
fn is_among(found: &[Reject], all: &[Reject]) -> bool {
    found.iter().all(|reject| all.contains(reject))
}

/// A log with lines that are no records between its lines.
fn diluted(log: &[u8], lines: usize) -> Vec<u8> {
    let noise = "no record at all\n".repeat(lines);
    let lines = log.split_inclusive(|&byte| byte == b'\n');
    lines
        .flat_map(|line| [line, noise.as_bytes()])
        .flatten()
        .copied()
        .collect()
}

proptest! {
    #[test]
    fn testing_fields_equals_filtering_afterwards(
        log in any_log(),
        blocks in 1..3000_usize,
        questions in vec((any::<Index>(), select(&WAYS[..]), any::<[Index; 2]>()), 1..4),
        projection in vec(any::<Index>(), 0..8),
    ) {
        let reader = Reader::new(&log.format).in_blocks_of(blocks);
        let all = reader.read_plain(&log.bytes);
        let mut rows = all.batch();
        let mut predicates = Vec::new();
        for (column, way, picks) in questions {
            let source = *column.get(&testable(&reader.table));
            let column = reader.index_of(source);
            let values = values_of(&all, column);
            let number = *all.batch().column(column).data_type() != DataType::Utf8View;
            let test = way.test(number, picks[0].get::<String>(&values), picks[1].get::<String>(&values));
            predicates.push(FieldPredicate::new(&reader.table, source, test.clone()).unwrap());
            rows = rows_that_pass(&rows, column, &test);
        }
        let projection: Vec<_> = projection.iter().map(|index| index.index(reader.columns())).collect();
        let found = reader.projecting(&projection).testing(&predicates).read_plain(&log.bytes);
        prop_assert_eq!(found.batch(), rows.project(&projection)?);
        prop_assert_eq!(found.counts.rows + found.counts.filtered, all.counts.rows);
        prop_assert_eq!(found.rejects_of(RejectKind::Record), all.rejects_of(RejectKind::Record));
        prop_assert!(is_among(&found.rejects, &all.rejects));
    }

    #[test]
    fn counting_alone_counts_the_same(log in any_log(), blocks in 1..3000_usize) {
        let reader = Reader::new(&log.format).in_blocks_of(blocks);
        let line = [reader.index_of(ColumnSource::Line)];
        let read = reader.clone().projecting(&line).read_plain(&log.bytes);
        let counted = reader.projecting(&[]).read_plain(&log.bytes);
        prop_assert_eq!(counted.counts, read.counts);
        prop_assert_eq!(counted.sorted_rejects(), read.sorted_rejects());
    }

    #[test]
    fn searching_for_literals_loses_no_row(
        log in any_log(),
        blocks in 1..30_000_usize,
        noise in 0..30_usize,
        column in any::<Index>(),
        picks in any::<[Index; 2]>(),
    ) {
        let bytes = diluted(&log.bytes, noise);
        let reader = Reader::new(&log.format).in_blocks_of(blocks);
        let all = reader.read_plain(&bytes);
        let mut sources = testable(&reader.table);
        sources.retain(|&source| *reader.table.field(source).data_type() == DataType::Utf8View);
        let source = *column.get(&sources);
        let column = reader.index_of(source);
        let values = values_of(&all, column);
        let picked = picks.map(|pick| pick.get(&values).clone());
        let test = Way::OneOf.test(false, &picked[0], &picked[1]);
        let predicate = FieldPredicate::new(&reader.table, source, test.clone()).unwrap();
        let literals = Literals::in_lines(picked.iter().map(String::as_str));
        let found = reader.searching(literals).testing(&[predicate]).read_plain(&bytes);
        prop_assert_eq!(found.batch(), rows_that_pass(&all.batch(), column, &test));
        prop_assert_eq!(found.counts.records, all.counts.records);
        prop_assert!(is_among(&found.rejects, &all.rejects));
    }
}

/// Records are passed over, and those that are not have their places.
#[test]
fn a_needle_among_many_lines() {
    let mut lines = Vec::new();
    for line in 0..5000 {
        let (address, action) = match line {
            100 | 4000 => ("192.0.2.77", "REJECT"),
            3000 => ("192.0.2.77", "ACCEPT"),
            _ => ("10.0.0.1", "ACCEPT"),
        };
        let fields = if line == 2000 {
            " one two 192.0.2.77"
        } else {
            ""
        };
        lines.push(format!(
            "2 1 eni-1 {address} 10.0.0.2 1 2 6 1 {line} 1600000000 1600000060 {action} OK{fields}"
        ));
    }
    let text = lines.join("\n").into_bytes();
    let format = vpc();
    let column = |name: &str| ColumnSource::Format(format.column(name).unwrap());
    let reader = Reader::new(&format).in_blocks_of(50_000);
    let test = |text: &str| FieldTest::Text(TextTest::Equals(Box::from(text.as_bytes())), true);
    let predicates = [("srcaddr", "192.0.2.77"), ("action", "REJECT")];
    let predicates = predicates
        .map(|(name, text)| FieldPredicate::new(&reader.table, column(name), test(text)).unwrap());
    let projection = [
        reader.index_of(ColumnSource::Line),
        reader.index_of(column("bytes")),
    ];
    let reader = reader.projecting(&projection).testing(&predicates);
    let literals = Literals::in_lines(["192.0.2.77"]);
    let found = reader.clone().searching(literals.clone()).read_plain(&text);
    assert_eq!(
        found.column("$line"),
        [Some("101".to_owned()), Some("4001".to_owned())]
    );
    assert_eq!(
        found.column("bytes"),
        [Some("100".to_owned()), Some("4000".to_owned())]
    );
    assert_eq!(found.reasons(), ["2001: expected 14 fields, found 17"]);
    assert_eq!(found.counts.records, 5000);
    assert_eq!(found.counts.unexamined, 4996);
    assert_eq!(
        (
            found.counts.rows,
            found.counts.filtered,
            found.counts.rejects
        ),
        (2, 1, 1)
    );
    let before: usize = lines[..2000].iter().map(|line| line.len() + 1).sum();
    assert_eq!(found.rejects[0].offset, before as u64);
    // Who wants to know everything is told everything.
    let everything = reader
        .examining_everything()
        .searching(literals)
        .read_plain(&text);
    assert_eq!(everything.counts.unexamined, 0);
    assert_eq!(everything.batch(), found.batch());
}

#[test]
fn a_needle_among_many_events() {
    let event = |index: usize| {
        let name = match index {
            70 => "Delete\\u0054rail",
            71 | 1500 => "DeleteTrail",
            _ => "DescribeInstances",
        };
        format!(r#"{{"eventVersion":"1.08","eventName":"{name}","eventID":"{index}"}}"#)
    };
    let text = (0..2000)
        .map(event)
        .collect::<Vec<_>>()
        .join("\n")
        .into_bytes();
    let format = by_name("cloudtrail_logs").unwrap();
    let reader = Reader::new(format).in_blocks_of(20_000);
    let literals = Literals::in_json(["DeleteTrail"]);
    let found = reader.searching(literals).read_plain(&text);
    let ids = |ids: [&str; 3]| ids.map(|id| Some(id.to_owned()));
    assert_eq!(found.column("eventid"), ids(["70", "71", "1500"]));
    assert_eq!(found.column("eventname"), ids(["DeleteTrail"; 3]));
    assert_eq!(found.column("$line"), ids(["71", "72", "1501"]));
    assert_eq!(
        (found.counts.records, found.counts.unexamined),
        (2000, 1997)
    );
}

#[test]
fn literals_that_can_be_searched_for() {
    let texts = |literals: Option<Literals>| -> Option<Vec<String>> {
        let text = |text: &[u8]| String::from_utf8(text.to_vec()).unwrap();
        Some(literals?.texts().map(text).collect())
    };
    let line = |text: &str| texts(Literals::in_lines([text]));
    assert_eq!(line("10.0.0.1"), Some(vec!["10.0.0.1".to_owned()]));
    assert_eq!(line("tc"), None);
    assert_eq!(line("two\nlines"), None);
    assert_eq!(line("mended \u{fffd}"), None);
    assert_eq!(texts(Literals::in_lines(["a long one", "x"])), None);
    assert_eq!(texts(Literals::in_lines((0..9).map(|_| "many"))), None);
    let json = |text: &str| texts(Literals::in_json([text])).map(|mut texts| texts.remove(0));
    assert_eq!(
        json("arn:aws:iam::1:user/alice").as_deref(),
        Some("arn:aws:iam::1:user/alice")
    );
    assert_eq!(json("say \"something\"").as_deref(), Some("something"));
    assert_eq!(json("\":wide").as_deref(), Some("wide"));
    assert_eq!(json("[1, 2]"), None);
    let all = |text: &str| texts(Literals::in_json([text])).unwrap();
    assert_eq!(all("DeleteTrail"), ["DeleteTrail", "\\u"]);
    assert_eq!(all("user/alice"), ["user/alice", "\\/", "\\u"]);
}

#[test]
fn what_cannot_be_asked_of_bytes() {
    let flows = Table::new(vpc(), []);
    let trail = Table::new(Arc::clone(by_name("cloudtrail_logs").unwrap()), []);
    let column =
        |table: &Table, name: &str| ColumnSource::Format(table.format.column(name).unwrap());
    let text = || FieldTest::Text(TextTest::Equals(Box::from(&b"1"[..])), true);
    assert_eq!(
        vpc().columns[vpc().column("bytes").unwrap()].kind,
        Kind::Int64
    );
    for (table, source) in [
        (&flows, column(&flows, "bytes")),
        (&flows, ColumnSource::Extra),
        (&flows, ColumnSource::Line),
        (&flows, ColumnSource::EventTime),
        (&trail, column(&trail, "eventname")),
    ] {
        assert!(
            FieldPredicate::new(table, source, text()).is_none(),
            "{source:?}"
        );
    }
}
