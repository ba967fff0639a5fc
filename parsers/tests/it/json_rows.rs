//! Rows of JSON, compared with what `serde_json` reads: the twin of the JSON shape.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::filter::filter_record_batch;
use loglens_parsers::field::Kind;
use loglens_parsers::filter::Literals;
use loglens_parsers::format::{Column, Format, by_name};
use loglens_parsers::parse::RowFilter;
use loglens_parsers::table::ColumnSource;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value};

use crate::json::{ONE_LINE, PRETTY, any_style};
use crate::reader::{Reader, cell};

fn format() -> Arc<Format> {
    Arc::clone(by_name("cloudtrail_logs").unwrap())
}

/// Any JSON, small.
fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        3 => "[a-z0-9 :/-]{0,20}",
        1 => "\\PC{0,8}",
        1 => Just("a \"quoted\" \\ text\n".to_owned()),
        1 => Just("null".to_owned()),
    ];
    let scalar = prop_oneof![
        4 => text.prop_map(Value::String),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => any::<i64>().prop_map(Value::from),
        1 => (-1e9..1e9f64).prop_map(Value::from),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec(("[a-z]{1,6}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What a column holds as a rule, and sometimes anything.
fn value_of(column: &Column) -> BoxedStrategy<Value> {
    let usual = match column.kind {
        Kind::Struct => object_of(&column.columns),
        Kind::List => vec(object_of(&column.columns), 0..3)
            .prop_map(Value::Array)
            .boxed(),
        Kind::Int64 => any::<i64>().prop_map(Value::from).boxed(),
        Kind::Float64 => (-1e6..1e6f64).prop_map(Value::from).boxed(),
        Kind::IsoTime => (1..29u32)
            .prop_map(|day| Value::from(format!("2026-11-{day:02}T10:00:00Z")))
            .boxed(),
        _ => any_value().boxed(),
    };
    prop_oneof![6 => usual, 1 => any_value()].boxed()
}

/// An object with some of the columns, in any case, and members that are none.
fn object_of(columns: &[Column]) -> BoxedStrategy<Value> {
    let members: Vec<_> = columns
        .iter()
        .map(|column| {
            let name = column.field.to_string();
            let spelled = select(vec![name.clone(), name.to_uppercase()]);
            prop::option::weighted(0.4, (spelled, value_of(column)))
        })
        .collect();
    let others = vec(("other_[a-z]{1,3}", any_value()), 0..2);
    (members, others)
        .prop_map(|(members, others)| {
            Value::Object(members.into_iter().flatten().chain(others).collect())
        })
        .boxed()
}

fn any_events() -> impl Strategy<Value = Vec<Value>> {
    vec(object_of(&format().columns), 0..5)
}

/// The events as one of the ways that they are written down.
fn written(events: &[Value], way: usize) -> Vec<u8> {
    let all = Value::Array(events.to_vec());
    let wrapped = || Value::Object(Map::from_iter([("Records".to_owned(), all.clone())]));
    let lines = || events.iter().map(ToString::to_string).collect::<Vec<_>>();
    match way {
        0 => wrapped().to_string(),
        1 => serde_json::to_string_pretty(&wrapped()).unwrap(),
        2 => lines().join("\n"),
        3 => serde_json::to_string_pretty(&all).unwrap(),
        _ => lines().concat(),
    }
    .into_bytes()
}

/// The value of a column as `cell` shows it.
fn shown(column: &Column, value: Option<&Value>) -> Option<String> {
    let value = value.filter(|value| !value.is_null())?;
    match column.kind {
        Kind::Struct => shown_struct(&column.columns, value),
        Kind::List => {
            let elements = value.as_array()?.iter();
            let elements = elements
                .map(|element| shown_struct(&column.columns, element).unwrap_or("NULL".to_owned()));
            Some(format!("[{}]", elements.collect::<Vec<_>>().join(" ")))
        }
        Kind::Int64 => text(value)
            .parse::<i64>()
            .ok()
            .map(|number| number.to_string()),
        Kind::Float64 => {
            let text = text(value);
            let digits = text.contains(|c: char| c.is_ascii_digit());
            text.parse::<f64>()
                .ok()
                .filter(|_| digits)
                .map(|number| number.to_string())
        }
        Kind::Json => Some(value.to_string()),
        _ => Some(text(value)),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn shown_struct(columns: &[Column], value: &Value) -> Option<String> {
    let object = value.as_object()?;
    let members = columns.iter().filter_map(|column| {
        let shown = shown(column, member(object, &column.field))?;
        Some(format!("{}={shown}", column.name))
    });
    Some(format!("({})", members.collect::<Vec<_>>().join(" ")))
}

fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

proptest! {
    #[test]
    fn rows_equal_those_of_serde_json(
        events in any_events(),
        way in 0..5_usize,
        blocks in prop_oneof![1..3000_usize, Just(1 << 20)],
        pieces in vec(1..500_usize, 1..4),
    ) {
        let format = format();
        let reader = Reader::new(&format).in_blocks_of(blocks).in_pieces(&pieces);
        let found = reader.read_plain(&written(&events, way));
        // A record is an object; nothing else was written.
        prop_assert_eq!(found.counts.rows, events.len() as u64);
        prop_assert!(found.counts.add_up());
        let batch = found.batch();
        for (index, column) in format.columns.iter().enumerate() {
            for (row, event) in events.iter().enumerate() {
                let expected = shown(column, member(event.as_object().unwrap(), &column.field));
                prop_assert_eq!(cell(batch.column(index), row), expected, "{} of {}", column.name, event);
            }
        }
    }

    #[test]
    fn projection_and_filter_change_nothing_else(
        events in any_events(),
        way in 0..5_usize,
        projection in vec(any::<Index>(), 0..8),
        filtered in any::<Index>(),
    ) {
        let reader = Reader::new(&format());
        let text = written(&events, way);
        let all = reader.read_plain(&text).batch();
        let projection: Vec<_> = projection.iter().map(|index| index.index(reader.columns())).collect();
        let selected = reader.clone().projecting(&projection).read_plain(&text);
        prop_assert_eq!(selected.batch(), all.project(&projection)?);

        let mut present = Present([filtered.index(reader.columns())]);
        let mask = present.keep(&all.project(&present.0)?)?;
        let kept = reader.projecting(&projection).read_filtered(&text, &mut present);
        prop_assert_eq!(kept.batch(), filter_record_batch(&all, &mask)?.project(&projection)?);
        prop_assert!(kept.counts.add_up());
    }

    /// A column within structs by itself is what it is in the whole struct, in the projection and
    /// in the filter, and what does not fit is reported as there.
    #[test]
    fn members_are_those_of_their_structs(
        events in any_events(),
        way in 0..5_usize,
        picks in vec(any::<Index>(), 1..6),
        filtered in any::<Index>(),
    ) {
        let reader = Reader::new(&format());
        let text = written(&events, way);
        let all = reader.read_plain(&text);
        let members: Vec<_> = reader.table.members().collect();
        let whole = |index: usize| member_of_whole(&all.batch(), &reader, members[index]);
        let picks: Vec<_> = picks.iter().map(|pick| pick.index(members.len())).collect();
        let projection: Vec<_> = picks.iter().map(|&pick| reader.index_of(members[pick])).collect();
        let found = reader.clone().projecting(&projection).read_plain(&text);
        let rows = found.batch();
        for (place, &pick) in picks.iter().enumerate() {
            let expected = whole(pick);
            prop_assert_eq!(rows.column(place), &expected);
        }
        prop_assert!(found.rejects.iter().all(|reject| all.rejects.contains(reject)));

        let filtered = filtered.index(members.len());
        let mut present = Present([reader.index_of(members[filtered])]);
        let mask = present.keep(&RecordBatch::try_from_iter([("x", whole(filtered))])?)?;
        let kept = reader.clone().projecting(&projection).read_filtered(&text, &mut present);
        prop_assert_eq!(kept.batch(), filter_record_batch(&rows, &mask)?);
        prop_assert!(kept.counts.add_up());
    }

    /// Searching for texts loses no row, however the characters are escaped, at the top and within
    /// structs.
    #[test]
    fn searching_for_literals_loses_no_row(
        events in any_events(),
        noise in 0..60_usize,
        mut style in any_style(&[ONE_LINE, PRETTY]),
        column in any::<Index>(),
        picks in any::<[Index; 2]>(),
        part in any::<[Index; 2]>(),
    ) {
        let others = (0..noise).map(|_| serde_json::json!({ "eventVersion": "1.08" }));
        let events = events.iter().cloned().chain(others);
        let text = events.map(|event| style.write(&event)).collect::<Vec<_>>().join("\n");
        let reader = Reader::new(&format());
        let sources: Vec<_> = reader.table.sources().chain(reader.table.members()).collect();
        let texts = sources.iter().filter(|&&source| {
            let column = reader.table.column(source);
            column.is_some_and(|column| matches!(column.kind, Kind::Text | Kind::IsoTime))
        });
        let texts: Vec<_> = texts.collect();
        let column = reader.index_of(**column.get(&texts));
        let reader = reader.projecting(&[0, column]);
        let all = reader.read_plain(text.as_bytes()).batch();
        let values: Vec<_> = (0..all.num_rows()).filter_map(|row| cell(all.column(1), row)).collect();
        if !values.is_empty() {
            let picked = picks.map(|pick| pick.get(&values).clone());
            // Any part of a value, as a pattern asks for it.
            let places: Vec<_> = picked[0].char_indices().map(|(at, _)| at).collect();
            let [one, other] = part.map(|part| places.get(part.index(places.len() + 1)).copied());
            let [one, other] = [one, other].map(|at| at.unwrap_or(picked[0].len()));
            let part = &picked[0][one.min(other)..one.max(other)];
            for wanted in [Wanted::OneOf(picked.to_vec()), Wanted::Containing(part.to_owned())] {
                let literals = Literals::in_json(wanted.texts().iter().map(String::as_str));
                let mut filter = Asked(wanted, [column]);
                let mask = filter.keep(&all.project(&[1])?)?;
                let found = reader.clone().searching(literals).read_filtered(text.as_bytes(), &mut filter);
                prop_assert_eq!(found.batch(), filter_record_batch(&all, &mask)?);
                prop_assert!(found.counts.add_up());
            }
        }
    }

    #[test]
    fn examining_everything_changes_no_row(events in any_events(), way in 0..5_usize) {
        let reader = Reader::new(&format());
        let text = written(&events, way);
        let expected = reader.read_plain(&text);
        let line = [reader.index_of(ColumnSource::Line)];
        let examined = reader.examining_everything().projecting(&line).read_plain(&text);
        prop_assert_eq!(examined.counts, expected.counts);
        prop_assert_eq!(examined.sorted_rejects(), expected.sorted_rejects());
    }
}

/// A column within structs, taken out of the column at the top that was built as a whole.
fn member_of_whole(batch: &RecordBatch, reader: &Reader, member: ColumnSource) -> ArrayRef {
    let field = reader.table.field(member);
    let mut names = field.name().split('.');
    let top = batch.column_by_name(names.next().unwrap()).unwrap();
    names.fold(Arc::clone(top), |array, name| {
        Arc::clone(array.as_struct().column_by_name(name).unwrap())
    })
}

/// Text within structs and lists does not hold on to its block either.
#[test]
fn few_rows_do_not_hold_on_to_their_block() {
    let event = |index: usize| {
        format!(
            r#"{{"eventVersion":"1.08","errorCode":{},"userIdentity":{{"arn":"arn:aws:iam::123456789012:user/someone-{index}"}},
            "resources":[{{"ARN":"arn:aws:s3:::a-bucket-with-a-long-name"}}]}}"#,
            if index == 7 {
                "\"AccessDenied\""
            } else {
                "null"
            },
        )
    };
    let text = (0..2000)
        .map(event)
        .collect::<Vec<_>>()
        .join("\n")
        .into_bytes();
    let reader = Reader::new(&format());
    let column = |name: &str| reader.index_of(ColumnSource::Format(format().column(name).unwrap()));
    let projection = [column("useridentity"), column("resources")];
    let mut denied = Present([column("errorcode")]);
    let found = reader
        .projecting(&projection)
        .read_filtered(&text, &mut denied);
    let batch = found.batch();
    assert_eq!(batch.num_rows(), 1);
    assert!(
        found.column("useridentity.arn")[0]
            .as_ref()
            .unwrap()
            .ends_with("-7")
    );
    let bytes = batch.get_array_memory_size();
    assert!(bytes < 20_000, "{bytes}");
}

/// Keeps the rows in which a column of text is what is wanted.
struct Asked(Wanted, [usize; 1]);

/// What is asked of a column of text.
enum Wanted {
    OneOf(Vec<String>),
    Containing(String),
}

impl Wanted {
    fn texts(&self) -> Vec<String> {
        match self {
            Self::OneOf(texts) => texts.clone(),
            Self::Containing(text) => vec![text.clone()],
        }
    }
}

impl RowFilter for Asked {
    fn columns(&self) -> &[usize] {
        &self.1
    }

    fn keep(&mut self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let values = batch.column(0).as_string_view().iter();
        let passes = |value: &str| match &self.0 {
            Wanted::OneOf(texts) => texts.iter().any(|text| text == value),
            Wanted::Containing(text) => value.contains(text.as_str()),
        };
        Ok(values
            .map(|value| Some(value.is_some_and(passes)))
            .collect())
    }
}

/// Keeps the rows in which a column is not NULL.
struct Present([usize; 1]);

impl RowFilter for Present {
    fn columns(&self) -> &[usize] {
        &self.0
    }

    fn keep(&mut self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let column = batch.column(0);
        Ok((0..batch.num_rows())
            .map(|row| Some(column.is_valid(row)))
            .collect())
    }
}
