//! From a statement to a stream.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use datafusion::execution::memory_pool::MemoryConsumer;

use super::watermark::Watermarks;
use super::{Stream, StreamOptions, Window, meaning, split};
use crate::engine::{Engine, Statement};
use crate::error::{Error, Owner};
use crate::sql::errors;
use crate::sql::hidden_columns::SUFFIX;
use crate::windows::open::OpenWindows;
use crate::windows::partial::Partial;

impl Engine {
    /// A statement over what arrives at the sources, which are inputs of their own. At least one
    /// object of its table has to lie there: it says what the records are.
    pub async fn stream(
        &self,
        statement: Statement,
        options: StreamOptions,
    ) -> Result<Stream, Error> {
        let planned = self.plan_stream(statement).await?;
        let explain = |error| errors::explain(&error, &planned.sql);
        let archive = self.archive().await?;
        let is_stream = |name: &str| archive.table(name.trim_end_matches(SUFFIX)).is_some();
        let meaning = meaning::of(&planned.logical, &is_stream)?;
        let Some(source) = split::first_log_source(&planned.physical).filter(|_| meaning.streams)
        else {
            return Err(Error::new(Owner::Query, "the statement reads no log table")
                .hint("there is nothing to wait for: ask `loglens query`"));
        };
        let format = Arc::clone(source.format());
        // Rows of one table would be taken for those of the other.
        let sources = split::log_sources(&planned.physical);
        let mut tables = sources.iter().map(|source| &*source.format().table);
        if let Some(other) = tables.find(|table| *table != format.table) {
            let message = format!("the statement reads {} and {other}", format.table);
            return Err(Error::new(Owner::Query, message)
                .hint("what arrives is of one log table: write a statement for each"));
        }
        let context = planned.context;
        let threads = context.session_config().target_partitions();
        let schema = planned.physical.schema();
        let columns = meaning.columns(&planned.logical);
        let (lower, window) = match split::at_window(&planned.physical).map_err(explain)? {
            None => (planned.physical, None),
            Some(at) => {
                let partial = || Partial::new(Arc::clone(&at.aggregation)).map_err(explain);
                let window = Window {
                    partials: (0..threads).map(|_| partial()).collect::<Result<_, _>>()?,
                    open: OpenWindows::new(Arc::clone(&at.aggregation)).map_err(explain)?,
                    held: MemoryConsumer::new("windows").register(context.memory_pool()),
                    aggregation: at.aggregation,
                    upper: at.upper,
                    slot: at.slot,
                    asks_times: !split::keeps_all(&at.lower),
                };
                (at.lower, Some(window))
            }
        };
        let bound = match options.disorder {
            Some(bound) => i64::try_from(bound.as_micros()).unwrap_or(i64::MAX),
            None => format.delivery.disorder,
        };
        let inputs = self.sources().len();
        Ok(Stream {
            watermarks: Watermarks::new(inputs, bound, options.idle, Instant::now()),
            lateness: i64::try_from(options.lateness.as_micros()).unwrap_or(i64::MAX),
            sql: planned.sql,
            context,
            ledger: planned.ledger,
            sources: Arc::clone(self.sources()),
            given: self.given().clone(),
            format,
            known: HashMap::new(),
            left_out: Vec::new(),
            waiting: vec![Vec::new(); inputs],
            lower,
            window,
            schema,
            threads,
            columns,
        })
    }
}
