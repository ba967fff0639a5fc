//! A Parquet file, written from front to back, so that a pipe will do.

use std::io::Write;

use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::portable::{portable_batches, portable_schema};
use super::types::map_schema;
use super::{OutputError, ResultWriter};

/// A row group is held in memory until it is complete; this bounds it, however wide the rows are.
const ROW_GROUP_BYTES: usize = 128 << 20;

/// Row groups compressed with zstd, and the footer.
pub(super) struct ParquetFileWriter<W: Write> {
    file: ArrowWriter<W>,
    schema: SchemaRef,
}

impl<W: Write + Send> ParquetFileWriter<W> {
    pub(super) fn try_new(schema: &Schema, out: W) -> Result<Self, OutputError> {
        let schema = parquet_schema(schema)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            // The names inside lists and maps that the Parquet specification asks for.
            .set_coerce_types(true)
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            .build();
        Ok(Self {
            file: ArrowWriter::try_new(out, SchemaRef::clone(&schema), Some(properties))?,
            schema,
        })
    }
}

impl<W: Write + Send> ResultWriter for ParquetFileWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        for batch in portable_batches(batch, &self.schema)? {
            self.file.write(&batch)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        // Ending the row group now would make a file of small ones, slow to read for ever after.
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), OutputError> {
        self.file.finish()?;
        Ok(())
    }
}

fn parquet_schema(schema: &Schema) -> Result<SchemaRef, OutputError> {
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
        return Err(OutputError::Arrow(ArrowError::NotYetImplemented(format!(
            "column `{}` is a union, which Parquet cannot hold; cast it to a plain type",
            field.name(),
        ))));
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
