//! The Arrow IPC stream format.

use std::io::{BufWriter, Write};

use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;

use super::{OutputError, ResultWriter};
use loglens_engine::portable::{portable_batches, portable_schema};

/// A schema message, one message per batch, and an end mark.
pub(super) struct ArrowStreamWriter<W: Write> {
    stream: StreamWriter<BufWriter<W>>,
    schema: SchemaRef,
}

impl<W: Write> ArrowStreamWriter<W> {
    pub(super) fn try_new(schema: &Schema, out: W) -> Result<Self, OutputError> {
        let schema = portable_schema(schema);
        Ok(Self {
            stream: StreamWriter::try_new_buffered(out, &schema)?,
            schema,
        })
    }
}

impl<W: Write + Send> ResultWriter for ArrowStreamWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        for batch in portable_batches(batch, &self.schema)? {
            self.stream.write(&batch)?;
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        Ok(self.stream.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), OutputError> {
        Ok(self.stream.finish()?)
    }
}
