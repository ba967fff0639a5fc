//! A Parquet file, written from front to back, so that a pipe will do.

use std::io::Write;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use loglens_engine::portable::{file_properties, parquet_schema, portable_batches};
use parquet::arrow::ArrowWriter;

use super::{OutputError, ResultWriter};

/// Row groups compressed with zstd, and the footer.
pub(super) struct ParquetFileWriter<W: Write> {
    file: ArrowWriter<W>,
    schema: SchemaRef,
}

impl<W: Write + Send> ParquetFileWriter<W> {
    pub(super) fn try_new(schema: &Schema, out: W) -> Result<Self, OutputError> {
        let schema = parquet_schema(schema)?;
        let properties = file_properties(&schema);
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
