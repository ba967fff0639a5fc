//! Files of a table made in memory, one for each partition.

use std::collections::VecDeque;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::partitions::Partitions;
use crate::error::Error;
use crate::portable::{file_properties, portable_batches};
use crate::sql::errors;

/// Files of a table, made one after the other of rows that come sorted by what partitions them.
pub struct MadeFiles {
    rows: SendableRecordBatchStream,
    partitions: Partitions,
    properties: WriterProperties,
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
    pub(crate) fn new(
        rows: SendableRecordBatchStream,
        partitioned_by: &[String],
    ) -> Result<Self, Error> {
        let partitions = Partitions::new(&rows.schema(), partitioned_by);
        let partitions = partitions.map_err(|error| errors::explain(&error, ""))?;
        Ok(Self {
            properties: file_properties(&partitions.files),
            partitions,
            rows,
            waiting: VecDeque::new(),
        })
    }

    /// The next file; None after the last.
    pub async fn next(&mut self) -> Result<Option<MadeFile>, Error> {
        let next = self.next_file().await;
        next.map_err(|error| errors::explain(&error, ""))
    }

    async fn next_file(&mut self) -> Result<Option<MadeFile>> {
        let Some((folder, rows)) = self.next_rows().await? else {
            return Ok(None);
        };
        let schema = &self.partitions.files;
        let properties = self.properties.clone();
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
