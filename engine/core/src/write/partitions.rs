//! How rows are divided into the folders of a table.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::{cast, partition};
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::error::Result;

use super::folders::folder;
use crate::portable::parquet_schema;

/// How rows are divided into the folders of a table.
pub(super) struct Partitions {
    /// Names of the columns that name folders, and where they are in the rows.
    by: Vec<(String, usize)>,
    /// Where the columns of the files are.
    columns: Vec<usize>,
    /// The columns of the files.
    pub(super) files: SchemaRef,
}

impl Partitions {
    pub(super) fn new(rows: &Schema, partitioned_by: &[String]) -> Result<Self> {
        let by = partitioned_by.iter();
        let by = by.map(|name| Ok((name.clone(), rows.index_of(name)?)));
        Ok(Self {
            by: by.collect::<Result<_>>()?,
            columns: columns_of_files(rows, partitioned_by),
            files: file_schema(rows, partitioned_by)?,
        })
    }

    /// The columns of the files.
    pub(super) fn columns(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        Ok(batch.project(&self.columns)?)
    }

    /// The columns that name folders.
    pub(super) fn values(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        let columns = self.by.iter();
        let columns = columns.map(|(_, column)| Arc::clone(batch.column(*column)));
        columns.collect()
    }

    /// The types of the columns that name folders.
    pub(super) fn types(&self, rows: &Schema) -> impl Iterator<Item = DataType> {
        let columns = self.by.iter();
        columns.map(|(_, column)| rows.field(*column).data_type().clone())
    }

    /// The folder of the first row of a batch.
    pub(super) fn folder(&self, batch: &RecordBatch) -> Result<String> {
        let first = self.divide(&batch.slice(0, 1))?.into_iter().next();
        Ok(first.map(|(folder, _)| folder).unwrap_or_default())
    }

    /// The folders that a batch has rows of, in their order, and the columns of the files of each.
    pub(super) fn divide(&self, batch: &RecordBatch) -> Result<Vec<(String, RecordBatch)>> {
        let rows = self.columns(batch)?;
        if self.by.is_empty() {
            return Ok(vec![(String::new(), rows)]);
        }
        let names = self.values(batch);
        let names = names.iter().map(|values| cast(values, &DataType::Utf8));
        let names: Vec<ArrayRef> = names.collect::<std::result::Result<_, _>>()?;
        let folders = partition(&names)?.ranges().into_iter().map(|range| {
            let columns = self.by.iter().zip(&names);
            let values = columns.map(|((column, _), names)| {
                let names = names.as_string::<i32>();
                let value = names
                    .is_valid(range.start)
                    .then(|| names.value(range.start));
                (column.as_str(), value)
            });
            (folder(values), rows.slice(range.start, range.len()))
        });
        Ok(folders.collect())
    }
}

/// The folders that rows belong into, each once. They come sorted.
pub(crate) fn folders_of(rows: &[RecordBatch], partitioned_by: &[String]) -> Result<Vec<String>> {
    let mut folders: Vec<String> = Vec::new();
    for batch in rows.iter().filter(|batch| batch.num_rows() > 0) {
        let partitions = Partitions::new(&batch.schema(), partitioned_by)?;
        let divided = partitions.divide(batch)?.into_iter();
        folders.extend(divided.map(|(folder, _)| folder));
    }
    folders.dedup();
    Ok(folders)
}

/// The columns of rows, by index, that stand in files.
fn columns_of_files(rows: &Schema, partitioned_by: &[String]) -> Vec<usize> {
    let fields = rows.fields().iter().enumerate();
    let columns = fields.filter(|(_, field)| !partitioned_by.contains(field.name()));
    columns.map(|(at, _)| at).collect()
}

/// The columns of files that hold such rows.
pub(super) fn file_schema(rows: &Schema, partitioned_by: &[String]) -> Result<SchemaRef> {
    let columns = rows.project(&columns_of_files(rows, partitioned_by))?;
    Ok(parquet_schema(&columns)?)
}
