//! Blocks to batches: what parsing gives, completed with what the object and its key say.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::common::cast::as_boolean_array;
use datafusion::error::Result;
use datafusion::physical_plan::PhysicalExpr;
use loglens_parsers::layout::Layout;
use loglens_parsers::parse::{Examine, ParseOptions, Parsed, Parser, RowFilter};
use loglens_parsers::record::Block;
use loglens_parsers::table::Table;

use super::columns::{LogColumn, LogColumns, ObjectColumns};
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
            .map(|&index| Arc::clone(&all.schema().fields()[index]))
            .collect();
        let mut parsed = Vec::new();
        for column in &columns {
            if let LogColumn::Parsed(index) | LogColumn::ParsedOrKey(index, _) = column
                && !parsed.contains(index)
            {
                parsed.push(*index);
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
        let arrays = self.columns.iter().map(|column| {
            let parsed = match column {
                LogColumn::Parsed(index) => from_bytes(index),
                LogColumn::ParsedOrKey(index, key) if layout.find(key.name()).is_some() => {
                    from_bytes(index)
                }
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

/// A predicate over some columns of a log table.
#[derive(Debug, Clone)]
pub(crate) struct Predicate {
    /// The expression; its column indexes are those of `columns`.
    pub(crate) expression: Arc<dyn PhysicalExpr>,
    /// Columns of the log table that it looks at.
    pub(crate) columns: Vec<usize>,
}

/// Turns blocks of one table into batches.
pub(super) struct Batches {
    zone: Arc<str>,
    parser: Parser,
    output: Selection,
    filter: Option<(Arc<dyn PhysicalExpr>, Selection)>,
}

impl Batches {
    pub(super) fn new(
        table: &Arc<Table>,
        columns: &LogColumns,
        projection: &[usize],
        predicate: Option<&Predicate>,
        examine: Examine,
        keep_rejects: usize,
    ) -> Self {
        let output = Selection::new(columns, projection);
        let options = ParseOptions {
            examine,
            keep_rejects,
        };
        let filter = predicate.map(|predicate| {
            let selection = Selection::new(columns, &predicate.columns);
            (Arc::clone(&predicate.expression), selection)
        });
        let filtered = filter
            .as_ref()
            .map_or(&[][..], |(_, selection)| &selection.parsed);
        Self {
            zone: Arc::clone(&table.zone),
            parser: Parser::new(Arc::clone(table), &output.parsed, filtered, options),
            filter,
            output,
        }
    }

    /// Parses a block of an object.
    pub(super) fn parse(&mut self, object: &ScanObject, block: &Block) -> Result<Parsed> {
        let own = ObjectColumns {
            object: &object.object,
            facts: &object.facts,
            zone: &self.zone,
        };
        let mut filter = self
            .filter
            .as_ref()
            .map(|(expression, selection)| ExpressionFilter {
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
