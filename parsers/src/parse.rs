//! Parsing: a block, a projection and a filter in; a batch, rejects and counts out.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, Int64Array, ListArray, RecordBatch,
    RecordBatchOptions, StructArray, new_null_array,
};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use arrow_select::filter::filter;

use crate::columns::{self, Fields, Misfits};
use crate::delimited::{plain, quoted};
use crate::field::parts::{Part, whole};
use crate::field::{self, Kind, Misfit};
use crate::filter::{FieldPredicate, Literals, Prefilter};
use crate::format::{Column, Format, Shape};
use crate::json::records::JsonRecords;
use crate::layout::Layout;
use crate::offsets::{Offsets, Scan};
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
    json: Option<JsonRecords>,
    prefilter: Option<Prefilter>,
    predicates: Vec<FieldPredicate>,
    wanted: Vec<bool>,
}

impl Parser {
    /// A parser that gives the columns `projection` (indexes into the table's) in their order, to
    /// a filter over the columns `filter`, if there is one.
    pub fn new(
        table: Arc<Table>,
        projection: &[usize],
        filter: &[usize],
        options: ParseOptions,
    ) -> Self {
        let sources: Vec<_> = table.sources().chain(table.members()).collect();
        let schema = schema_of(&table, &sources, projection);
        let read: Vec<_> = match options.examine {
            Examine::Everything => sources.clone(),
            Examine::Projected => {
                let read = projection.iter().chain(filter);
                read.map(|&column| sources[column]).collect()
            }
        };
        Self {
            json: JsonRecords::new(&table, &read),
            table,
            sources,
            projection: projection.to_vec(),
            schema,
            options,
            offsets: Offsets::default(),
            prefilter: None,
            predicates: Vec::new(),
            wanted: Vec::new(),
        }
    }

    /// The same, passing over records that hold none of the literals, unless everything is to be
    /// examined. The filter must leave those records out too.
    pub fn with_literals(mut self, literals: &Literals) -> Self {
        if self.options.examine == Examine::Projected {
            self.prefilter = Some(Prefilter::new(literals));
        }
        self
    }

    /// From now on only records that pass all of these are rows.
    pub fn set_predicates(&mut self, predicates: Vec<FieldPredicate>) {
        self.predicates = predicates;
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
        let lines = self.json.is_none();
        let prefilter = self.prefilter.as_mut();
        let narrowed = prefilter.and_then(|prefilter| prefilter.narrow(block, lines));
        let (block, unexamined) = match &narrowed {
            Some((block, unexamined)) => (block, *unexamined),
            None => (block, 0),
        };
        report.counts.records += unexamined;
        report.counts.unexamined += unexamined;
        if block.bytes.is_empty() {
            return Ok(report.with(RecordBatch::new_empty(Arc::clone(&self.schema))));
        }
        if let Some((rows, scan)) = self.count(&format, block, row_filter.is_none()) {
            report.structure(block, scan);
            report.counts.rows += rows as u64;
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            let schema = Arc::clone(&self.schema);
            let batch = RecordBatch::try_new_with_options(schema, Vec::new(), &options)?;
            return Ok(report.with(batch));
        }
        let scan = self.find_fields(&format, block);
        report.structure(block, scan);
        let utf8 = simdutf8::basic::from_utf8(&block.bytes).is_ok();
        if self.options.examine == Examine::Everything {
            self.examine(block, utf8, &mut report);
        }
        let examined = self.offsets.records();
        self.test_fields(block, utf8, &mut report);
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
        let sparse = (rows as u64) < (examined as u64 + unexamined) / 4;
        self.build_all(block, utf8, &self.projection, &mut built, &mut report);
        let arrays = self.projection.iter().filter_map(|&column| {
            let array = built[column].clone()?;
            Some(if sparse { compact(array) } else { array })
        });
        let arrays = arrays.collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?;
        Ok(report.with(batch))
    }

    /// Counts the records where nothing else is asked of them; None where something is.
    fn count(&self, format: &Format, block: &Block, unfiltered: bool) -> Option<(usize, Scan)> {
        let Shape::Header { separator } = format.shape else {
            return None;
        };
        let nothing_is_read = unfiltered
            && self.projection.is_empty()
            && self.predicates.is_empty()
            && self.options.examine == Examine::Projected;
        let fields = block.layout.fields();
        nothing_is_read.then(|| plain::count(&block.bytes, separator, fields))
    }

    /// Finds the fields of every record.
    fn find_fields(&mut self, format: &Format, block: &Block) -> Scan {
        let fields = block.layout.fields();
        match &format.shape {
            Shape::Header { separator } => {
                plain::scan(&mut self.offsets, &block.bytes, *separator, fields)
            }
            Shape::Quoted {
                quoting,
                least,
                skip,
            } => {
                let shape = quoted::Shape {
                    quoting: *quoting,
                    fields,
                    least: (*least).min(fields),
                    skip,
                };
                quoted::scan(&mut self.offsets, &block.bytes, shape)
            }
            Shape::Json { .. } => match &mut self.json {
                Some(json) => json.scan(&mut self.offsets, block),
                None => Scan::default(),
            },
        }
    }

    /// Asks the predicates and keeps the records that pass.
    fn test_fields(&mut self, block: &Block, utf8: bool, report: &mut Report) {
        if self.predicates.is_empty() {
            return;
        }
        let records = self.offsets.records();
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.clear();
        wanted.resize(records, true);
        let fields = self.fields(block, utf8);
        for predicate in &self.predicates {
            let mut misfits = Misfits::new();
            let place = self.place(&block.layout, predicate.source());
            predicate.ask(&fields, place, &mut wanted, &mut misfits);
            let read = self.column_read(&block.layout, predicate.source());
            report.values(&misfits, block, &self.offsets, &self.table, read);
        }
        let kept = wanted.iter().filter(|&&wanted| wanted).count();
        report.counts.filtered += (records - kept) as u64;
        if kept < records {
            self.offsets.retain(wanted.iter().copied());
        }
        self.wanted = wanted;
    }

    /// Position of the field that a column of a delimited format is, and how it is read.
    fn place(&self, layout: &Layout, source: ColumnSource) -> Option<(usize, Kind)> {
        match source {
            ColumnSource::Format(index) => {
                let kind = self.table.format.columns[index].kind;
                Some((layout.position(index)?, kind))
            }
            ColumnSource::Unknown(column) => {
                Some((self.unknown_position(layout, column)?, Kind::Text))
            }
            ColumnSource::EventTime => {
                let (column, kind) = self.event_time(layout)?;
                Some((layout.position(column)?, kind))
            }
            ColumnSource::Extra | ColumnSource::Line | ColumnSource::Member(_) => None,
        }
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
        self.build_all(block, utf8, &wanted, built, report);
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
        for source in self.table.sources() {
            self.build(block, utf8, source, report);
        }
    }

    /// Builds those of the wanted columns that are not built yet.
    fn build_all(
        &self,
        block: &Block,
        utf8: bool,
        wanted: &[usize],
        built: &mut [Option<ArrayRef>],
        report: &mut Report,
    ) {
        for &column in wanted {
            if built[column].is_some() {
                continue;
            }
            match (self.sources[column], &self.json) {
                (ColumnSource::Member(member), Some(json)) => {
                    let top = self.table.way(member)[0];
                    let unbuilt = wanted.iter().copied();
                    let unbuilt = unbuilt.filter(|&column| built[column].is_none());
                    let members = self.members_of(top, unbuilt);
                    let ways: Vec<_> = members.iter().map(|&(_, way)| way).collect();
                    let mut misfits = Misfits::new();
                    let fields = self.fields(block, utf8);
                    let arrays = json.build_members(&self.table, &ways, &fields, &mut misfits);
                    for ((column, _), array) in members.iter().zip(arrays) {
                        built[*column] = Some(array);
                    }
                    let source = ColumnSource::Format(top);
                    report.values(&misfits, block, &self.offsets, &self.table, source);
                }
                (source, _) => built[column] = Some(self.build(block, utf8, source, report)),
            }
        }
    }

    /// Those of the wanted columns that lie within this one, and the ways to them.
    fn members_of(
        &self,
        top: usize,
        wanted: impl Iterator<Item = usize>,
    ) -> Vec<(usize, &[usize])> {
        let mut members: Vec<(usize, &[usize])> = Vec::new();
        for column in wanted {
            if let ColumnSource::Member(member) = self.sources[column]
                && self.table.way(member)[0] == top
                && members.iter().all(|&(known, _)| known != column)
            {
                members.push((column, self.table.way(member)));
            }
        }
        members
    }

    fn build(
        &self,
        block: &Block,
        utf8: bool,
        source: ColumnSource,
        report: &mut Report,
    ) -> ArrayRef {
        let records = self.offsets.records();
        let mut misfits = Misfits::new();
        let fields = self.fields(block, utf8);
        let array = match source {
            ColumnSource::Line => {
                let line = |record| {
                    let (start, _, line) = self.offsets.record(record);
                    i64::try_from(block.place(start, line).0).unwrap_or(i64::MAX)
                };
                Arc::new(Int64Array::from_iter_values((0..records).map(line)))
            }
            _ => match &self.json {
                Some(json) => json.build(&self.table, source, &fields, &mut misfits),
                None => self.build_delimited(block, source, &fields, &mut misfits),
            },
        };
        let read = self.column_read(&block.layout, source);
        report.values(&misfits, block, &self.offsets, &self.table, read);
        array
    }

    fn build_delimited(
        &self,
        block: &Block,
        source: ColumnSource,
        fields: &Fields<'_>,
        misfits: &mut Misfits,
    ) -> ArrayRef {
        let missing = || {
            let records = self.offsets.records();
            new_null_array(self.table.field(source).data_type(), records)
        };
        match source {
            ColumnSource::Format(index) => match block.layout.position(index) {
                None => missing(),
                Some(position) => {
                    let column = &self.table.format.columns[index];
                    build_column(column, fields, position, misfits)
                }
            },
            ColumnSource::Unknown(column) => match self.unknown_position(&block.layout, column) {
                None => missing(),
                Some(position) => Arc::new(columns::text(fields, position, misfits, whole)),
            },
            ColumnSource::EventTime => {
                let found = self.event_time(&block.layout);
                match found.and_then(|(column, kind)| Some((block.layout.position(column)?, kind)))
                {
                    None => missing(),
                    Some((position, kind)) => {
                        let zone = &self.table.zone;
                        Arc::new(columns::event_time(fields, position, misfits, kind, zone))
                    }
                }
            }
            ColumnSource::Extra => {
                let without_column = self.without_column(&block.layout);
                let tail = match self.table.format.shape {
                    Shape::Quoted { quoting, .. } => Some((block.layout.fields(), quoting)),
                    _ => None,
                };
                Arc::new(columns::extra(fields, &without_column, tail, misfits))
            }
            // Not of the record's fields.
            ColumnSource::Line | ColumnSource::Member(_) => missing(),
        }
    }

    fn fields<'a>(&'a self, block: &'a Block, utf8: bool) -> Fields<'a> {
        Fields {
            block: &block.bytes,
            utf8,
            offsets: &self.offsets,
            null: self.table.format.null.as_bytes(),
            enclosing: self.table.format.shape.enclosing(),
        }
    }

    /// The column whose values building `source` reads: what does not fit `event_time` does not
    /// fit the column of seconds that it is made from either. One of text takes any text.
    fn column_read(&self, layout: &Layout, source: ColumnSource) -> ColumnSource {
        match (source, self.event_time(layout)) {
            (ColumnSource::EventTime, Some((column, Kind::UnixSeconds))) => {
                ColumnSource::Format(column)
            }
            _ => source,
        }
    }

    /// The column that gives `event_time`, and its kind: the first of the format's that the
    /// layout has.
    fn event_time(&self, layout: &Layout) -> Option<(usize, Kind)> {
        let format = &self.table.format;
        let has = |path: &&Vec<usize>| layout.position(path[0]).is_some();
        let path = format.event_time.iter().find(has)?;
        Some((path[0], format.column_at(path)?.kind))
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

/// A column of a delimited format.
fn build_column(
    column: &Column,
    fields: &Fields<'_>,
    position: usize,
    misfits: &mut Misfits,
) -> ArrayRef {
    match column.kind {
        Kind::Int32 => number::<Int32Type>(fields, position, misfits, field::int32),
        Kind::PortOfPair => number::<Int32Type>(fields, position, misfits, field::pair_port),
        Kind::Int64 => number::<Int64Type>(fields, position, misfits, field::int64),
        Kind::UnixSeconds => number::<Int64Type>(fields, position, misfits, field::unix_seconds),
        Kind::Float64 => number::<Float64Type>(fields, position, misfits, field::float64),
        Kind::IpOfPair => text(fields, position, misfits, field::ip_of_pair),
        Kind::RequestMethod => text(fields, position, misfits, field::request_method),
        Kind::RequestUrl => text(fields, position, misfits, field::request_url),
        Kind::RequestProtocol => text(fields, position, misfits, field::request_protocol),
        Kind::Raw => {
            let enclosing = &[];
            let fields = Fields {
                enclosing,
                ..*fields
            };
            text(&fields, position, misfits, whole)
        }
        _ => text(fields, position, misfits, whole),
    }
}

fn text(
    fields: &Fields<'_>,
    position: usize,
    misfits: &mut Misfits,
    part: impl Fn(&[u8]) -> Part,
) -> ArrayRef {
    Arc::new(columns::text(fields, position, misfits, part))
}

fn number<T: ArrowPrimitiveType>(
    fields: &Fields<'_>,
    position: usize,
    misfits: &mut Misfits,
    parse: impl Fn(&[u8]) -> Result<T::Native, Misfit>,
) -> ArrayRef {
    Arc::new(columns::number::<T>(fields, position, misfits, parse))
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
    match array.data_type() {
        DataType::Utf8View => Arc::new(array.as_string_view().gc()),
        DataType::Struct(members) => {
            let nested = array.as_struct();
            let arrays = nested.columns().iter().cloned().map(compact).collect();
            Arc::new(StructArray::new(
                members.clone(),
                arrays,
                nested.nulls().cloned(),
            ))
        }
        DataType::List(element) => {
            let list = array.as_list::<i32>();
            let (element, values) = (Arc::clone(element), compact(Arc::clone(list.values())));
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Arc::new(ListArray::new(element, offsets, values, nulls))
        }
        _ => array,
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
        self.counts.records += scan.records;
        self.counts.skipped += scan.skipped;
        self.counts.rejects += scan.rejects.len() as u64;
        let room = self.keep.saturating_sub(self.rejects.len());
        for (line, start, end, reason) in scan.rejects.into_iter().take(room) {
            let (line, offset) = block.place(start as usize, line);
            self.rejects.push(Reject {
                line,
                offset,
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
        if misfits.is_empty() || !self.reported.insert(source) {
            return;
        }
        self.counts.values += misfits.len() as u64;
        let column: Arc<str> = Arc::from(table.field(source).name().as_str());
        let room = self.keep.saturating_sub(self.rejects.len());
        for &(record, misfit) in misfits.iter().take(room) {
            let (start, end, line) = offsets.record(record);
            let (place, offset) = block.place(start, line);
            self.rejects.push(Reject {
                line: place,
                offset,
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
