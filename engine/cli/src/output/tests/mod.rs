//! What each format makes of the same results.

#![allow(clippy::unwrap_used)]

mod chart;
mod columnar;
mod delimited;
mod json;
mod markdown;
mod names;
mod pipe;
mod table;
mod visible;

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::*;

use super::{Format, OutputError, Style, writer};

/// Not a terminal.
const PLAIN: Style = Style {
    width: None,
    colour: false,
    expanded: false,
};

/// All that `batches` become in `format`.
fn bytes(format: Format, style: Style, batches: &[RecordBatch]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = writer(format, "", &batches[0].schema(), &mut out, style).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
    out
}

fn text(format: Format, style: Style, batches: &[RecordBatch]) -> String {
    String::from_utf8(bytes(format, style, batches)).unwrap()
}

/// A batch of these columns, all of them nullable.
fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    let fields = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    // A result may have no columns.
    let options = RecordBatchOptions::new().with_row_count((N == 0).then_some(0));
    RecordBatch::try_new_with_options(schema, arrays, &options).unwrap()
}

/// What a flow log query returns.
fn flows() -> RecordBatch {
    let times = [
        Some(1_418_530_010_000_000),
        None,
        Some(1_418_530_010_120_000),
    ];
    batch([
        ("action", strings([Some("ACCEPT"), Some("REJECT"), None])),
        (
            "bytes",
            Arc::new(Int64Array::from(vec![Some(4249), None, Some(-7)])),
        ),
        (
            "ratio",
            Arc::new(Float64Array::from(vec![Some(0.1), Some(3.0), Some(1e21)])),
        ),
        (
            "event_time",
            Arc::new(TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC")),
        ),
    ])
}

/// Values sent by someone who knows that they will be shown.
fn hostile() -> RecordBatch {
    batch([(
        "agent",
        strings([
            Some("\x1b]0;owned\x07"),
            Some("a\r\n\tb"),
            Some("\u{9b}31m \u{202e}evil\u{2069}"),
            Some("\u{e0041}"),
            Some("back\\slash \"quoted\""),
            Some(""),
            None,
        ]),
    )])
}

/// One column of each kind of type, two rows, the second NULL.
fn kinds() -> RecordBatch {
    let mut list = ListViewBuilder::new(StringViewBuilder::new());
    list.append_value([Some("a"), None]);
    list.append_null();
    let mut map = MapBuilder::new(None, Int32Builder::new(), StringViewBuilder::new());
    map.keys().append_value(1);
    map.values().append_value("one");
    map.append(true).unwrap();
    map.append(false).unwrap();
    let inner = Arc::new(Field::new("port", DataType::Int32, true));
    let ports = Arc::new(Int32Array::from(vec![Some(443), None])) as ArrayRef;
    let nulls = Some(vec![true, false].into());
    let object = StructArray::new(vec![inner].into(), vec![ports], nulls);
    // The second row is a valid key of a NULL value.
    let words = Arc::new(StringViewArray::from(vec![Some("word"), None]));
    let word = DictionaryArray::new(UInt16Array::from(vec![0, 1]), words);
    let seconds = TimestampSecondArray::from(vec![Some(1_418_530_010), None]);
    let decimals = Decimal128Array::from(vec![Some(12_345), None]);
    let span = IntervalMonthDayNano::new(0, 2, 0);
    batch([
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        (
            "big",
            Arc::new(Int64Array::from(vec![Some(i64::MAX), None])),
        ),
        (
            "amount",
            Arc::new(decimals.with_precision_and_scale(10, 2).unwrap()),
        ),
        ("day", Arc::new(Date32Array::from(vec![Some(16_000), None]))),
        ("local", Arc::new(seconds)),
        (
            "raw",
            Arc::new(BinaryViewArray::from(vec![
                Some(b"\x00\xff".as_slice()),
                None,
            ])),
        ),
        (
            "id",
            Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(
                    [Some([1, 2]), None].into_iter(),
                    2,
                )
                .unwrap(),
            ),
        ),
        ("word", Arc::new(word)),
        ("list", Arc::new(list.finish())),
        ("object", Arc::new(object)),
        ("map", Arc::new(map.finish())),
        (
            "span",
            Arc::new(IntervalMonthDayNanoArray::from(vec![Some(span), None])),
        ),
        ("nothing", Arc::new(NullArray::new(2))),
    ])
}

/// The first row of `kinds` as text, in all formats that are text.
const KINDS: [(&str, &str); 13] = [
    ("flag", "true"),
    ("big", "9223372036854775807"),
    ("amount", "123.45"),
    ("day", "2013-10-22"),
    ("local", "2014-12-14T04:06:50"),
    ("raw", "00ff"),
    ("id", "0102"),
    ("word", "word"),
    ("list", r#"["a",null]"#),
    ("object", r#"{"port":443}"#),
    ("map", r#"{"1":"one"}"#),
    ("span", "2 days"),
    ("nothing", "NULL"),
];

/// A timestamp that is no time: someone took milliseconds for seconds.
fn out_of_range() -> RecordBatch {
    let zoned = TimestampSecondArray::from(vec![i64::MAX]).with_timezone("UTC");
    batch([("t", Arc::new(zoned))])
}

fn strings<const N: usize>(values: [Option<&str>; N]) -> ArrayRef {
    Arc::new(StringViewArray::from(values.to_vec()))
}

fn numbered(rows: std::ops::Range<i64>) -> RecordBatch {
    batch([
        ("n", Arc::new(Int64Array::from_iter_values(rows.clone()))),
        (
            "name",
            Arc::new(StringViewArray::from_iter_values(
                rows.map(|n| format!("row {n}")),
            )),
        ),
    ])
}

#[test]
fn a_batch_of_other_columns_is_an_error() {
    for format in [
        Format::Table,
        Format::Csv,
        Format::Json,
        Format::Arrow,
        Format::Parquet,
    ] {
        let mut writer = writer(format, "", &flows().schema(), Vec::new(), PLAIN).unwrap();
        let error = writer.write(&hostile()).unwrap_err();
        assert!(
            matches!(error, OutputError::Arrow(_)),
            "{format:?}: {error}"
        );
        assert!(!error.is_broken_pipe());
    }
}
