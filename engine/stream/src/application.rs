//! What reads a stream, under one name.

use std::fmt::Debug;
use std::sync::Arc;

use loglens_engine::lease::LeaseStore;
use loglens_engine::shard::ShardSource;
use loglens_engine::sink::ObjectSink;

use crate::clock::Clock;
use crate::cut::CutMaker;
use crate::event::Observer;
use crate::shard_log::ShardLog;
use crate::windows::Standings;

/// Reads a stream under a name, with any number of workers. All of them have the same name, source,
/// leases and places.
#[derive(Debug, Clone)]
pub struct Application {
    /// Its name.
    pub name: Arc<str>,
    /// The version of the program, for people who read the logs.
    pub program: Arc<str>,
    /// The stream.
    pub source: Arc<dyn ShardSource>,
    /// The leases of its shards.
    pub leases: Arc<dyn LeaseStore>,
    /// Where objects are written to.
    pub lake: Place,
    /// Where the logs of shards lie. No reader of the lake may take them for data.
    pub control: Place,
    /// What makes objects of records.
    pub maker: Arc<dyn CutMaker>,
    /// The time of this worker.
    pub clock: Arc<dyn Clock>,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
    /// How many committed cuts each log keeps at least, 1 or more.
    pub kept_cuts: u64,
    /// Statements whose windows are given as they close.
    pub windows: Arc<Standings>,
}

/// A place that objects are written to.
#[derive(Debug, Clone)]
pub struct Place {
    /// What writes there.
    pub sink: Arc<dyn ObjectSink>,
    /// What all keys begin with, without a slash at its end.
    pub root: Arc<str>,
}

impl Place {
    /// The key of a name within the place.
    pub fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.root)
    }
}

impl Application {
    /// The log of a shard.
    pub fn log(&self, shard: &str) -> ShardLog {
        let Place { sink, root } = &self.control;
        ShardLog::new(Arc::clone(sink), root, &self.name, shard)
    }
}
