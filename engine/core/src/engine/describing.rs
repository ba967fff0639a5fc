//! Statements about tables, not about their rows: Athena's DDL, and an overview of all.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use futures::TryStreamExt;

use super::Engine;
use crate::ddl;
use crate::error::{Error, Owner};
use crate::overview;
use crate::sql::errors;
use crate::tables::parquet_table::ParquetTable;
use crate::write::NULL_PARTITION;

impl Engine {
    /// Athena's statement for a table, log or Parquet, that lies at `location`. What the sources
    /// hold is looked at if there are any.
    pub async fn ddl(&self, table: &str, location: &str) -> Result<String, Error> {
        let archive = match self.sources.is_empty() {
            true => None,
            false => Some(self.archive().await?),
        };
        if let Some((parquet, schema)) = self.schema.parquet(table) {
            let files = schema.fields().len() - parquet.partitions.len();
            let files = schema.project(&(0..files).collect::<Vec<_>>());
            let files = files.map_err(|error| Error::new(Owner::Internal, error.to_string()))?;
            let partitions = self.partition_values(&parquet).await?;
            return ddl::of_parquet(table, &files, &partitions, location);
        }
        let Some(format) = self.given.formats.by_name(table) else {
            return Err(self.schema.unknown_table(table));
        };
        let mut keys = ddl::Keys::default();
        let archived = archive.and_then(|archive| archive.table(table));
        for facts in archived.iter().flat_map(|table| table.facts()) {
            keys.accounts.extend(facts.account.clone());
            keys.regions.extend(facts.region.clone());
        }
        Ok(ddl::of_logs(format, location, &keys))
    }

    /// The values of the columns that partition a table.
    async fn partition_values(&self, table: &ParquetTable) -> Result<Vec<ddl::Values>, Error> {
        let mut all = Vec::new();
        for column in &table.partitions {
            let name = column.replace('"', "\"\"");
            let sql = format!(
                "SELECT DISTINCT \"{name}\" FROM \"{}\" ORDER BY 1",
                table.name
            );
            let mut values = Vec::new();
            for statement in self.parse(&sql)? {
                let query = self.plan(statement).await?;
                let rows: Vec<_> = query
                    .execute()?
                    .try_collect()
                    .await
                    .map_err(|error| query.explain(&error))?;
                for batch in &rows {
                    let texts = cast(batch.column(0), &DataType::Utf8);
                    let texts =
                        texts.map_err(|error| Error::new(Owner::Internal, error.to_string()))?;
                    let texts = texts.as_string::<i32>().iter();
                    values.extend(texts.map(|text| text.unwrap_or(NULL_PARTITION).to_owned()));
                }
            }
            all.push(ddl::Values {
                column: column.clone(),
                values,
            });
        }
        Ok(all)
    }

    /// A statement that gives one row for each table that is present: its objects and bytes, and
    /// the accounts, Regions and times of its records; None if there is no table.
    pub async fn overview_sql(&self) -> Result<Option<String>, Error> {
        let archive = self.archive().await?;
        let state = self.session.state();
        let explain = |error| errors::explain(&error, "");
        let mut tables = Vec::new();
        for archived in &archive.tables {
            let Some(table) = self.schema.log_table(&archived.table.format.table) else {
                continue;
            };
            let in_range = table.predicate(&state, &[]).map_err(explain)?;
            let objects = table.objects(&in_range).await.map_err(explain)?.all;
            if !objects.is_empty() || archived.logs.is_empty() {
                let sizes = objects.iter().filter_map(|object| object.object.size);
                let format = &archived.table.format;
                tables.push(overview::of_logs(format, objects.len(), sizes.sum()));
            }
        }
        tables.extend(archive.parquet.iter().map(overview::of_parquet));
        Ok((!tables.is_empty()).then(|| tables.join(" UNION ALL ") + " ORDER BY 1"))
    }
}
