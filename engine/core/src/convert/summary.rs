//! What a conversion has to do, and did: one row.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema};

use crate::error::{Error, Owner};
use crate::write::Summary;

/// What a conversion has to do, and did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Converted {
    /// Objects that are to be converted, and their bytes.
    pub to_do: u64,
    /// Bytes of those.
    pub bytes_to_do: u64,
    /// Objects that were converted before.
    pub already_done: u64,
    /// Keys of objects that are not what they were when they were converted.
    pub changed: Vec<String>,
    objects: u64,
    written: Summary,
}

impl Converted {
    pub(super) fn add(&mut self, objects: u64, written: Summary) {
        self.objects += objects;
        self.written.rows += written.rows;
        self.written.files += written.files;
        self.written.bytes += written.bytes;
    }

    /// What there is to do.
    ///
    /// # Errors
    /// None that are known.
    pub fn to_be_done(&self) -> Result<RecordBatch, Error> {
        row(&[
            ("objects", self.to_do),
            ("bytes", self.bytes_to_do),
            ("already_done", self.already_done),
            ("changed", self.changed.len() as u64),
        ])
    }

    /// What was done; `rejects` is how many records were rejected.
    ///
    /// # Errors
    /// None that are known.
    pub fn done(&self, rejects: u64) -> Result<RecordBatch, Error> {
        row(&[
            ("objects", self.objects),
            ("rows", self.written.rows as u64),
            ("files", self.written.files as u64),
            ("bytes", self.written.bytes as u64),
            ("rejects", rejects),
            ("already_done", self.already_done),
            ("changed", self.changed.len() as u64),
        ])
    }
}

fn row(numbers: &[(&str, u64)]) -> Result<RecordBatch, Error> {
    let fields = numbers
        .iter()
        .map(|(name, _)| Field::new(*name, DataType::Int64, false));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let columns = numbers.iter().map(|(_, number)| {
        let number = i64::try_from(*number).unwrap_or(i64::MAX);
        Arc::new(Int64Array::from_value(number, 1)) as ArrayRef
    });
    let batch = RecordBatch::try_new(Arc::new(schema), columns.collect());
    batch.map_err(|error| Error::new(Owner::Internal, error.to_string()))
}
