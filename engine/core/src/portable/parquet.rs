//! What Parquet can hold, and how files are written.

use bytes::Bytes;
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{KeyValue, ParquetMetaDataReader};
use parquet::file::properties::{
    DEFAULT_BLOOM_FILTER_NDV, WriterProperties, WriterPropertiesBuilder,
};
use parquet::schema::types::ColumnPath;

use super::{map_schema, portable_batches, portable_schema};

/// A row group is held in memory until it is complete; this bounds it, however wide the rows are.
const ROW_GROUP_BYTES: usize = 128 << 20;

/// How files are written: zstd, statistics, and a bloom filter for each column of addresses, by
/// which a reader who looks for one passes over row groups.
pub fn file_properties(schema: &Schema) -> WriterProperties {
    properties(schema, DEFAULT_BLOOM_FILTER_NDV as usize, &[]).build()
}

/// The same for a file of so many rows, in which some columns are `absent`: NULL throughout. What is
/// not needed costs nothing: a filter is no larger than its values ask for while it is made, and
/// columns without values are neither compressed nor have one.
pub(crate) fn properties_of(schema: &Schema, rows: usize, absent: &[bool]) -> WriterProperties {
    properties(schema, rows, absent).build()
}

fn properties(schema: &Schema, rows: usize, absent: &[bool]) -> WriterPropertiesBuilder {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        // The names inside lists and maps that the Parquet specification asks for.
        .set_coerce_types(true)
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES));
    for (at, field) in schema.fields().iter().enumerate() {
        let column = ColumnPath::from(field.name().as_str());
        if absent.get(at).is_some_and(|absent| *absent) {
            properties = properties
                .set_column_compression(column.clone(), Compression::UNCOMPRESSED)
                .set_column_dictionary_enabled(column, false);
        } else if is_address(field) {
            properties = properties
                .set_column_bloom_filter_enabled(column.clone(), true)
                // A filter of no values at all cannot be made.
                .set_column_bloom_filter_max_ndv(column, rows.max(1) as u64);
        }
    }
    properties
}

/// A file of these rows, with a note in its metadata: a key and its value.
///
/// # Errors
/// A type that Parquet cannot hold.
pub fn parquet_file(
    schema: &Schema,
    rows: &[RecordBatch],
    (key, value): (&str, &str),
) -> ParquetResult<Bytes> {
    let schema = parquet_schema(schema)?;
    let count: usize = rows.iter().map(RecordBatch::num_rows).sum();
    let note = KeyValue::new(key.to_owned(), value.to_owned());
    let properties = properties(&schema, count, &[]);
    let properties = properties.set_key_value_metadata(Some(vec![note])).build();
    let mut file = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?;
    for rows in rows {
        for rows in portable_batches(rows, &schema)? {
            file.write(&rows)?;
        }
    }
    Ok(file.into_inner()?.into())
}

/// The note in the metadata of a file; None if there is none of this key.
///
/// # Errors
/// It is no Parquet.
pub fn note_in(file: &Bytes, key: &str) -> ParquetResult<Option<String>> {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(file)?;
    let notes = metadata.file_metadata().key_value_metadata();
    let note = notes.into_iter().flatten().find(|note| note.key == key);
    Ok(note.and_then(|note| note.value.clone()))
}

/// By the names that AWS gives them: `srcaddr`, `pkt_dstaddr`, `client_ip`, `sourceipaddress`.
fn is_address(field: &FieldRef) -> bool {
    let name = field.name().to_ascii_lowercase();
    let is_text = matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8);
    is_text && (name.ends_with("addr") || name.ends_with("_ip") || name.ends_with("ipaddress"))
}

/// `schema` in names and types that Parquet and its readers know.
///
/// # Errors
/// A union.
pub fn parquet_schema(schema: &Schema) -> Result<SchemaRef, ArrowError> {
    let schema = map_schema(&portable_schema(schema), |data_type| match data_type {
        // Parquet has no seconds: they would be written as bare integers.
        DataType::Timestamp(TimeUnit::Second, zone) => {
            DataType::Timestamp(TimeUnit::Millisecond, zone)
        }
        DataType::Time32(TimeUnit::Second) => DataType::Time32(TimeUnit::Millisecond),
        // Nor has it a type for most intervals.
        DataType::Interval(_) => DataType::Utf8,
        other => other,
    });
    // The Parquet writer panics on unions.
    if let Some(field) = schema.fields().iter().find(|field| has_union(field)) {
        return Err(ArrowError::NotYetImplemented(format!(
            "column `{}` is a union, which Parquet cannot hold; cast it to a plain type",
            field.name(),
        )));
    }
    Ok(schema)
}

fn has_union(field: &FieldRef) -> bool {
    match field.data_type() {
        DataType::Union(..) => true,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => has_union(item),
        DataType::Struct(fields) => fields.iter().any(has_union),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use datafusion::arrow::datatypes::Field;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    #[test]
    fn a_file_without_rows_has_its_columns_and_its_note() {
        let schema = Schema::new(vec![
            Field::new("srcaddr", DataType::Utf8, true),
            Field::new("bytes", DataType::Int64, true),
        ]);
        let none = RecordBatch::new_empty(schema.clone().into());
        for rows in [&[][..], &[none]] {
            let file = parquet_file(&schema, rows, ("window", "9:00")).unwrap();
            assert_eq!(note_in(&file, "window").unwrap().as_deref(), Some("9:00"));
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
            let names = reader.schema().fields().iter().map(|field| field.name());
            assert_eq!(names.collect::<Vec<_>>(), ["srcaddr", "bytes"]);
            assert_eq!(reader.build().unwrap().count(), 0);
        }
    }
}
