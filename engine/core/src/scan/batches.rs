//! Blocks to batches: what parsing gives, completed with what the object and its key say.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::common::cast::as_boolean_array;
use datafusion::error::Result;
use datafusion::physical_plan::PhysicalExpr;
use loglens_parsers::layout::Layout;
use loglens_parsers::parse::{ParseOptions, Parsed, Parser, RowFilter};
use loglens_parsers::record::Block;
use loglens_parsers::table::Table;

use super::columns::{KeyColumn, LogColumn, LogColumns, ObjectColumns};
use super::predicate::{FilterPlan, Predicate};
use super::spec::ScanObject;

/// Some columns of a log table, and which of them parsing must give.
struct Selection {
    columns: Vec<LogColumn>,
    schema: SchemaRef,
    /// Indexes in the parser's table, without repetition.
    parsed: Vec<usize>,
}

impl Selection {
    fn new(all: &LogColumns, wanted: &[usize]) -> Self {
        let columns: Vec<_> = wanted
            .iter()
            .map(|&index| all.column(index).clone())
            .collect();
        let fields: Vec<_> = wanted
            .iter()
            .map(|&index| Arc::clone(all.field(index)))
            .collect();
        let mut parsed = Vec::new();
        for column in &columns {
            let (from_bytes, from_envelope) = match column {
                LogColumn::Parsed(index) => (Some(*index), None),
                LogColumn::ParsedOrKey(index, key) => (Some(*index), key.origin()),
                LogColumn::Key(key) => (None, key.origin()),
                _ => (None, None),
            };
            for index in from_bytes.into_iter().chain(from_envelope) {
                if !parsed.contains(&index) {
                    parsed.push(index);
                }
            }
        }
        Self {
            columns,
            schema: Arc::new(Schema::new(fields)),
            parsed,
        }
    }

    /// Completes what was parsed; `batch` has the columns `parsed`.
    fn complete(
        &self,
        batch: &RecordBatch,
        layout: &Layout,
        object: &ObjectColumns<'_>,
    ) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let from_bytes = |index: &usize| -> Option<ArrayRef> {
            let at = self.parsed.iter().position(|parsed| parsed == index)?;
            Some(Arc::clone(batch.column(at)))
        };
        // Where the key says nothing, the envelope may.
        let from_envelope = |key: &KeyColumn| {
            let index = key.origin().filter(|_| key.text(object.facts).is_none())?;
            from_bytes(&index)
        };
        let arrays = self.columns.iter().map(|column| {
            let parsed = match column {
                LogColumn::Parsed(index) => from_bytes(index),
                LogColumn::ParsedOrKey(index, key) if layout.find(key.name()).is_some() => {
                    from_bytes(index)
                }
                LogColumn::ParsedOrKey(_, key) | LogColumn::Key(key) => from_envelope(key),
                _ => None,
            };
            parsed.map_or_else(|| object.array(column, rows), Ok)
        });
        let arrays = arrays.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            arrays,
            &options,
        )?)
    }
}

/// Turns blocks of one table into batches.
pub(super) struct Batches {
    table: Arc<Table>,
    columns: Arc<LogColumns>,
    predicate: Predicate,
    /// The state of the dynamic filters that the plan was made for.
    generation: u64,
    plan: FilterPlan,
    /// The plan's expression over columns.
    filter: Option<(Arc<dyn PhysicalExpr>, Selection)>,
    parser: Parser,
    output: Selection,
}

impl Batches {
    pub(super) fn new(
        table: &Arc<Table>,
        columns: &Arc<LogColumns>,
        projection: &[usize],
        predicate: &Predicate,
        options: ParseOptions,
    ) -> Result<Self> {
        let output = Selection::new(columns, projection);
        let filtered = Selection::new(columns, &predicate.columns()).parsed;
        let generation = predicate.generation();
        let plan = predicate.plan(table, columns)?;
        let mut parser = Parser::new(Arc::clone(table), &output.parsed, &filtered, options);
        if let Some(literals) = &plan.literals {
            parser = parser.with_literals(literals);
        }
        let mut batches = Self {
            table: Arc::clone(table),
            columns: Arc::clone(columns),
            predicate: predicate.clone(),
            generation,
            plan: FilterPlan::default(),
            filter: None,
            parser,
            output,
        };
        batches.follow(plan);
        Ok(batches)
    }

    /// The same with other names in the batches' schema.
    pub(super) fn named(mut self, schema: &SchemaRef) -> Self {
        self.output.schema = Arc::clone(schema);
        self
    }

    fn follow(&mut self, plan: FilterPlan) {
        let predicates = plan.fields.iter();
        let predicates = predicates.map(|(_, predicate)| predicate.clone());
        self.parser.set_predicates(predicates.collect());
        self.filter = plan.rest.as_ref().map(|rest| {
            let selection = Selection::new(&self.columns, &rest.columns);
            (Arc::clone(&rest.expression), selection)
        });
        self.plan = plan;
    }

    /// The plan of the predicate as it is now.
    pub(super) fn plan(&mut self) -> Result<&FilterPlan> {
        let generation = self.predicate.generation();
        if generation != self.generation {
            self.generation = generation;
            let plan = self.predicate.plan(&self.table, &self.columns)?;
            self.follow(plan);
        }
        Ok(&self.plan)
    }

    /// Parses a block of an object.
    pub(super) fn parse(&mut self, object: &ScanObject, block: &Block) -> Result<Parsed> {
        self.plan()?;
        let own = ObjectColumns {
            object: &object.object,
            facts: &object.facts,
            zone: &self.table.zone,
        };
        let filter = self.filter.as_ref();
        let mut filter = filter.map(|(expression, selection)| ExpressionFilter {
            expression,
            selection,
            layout: &block.layout,
            object: &own,
        });
        let mut parsed = self.parser.parse(
            block,
            filter.as_mut().map(|filter| filter as &mut dyn RowFilter),
        )?;
        parsed.batch = self.output.complete(&parsed.batch, &block.layout, &own)?;
        Ok(parsed)
    }
}

/// A predicate, asked about the records of one block.
struct ExpressionFilter<'a> {
    expression: &'a Arc<dyn PhysicalExpr>,
    selection: &'a Selection,
    layout: &'a Layout,
    object: &'a ObjectColumns<'a>,
}

impl RowFilter for ExpressionFilter<'_> {
    fn columns(&self) -> &[usize] {
        &self.selection.parsed
    }

    fn keep(&mut self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let batch = self.selection.complete(batch, self.layout, self.object)?;
        let value = self
            .expression
            .evaluate(&batch)?
            .into_array(batch.num_rows())?;
        Ok(as_boolean_array(&value)?.clone())
    }
}
