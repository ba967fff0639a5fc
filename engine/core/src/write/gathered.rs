//! Rows in memory, put in the order of their files.
//!
//! Log tables have many columns, of which most records lack most. What is NULL throughout a batch is
//! not kept, and what is kept is copied once, into its file: a sort that spills moves all of it.

use std::collections::HashMap;
use std::iter::repeat_n;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringBuilder, UInt64Array,
    new_null_array,
};
use datafusion::arrow::compute::{cast, interleave, partition, take_arrays};
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef, TimestampMicrosecondType};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::DataFusionError;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::TryStreamExt;
use loglens_parsers::table::EVENT_TIME;

use super::partitions::Partitions;

/// Rows of a batch that is made for a file.
pub(super) const BATCH_ROWS: usize = 8192;

/// All rows that come; None if they need more memory than is free.
pub(crate) async fn read_within(
    mut rows: SendableRecordBatchStream,
    held: &MemoryReservation,
) -> Result<Option<Vec<RecordBatch>>> {
    let mut batches = Vec::new();
    while let Some(batch) = rows.try_next().await? {
        match held.try_grow(size(&batch)) {
            Err(DataFusionError::ResourcesExhausted(_)) => return Ok(None),
            grown => grown?,
        }
        batches.push(batch);
    }
    Ok(Some(batches))
}

/// Rows in the order of their files: by folder, and by time.
pub(super) struct Gathered {
    partitions: Partitions,
    batches: Vec<Columns>,
    /// Columns of the files that are NULL throughout.
    absent: Vec<bool>,
    rows: Vec<Row>,
    /// The folders, in their order, and the rows of each.
    folders: Vec<(String, Range<usize>)>,
    _held: MemoryReservation,
}

/// The columns of a batch that stand in files; None for one that is NULL throughout.
type Columns = Vec<Option<ArrayRef>>;

/// Where a row is, and what decides its place.
#[derive(Debug, Clone, Copy)]
struct Row {
    folder: u32,
    batch: u32,
    row: u32,
    /// Microseconds since 1970; rows without a time come last.
    time: i64,
}

impl Gathered {
    /// Takes all rows, which are in memory already: what they need of it is held.
    pub(super) async fn of(
        mut stream: SendableRecordBatchStream,
        partitioned_by: &[String],
        held: MemoryReservation,
    ) -> Result<Self> {
        let partitions = Partitions::new(&stream.schema(), partitioned_by)?;
        let time = stream.schema().index_of(EVENT_TIME).ok();
        let mut folders = Folders::new(&partitions, &stream.schema())?;
        let (mut batches, mut rows) = (Vec::new(), Vec::new());
        while let Some(batch) = stream.try_next().await? {
            let columns = present(&partitions.columns(&batch)?);
            let times = time.map(|time| {
                batch
                    .column(time)
                    .as_primitive::<TimestampMicrosecondType>()
            });
            let time = |row: usize| {
                let times = times.filter(|times| times.is_valid(row));
                times.map_or(i64::MAX, |times| times.value(row))
            };
            let number = batches.len() as u32;
            let of_batch = folders.of(&batch, &partitions)?.into_iter();
            rows.extend((0..).zip(of_batch).map(|(row, folder)| Row {
                folder,
                batch: number,
                row,
                time: time(row as usize),
            }));
            batches.push(columns);
        }
        let (names, ranks) = folders.ranked();
        rows.iter_mut()
            .for_each(|row| row.folder = ranks[row.folder as usize]);
        // In place, and rows of one time as they came.
        rows.sort_unstable_by_key(|row| (row.folder, row.time, row.batch, row.row));
        let mut begin = 0;
        let folders = (0..).zip(names).map(|(rank, name)| {
            let end = begin + rows[begin..].partition_point(|row| row.folder == rank);
            (name, std::mem::replace(&mut begin, end)..end)
        });
        let columns = 0..partitions.files.fields().len();
        let is_absent = |at: usize| {
            batches
                .iter()
                .all(|columns: &Columns| columns[at].is_none())
        };
        Ok(Self {
            folders: folders.collect(),
            absent: columns.map(is_absent).collect(),
            partitions,
            batches,
            rows,
            _held: held,
        })
    }

    /// The columns of the files.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.partitions.files
    }

    /// Which of them are NULL throughout.
    pub(super) fn absent(&self) -> &[bool] {
        &self.absent
    }

    /// The folders, in the order of the files.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(|(name, _)| name.as_str())
    }

    /// The rows of a folder, by its number.
    pub(super) fn folder(&self, number: usize) -> Option<(&str, Range<usize>)> {
        let (name, rows) = self.folders.get(number)?;
        Some((name, rows.clone()))
    }

    /// Some rows, as their file has them.
    pub(super) fn batch(&self, rows: Range<usize>) -> Result<RecordBatch> {
        let rows = &self.rows[rows];
        let places = rows
            .iter()
            .map(|row| (row.batch as usize, row.row as usize));
        let places: Vec<_> = places.collect();
        let schema = Arc::clone(&self.partitions.files);
        let fields = schema.fields().iter().enumerate();
        let columns = fields.map(|(at, field)| self.column(at, field.data_type(), &places));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?)
    }

    /// A column of some rows, each a batch and a row in it.
    fn column(&self, at: usize, as_type: &DataType, places: &[(usize, usize)]) -> Result<ArrayRef> {
        let batches = self.batches.iter().map(|columns| columns[at].as_ref());
        let Some(any) = batches.clone().flatten().next() else {
            return Ok(new_null_array(as_type, places.len()));
        };
        if (any.data_type(), as_type) == (&DataType::Utf8View, &DataType::Utf8) {
            return Ok(text(batches, places));
        }
        // What is not there is one NULL, behind all that is.
        let null = new_null_array(any.data_type(), 1);
        let arrays: Vec<&dyn Array> = batches
            .clone()
            .map(|array| array.map_or(&*null, |array| &**array))
            .collect();
        let there: Vec<_> = batches.map(|array| array.is_some()).collect();
        let places = places
            .iter()
            .map(|&(batch, row)| (batch, if there[batch] { row } else { 0 }));
        let array = interleave(&arrays, &places.collect::<Vec<_>>())?;
        match array.data_type() == as_type {
            true => Ok(array),
            false => Ok(cast(&array, as_type)?),
        }
    }
}

/// Texts, copied out of the blocks of log that views point into.
fn text<'a>(
    batches: impl Iterator<Item = Option<&'a ArrayRef>>,
    places: &[(usize, usize)],
) -> ArrayRef {
    let batches: Vec<_> = batches
        .map(|array| array.map(AsArray::as_string_view))
        .collect();
    let mut texts = StringBuilder::with_capacity(places.len(), 16 * places.len());
    for &(batch, row) in places {
        texts.append_option(
            batches[batch]
                .filter(|views| views.is_valid(row))
                .map(|views| views.value(row)),
        );
    }
    Arc::new(texts.finish())
}

/// The columns of a batch, without those that are NULL throughout.
fn present(batch: &RecordBatch) -> Columns {
    let columns = batch.columns().iter();
    let present =
        columns.map(|column| (column.null_count() < column.len()).then(|| Arc::clone(column)));
    present.collect()
}

/// Bytes of memory that rows take, and their places. What views point into is memory of the blocks of
/// log.
fn size(rows: &RecordBatch) -> usize {
    let columns = present(rows);
    let sizes = columns
        .iter()
        .flatten()
        .map(|column| match column.data_type() {
            DataType::Utf8View => column.len() * size_of::<u128>(),
            _ => column.get_array_memory_size(),
        });
    sizes.sum::<usize>() + rows.num_rows() * size_of::<Row>()
}

/// The folders that rows belong into.
struct Folders {
    /// None where nothing partitions the table.
    converter: Option<RowConverter>,
    /// Their numbers, by the values that name them in a form that sorts as they do.
    known: HashMap<Box<[u8]>, u32>,
    names: Vec<String>,
}

impl Folders {
    fn new(partitions: &Partitions, rows: &Schema) -> Result<Self> {
        let fields: Vec<_> = partitions.types(rows).map(SortField::new).collect();
        let converter = (!fields.is_empty()).then(|| RowConverter::new(fields));
        Ok(Self {
            converter: converter.transpose()?,
            known: HashMap::new(),
            names: Vec::new(),
        })
    }

    /// The folder of each row of a batch, by its number.
    fn of(&mut self, batch: &RecordBatch, partitions: &Partitions) -> Result<Vec<u32>> {
        let Some(converter) = &self.converter else {
            if self.names.is_empty() && batch.num_rows() > 0 {
                self.known.insert(Box::default(), 0);
                self.names.push(String::new());
            }
            return Ok(vec![0; batch.num_rows()]);
        };
        // Rows of one folder often follow on one another.
        let values = partitions.values(batch);
        let ranges = partition(&values)?.ranges();
        let firsts = UInt64Array::from_iter_values(ranges.iter().map(|range| range.start as u64));
        let keys = converter.convert_columns(&take_arrays(&values, &firsts, None)?)?;
        let mut folders: Vec<u32> = Vec::with_capacity(batch.num_rows());
        for (range, key) in ranges.into_iter().zip(&keys) {
            let folder = match self.known.get(key.as_ref()) {
                Some(&folder) => folder,
                None => {
                    let folder = self.names.len() as u32;
                    self.known.insert(key.as_ref().into(), folder);
                    self.names
                        .push(partitions.folder(&batch.slice(range.start, 1))?);
                    folder
                }
            };
            folders.extend(repeat_n(folder, range.len()));
        }
        Ok(folders)
    }

    /// The names in their order, and for each number the place in it.
    fn ranked(self) -> (Vec<String>, Vec<u32>) {
        let mut known: Vec<_> = self.known.into_iter().collect();
        known.sort_unstable();
        let mut ranks = vec![0; known.len()];
        let mut names = self.names;
        let ranked = (0..).zip(&known).map(|(rank, &(_, folder))| {
            ranks[folder as usize] = rank;
            std::mem::take(&mut names[folder as usize])
        });
        (ranked.collect(), ranks)
    }
}
