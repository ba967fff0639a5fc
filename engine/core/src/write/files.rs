//! The files of a table, written one after the other.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use datafusion::arrow::compute::{cast, partition};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use tokio::task::{JoinError, JoinSet};

use super::folders::folder;
use super::target::Target;
use crate::error::{Error, Owner};
use crate::portable::{file_properties, parquet_schema, portable_batches};
use crate::sink::{Condition, ObjectSink, Upload, Written};

/// Encoded bytes that are sent on as a part.
const PART_BYTES: usize = 32 << 20;

/// Files that are made visible side by side.
const COMPLETED_AT_ONCE: usize = 32;

/// What a statement that writes answers: one row.
pub(crate) fn summary_schema() -> SchemaRef {
    let column = |name| Field::new(name, DataType::Int64, false);
    Arc::new(Schema::new(vec![
        column("rows"),
        column("files"),
        column("bytes"),
    ]))
}

/// Writes rows, which come sorted by the columns that partition them, below `target`; gives the
/// summary. After an error nothing is visible, unless files were being made visible already.
pub(crate) async fn write(
    rows: SendableRecordBatchStream,
    sink: Arc<dyn ObjectSink>,
    target: Target,
) -> Result<RecordBatch> {
    let mut table = TableWriter::new(&rows.schema(), sink, target)?;
    match table.take(rows).await {
        Ok(()) => table.complete().await,
        Err(error) => {
            table.abort().await;
            Err(error)
        }
    }
}

/// A table while it is written.
struct TableWriter {
    sink: Arc<dyn ObjectSink>,
    target: Target,
    /// Names of the columns that partition it, and where they are in the rows.
    partitions: Vec<(String, usize)>,
    /// Where the columns of the files are.
    columns: Vec<usize>,
    schema: SchemaRef,
    properties: WriterProperties,
    /// What the names of this statement's files share, and no others: 64 random bits.
    run: u64,
    open: Option<OpenFile>,
    written: Vec<Box<dyn Upload>>,
    rows: usize,
    bytes: usize,
}

/// The file that is written to.
struct OpenFile {
    folder: String,
    file: ArrowWriter<Vec<u8>>,
    upload: Box<dyn Upload>,
}

impl TableWriter {
    fn new(schema: &SchemaRef, sink: Arc<dyn ObjectSink>, target: Target) -> Result<Self> {
        let partitions: Vec<_> = target
            .partitioned_by
            .iter()
            .map(|name| Ok((name.clone(), schema.index_of(name)?)))
            .collect::<Result<_>>()?;
        let is_partition = |column: &usize| partitions.iter().any(|(_, at)| at == column);
        let columns: Vec<_> = (0..schema.fields().len())
            .filter(|column| !is_partition(column))
            .collect();
        let schema = parquet_schema(&schema.project(&columns)?)?;
        Ok(Self {
            sink,
            target,
            partitions,
            columns,
            properties: file_properties(&schema),
            schema,
            run: RandomState::new().build_hasher().finish(),
            open: None,
            written: Vec::new(),
            rows: 0,
            bytes: 0,
        })
    }

    async fn take(&mut self, mut rows: SendableRecordBatchStream) -> Result<()> {
        while let Some(batch) = rows.try_next().await? {
            self.rows += batch.num_rows();
            for (folder, rows) in self.folders(&batch)? {
                let rows = rows.project(&self.columns)?;
                self.write(folder, rows).await?;
            }
        }
        self.end_file().await
    }

    /// The rows of each partition that a batch has rows of, in their order.
    fn folders(&self, batch: &RecordBatch) -> Result<Vec<(String, RecordBatch)>> {
        if self.partitions.is_empty() {
            return Ok(vec![(String::new(), batch.clone())]);
        }
        let names: Vec<ArrayRef> = self
            .partitions
            .iter()
            .map(|(_, column)| cast(batch.column(*column), &DataType::Utf8))
            .collect::<std::result::Result<_, _>>()?;
        let folders = partition(&names)?.ranges().into_iter().map(|range| {
            let columns = self.partitions.iter().zip(&names);
            let values = columns.map(|((column, _), names)| {
                let names = names.as_string::<i32>();
                let value = names
                    .is_valid(range.start)
                    .then(|| names.value(range.start));
                (column.as_str(), value)
            });
            (folder(values), batch.slice(range.start, range.len()))
        });
        Ok(folders.collect())
    }

    /// Writes rows of one partition.
    async fn write(&mut self, folder: String, rows: RecordBatch) -> Result<()> {
        if self.open.as_ref().is_some_and(|open| open.folder != folder) {
            self.end_file().await?;
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin_file(folder).await?,
        };
        for batch in portable_batches(&rows, &self.schema)? {
            open.file.write(&batch)?;
        }
        self.bytes += open.send(PART_BYTES).await?;
        let is_full =
            open.file.bytes_written() + open.file.in_progress_size() >= self.target.file_bytes;
        self.open = Some(open);
        if is_full {
            self.end_file().await?;
        }
        Ok(())
    }

    async fn begin_file(&mut self, folder: String) -> Result<OpenFile> {
        let place = self.target.place.trim_end_matches('/');
        let (run, number) = (self.run, self.written.len());
        let key = format!("{place}/{folder}{run:016x}-{number:05}.parquet");
        let properties = Some(self.properties.clone());
        Ok(OpenFile {
            folder,
            file: ArrowWriter::try_new(Vec::new(), Arc::clone(&self.schema), properties)?,
            upload: self.sink.begin(&key).await?,
        })
    }

    async fn end_file(&mut self) -> Result<()> {
        let Some(mut open) = self.open.take() else {
            return Ok(());
        };
        open.file.finish()?;
        self.bytes += open.send(1).await?;
        self.written.push(open.upload);
        Ok(())
    }

    /// Makes all files visible.
    async fn complete(self) -> Result<RecordBatch> {
        let (rows, files, bytes) = (self.rows, self.written.len(), self.bytes);
        at_once(self.written.into_iter().map(complete)).await?;
        let numbers = [rows, files, bytes].map(|number| {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            Arc::new(Int64Array::from_value(number, 1)) as ArrayRef
        });
        Ok(RecordBatch::try_new(summary_schema(), numbers.to_vec())?)
    }

    /// Takes back what was written. What fails here leaves parts that nobody sees: the error that
    /// led here is the one to be told.
    async fn abort(self) {
        let open = self.open.map(|open| open.upload);
        let uploads = self.written.into_iter().chain(open);
        let _ = at_once(uploads.map(abort)).await;
    }
}

async fn complete(upload: Box<dyn Upload>) -> std::result::Result<(), Error> {
    match upload.complete(Condition::Absent).await? {
        Written::Done { .. } => Ok(()),
        Written::Refused => Err(Error::new(
            Owner::External,
            "something else has just written a file of the same name; nothing was replaced",
        )),
    }
}

async fn abort(upload: Box<dyn Upload>) -> std::result::Result<(), Error> {
    upload.abort().await
}

/// Does all of it, some side by side; the first error, if there is one, after all was tried.
async fn at_once<F>(work: impl Iterator<Item = F>) -> std::result::Result<(), Error>
where
    F: Future<Output = std::result::Result<(), Error>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    let mut result = Ok(());
    let mut note = |done: std::result::Result<std::result::Result<(), Error>, JoinError>| {
        let done = done.unwrap_or_else(|error| Err(Error::new(Owner::Internal, error.to_string())));
        if result.is_ok() {
            result = done;
        }
    };
    for piece in work {
        if tasks.len() >= COMPLETED_AT_ONCE
            && let Some(done) = tasks.join_next().await
        {
            note(done);
        }
        tasks.spawn(piece);
    }
    while let Some(done) = tasks.join_next().await {
        note(done);
    }
    result
}

impl OpenFile {
    /// Sends on what is encoded, if it is so many bytes; how many were sent.
    async fn send(&mut self, least: usize) -> Result<usize> {
        if self.file.inner().len() < least {
            return Ok(0);
        }
        let bytes = Bytes::from(std::mem::take(self.file.inner_mut()));
        let sent = bytes.len();
        self.upload.part(bytes).await?;
        Ok(sent)
    }
}
