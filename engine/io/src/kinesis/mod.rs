//! Kinesis Data Streams: `kinesis://stream-name`.
//!
//! - `place`: what a stream is called.
//! - `connection`: all requests to one stream; what they are refused for (`refused`).
//! - `shards`: which shards there are; `summary`: what is said of all of the stream.
//! - `polling`: reading a shard with `GetRecords`, at the pace that it bears (`pace`).
//! - `fan_out`: reading it over a subscription of a consumer of its own.
//! - [`producer`][]: writing.
//! - `counts`: what all of that took.
//!
//! Throttling, iterators that expired, answers that broke and services that fail for a while are
//! waited for, as long as it takes: records stay in the stream. [`KinesisStream::counts`] tells of it.

mod connection;
mod counts;
mod fan_out;
mod pace;
mod place;
mod polling;
pub mod producer;
mod refused;
mod resume;
mod shards;
mod summary;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use loglens_engine::Error;
use loglens_engine::shard::{Shard, ShardReader, ShardSource, Start};

use crate::s3::access::Access;
use connection::Connection;
pub use counts::Counts;
use fan_out::FanOut;
pub use place::SCHEME;
use polling::PollingReader;

/// A stream of Kinesis.
#[derive(Debug, Clone)]
pub struct KinesisStream {
    name: Arc<str>,
    connection: Arc<Connection>,
    fan_out: Option<Arc<FanOut>>,
}

impl KinesisStream {
    /// The stream of a place such as `kinesis://flow-logs`. Nothing is asked for yet. Of `access`,
    /// what is about objects and buckets does not count.
    ///
    /// # Errors
    ///
    /// If no stream can be called so.
    pub fn new(place: &str, access: Access) -> Result<Self, Error> {
        let stream = place::stream_of(place)?;
        Ok(Self {
            name: Arc::from(place),
            connection: Arc::new(Connection::new(stream, access)),
            fan_out: None,
        })
    }

    /// The same stream, read with enhanced fan-out: 2 MB a second of each shard for this consumer
    /// alone, which costs extra. The consumer is registered if there is none of this name.
    #[must_use]
    pub fn with_fan_out(mut self, consumer: &str) -> Self {
        self.fan_out = Some(Arc::new(FanOut::new(consumer)));
        self
    }

    /// How long the stream keeps records.
    ///
    /// # Errors
    ///
    /// What does not pass by itself: it is not allowed to ask, or there is no such stream.
    pub async fn retention(&self) -> Result<Duration, Error> {
        summary::retention(&self.connection).await
    }

    /// What was done so far, by all readers and producers of this stream.
    pub fn counts(&self) -> Counts {
        self.connection.counts()
    }
}

#[async_trait]
impl ShardSource for KinesisStream {
    fn name(&self) -> &str {
        &self.name
    }

    async fn shards(&self) -> Result<Vec<Shard>, Error> {
        shards::list(&self.connection).await
    }

    async fn open(&self, shard: &str, start: &Start) -> Result<Box<dyn ShardReader>, Error> {
        let connection = Arc::clone(&self.connection);
        match &self.fan_out {
            None => Ok(Box::new(
                PollingReader::open(connection, shard, start).await?,
            )),
            Some(fan_out) => Ok(Box::new(fan_out.open(connection, shard, start).await?)),
        }
    }
}
