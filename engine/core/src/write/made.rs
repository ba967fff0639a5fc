//! Files of a table made in memory, one for each partition.

use std::collections::VecDeque;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;

use super::gathered::{BATCH_ROWS, Gathered};
use super::partitions::Partitions;
use crate::error::Error;
use crate::portable::{file_properties, portable_batches, properties_of};
use crate::sql::errors;

/// Files of a table, made one after the other.
pub struct MadeFiles {
    folders: Vec<String>,
    /// How many there are already.
    made: usize,
    rejected: Option<u64>,
    rows: Rows,
}

/// The rows of the files, in their order.
enum Rows {
    /// In memory.
    Gathered(Box<Gathered>),
    /// As they come.
    Sorted(Box<Sorted>),
}

/// Rows that come sorted by what partitions them.
struct Sorted {
    rows: SendableRecordBatchStream,
    partitions: Partitions,
    /// Rows that came and are in no file yet, by folder.
    waiting: VecDeque<(String, RecordBatch)>,
}

/// A file of Parquet with all rows of one partition.
#[derive(Debug, Clone)]
pub struct MadeFile {
    /// The folder that it belongs into, as Hive names it, with a slash at its end; empty where
    /// nothing partitions the table.
    pub folder: String,
    /// How many rows it holds.
    pub rows: usize,
    /// All of it.
    pub bytes: Bytes,
}

impl MadeFiles {
    /// Of rows that are in memory, beside which so many records were rejected.
    pub(crate) async fn gathered(
        rows: SendableRecordBatchStream,
        partitioned_by: &[String],
        held: MemoryReservation,
        rejected: u64,
    ) -> Result<Self, Error> {
        let rows = Gathered::of(rows, partitioned_by, held).await;
        let rows = rows.map_err(|error| errors::explain(&error, ""))?;
        Ok(Self {
            folders: rows.folders().map(str::to_owned).collect(),
            made: 0,
            rejected: Some(rejected),
            rows: Rows::Gathered(Box::new(rows)),
        })
    }

    /// Of rows that come sorted by what partitions them; there are some of each of the folders.
    pub(crate) fn sorted(
        rows: SendableRecordBatchStream,
        partitioned_by: &[String],
        folders: Vec<String>,
    ) -> Result<Self, Error> {
        let partitions = Partitions::new(&rows.schema(), partitioned_by);
        let partitions = partitions.map_err(|error| errors::explain(&error, ""))?;
        let waiting = VecDeque::new();
        Ok(Self {
            folders,
            made: 0,
            rejected: None,
            rows: Rows::Sorted(Box::new(Sorted {
                rows,
                partitions,
                waiting,
            })),
        })
    }

    /// The folders of the files, in the order in which they are made.
    pub fn folders(&self) -> &[String] {
        &self.folders
    }

    /// How many records are no rows of the files; None if they are read only as the files are made.
    pub fn rejected(&self) -> Option<u64> {
        self.rejected
    }

    /// Whether all files were made.
    pub fn are_all_made(&self) -> bool {
        self.made == self.folders.len()
    }

    /// The next file; None after the last.
    pub async fn next(&mut self) -> Result<Option<MadeFile>, Error> {
        if self.are_all_made() {
            return Ok(None);
        }
        self.made += 1;
        let next = match &mut self.rows {
            Rows::Gathered(rows) => rows.file(self.made - 1).await,
            Rows::Sorted(rows) => rows.next_file().await,
        };
        next.map_err(|error| errors::explain(&error, ""))
    }
}

impl Gathered {
    /// The file of this number.
    async fn file(&self, number: usize) -> Result<Option<MadeFile>> {
        let Some((folder, rows)) = self.folder(number) else {
            return Ok(None);
        };
        let properties = properties_of(self.schema(), rows.len(), self.absent());
        let schema = self.schema().clone();
        let mut file = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
        for begin in rows.clone().step_by(BATCH_ROWS) {
            file.write(&self.batch(begin..rows.end.min(begin + BATCH_ROWS))?)?;
            // Others have the thread now and then.
            tokio::task::yield_now().await;
        }
        Ok(Some(MadeFile {
            folder: folder.to_owned(),
            rows: rows.len(),
            bytes: file.into_inner()?.into(),
        }))
    }
}

impl Sorted {
    async fn next_file(&mut self) -> Result<Option<MadeFile>> {
        let Some((folder, rows)) = self.next_rows().await? else {
            return Ok(None);
        };
        let schema = &self.partitions.files;
        let properties = file_properties(schema);
        let mut file = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?;
        let mut count = 0;
        let mut next = Some((folder.clone(), rows));
        while let Some((in_folder, rows)) = next {
            if in_folder != folder {
                self.waiting.push_front((in_folder, rows));
                break;
            }
            count += rows.num_rows();
            for batch in portable_batches(&rows, &self.partitions.files)? {
                file.write(&batch)?;
            }
            next = self.next_rows().await?;
        }
        Ok(Some(MadeFile {
            folder,
            rows: count,
            bytes: file.into_inner()?.into(),
        }))
    }

    /// Rows of one folder, not all of them at once.
    async fn next_rows(&mut self) -> Result<Option<(String, RecordBatch)>> {
        while self.waiting.is_empty() {
            let Some(batch) = self.rows.try_next().await? else {
                return Ok(None);
            };
            self.waiting.extend(self.partitions.divide(&batch)?);
        }
        Ok(self.waiting.pop_front())
    }
}
