//! The files of a table, written one after the other.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::partitions::Partitions;
use super::pieces::{Finished, Piece};
use super::target::Target;
use super::uploads::Uploads;
use crate::portable::{file_properties, portable_batches};
use crate::sink::{ObjectSink, Upload};

/// Encoded bytes that are sent on as a part.
const PART_BYTES: usize = 32 << 20;

/// What a statement that writes answers: one row.
pub(crate) fn summary_schema() -> SchemaRef {
    let column = |name| Field::new(name, DataType::Int64, false);
    Arc::new(Schema::new(vec![
        column("rows"),
        column("files"),
        column("bytes"),
    ]))
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Summary {
    pub(crate) rows: usize,
    pub(crate) files: usize,
    pub(crate) bytes: usize,
}

impl Summary {
    pub(super) fn batch(&self) -> Result<RecordBatch> {
        let numbers = [self.rows, self.files, self.bytes].map(|number| {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            Arc::new(Int64Array::from_value(number, 1)) as ArrayRef
        });
        Ok(RecordBatch::try_new(summary_schema(), numbers.to_vec())?)
    }
}

/// Writes rows, which come sorted by the columns that partition them, below `target`; gives the
/// summary. After an error nothing is visible.
pub(crate) async fn write(
    rows: SendableRecordBatchStream,
    sink: Arc<dyn ObjectSink>,
    target: Target,
    piece: Piece,
) -> Result<Summary> {
    let mut table = TableWriter::new(&rows.schema(), sink, target)?;
    match table.take(rows).await {
        Ok(()) => table.complete(piece).await,
        Err(error) => {
            table.abort().await;
            Err(error)
        }
    }
}

/// A table while it is written.
struct TableWriter {
    target: Target,
    partitions: Partitions,
    properties: WriterProperties,
    /// What the names of this statement's files share, and no others: 64 random bits.
    run: u64,
    open: Option<OpenFile>,
    sink: Arc<dyn ObjectSink>,
    uploads: Uploads,
    rows: usize,
    files: usize,
    bytes: usize,
}

/// The file that is written to.
struct OpenFile {
    folder: String,
    key: String,
    file: ArrowWriter<Vec<u8>>,
    /// What its parts are sent to; None as long as none was.
    upload: Option<Box<dyn Upload>>,
}

impl TableWriter {
    fn new(schema: &SchemaRef, sink: Arc<dyn ObjectSink>, target: Target) -> Result<Self> {
        let partitions = Partitions::new(schema, &target.partitioned_by)?;
        Ok(Self {
            target,
            properties: file_properties(&partitions.files),
            partitions,
            run: RandomState::new().build_hasher().finish(),
            open: None,
            uploads: Uploads::new(Arc::clone(&sink)),
            sink,
            rows: 0,
            files: 0,
            bytes: 0,
        })
    }

    async fn take(&mut self, mut rows: SendableRecordBatchStream) -> Result<()> {
        while let Some(batch) = rows.try_next().await? {
            self.rows += batch.num_rows();
            for (folder, rows) in self.partitions.divide(&batch)? {
                self.write(folder, rows).await?;
            }
        }
        self.end_file().await
    }

    /// Writes rows of one partition.
    async fn write(&mut self, folder: String, rows: RecordBatch) -> Result<()> {
        if self.open.as_ref().is_some_and(|open| open.folder != folder) {
            self.end_file().await?;
        }
        let open = match &mut self.open {
            Some(open) => open,
            none => {
                let key = self.target.key(&folder, self.run, self.files);
                self.files += 1;
                none.insert(OpenFile::new(
                    folder,
                    key,
                    &self.partitions.files,
                    &self.properties,
                )?)
            }
        };
        for batch in portable_batches(&rows, &self.partitions.files)? {
            open.file.write(&batch)?;
        }
        self.bytes += open.send_on(&mut self.uploads).await?;
        if open.bytes() >= self.target.file_bytes {
            self.end_file().await?;
        }
        Ok(())
    }

    async fn end_file(&mut self) -> Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let last = Bytes::from(open.file.into_inner()?);
        self.bytes += last.len();
        self.uploads.end(open.key, open.upload, last).await?;
        Ok(())
    }

    /// Makes all files visible.
    async fn complete(self, piece: Piece) -> Result<Summary> {
        let finished = Finished {
            target: self.target,
            sink: self.sink,
            run: self.run,
            uploads: self.uploads,
            summary: Summary {
                rows: self.rows,
                files: self.files,
                bytes: self.bytes,
            },
        };
        Ok(finished.complete(piece).await?)
    }

    /// Takes back what was written.
    async fn abort(self) {
        if let Some(upload) = self.open.and_then(|open| open.upload) {
            // The error that led here is the one to be told.
            let _ = upload.abort().await;
        }
        self.uploads.abort().await;
    }
}

impl OpenFile {
    fn new(
        folder: String,
        key: String,
        schema: &SchemaRef,
        properties: &WriterProperties,
    ) -> Result<Self> {
        Ok(Self {
            folder,
            key,
            file: ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(properties.clone()))?,
            upload: None,
        })
    }

    /// Bytes that it has, or will have.
    fn bytes(&self) -> usize {
        self.file.bytes_written() + self.file.in_progress_size()
    }

    /// Sends on what is encoded, if it is enough for a part; how many bytes were sent.
    async fn send_on(&mut self, uploads: &mut Uploads) -> Result<usize> {
        if self.file.inner().len() < PART_BYTES {
            return Ok(0);
        }
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(uploads.begin(&self.key).await?),
        };
        let bytes = Bytes::from(std::mem::take(self.file.inner_mut()));
        let sent = bytes.len();
        upload.part(bytes).await?;
        Ok(sent)
    }
}
