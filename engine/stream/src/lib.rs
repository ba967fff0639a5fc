//! The daemon: streams of records in shards become Parquet, each record exactly once.
//!
//! It works on the traits of the engine alone: [`ShardSource`](loglens_engine::shard::ShardSource),
//! [`LeaseStore`](loglens_engine::lease::LeaseStore) and
//! [`ObjectSink`](loglens_engine::sink::ObjectSink). So everything that may go wrong between them
//! can be played through without a network.

pub mod application;
pub mod clock;
pub mod cut;
pub mod event;
pub mod lake;
pub mod leases;
mod random;
pub mod shard_log;
#[cfg(test)]
mod simulation;
pub mod stop;
pub mod windows;
pub mod worker;
