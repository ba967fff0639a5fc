//! The half of a statement that stands below its window, by itself.
//!
//! Whoever has the objects groups their rows ([`Engine::files_of`](crate::Engine::files_of)), whoever
//! has the windows merges what comes of that ([`Stream::merge`]), on the same machine or on another one.
//!
//! What goes from one to the other is an Arrow IPC stream: partial rows, in the order of their panes,
//! and in the metadata of its schema what goes with them, as JSON.

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::common::Result as DataFusionResult;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use serde::{Deserialize, Serialize};

use super::{Stream, group, latest_of, split};
use crate::error::{Error, Owner};
use crate::scan::rows::TableRows;
use crate::scan::source::LogSource;
use crate::sql::errors;
use crate::windows::aggregation::Aggregation;
use crate::windows::partial::Partial;

/// Counts up whenever the form changes.
const VERSION: u32 = 1;

/// Where in the metadata of the schema the rest is.
const KEY: &str = "loglens.grouped";

/// What stands below the window of a statement.
#[derive(Debug)]
pub struct Grouping {
    sql: Arc<str>,
    table: Arc<str>,
    context: Arc<TaskContext>,
    lower: Arc<dyn ExecutionPlan>,
    aggregation: Arc<Aggregation>,
    asks_times: bool,
    threads: usize,
}

/// What goes with partial rows.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Grouped {
    version: u32,
    /// The statement.
    sql: String,
    /// The greatest event time of all records, in microseconds since 1970.
    latest: Option<i64>,
    /// How many rows each pane has.
    of_panes: BTreeMap<i64, u64>,
    /// Rows that have no time, and so lie in no window.
    without_time: u64,
}

/// What became of rows that were merged into windows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Rows that are in windows now.
    pub rows: u64,
    /// Rows that came too late for any window.
    pub late: u64,
    /// Rows that have no time, and so lie in no window.
    pub without_time: u64,
}

impl Stream {
    /// What stands below its window; None if it has none.
    pub fn grouping(&self) -> Option<Grouping> {
        let window = self.window.as_ref()?;
        Some(Grouping {
            sql: Arc::clone(&self.sql),
            table: Arc::from(self.format.table.as_str()),
            context: Arc::clone(&self.context),
            lower: Arc::clone(&self.lower),
            aggregation: Arc::clone(&window.aggregation),
            asks_times: window.asks_times,
            threads: self.threads,
        })
    }

    /// The same without inputs of its own. They are added, what is merged comes from them, and there
    /// may always come more.
    #[must_use]
    pub fn of_added_inputs(mut self) -> Self {
        self.waiting.clear();
        self.watermarks.endless();
        self
    }

    /// Another input, of which nothing has come yet; gives its number.
    pub fn add_input(&mut self) -> usize {
        self.waiting.push(Vec::new());
        self.watermarks.add(Instant::now())
    }

    /// Puts rows of an input that were grouped elsewhere into the windows. [`Stream::advance`] gives
    /// what comes of it.
    ///
    /// # Errors
    ///
    /// They are of another statement or version, or the windows do not fit into memory.
    pub fn merge(&mut self, input: usize, grouped: &[u8]) -> Result<Merged, Error> {
        let sql = Arc::clone(&self.sql);
        let (grouped, rows) = self.read_grouped(grouped)?;
        self.watermarks.came(input, grouped.latest, Instant::now());
        let done = self.watermarks.passed().saturating_sub(self.lateness);
        let Some(window) = &mut self.window else {
            return Ok(Merged::default());
        };
        for rows in &rows {
            let inserted = window.open.insert(rows);
            inserted.map_err(|error| errors::explain(&error, &sql))?;
        }
        let held = window.held.try_resize(window.open.size());
        held.map_err(|error| errors::explain(&error, &sql))?;
        let windows = window.aggregation.windows;
        let open_from = windows.open_from(done);
        let is_late = |pane: i64| pane.saturating_mul(windows.pane_width()) < open_from;
        let (late, in_time): (Vec<_>, Vec<_>) = grouped
            .of_panes
            .iter()
            .partition(|(pane, _)| is_late(**pane));
        Ok(Merged {
            rows: in_time.iter().map(|(_, rows)| **rows).sum(),
            late: late.iter().map(|(_, rows)| **rows).sum(),
            without_time: grouped.without_time,
        })
    }

    fn read_grouped(&self, bytes: &[u8]) -> Result<(Grouped, Vec<RecordBatch>), Error> {
        let unusable = |why: String| {
            let message = format!("rows that were grouped elsewhere cannot be used: {why}");
            Error::new(Owner::Data, message)
        };
        let damaged = |error: ArrowError| unusable(error.to_string());
        let reader = StreamReader::try_new(Cursor::new(bytes), None).map_err(damaged)?;
        let schema = reader.schema();
        let grouped = schema.metadata().get(KEY).map_or("", String::as_str);
        let grouped: Grouped =
            serde_json::from_str(grouped).map_err(|error| unusable(error.to_string()))?;
        if grouped.version != VERSION {
            let found = grouped.version;
            return Err(unusable(format!(
                "they are of version {found}, this is {VERSION}"
            )));
        }
        let expected = self.window.as_ref();
        let expected = expected.map(|window| &window.aggregation.partial_schema);
        let is_same = |expected: &&SchemaRef| {
            *grouped.sql == *self.sql && expected.fields() == schema.fields()
        };
        let Some(expected) = expected.filter(is_same) else {
            return Err(unusable(format!("they are of {}", grouped.sql)));
        };
        let rows =
            reader.map(|rows| RecordBatch::try_new(Arc::clone(expected), rows?.columns().to_vec()));
        let rows = rows.collect::<Result<_, _>>().map_err(damaged)?;
        Ok((grouped, rows))
    }
}

impl Grouping {
    /// The name of the log table whose rows it groups.
    pub fn table(&self) -> &Arc<str> {
        &self.table
    }

    /// The scans that its rows come from.
    pub(crate) fn scans(&self) -> Vec<&LogSource> {
        split::log_sources(&self.lower)
    }

    /// Groups rows of its table.
    ///
    /// # Errors
    ///
    /// Those of the sources, of expressions, and of memory.
    pub(crate) async fn group(&self, rows: &TableRows) -> Result<Bytes, Error> {
        let grouped = self.try_group(rows).await;
        grouped.map_err(|error| errors::explain(&error, &self.sql))
    }

    async fn try_group(&self, rows: &TableRows) -> DataFusionResult<Bytes> {
        let plan = split::of_rows(&self.lower, rows)?;
        let partial = || Ok(Partial::new(Arc::clone(&self.aggregation))?.counting());
        let partials = (0..self.threads).map(|_| partial());
        let partials = partials.collect::<DataFusionResult<_>>()?;
        let mut partials = group(reset_plan_states(plan)?, partials, &self.context).await?;
        let mut grouped = Grouped {
            version: VERSION,
            sql: self.sql.to_string(),
            ..Grouped::default()
        };
        if self.asks_times
            && let Some(times) = rows.times()?
        {
            grouped.latest = latest_of(times, &self.context).await?;
        }
        let mut rows = Vec::new();
        for partial in &mut partials {
            grouped.latest = grouped.latest.max(partial.latest());
            grouped.without_time += partial.take_without_time();
            for (pane, rows) in partial.of_panes().into_iter().flatten() {
                *grouped.of_panes.entry(*pane).or_default() += rows;
            }
            if partial.len() > 0 {
                rows.push(partial.emit()?);
            }
        }
        let says = serde_json::to_string(&grouped);
        let says = says.map_err(|error| DataFusionError::External(Box::new(error)))?;
        let metadata = HashMap::from([(KEY.to_owned(), says)]);
        let schema = self.aggregation.partial_schema.as_ref().clone();
        let mut writer = StreamWriter::try_new(Vec::new(), &schema.with_metadata(metadata))?;
        for rows in rows {
            writer.write(&rows)?;
        }
        Ok(writer.into_inner()?.into())
    }
}
