use std::fs::File;
use std::io::{Cursor, Seek, Write};

use arrow::ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;

use super::*;

fn read_arrow(bytes: Vec<u8>) -> (SchemaRef, Vec<RecordBatch>) {
    let reader = StreamReader::try_new(Cursor::new(bytes), None).unwrap();
    (reader.schema(), reader.map(Result::unwrap).collect())
}

fn parquet_file(bytes: &[u8]) -> ParquetRecordBatchReaderBuilder<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    ParquetRecordBatchReaderBuilder::try_new(file).unwrap()
}

fn read_parquet(bytes: &[u8]) -> (SchemaRef, Vec<RecordBatch>) {
    let file = parquet_file(bytes);
    let schema = SchemaRef::clone(file.schema());
    (schema, file.build().unwrap().map(Result::unwrap).collect())
}

/// Whether `data_type` is one that older readers lack, or holds such a one.
fn is_recent(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8View
        | DataType::BinaryView
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::Dictionary(..)
        | DataType::RunEndEncoded(..) => true,
        DataType::List(item) | DataType::Map(item, _) => is_recent(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| is_recent(field.data_type())),
        _ => false,
    }
}

#[test]
fn both_read_back_in_types_that_any_reader_knows() {
    let arrow = read_arrow(bytes(Format::Arrow, PLAIN, &[kinds(), kinds().slice(0, 1)]));
    let parquet = read_parquet(&bytes(
        Format::Parquet,
        PLAIN,
        &[kinds(), kinds().slice(0, 1)],
    ));
    for (schema, batches) in [arrow, parquet] {
        assert!(
            !schema
                .fields()
                .iter()
                .any(|field| is_recent(field.data_type())),
            "{schema}"
        );
        let read = arrow::compute::concat_batches(&schema, &batches).unwrap();
        assert_eq!(read.num_rows(), 3);
        // What was read says the same as what was written.
        let again = text(Format::Ndjson, PLAIN, &[read.slice(0, 2)]);
        assert_eq!(again, text(Format::Ndjson, PLAIN, &[kinds()]));
    }
}

#[test]
fn an_empty_result_keeps_its_schema() {
    let empty = [flows().slice(0, 0)];
    let (arrow, rows) = read_arrow(bytes(Format::Arrow, PLAIN, &empty));
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
    let (parquet, rows) = read_parquet(&bytes(Format::Parquet, PLAIN, &empty));
    assert!(rows.is_empty());
    for schema in [arrow, parquet] {
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        assert_eq!(names, ["action", "bytes", "ratio", "event_time"]);
    }
}

#[test]
fn equal_names_are_told_apart() {
    let values = [batch([
        ("x", strings([Some("1")])),
        ("x", strings([Some("2")])),
    ])];
    let (arrow, _) = read_arrow(bytes(Format::Arrow, PLAIN, &values));
    let (parquet, _) = read_parquet(&bytes(Format::Parquet, PLAIN, &values));
    for schema in [arrow, parquet] {
        assert_eq!(schema.field(1).name(), "x_1");
    }
}

#[test]
fn a_batch_does_not_drag_along_what_its_views_point_into() {
    let block = "x".repeat(1 << 20);
    let views = StringViewArray::from(vec![block.as_str(), "a string longer than a view"]);
    let values = batch([("a", Arc::new(views))]).slice(1, 1);
    assert!(bytes(Format::Arrow, PLAIN, &[values]).len() < 1000);
}

#[test]
fn parquet_is_zstd_and_keeps_seconds_as_times() {
    let written = bytes(Format::Parquet, PLAIN, &[kinds()]);
    let file = parquet_file(&written);
    let chunk = file.metadata().row_group(0).column(0);
    assert!(matches!(chunk.compression(), Compression::ZSTD(_)));
    let local = file.schema().field_with_name("local").unwrap();
    assert_eq!(
        *local.data_type(),
        DataType::Timestamp(TimeUnit::Millisecond, None)
    );
}

#[test]
fn parquet_refuses_a_union_instead_of_panicking() {
    let numbers = Arc::new(Field::new("n", DataType::Int32, true));
    let fields: UnionFields = [(0, numbers)].into_iter().collect();
    let either = DataType::Union(fields, UnionMode::Sparse);
    let nested = DataType::List(Arc::new(Field::new("item", either, true)));
    let schema = Schema::new(vec![Field::new("u", nested, true)]);
    let Err(error) = writer(Format::Parquet, "", &schema, Vec::new(), PLAIN) else {
        panic!("a union was accepted");
    };
    assert!(
        error.to_string().contains("column `u` is a union"),
        "{error}"
    );
}
