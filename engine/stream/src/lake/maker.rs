//! The maker of all cuts of a lake.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use loglens_engine::archive::Given;
use loglens_engine::{Engine, EngineOptions, Error, Owner};
use loglens_parsers::format::{Format, PartitionValue};
use loglens_parsers::frame::ExpansionLimit;
use loglens_parsers::layout::Layout;
use loglens_parsers::table::Table;
use serde::{Deserialize, Serialize};

use super::chunk::Chunks;
use super::cut::LakeCut;
use super::payload::Unpacking;
use crate::cut::{Beginning, CutMaker, Making};

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
    /// Bytes that sorting may hold before it spills.
    pub memory_limit: Option<usize>,
    /// Cores to use.
    pub threads: Option<usize>,
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
    pub(super) unpacking: Unpacking,
    /// Tables and the layouts of records without a header, by the names of tables.
    pub(super) tables: HashMap<String, (Arc<Table>, Arc<Layout>)>,
}

impl std::fmt::Debug for Lake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lake").field(&self.0.settings).finish()
    }
}

impl Lake {
    /// A lake. Nothing is written before the first cut.
    pub fn new(settings: LakeSettings) -> Result<Self, Error> {
        let chunks = Arc::new(Chunks::new(&settings.stream));
        let engine = Engine::new(EngineOptions {
            sources: vec![Arc::clone(&chunks) as _],
            given: settings.given.clone(),
            memory_limit: settings.memory_limit,
            threads: settings.threads,
            ..EngineOptions::default()
        })?;
        engine.expect_objects();
        let fields = settings.given.fields.as_deref();
        let tables = settings.given.formats.all().iter().map(|format| {
            let table = Arc::new(Table::new(Arc::clone(format), []));
            let layout = match fields {
                Some(names) => Layout::given(format, names),
                None => Layout::default_of(format),
            };
            (format.table.clone(), (table, Arc::new(layout)))
        });
        Ok(Self(Arc::new(Shared {
            unpacking: Unpacking {
                formats: settings.given.formats.clone(),
                format: settings.given.format.clone(),
                fields: settings.given.fields.clone(),
                limit: ExpansionLimit::default(),
            },
            tables: tables.collect(),
            engine,
            chunks,
            settings,
        })))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
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
