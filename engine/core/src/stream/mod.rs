//! Statements over what arrives: the same SQL as over what lies there, with the same rows.
//!
//! Whatever arrived is a bounded scan of its own, run by the same plan as always (`lower`), up to
//! the window of the statement if it has one. There rows are grouped by pane. When the watermark
//! passes the end of a window, its rows are put into what stands above it (`upper`), which runs as a
//! plan of its own. So a stream needs no operator of its own, and between two arrivals all state is
//! in [`OpenWindows`].
//!
//! - [`meaning`]: what may be asked of a stream.
//! - [`watermark`]: what time it is.
//! - `state`: saving and going on.
//! - [`Grouping`]: what stands below the window by itself, for whoever merges what others grouped.

mod grouping;
mod meaning;
mod open;
mod slot;
pub(crate) mod split;
mod state;
mod watermark;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::{cast, max};
use datafusion::arrow::datatypes::{DataType, SchemaRef, TimeUnit, TimestampMicrosecondType};
use datafusion::common::Result as DataFusionResult;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{
    ExecutionPlan, collect, execute_stream, execute_stream_partitioned,
};
use futures::{StreamExt, TryStreamExt};
use loglens_parsers::format::Format;
use loglens_parsers::key::KeyFacts;
use tokio::task::JoinSet;

pub use self::grouping::{Grouping, Merged};
pub use self::meaning::Columns;
use self::slot::Slot;
pub use self::state::positions_in;
use self::watermark::Watermarks;
use crate::archive::{Given, More, Unrecognised};
use crate::error::Error;
use crate::ledger::Ledger;
use crate::object::{Object, ObjectSource};
use crate::scan::spec::ScanObject;
use crate::sql::errors;
use crate::windows::aggregation::Aggregation;
use crate::windows::open::OpenWindows;
use crate::windows::partial::Partial;
use crate::windows::spec::Windows;

/// Objects whose recognition is kept.
const MOST_KNOWN: usize = 1 << 20;

/// Objects that are read together, at most.
const OBJECTS_OF_A_STEP: usize = 256;

/// Bytes of objects that are read together.
const BYTES_OF_A_STEP: u64 = 32 << 20;

/// How a stream tells the time.
#[derive(Debug, Clone, Copy)]
pub struct StreamOptions {
    /// How much earlier than the latest one before it a row may be; None is what the format says.
    pub disorder: Option<Duration>,
    /// How long after its end a window is given again where rows come late.
    pub lateness: Duration,
    /// An input from which nothing came for so long does not hold the others up.
    pub idle: Duration,
}

/// Rows that a stream gives, as soon as it has them.
#[derive(Debug)]
pub enum Output {
    /// Of a statement without windows, as they come.
    Rows(RecordBatch),
    /// Of windows that closed.
    Windows {
        /// How often these windows were given before.
        revision: u32,
        /// Time up to which windows are closed, in microseconds since 1970.
        watermark: i64,
        /// Their rows.
        rows: RecordBatch,
    },
    /// Rows that came too late for any window, as the window would have had them.
    Late(RecordBatch),
}

/// Windows that closed together.
#[derive(Debug)]
pub struct ClosedWindows {
    /// The end of the last of them, in microseconds since 1970. Windows of one size close one by one.
    pub end: i64,
    /// How often they were given before.
    pub revision: u32,
    /// Time up to which windows are closed, in microseconds since 1970.
    pub watermark: i64,
    /// Their rows; none, if what stands above the window leaves all of them out.
    pub rows: Vec<RecordBatch>,
}

/// What was read in one step.
#[derive(Debug)]
pub struct Step {
    /// The source.
    pub source: usize,
    /// What of it.
    pub objects: Vec<Object>,
}

/// A statement over what arrives.
pub struct Stream {
    sql: Arc<str>,
    context: Arc<TaskContext>,
    ledger: Arc<Ledger>,
    sources: Arc<[Arc<dyn ObjectSource>]>,
    given: Given,
    format: Arc<Format>,
    /// What the keys of objects say that are of the table; None of those that are not.
    known: HashMap<Arc<str>, Option<Arc<KeyFacts>>>,
    /// Objects that nothing recognised, and were not asked for yet.
    left_out: Vec<Unrecognised>,
    /// What arrived and was not read yet, by source: the oldest last.
    waiting: Vec<Vec<ScanObject>>,
    lower: Arc<dyn ExecutionPlan>,
    window: Option<Window>,
    watermarks: Watermarks,
    lateness: i64,
    schema: SchemaRef,
    threads: usize,
    columns: Columns,
}

/// The window of a statement.
struct Window {
    aggregation: Arc<Aggregation>,
    /// One for each core.
    partials: Vec<Partial>,
    open: OpenWindows,
    held: MemoryReservation,
    /// What stands above it, and what it reads.
    upper: Arc<dyn ExecutionPlan>,
    slot: Slot,
    /// Event times are asked for by themselves: the statement leaves rows out, and time goes on with
    /// those too.
    asks_times: bool,
}

impl Stream {
    /// The schema of its rows.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// What the columns of its rows are, if they are of windows.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Whether its rows are of windows.
    pub fn has_windows(&self) -> bool {
        self.window.is_some()
    }

    /// What became of objects and records so far.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Whether all that arrived was read.
    pub fn is_idle(&self) -> bool {
        self.waiting.iter().all(Vec::is_empty)
    }

    /// The latest time of a row so far, in microseconds since 1970.
    pub fn latest(&self) -> Option<i64> {
        self.watermarks.latest().into_iter().max().flatten()
    }

    /// Takes in objects, or parts of them, that arrived at a source; gives back those that are not
    /// of the statement's table. The others are read by [`Stream::step`].
    pub async fn take(
        &mut self,
        source: usize,
        objects: Vec<Object>,
    ) -> Result<Vec<Object>, Error> {
        let (wanted, others) = self.recognised(source, objects).await?;
        if wanted.is_empty() {
            return Ok(others);
        }
        let waiting = &mut self.waiting[source];
        waiting.extend(wanted);
        // The oldest is last, where it is taken from.
        waiting.sort_by(|a, b| (time_of(b), &b.object.key).cmp(&(time_of(a), &a.object.key)));
        Ok(others)
    }

    /// Reads some of what arrived, the oldest first, and gives what comes of it; None if nothing is
    /// waiting.
    pub async fn step<E: From<Error>>(
        &mut self,
        give: impl FnMut(Output) -> Result<(), E>,
    ) -> Result<Option<Step>, E> {
        let oldest = self.waiting.iter().enumerate();
        let oldest =
            oldest.filter_map(|(source, waiting)| Some((time_of(waiting.last()?), source)));
        let Some((_, source)) = oldest.min() else {
            return Ok(None);
        };
        let (mut objects, mut bytes) = (Vec::new(), 0);
        while objects.len() < OBJECTS_OF_A_STEP
            && bytes < BYTES_OF_A_STEP
            && let Some(object) = self.waiting[source].pop()
        {
            bytes += object.object.size.unwrap_or(0);
            objects.push(object);
        }
        self.read(source, &objects, give).await?;
        Ok(Some(Step {
            source,
            objects: objects.into_iter().map(|object| object.object).collect(),
        }))
    }

    async fn read<E: From<Error>>(
        &mut self,
        source: usize,
        objects: &[ScanObject],
        mut give: impl FnMut(Output) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = Arc::clone(&self.sql);
        let explain = |error: DataFusionError| errors::explain(&error, &sql);
        let lower = split::of_objects(&self.lower, objects, self.threads);
        let lower = lower.and_then(reset_plan_states).map_err(explain)?;
        let Some(window) = &mut self.window else {
            let mut rows = execute_stream(lower, Arc::clone(&self.context)).map_err(explain)?;
            while let Some(rows) = rows.try_next().await.map_err(explain)? {
                if rows.num_rows() > 0 {
                    give(Output::Rows(rows))?;
                }
            }
            return Ok(());
        };
        let mut latest = None;
        if window.asks_times {
            let times = split::of_times(&self.lower, objects, self.threads);
            if let Some(times) = times {
                let times = latest_of(times, &self.context).await;
                latest = times.map_err(explain)?;
            }
        }
        let (of_rows, late) = window.group(lower, &self.context).await.map_err(explain)?;
        self.watermarks
            .came(source, latest.max(of_rows), Instant::now());
        for rows in late {
            give(Output::Late(rows))?;
        }
        self.advance(give).await
    }

    /// Takes down that nothing more comes from a source.
    pub fn ended(&mut self, source: usize) {
        self.watermarks.ended(source);
    }

    /// Gives the windows that ended by now.
    pub async fn advance<E: From<Error>>(
        &mut self,
        mut give: impl FnMut(Output) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(closed) = self.next_closed().await? {
            let ClosedWindows {
                revision,
                watermark,
                rows,
                ..
            } = closed;
            for rows in rows {
                give(Output::Windows {
                    revision,
                    watermark,
                    rows,
                })?;
            }
        }
        Ok(())
    }

    /// The next windows that ended by now; None if there are none, and then those that can no longer
    /// change are forgotten.
    pub async fn next_closed(&mut self) -> Result<Option<ClosedWindows>, Error> {
        let watermark = self.watermarks.current(Instant::now());
        let explain = |error: DataFusionError| errors::explain(&error, &self.sql);
        let Some(window) = &mut self.window else {
            return Ok(None);
        };
        if let Some(closed) = window.open.close(watermark).map_err(explain)? {
            let rows = window.above(closed.rows, &self.context).await;
            return Ok(Some(ClosedWindows {
                end: closed.end,
                revision: closed.revision,
                watermark,
                rows: rows.map_err(explain)?,
            }));
        }
        let done = self.watermarks.passed().saturating_sub(self.lateness);
        window.open.forget(done).map_err(explain)?;
        window.open_from(done);
        Ok(None)
    }

    /// Time up to which windows are closed, in microseconds since 1970; `i64::MIN` before anything came.
    pub fn watermark(&self) -> i64 {
        self.watermarks.passed()
    }

    /// Microseconds from the beginning of a window to that of the next; None of sessions, and of a
    /// statement without windows.
    pub fn slide(&self) -> Option<i64> {
        match self.window.as_ref()?.aggregation.windows {
            Windows::Hop { slide, .. } => Some(slide),
            Windows::Session { .. } => None,
        }
    }

    /// Bytes that the open windows hold.
    pub fn size(&self) -> usize {
        self.window.as_ref().map_or(0, |window| window.open.size())
    }

    /// Gives away what arrived and was no log.
    pub fn take_left_out(&mut self) -> Vec<Unrecognised> {
        std::mem::take(&mut self.left_out)
    }

    /// The objects of the statement's table among those that arrived. An object that grows is what
    /// it was when it came first.
    async fn recognised(
        &mut self,
        source: usize,
        objects: Vec<Object>,
    ) -> Result<(Vec<ScanObject>, Vec<Object>), Error> {
        let new = objects
            .iter()
            .filter(|object| !self.known.contains_key(&object.key));
        let new: Vec<_> = new.cloned().collect();
        if !new.is_empty() {
            if self.known.len() > MOST_KNOWN {
                self.known.clear();
            }
            self.known
                .extend(new.iter().map(|object| (Arc::clone(&object.key), None)));
            let more = More {
                given: &self.given,
                format: &self.format,
                sources: &self.sources,
            };
            let (found, left_out) = more.recognise(source, new).await?;
            let found = found.into_iter();
            self.known
                .extend(found.map(|found| (found.object.key, Some(found.facts))));
            self.left_out.extend(left_out);
        }
        let (mut wanted, mut others) = (Vec::new(), Vec::new());
        for object in objects {
            match self.known.get(&object.key).cloned().flatten() {
                Some(facts) => wanted.push(ScanObject {
                    source,
                    object,
                    facts,
                }),
                None => others.push(object),
            }
        }
        Ok((wanted, others))
    }
}

/// When what is in an object happened, as far as that is known without reading it.
fn time_of(object: &ScanObject) -> Option<i64> {
    object.facts.time.or(object.object.modified)
}

impl Window {
    /// Takes down that windows that end at a time or before are done.
    fn open_from(&mut self, done: i64) {
        for partial in &mut self.partials {
            partial.open_from(self.aggregation.windows.open_from(done));
        }
    }

    /// Groups the rows of a plan; gives the greatest time of them, and those that are too late.
    async fn group(
        &mut self,
        plan: Arc<dyn ExecutionPlan>,
        context: &Arc<TaskContext>,
    ) -> DataFusionResult<(Option<i64>, Vec<RecordBatch>)> {
        let (mut latest, mut late, mut without_time) = (None, Vec::new(), 0);
        let partials = std::mem::take(&mut self.partials);
        for mut partial in group(plan, partials, context).await? {
            latest = latest.max(partial.latest());
            late.extend(partial.take_late());
            without_time += partial.take_without_time();
            if partial.len() > 0 {
                self.open.insert(&partial.emit()?)?;
            }
            self.partials.push(partial);
        }
        count_without_time(without_time, context);
        self.held.try_resize(self.open.size())?;
        Ok((latest, late))
    }

    /// What stands above the window, for the rows of some windows.
    async fn above(
        &mut self,
        rows: RecordBatch,
        context: &Arc<TaskContext>,
    ) -> DataFusionResult<Vec<RecordBatch>> {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = vec![rows];
        let plan = reset_plan_states(Arc::clone(&self.upper))?;
        let rows = collect(plan, Arc::clone(context)).await?;
        Ok(rows
            .into_iter()
            .filter(|rows| rows.num_rows() > 0)
            .collect())
    }
}

/// Groups the rows of a plan by pane and keys, side by side in all of `partials`.
async fn group(
    plan: Arc<dyn ExecutionPlan>,
    mut partials: Vec<Partial>,
    context: &Arc<TaskContext>,
) -> DataFusionResult<Vec<Partial>> {
    let mut tasks = JoinSet::new();
    let mut streams = execute_stream_partitioned(plan, Arc::clone(context))?;
    let cores = partials.len();
    for (core, mut partial) in partials.drain(..).enumerate() {
        // What there are more of than cores comes one after the other.
        let mine = streams.len().div_ceil(cores - core);
        let mine = streams.split_off(streams.len() - mine);
        tasks.spawn(async move {
            for mut rows in mine {
                while let Some(batch) = rows.next().await {
                    partial.push(&batch?)?;
                }
            }
            Ok::<_, DataFusionError>(partial)
        });
    }
    while let Some(done) = tasks.join_next().await {
        partials.push(done.map_err(|error| DataFusionError::External(Box::new(error)))??);
    }
    Ok(partials)
}

/// Takes down rows that lie in no window because they have no time.
fn count_without_time(rows: u64, context: &TaskContext) {
    if let Some(ledger) = context.session_config().get_extension::<Ledger>() {
        ledger.without_time(rows);
    }
}

/// The greatest of the times that a plan gives.
async fn latest_of(
    times: Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
) -> DataFusionResult<Option<i64>> {
    let mut latest = None;
    for batch in collect(times, Arc::clone(context)).await? {
        let micros = cast(
            batch.column(0),
            &DataType::Timestamp(TimeUnit::Microsecond, None),
        )?;
        latest = latest.max(max(micros.as_primitive::<TimestampMicrosecondType>()));
    }
    Ok(latest)
}
