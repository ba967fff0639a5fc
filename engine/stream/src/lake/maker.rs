//! The maker of all cuts of a lake.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use loglens_engine::archive::Given;
use loglens_engine::stream::{Grouping, Stream, StreamOptions};
use loglens_engine::{Engine, EngineOptions, Error, Owner, Statement};
use loglens_parsers::format::{Format, PartitionValue};
use loglens_parsers::frame::ExpansionLimit;
use loglens_parsers::layout::Layout;
use loglens_parsers::table::Table;
use serde::{Deserialize, Serialize};

use super::chunk::Chunks;
use super::cut::LakeCut;
use super::payload::Unpacking;
use super::room::{self, Room};
use crate::cut::{Beginning, CutMaker, Making};
use crate::windows::standing::OpenStream;

/// How a lake is written.
#[derive(Debug, Clone)]
pub struct LakeSettings {
    /// The name of the stream, which stands before the keys of what is read.
    pub stream: Arc<str>,
    /// What records may be, and what the user says of all of them.
    pub given: Given,
    /// What partitions each table, below its own folder.
    pub partitioned_by: Partitioning,
    /// Records of aggregates that belong to another shard become rows too: their producers do not send
    /// them again, as the Kinesis Producer Library does.
    pub keep_resent: bool,
    /// Bytes of records, out of their frames, of which a cut is made.
    pub cut_bytes: usize,
    /// How old the first record of a cut gets.
    pub cut_age: Duration,
    /// Bytes that records of all shards may take, and what is made of them. Where they are taken,
    /// nothing more is read, and cuts that do not fit are sorted on disk.
    pub memory_limit: Option<usize>,
    /// Cores to use.
    pub threads: Option<usize>,
    /// Statements whose windows are given as they close.
    pub windows: Vec<WindowStatement>,
}

/// A statement whose windows are given as they close.
#[derive(Debug, Clone)]
pub struct WindowStatement {
    /// What it is called.
    pub name: Arc<str>,
    /// Its text.
    pub sql: Arc<str>,
    /// How it tells the time.
    pub options: StreamOptions,
}

/// What partitions a table: parts of the place and day of its records, in this order. It decides
/// where rows come to lie, so a cut is finished with the one that it was claimed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partitioning {
    /// The account.
    pub account: bool,
    /// The Region.
    pub region: bool,
    /// The day of the event, as a date.
    pub day: bool,
}

impl Default for Partitioning {
    fn default() -> Self {
        Self {
            account: true,
            region: true,
            day: true,
        }
    }
}

impl Partitioning {
    /// The columns of a table.
    pub(super) fn columns(self, format: &Format) -> Vec<String> {
        let wanted = [
            (self.account, PartitionValue::Account),
            (self.region, PartitionValue::Region),
            (self.day, PartitionValue::Date),
        ];
        let wanted = wanted.into_iter().filter(|(wanted, _)| *wanted);
        let columns = wanted.filter_map(|(_, value)| {
            let mut columns = format.partitions.iter();
            columns.find(|column| column.from == value)
        });
        columns.map(|column| column.name.clone()).collect()
    }
}

/// What a cut is finished with: what it was claimed with.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    partitioned_by: Partitioning,
    keep_resent: bool,
}

/// Makes Parquet of the records of a stream.
pub struct Lake(Arc<Shared>);

/// What all cuts share.
pub(super) struct Shared {
    pub(super) settings: LakeSettings,
    pub(super) engine: Engine,
    pub(super) chunks: Arc<Chunks>,
    pub(super) room: Arc<Room>,
    pub(super) unpacking: Unpacking,
    /// Tables and the layouts of records without a header, by the names of tables.
    pub(super) tables: HashMap<String, (Arc<Table>, Arc<Layout>)>,
    /// What groups records for each standing window, in the order of the settings.
    pub(super) groupings: Vec<Grouping>,
}

impl std::fmt::Debug for Lake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lake").field(&self.0.settings).finish()
    }
}

impl Lake {
    /// A lake. Nothing is written before the first cut.
    ///
    /// # Errors
    ///
    /// A standing statement that is none.
    pub async fn new(settings: LakeSettings) -> Result<Self, Error> {
        let chunks = Arc::new(Chunks::new(&settings.stream));
        let engine = Engine::new(EngineOptions {
            sources: vec![Arc::clone(&chunks) as _],
            given: settings.given.clone(),
            memory_limit: settings.memory_limit.map(room::for_cuts),
            threads: settings.threads,
            ..EngineOptions::default()
        })?;
        engine.expect_objects();
        let mut groupings = Vec::new();
        for window in &settings.windows {
            groupings.push(grouping(&engine, window).await?);
        }
        let fields = settings.given.fields.as_deref();
        let tables = settings.given.formats.all().iter().map(|format| {
            let table = Arc::new(Table::new(Arc::clone(format), []));
            let layout = match fields {
                Some(names) => Arc::new(Layout::given(format, names)),
                None => Arc::clone(format.default_layout()),
            };
            (format.table.clone(), (table, layout))
        });
        Ok(Self(Arc::new(Shared {
            room: Room::new(settings.memory_limit),
            unpacking: Unpacking {
                formats: settings.given.formats.clone(),
                format: settings.given.format.clone(),
                fields: settings.given.fields.clone(),
                limit: ExpansionLimit::default(),
            },
            tables: tables.collect(),
            groupings,
            engine,
            chunks,
            settings,
        })))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
}

impl Lake {
    /// What opens the stream of a standing statement of the settings, by its place among them.
    pub fn opens(&self, window: usize) -> OpenStream {
        let shared = Arc::clone(&self.0);
        Arc::new(move || {
            let shared = Arc::clone(&shared);
            async move { stream(&shared.engine, &shared.settings.windows[window]).await }.boxed()
        })
    }

    /// Whether a standing statement of the settings has a condition whose episodes are told: a HAVING
    /// over windows that follow on one another.
    pub async fn is_alert(&self, window: usize) -> Result<bool, Error> {
        let window = &self.0.settings.windows[window];
        let slides = stream(&self.0.engine, window).await?.slide().is_some();
        Ok(slides && statement(&self.0.engine, window)?.has_having())
    }
}

/// The one statement of a window.
fn statement(engine: &Engine, window: &WindowStatement) -> Result<Statement, Error> {
    let statements = engine.parse(&window.sql);
    let mut statements = statements.map_err(|error| in_window(window, error))?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        _ => Err(of_window(window, "expected one statement")),
    }
}

async fn stream(engine: &Engine, window: &WindowStatement) -> Result<Stream, Error> {
    let statement = statement(engine, window)?;
    let stream = engine.stream(statement, window.options).await;
    stream.map_err(|error| in_window(window, error))
}

/// What groups records for a window, if its statement can stand.
async fn grouping(engine: &Engine, window: &WindowStatement) -> Result<Grouping, Error> {
    let stream = stream(engine, window).await?;
    let Some(grouping) = stream.grouping() else {
        return Err(of_window(window, "its statement has no window")
            .hint("GROUP BY tumble(event_time, INTERVAL '5' MINUTE), ..."));
    };
    if stream.columns().window_end.is_none() {
        let error = of_window(
            window,
            "its statement does not say which window a row is of",
        );
        return Err(error.hint("SELECT window_end, ..."));
    }
    if stream.slide().is_none() && !window.options.lateness.is_zero() {
        let error = of_window(window, "sessions cannot be given again");
        return Err(error.hint("leave `lateness` out: rows that come late begin a session"));
    }
    Ok(grouping)
}

/// What is wrong with a statement is wrong with the configuration.
fn in_window(window: &WindowStatement, error: Error) -> Error {
    Error {
        owner: Owner::Config,
        message: format!("window {}: {}", window.name, error.message),
        ..error
    }
}

fn of_window(window: &WindowStatement, what: &str) -> Error {
    Error::new(Owner::Config, format!("window {}: {what}", window.name))
}

#[async_trait]
impl CutMaker for Lake {
    fn configuration(&self) -> String {
        let LakeSettings {
            partitioned_by,
            keep_resent,
            ..
        } = self.0.settings;
        let configuration = Configuration {
            partitioned_by,
            keep_resent,
        };
        serde_json::to_string(&configuration).unwrap_or_default()
    }

    async fn begin(&self, beginning: Beginning<'_>) -> Result<Box<dyn Making>, Error> {
        let configuration = serde_json::from_str(beginning.configuration);
        let configuration: Configuration = configuration.map_err(|error| {
            let said = beginning.configuration;
            let message = format!(
                "a cut was claimed with a configuration that is not known: {error}: {said}"
            );
            Error::new(Owner::Config, message)
                .hint("another version of loglens has written it: finish with that one")
        })?;
        let shared = Arc::clone(&self.0);
        let (shard, after) = (Arc::clone(beginning.shard), beginning.after.clone());
        let cut = LakeCut::new(shared, shard, after, configuration.partitioned_by);
        let hash_keys = beginning.hash_keys.filter(|_| !configuration.keep_resent);
        Ok(Box::new(cut.within(hash_keys.map(|keys| keys.range()))))
    }
}
