//! What a chart keeps of a result.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Field, Float64Type, Schema, SchemaRef, TimeUnit, TimestampMillisecondType,
};
use arrow::record_batch::RecordBatch;

use super::roles::Roles;
use super::text::shortened;
use super::zone::{self, Zone};
use crate::output::json_value::json_schema;
use crate::output::{OutputError, cell, visible};
use loglens_engine::portable::cast_batch;

/// Rows that a chart is made of.
const MAX_ROWS: usize = 100_000;
/// Rows that are kept as text.
const MAX_TEXT_ROWS: usize = 1_000;
/// Characters that are kept of a text.
const MAX_CHARS: usize = 500;

/// The rows of a result, as far as a chart draws them.
pub(super) struct Gathered {
    schema: SchemaRef,
    pub(super) roles: Roles,
    pub(super) zone: Zone,
    /// One for each row.
    pub(super) labels: Vec<Label>,
    /// For each row the first time, in milliseconds since 1970; `None` also where it is out of range.
    pub(super) times: Vec<Option<i64>>,
    /// For each measure the values of all rows.
    pub(super) measures: Vec<Vec<Option<f64>>>,
    /// The first rows as text, `None` for NULL.
    pub(super) text: Vec<Vec<Option<String>>>,
    /// All rows that there were.
    pub(super) row_count: u64,
}

/// The values of a row's dimensions.
pub(super) struct Label {
    pub(super) text: String,
    /// Tells labels apart that look the same: shortened ones, or NULL and the string that says so.
    pub(super) identity: u64,
}

impl Gathered {
    pub(super) fn new(schema: &Schema, roles: Roles) -> Self {
        let schema = json_schema(schema);
        let time = roles.times.first();
        Self {
            zone: time.map_or_else(Zone::default, |&time| {
                Zone::of(schema.field(time).data_type())
            }),
            measures: vec![Vec::new(); roles.measures.len()],
            schema,
            roles,
            labels: Vec::new(),
            times: Vec::new(),
            text: Vec::new(),
            row_count: 0,
        }
    }

    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        self.row_count += batch.num_rows() as u64;
        let room = MAX_ROWS - self.labels.len();
        let batch = batch.slice(0, batch.num_rows().min(room));
        let batch = cast_batch(&batch, &self.schema)?;
        for (&column, values) in self.roles.measures.iter().zip(&mut self.measures) {
            let floats = cast(batch.column(column), &DataType::Float64)?;
            values.extend(floats.as_primitive::<Float64Type>());
        }
        if let Some(&column) = self.roles.times.first() {
            let times = batch.column(column);
            let zone = match times.data_type() {
                DataType::Timestamp(_, zone) => zone.clone(),
                _ => None,
            };
            let times = cast(times, &DataType::Timestamp(TimeUnit::Millisecond, zone))?;
            let times = times.as_primitive::<TimestampMillisecondType>().iter();
            self.times
                .extend(times.map(|time| time.filter(|&time| zone::is_in_range(time))));
        }
        self.add_text(&batch)
    }

    fn add_text(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let mut columns = cell::columns(batch)?;
        let mut scratch = String::new();
        for row in 0..batch.num_rows() {
            let mut hasher = DefaultHasher::new();
            let mut parts = Vec::with_capacity(self.roles.dimensions.len());
            for &column in &self.roles.dimensions {
                let value = read(&mut columns[column], row, &mut scratch);
                value.hash(&mut hasher);
                parts.push(value.map_or_else(|| "NULL".to_owned(), shown));
            }
            self.labels.push(Label {
                text: shortened(&parts.join(" · "), MAX_CHARS).into_owned(),
                identity: hasher.finish(),
            });
            if self.text.len() < MAX_TEXT_ROWS {
                let cells = columns
                    .iter_mut()
                    .map(|column| read(column, row, &mut scratch).map(shown));
                self.text.push(cells.collect());
            }
        }
        Ok(())
    }

    /// Rows that are drawn.
    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether the first time is an axis; otherwise it is something known of each row.
    pub(super) fn is_over_time(&self) -> bool {
        if self.roles.times.is_empty() || self.roles.time_leads() {
            return !self.roles.times.is_empty();
        }
        let mut seen = HashSet::new();
        !self.labels.iter().all(|label| seen.insert(label.identity))
    }

    pub(super) fn fields(&self) -> &[Arc<Field>] {
        self.schema.fields()
    }

    /// The name of a column as it is shown.
    pub(super) fn name(&self, column: usize) -> String {
        shown(self.schema.field(column).name())
    }

    /// The names of columns as they are shown.
    pub(super) fn names(&self, columns: &[usize]) -> Vec<String> {
        columns.iter().map(|&column| self.name(column)).collect()
    }
}

/// The text of a value in `scratch`, or `None` for NULL.
fn read<'a>(column: &mut cell::Column<'_>, row: usize, scratch: &'a mut String) -> Option<&'a str> {
    scratch.clear();
    column.push_value(row, scratch).then_some(scratch.as_str())
}

fn shown(text: &str) -> String {
    visible(&shortened(text, MAX_CHARS))
}
