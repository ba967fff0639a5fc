//! The `rejects` table: what did not fit, in every object of every table.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use datafusion::arrow::array::{Int64Builder, RecordBatch, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use loglens_parsers::reject::Reject;

use super::log_table::LogTable;
use crate::scan::predicate::Predicate;
use crate::scan::spec::ScanOutput;

/// Name of the table.
pub(crate) const REJECTS: &str = "rejects";

/// Its columns with what they mean.
pub(crate) const COLUMNS: [(&str, DataType, &str); 8] = [
    ("object", DataType::Utf8View, "key of the object"),
    (
        "line",
        DataType::Int64,
        "line of the record, from 1; none for a whole object",
    ),
    (
        "byte_offset",
        DataType::Int64,
        "byte offset of the record in the inflated object",
    ),
    (
        "format",
        DataType::Utf8View,
        "table that the object belongs to",
    ),
    (
        "field",
        DataType::Utf8View,
        "column whose value did not fit",
    ),
    (
        "kind",
        DataType::Utf8View,
        "record (not among the rows), value (NULL in its row) or object (not read to its end)",
    ),
    (
        "reason",
        DataType::Utf8View,
        "what was expected and what was found",
    ),
    ("excerpt", DataType::Utf8View, "the beginning of the record"),
];

/// The table's schema.
pub(crate) fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let nullable = |name: &str| ["line", "field"].contains(&name);
        let field = |(name, data_type, _): &(&str, DataType, &str)| {
            Field::new(*name, data_type.clone(), nullable(name))
        };
        Arc::new(Schema::new(COLUMNS.iter().map(field).collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

/// Rejects of an object as rows.
pub(crate) fn batch(object: &str, format: &str, rejects: &[Reject]) -> Result<RecordBatch> {
    let text = || StringViewBuilder::with_capacity(rejects.len()).with_deduplicate_strings();
    let (mut objects, mut formats, mut fields, mut kinds) = (text(), text(), text(), text());
    let (mut reasons, mut excerpts) = (text(), text());
    let (mut lines, mut offsets) = (Int64Builder::new(), Int64Builder::new());
    for reject in rejects {
        objects.append_value(object);
        lines.append_option(i64::try_from(reject.line).ok().filter(|&line| line > 0));
        offsets.append_value(i64::try_from(reject.offset).unwrap_or(i64::MAX));
        formats.append_value(format);
        fields.append_option(reject.column.as_deref());
        kinds.append_value(reject.reason.kind().name());
        reasons.append_value(reject.reason.to_string());
        excerpts.append_value(&reject.excerpt);
    }
    Ok(RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(objects.finish()),
            Arc::new(lines.finish()),
            Arc::new(offsets.finish()),
            Arc::new(formats.finish()),
            Arc::new(fields.finish()),
            Arc::new(kinds.finish()),
            Arc::new(reasons.finish()),
            Arc::new(excerpts.finish()),
        ],
    )?)
}

/// The rejects of several tables. Reading it examines every value of every record.
#[derive(Debug)]
pub(crate) struct RejectsTable {
    pub(crate) tables: Vec<Arc<LogTable>>,
}

#[async_trait]
impl TableProvider for RejectsTable {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..COLUMNS.len()).collect();
        let projection = projection.unwrap_or(&all);
        let mut scans = Vec::new();
        for table in &self.tables {
            let objects = table.objects(&table.predicate(state, &[])?).await?;
            let nothing = Predicate::default();
            let source = table.source(
                state,
                objects,
                ScanOutput::Rejects,
                projection,
                nothing,
                limit,
            );
            scans.push(source.into_plan());
        }
        match scans.len() {
            0 => Ok(Arc::new(EmptyExec::new(Arc::new(
                schema().project(projection)?,
            )))),
            1 => Ok(scans.remove(0)),
            _ => UnionExec::try_new(scans),
        }
    }
}
