//! Hive's folders, where some stand for NULL.
//!
//! DataFusion takes the name of such a folder for text.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::listing::ListingTable;
use datafusion::datasource::provider_as_source;
use datafusion::functions::core::expr_fn::nullif;
use datafusion::logical_expr::{
    Expr, LogicalPlanBuilder, TableProviderFilterPushDown, TableType, ident, lit,
};
use datafusion::physical_plan::ExecutionPlan;

use crate::write::NULL_PARTITION;

/// Files with the names of their folders as text.
#[derive(Debug)]
struct HiveFolders(ListingTable);

/// The files as a table in which the columns of folders are NULL where their names say so.
pub(super) fn with_nulls(
    name: &str,
    files: ListingTable,
    partitions: &[String],
) -> Result<Arc<dyn TableProvider>> {
    let files: Arc<dyn TableProvider> = Arc::new(HiveFolders(files));
    let schema = files.schema();
    let columns = schema.fields().iter().map(|field| {
        let column = ident(field.name());
        match partitions.contains(field.name()) {
            true => nullif(column, lit(NULL_PARTITION)).alias(field.name()),
            false => column,
        }
    });
    let rows = LogicalPlanBuilder::scan(name, provider_as_source(files), None)?;
    let rows = rows.project(columns)?.build()?;
    Ok(Arc::new(ViewTable::new(rows, None)))
}

#[async_trait]
impl TableProvider for HiveFolders {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Folders are pruned, and rows filtered again: for DataFusion a folder of which a filter says
    /// NULL is one that it wants.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let answers = self.0.supports_filters_pushdown(filters)?.into_iter();
        let answers = answers.map(|answer| match answer {
            TableProviderFilterPushDown::Exact => TableProviderFilterPushDown::Inexact,
            other => other,
        });
        Ok(answers.collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.0.scan(state, projection, filters, limit).await
    }
}
