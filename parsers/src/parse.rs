//! Parsing: a block, a projection and a filter in; a batch, rejects and counts out.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray,
    new_null_array,
};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use arrow_select::filter::filter;

use crate::columns::{self, Fields, Misfits};
use crate::delimited::offsets::{Offsets, Scan};
use crate::field::{self, Kind};
use crate::layout::Layout;
use crate::record::Block;
use crate::reject::{Counts, Reason, Reject, excerpt};
use crate::table::{ColumnSource, Table};

/// Says which records of a batch are wanted, from a few of their columns.
///
/// These columns are built first; the others only for the records that are kept.
pub trait RowFilter {
    /// The columns of the [`Table`] that it looks at.
    fn columns(&self) -> &[usize];

    /// One boolean for each record; NULL leaves out. The batch has the columns of
    /// [`RowFilter::columns`] in their order.
    fn keep(&mut self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError>;
}

/// How closely records are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Examine {
    /// Structure always, values where their columns are read.
    #[default]
    Projected,
    /// Every value of every record, whatever is projected or filtered.
    Everything,
}

/// How to parse.
#[derive(Debug, Clone, Copy)]
pub struct ParseOptions {
    /// How closely records are looked at.
    pub examine: Examine,
    /// How many rejects of a block are described; all are counted.
    pub keep_rejects: usize,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self {
            examine: Examine::default(),
            keep_rejects: usize::MAX,
        }
    }
}

/// What a block holds.
#[derive(Debug)]
pub struct Parsed {
    /// The rows: the projected columns of the records that were kept.
    pub batch: RecordBatch,
    /// What became of the records.
    pub counts: Counts,
    /// What did not fit.
    pub rejects: Vec<Reject>,
}

/// Parses blocks of one table with one projection. Keeps its working memory from block to block.
#[derive(Debug)]
pub struct Parser {
    table: Arc<Table>,
    sources: Vec<ColumnSource>,
    projection: Vec<usize>,
    schema: SchemaRef,
    options: ParseOptions,
    offsets: Offsets,
}

impl Parser {
    /// A parser that gives the columns `projection` (indexes into the table's) in their order.
    pub fn new(table: Arc<Table>, projection: &[usize], options: ParseOptions) -> Self {
        let sources: Vec<_> = table.sources().collect();
        let schema = schema_of(&table, &sources, projection);
        Self {
            table,
            sources,
            projection: projection.to_vec(),
            schema,
            options,
            offsets: Offsets::default(),
        }
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Parses a block.
    ///
    /// # Errors
    /// Those of the filter; no data makes an error.
    pub fn parse(
        &mut self,
        block: &Block,
        row_filter: Option<&mut dyn RowFilter>,
    ) -> Result<Parsed, ArrowError> {
        let format = Arc::clone(&self.table.format);
        let mut report = Report::of(block, self.options.keep_rejects);
        if block.bytes.is_empty() {
            return Ok(report.with(RecordBatch::new_empty(Arc::clone(&self.schema))));
        }
        let scan = self
            .offsets
            .scan(&block.bytes, format.separator, block.layout.fields());
        report.structure(block, scan);
        let utf8 = simdutf8::basic::from_utf8(&block.bytes).is_ok();
        if self.options.examine == Examine::Everything {
            self.examine(block, utf8, &mut report);
        }
        let records = self.offsets.records();
        let mut built: Vec<Option<ArrayRef>> = vec![None; self.sources.len()];
        if let Some(row_filter) = row_filter {
            let mask = self.filter(block, utf8, row_filter, &mut built, &mut report)?;
            let kept = mask.true_count();
            report.counts.filtered += (records - kept) as u64;
            if kept < records {
                let bits = mask.values();
                self.offsets
                    .retain((0..records).map(|record| bits.value(record)));
                for array in built.iter_mut().flatten() {
                    *array = filter(array, &mask)?;
                }
            }
        }
        let rows = self.offsets.records();
        report.counts.rows += rows as u64;
        let sparse = rows < records / 4;
        let mut arrays = Vec::with_capacity(self.projection.len());
        for &column in &self.projection {
            let array = match built[column].take() {
                Some(array) => array,
                None => self.build(block, utf8, self.sources[column], &mut report),
            };
            // A column may be projected twice.
            built[column] = Some(Arc::clone(&array));
            arrays.push(if sparse { compact(array) } else { array });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?;
        Ok(report.with(batch))
    }

    /// Builds the columns that the filter wants and asks it.
    fn filter(
        &self,
        block: &Block,
        utf8: bool,
        row_filter: &mut dyn RowFilter,
        built: &mut [Option<ArrayRef>],
        report: &mut Report,
    ) -> Result<BooleanArray, ArrowError> {
        let wanted = row_filter.columns().to_vec();
        for &column in &wanted {
            if built[column].is_none() {
                built[column] = Some(self.build(block, utf8, self.sources[column], report));
            }
        }
        let arrays = wanted
            .iter()
            .filter_map(|&column| built[column].clone())
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.offsets.records()));
        let schema = schema_of(&self.table, &self.sources, &wanted);
        let mask = row_filter.keep(&RecordBatch::try_new_with_options(
            schema, arrays, &options,
        )?)?;
        Ok(match mask.nulls() {
            None => mask,
            Some(nulls) => BooleanArray::new(mask.values() & nulls.inner(), None),
        })
    }

    /// Looks at every value, and keeps nothing but the report.
    fn examine(&self, block: &Block, utf8: bool, report: &mut Report) {
        for &source in &self.sources {
            self.build(block, utf8, source, report);
        }
    }

    fn build(
        &self,
        block: &Block,
        utf8: bool,
        source: ColumnSource,
        report: &mut Report,
    ) -> ArrayRef {
        let format = &self.table.format;
        let fields = Fields {
            block: &block.bytes,
            utf8,
            offsets: &self.offsets,
            null: format.null.as_bytes(),
        };
        let records = self.offsets.records();
        let missing = || new_null_array(self.table.field(source).data_type(), records);
        let mut misfits = Misfits::new();
        let array = match source {
            ColumnSource::Format(column) => match block.layout.position(column) {
                None => missing(),
                Some(position) => match format.columns[column].kind {
                    Kind::Text | Kind::Ip => columns::text(&fields, position, &mut misfits),
                    Kind::Int32 => columns::int32(&fields, position, &mut misfits),
                    Kind::Int64 => columns::int64(&fields, position, &mut misfits, field::int64),
                    Kind::UnixSeconds => {
                        columns::int64(&fields, position, &mut misfits, field::unix_seconds)
                    }
                },
            },
            ColumnSource::Unknown(column) => match self.unknown_position(&block.layout, column) {
                None => missing(),
                Some(position) => columns::text(&fields, position, &mut misfits),
            },
            ColumnSource::EventTime => {
                let column = self.event_time(&block.layout);
                match column.and_then(|column| block.layout.position(column)) {
                    None => missing(),
                    Some(position) => {
                        columns::event_time(&fields, position, &mut misfits, &self.table.zone)
                    }
                }
            }
            ColumnSource::Extra => {
                columns::extra(&fields, &self.without_column(&block.layout), &mut misfits)
            }
            ColumnSource::Line => {
                let line = |record| {
                    i64::try_from(block.first_line).unwrap_or(i64::MAX)
                        + i64::from(self.offsets.record(record).2)
                };
                Arc::new(Int64Array::from_iter_values((0..records).map(line)))
            }
        };
        let read = self.column_read(&block.layout, source);
        report.values(&misfits, block, &self.offsets, &self.table, read);
        array
    }

    /// The column whose values building `source` reads: `event_time` reads that of another.
    fn column_read(&self, layout: &Layout, source: ColumnSource) -> ColumnSource {
        let time = || self.event_time(layout).map(ColumnSource::Format);
        match source {
            ColumnSource::EventTime => time().unwrap_or(source),
            other => other,
        }
    }

    /// The column that gives `event_time`: the first of the format's that the layout has.
    fn event_time(&self, layout: &Layout) -> Option<usize> {
        let columns = &self.table.format.event_time;
        columns
            .iter()
            .copied()
            .find(|&column| layout.position(column).is_some())
    }

    fn unknown_position(&self, layout: &Layout, column: usize) -> Option<usize> {
        let name = &self.table.unknown[column];
        layout
            .unknown()
            .find(|(_, field)| crate::format::same_name(field, name))
            .map(|(position, _)| position)
    }

    /// Fields that neither the format nor the table has a column for.
    fn without_column<'a>(&self, layout: &'a Layout) -> Vec<(usize, &'a str)> {
        let taken: Vec<_> = (0..self.table.unknown.len())
            .filter_map(|column| self.unknown_position(layout, column))
            .collect();
        layout
            .unknown()
            .filter(|(position, _)| !taken.contains(position))
            .collect()
    }
}

fn schema_of(table: &Table, sources: &[ColumnSource], columns: &[usize]) -> SchemaRef {
    Arc::new(Schema::new(
        columns
            .iter()
            .map(|&column| table.field(sources[column]))
            .collect::<Vec<_>>(),
    ))
}

/// Copies the text of few rows, so that they do not hold on to a whole block.
fn compact(array: ArrayRef) -> ArrayRef {
    match array.as_any().downcast_ref::<StringViewArray>() {
        Some(views) => Arc::new(views.gc()),
        None => array,
    }
}

/// Rejects and counts of a block while it is parsed.
struct Report {
    counts: Counts,
    rejects: Vec<Reject>,
    keep: usize,
    /// Columns whose values were reported: none is reported twice.
    reported: HashSet<ColumnSource>,
}

impl Report {
    fn of(block: &Block, keep: usize) -> Self {
        Self {
            counts: block.counts,
            rejects: block.rejects.iter().take(keep).cloned().collect(),
            keep,
            reported: HashSet::new(),
        }
    }

    fn structure(&mut self, block: &Block, scan: Scan) {
        self.counts.records += scan.lines;
        self.counts.skipped += scan.blank;
        self.counts.rejects += scan.rejects.len() as u64;
        let room = self.keep.saturating_sub(self.rejects.len());
        for (line, start, end, reason) in scan.rejects.into_iter().take(room) {
            self.rejects.push(Reject {
                line: block.first_line + u64::from(line),
                offset: block.offset + u64::from(start),
                column: None,
                reason,
                excerpt: excerpt(&block.bytes[start as usize..end as usize]),
            });
        }
    }

    fn values(
        &mut self,
        misfits: &Misfits,
        block: &Block,
        offsets: &Offsets,
        table: &Table,
        source: ColumnSource,
    ) {
        if !self.reported.insert(source) || misfits.is_empty() {
            return;
        }
        self.counts.values += misfits.len() as u64;
        let column: Arc<str> = Arc::from(table.field(source).name().as_str());
        let room = self.keep.saturating_sub(self.rejects.len());
        for &(record, misfit) in misfits.iter().take(room) {
            let (start, end, line) = offsets.record(record);
            self.rejects.push(Reject {
                line: block.first_line + u64::from(line),
                offset: block.offset + start as u64,
                column: Some(Arc::clone(&column)),
                reason: Reason::Value(misfit),
                excerpt: excerpt(&block.bytes[start..end]),
            });
        }
    }

    fn with(self, batch: RecordBatch) -> Parsed {
        Parsed {
            batch,
            counts: self.counts,
            rejects: self.rejects,
        }
    }
}
