//! Types that other readers of Arrow and Parquet know.
//!
//! The engine works with string views, list views and dictionaries. Readers older than these types
//! (Arrow before 1.4 of its format) reject a stream that names them, and a Parquet file carries the
//! Arrow schema it was written from. The casts copy, so nothing written drags along the blocks of
//! log text that views point into.

mod names;
mod parquet;
mod types;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;

pub use self::names::unique_names;
pub(crate) use self::parquet::properties_of;
pub use self::parquet::{file_properties, note_in, parquet_file, parquet_schema};
pub(crate) use self::types::map_type;
pub use self::types::{cast_batch, map_schema};

/// The most bytes that the offsets of a `Utf8` or `Binary` column can address.
const MAX_COLUMN_BYTES: usize = i32::MAX as usize;

/// `schema` in names and types that other readers know.
pub fn portable_schema(schema: &Schema) -> SchemaRef {
    unique_names(&map_schema(schema, |data_type| match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::ListView(item) => DataType::List(item),
        DataType::LargeListView(item) => DataType::LargeList(item),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(precision, scale)
        }
        other => other,
    }))
}

/// `batch` under a [`portable_schema`]: one batch, or several where the text of one column is more
/// than 32-bit offsets can address.
///
/// # Errors
/// A type that cannot become the schema's.
pub fn portable_batches(
    batch: &RecordBatch,
    schema: &SchemaRef,
) -> Result<Vec<RecordBatch>, ArrowError> {
    let rows = batch.num_rows();
    if rows < 2 || widest_column_bytes(batch) <= MAX_COLUMN_BYTES {
        return Ok(vec![cast_batch(batch, schema)?]);
    }
    let half = rows / 2;
    let mut batches = portable_batches(&batch.slice(0, half), schema)?;
    batches.extend(portable_batches(&batch.slice(half, rows - half), schema)?);
    Ok(batches)
}

fn widest_column_bytes(batch: &RecordBatch) -> usize {
    let bytes = batch
        .columns()
        .iter()
        .map(|column| match column.data_type() {
            DataType::Utf8View => column.as_string_view().total_bytes_len(),
            DataType::BinaryView => column.as_binary_view().total_bytes_len(),
            _ => 0,
        });
    bytes.max().unwrap_or(0)
}
