//! The destination of a statement's rows: what they become, and what follows when they are there.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;

use super::files::write;
use super::insert::Into;
use super::partitions::file_schema;
use super::pieces::Piece;
use super::target::Target;
use crate::error::Error;
use crate::sink::ObjectSink;
use crate::tables::parquet_table::{self, ParquetTable};
use crate::tables::schema::LogSchema;

/// Where the rows of a statement go.
#[derive(Clone)]
pub(crate) struct Destination {
    pub(crate) target: Target,
    pub(crate) sink: Arc<dyn ObjectSink>,
    pub(crate) table: Written,
    /// The session that reads them.
    pub(crate) session: SessionContext,
    pub(crate) schema: Arc<LogSchema>,
}

/// The table that the rows are of.
#[derive(Debug, Clone)]
pub(crate) enum Written {
    /// None of the session.
    Unnamed,
    /// One that is there when they are.
    Created(String),
    /// One that is there.
    Filled {
        name: String,
        /// Its columns, those that partition it last.
        schema: SchemaRef,
        /// The columns that the query gives; none if it gives all.
        columns: Vec<String>,
    },
}

impl Destination {
    /// The plan of the rows as they are written.
    pub(crate) fn rows(&self, plan: LogicalPlan) -> Result<LogicalPlan, Error> {
        let plan = match &self.table {
            Written::Unnamed | Written::Created(_) => plan,
            Written::Filled {
                name,
                schema,
                columns,
            } => Into {
                table: name,
                schema,
                partitions: self.target.partitioned_by.len(),
                columns,
            }
            .rows(plan)?,
        };
        self.target.sorted(plan)
    }

    /// Writes the rows; gives the summary.
    pub(crate) async fn write(self, rows: SendableRecordBatchStream) -> Result<RecordBatch> {
        let schema = rows.schema();
        let (sink, target) = (Arc::clone(&self.sink), self.target.clone());
        let summary = write(rows, sink, target, Piece::Statement).await?;
        // The session would not list the folder a second time.
        if let Some(listed) = self
            .session
            .runtime_env()
            .cache_manager
            .get_list_files_cache()
        {
            listed.clear();
        }
        if let Written::Created(name) = &self.table {
            let table =
                ParquetTable::written(name, &self.target.place, &self.target.partitioned_by);
            let columns = file_schema(&schema, &self.target.partitioned_by)?;
            let provider = parquet_table::provider_of(&table, &columns)?;
            self.schema.register_parquet(table, provider);
        }
        summary.batch()
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Destination");
        shown
            .field("target", &self.target)
            .field("table", &self.table);
        shown.finish_non_exhaustive()
    }
}
