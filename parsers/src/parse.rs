//! Parsing: a block, a projection and a filter in; a batch, rejects and counts out.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, ListArray, RecordBatch, RecordBatchOptions,
    StructArray,
};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use arrow_select::filter::filter;

use crate::columns::{self, ColumnBuilder, Fields, Misfits, Nulls};
use crate::delimited::{plain, quoted};
use crate::field::Kind;
use crate::filter::{FieldPredicate, Literals, Prefilter};
use crate::format::{Format, Shape};
use crate::json::records::JsonRecords;
use crate::layout::Layout;
use crate::offsets::{Offsets, Scan};
use crate::record::Block;
use crate::reject::{Counts, Reason, Reject, excerpt};
use crate::table::{ColumnSource, Table};

/// Records whose fields are looked at for all columns before the next ones are: as many as stay,
/// with their offsets, in the cache next to the core.
const TILE_RECORDS: usize = 512;

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
    nulls: RefCell<Nulls>,
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
        let sources: Vec<_> = table.all_sources().collect();
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
            nulls: RefCell::default(),
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
        // Nearly every log is ASCII, and the pass over its lines has seen that.
        let utf8 = scan.ascii || simdutf8::basic::from_utf8(&block.bytes).is_ok();
        report.structure(block, scan);
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
        self.build(block, utf8, &self.projection, &mut built, &mut report);
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
        let nothing_is_read = unfiltered
            && self.projection.is_empty()
            && self.predicates.is_empty()
            && self.options.examine == Examine::Projected;
        let fields = block.layout.fields();
        match &format.shape {
            _ if !nothing_is_read => None,
            Shape::Header { separator } => Some(plain::count(&block.bytes, *separator, fields)),
            Shape::Quoted {
                quoting,
                least,
                skip,
            } => {
                let shape = quoted::Shape::new(*quoting, fields, *least, skip);
                Some(quoted::count(&block.bytes, shape))
            }
            Shape::Json { .. } => None,
        }
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
                let shape = quoted::Shape::new(*quoting, fields, *least, skip);
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
            ColumnSource::Extra
            | ColumnSource::Line
            | ColumnSource::Origin(_)
            | ColumnSource::Member(_) => None,
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
        self.build(block, utf8, &wanted, built, report);
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
        let all: Vec<usize> = (0..self.table.sources().count()).collect();
        self.build(block, utf8, &all, &mut vec![None; all.len()], report);
    }

    /// Builds those of `columns` that are not built.
    fn build(
        &self,
        block: &Block,
        utf8: bool,
        columns: &[usize],
        built: &mut [Option<ArrayRef>],
        report: &mut Report,
    ) {
        let mut missing = Vec::with_capacity(columns.len());
        for &column in columns {
            // A column may be projected twice.
            if built[column].is_none() && !missing.contains(&column) {
                missing.push(column);
            }
        }
        if let Some(json) = &self.json {
            self.build_members(json, block, utf8, &missing, built, report);
            missing.retain(|&column| built[column].is_none());
        }
        let fields = self.fields(block, utf8);
        let mut builders: Vec<_> = missing
            .iter()
            .map(|&column| self.builder(block, self.sources[column], &fields))
            .collect();
        let records = self.offsets.records();
        let mut spans = Vec::with_capacity(TILE_RECORDS);
        for start in (0..records).step_by(TILE_RECORDS) {
            let tile = start..records.min(start + TILE_RECORDS);
            for builder in builders.iter_mut().flatten() {
                builder.append(&fields, tile.clone(), &mut spans);
            }
        }
        for (column, builder) in missing.into_iter().zip(builders) {
            let source = self.sources[column];
            let mut misfits = Misfits::new();
            let array = match builder {
                Some(builder) => {
                    let (array, found) = builder.finish(&self.table.zone);
                    misfits = found;
                    array
                }
                None => self.build_whole(block, source, &fields, &mut misfits),
            };
            let read = self.column_read(&block.layout, source);
            report.values(&misfits, block, &self.offsets, &self.table, read);
            built[column] = Some(array);
        }
    }

    /// Builds those of `missing` that lie within others. What one column holds is walked over once.
    fn build_members(
        &self,
        json: &JsonRecords,
        block: &Block,
        utf8: bool,
        missing: &[usize],
        built: &mut [Option<ArrayRef>],
        report: &mut Report,
    ) {
        let fields = self.fields(block, utf8);
        let way = |column: usize| match self.sources[column] {
            ColumnSource::Member(member) => Some(self.table.way(member)),
            _ => None,
        };
        for &column in missing {
            let Some(top) = way(column).map(|way| way[0]) else {
                continue;
            };
            if built[column].is_some() {
                continue;
            }
            let members = missing.iter();
            let members = members.filter_map(|&column| Some((column, way(column)?)));
            let members = members.filter(|(_, way)| way[0] == top);
            let (members, ways): (Vec<_>, Vec<_>) = members.unzip();
            let mut misfits = Misfits::new();
            let arrays = json.build_members(&self.table, &ways, &fields, &mut misfits);
            for (member, array) in members.into_iter().zip(arrays) {
                built[member] = Some(array);
            }
            let top = ColumnSource::Format(top);
            report.values(&misfits, block, &self.offsets, &self.table, top);
        }
    }

    /// A builder for a column that is one field of delimited records.
    fn builder<'a>(
        &self,
        block: &Block,
        source: ColumnSource,
        fields: &Fields<'a>,
    ) -> Option<ColumnBuilder<'a>> {
        if self.json.is_some() {
            return None;
        }
        let place = self.place(&block.layout, source)?;
        Some(match source {
            ColumnSource::EventTime => ColumnBuilder::event_time(fields, place),
            _ => ColumnBuilder::new(fields, place),
        })
    }

    /// A column that is not one field.
    fn build_whole(
        &self,
        block: &Block,
        source: ColumnSource,
        fields: &Fields<'_>,
        misfits: &mut Misfits,
    ) -> ArrayRef {
        let records = self.offsets.records();
        match (source, &self.json) {
            (ColumnSource::Line, _) => {
                let line = |record| {
                    let (start, _, line) = self.offsets.record(record);
                    i64::try_from(block.place(start, line).0).unwrap_or(i64::MAX)
                };
                Arc::new(Int64Array::from_iter_values((0..records).map(line)))
            }
            (ColumnSource::Origin(part), _) if block.was_in_envelopes() => {
                let record = |record| self.offsets.record(record).0;
                let origins = (0..records).map(|index| block.origin(record(index)));
                Arc::new(columns::origin(part, origins))
            }
            (ColumnSource::Origin(_), _) => self.null(source, records),
            (_, Some(json)) => json.build(&self.table, source, fields, misfits),
            (ColumnSource::Extra, None) => {
                let without_column = self.without_column(&block.layout);
                let tail = match self.table.format.shape {
                    Shape::Quoted { quoting, .. } => Some((block.layout.fields(), quoting)),
                    _ => None,
                };
                Arc::new(columns::extra(fields, &without_column, tail, misfits))
            }
            // The records do not have it.
            _ => self.null(source, records),
        }
    }

    fn null(&self, source: ColumnSource, records: usize) -> ArrayRef {
        let field = self.table.field(source);
        self.nulls.borrow_mut().column(field.data_type(), records)
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
