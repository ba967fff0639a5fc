//! The schema that statements find their tables in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::{DataFusionError, Result};
use loglens_parsers::format::Formats;

use super::log_table::{LogTable, LogTableView, ScanOptions};
use super::parquet_table::ParquetTable;
use super::rejects::{REJECTS, RejectsTable};
use crate::archive::Archive;
use crate::error::{Error, Owner};
use crate::object::ObjectSource;
use crate::sql::errors::nearest;
use crate::sql::hidden_columns::SUFFIX;

/// The log tables of an archive, `rejects`, and what statements create beside them.
#[derive(Debug)]
pub(crate) struct LogSchema {
    formats: Formats,
    logs: OnceLock<Vec<Arc<LogTable>>>,
    registered: Mutex<HashMap<String, Registered>>,
}

/// A table beside those of logs.
#[derive(Debug, Clone)]
struct Registered {
    provider: Arc<dyn TableProvider>,
    /// Where it lies, if it is one of Parquet.
    parquet: Option<ParquetTable>,
}

impl LogSchema {
    /// The schema of these formats; no table is present yet.
    pub(crate) fn new(formats: Formats) -> Self {
        Self {
            formats,
            logs: OnceLock::new(),
            registered: Mutex::new(HashMap::new()),
        }
    }

    /// Takes the tables of an archive; the first time counts.
    pub(crate) fn set_archive(
        &self,
        archive: &Archive,
        sources: &Arc<[Arc<dyn ObjectSource>]>,
        options: &ScanOptions,
    ) {
        self.logs.get_or_init(|| {
            let table = |archived| {
                Arc::new(LogTable::new(
                    archived,
                    Arc::clone(&archive.dated),
                    Arc::clone(sources),
                    options.clone(),
                ))
            };
            archive.tables.iter().map(table).collect()
        });
    }

    fn logs(&self) -> &[Arc<LogTable>] {
        self.logs.get().map_or(&[], Vec::as_slice)
    }

    /// Whether a name is that of a log table, present or not, or of `rejects`.
    pub(crate) fn is_log_table(&self, name: &str) -> bool {
        let name = name.strip_suffix(SUFFIX).unwrap_or(name);
        name == REJECTS || self.formats.by_name(name).is_some()
    }

    /// The visible columns of a log table that is present.
    pub(crate) fn visible_columns(&self, name: &str) -> Option<Vec<String>> {
        if self.has_registered(name) {
            return None;
        }
        let schema = self.log_table(name)?.columns().visible_schema();
        Some(
            schema
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect(),
        )
    }

    pub(crate) fn log_table(&self, name: &str) -> Option<&Arc<LogTable>> {
        let format = self.formats.by_name(name)?;
        self.logs()
            .iter()
            .find(|table| table.name() == format.table)
    }

    pub(crate) fn has_registered(&self, name: &str) -> bool {
        self.registered().contains_key(name)
    }

    /// Takes a table of Parquet.
    pub(crate) fn register_parquet(&self, table: ParquetTable, provider: Arc<dyn TableProvider>) {
        let name = table.name.clone();
        let parquet = Some(table);
        let table = Registered { provider, parquet };
        self.registered().insert(name, table);
    }

    /// A table of Parquet, and its columns.
    pub(crate) fn parquet(&self, name: &str) -> Option<(ParquetTable, SchemaRef)> {
        let registered = self.registered().get(name)?.clone();
        Some((registered.parquet?, registered.provider.schema()))
    }

    fn registered(&self) -> MutexGuard<'_, HashMap<String, Registered>> {
        self.registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The error for a name that is no table.
    pub(crate) fn unknown_table(&self, name: &str) -> Error {
        let error = Error::new(Owner::Query, format!("no table \"{name}\""));
        let registered: Vec<String> = self.registered().keys().cloned().collect();
        let formats = self.formats.all();
        let names = formats
            .iter()
            .flat_map(|format| std::iter::once(&format.table).chain(&format.aliases))
            .chain(&registered)
            .map(String::as_str)
            .chain([REJECTS]);
        match nearest(name, names) {
            Some(near) => error.hint(format!("did you mean \"{near}\"?")),
            None => {
                let tables: Vec<_> = formats.iter().map(|format| format.table.as_str()).collect();
                error.hint(format!(
                    "there are {} and {REJECTS}; `loglens formats` describes them",
                    tables.join(", ")
                ))
            }
        }
    }
}

#[async_trait]
impl SchemaProvider for LogSchema {
    fn table_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .logs()
            .iter()
            .map(|table| table.name().to_owned())
            .collect();
        names.push(REJECTS.to_owned());
        names.extend(self.registered().keys().cloned());
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        if let Some(table) = self.registered().get(name) {
            return Ok(Some(Arc::clone(&table.provider)));
        }
        if name == REJECTS {
            return Ok(Some(Arc::new(RejectsTable {
                tables: self.logs().to_vec(),
            })));
        }
        let (name, hidden) = match name.strip_suffix(SUFFIX) {
            Some(name) => (name, true),
            None => (name, false),
        };
        let table = self
            .log_table(name)
            .map(|table| LogTableView::new(Arc::clone(table), hidden));
        Ok(table.map(|table| Arc::new(table) as Arc<dyn TableProvider>))
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let parquet = None;
        let table = Registered {
            provider: table,
            parquet,
        };
        let before = self.registered().insert(name, table);
        Ok(before.map(|before| before.provider))
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let removed = self.registered().remove(name);
        Ok(removed.map(|removed| removed.provider))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.has_registered(name)
            || name == REJECTS
            || self
                .log_table(name.strip_suffix(SUFFIX).unwrap_or(name))
                .is_some()
    }
}
