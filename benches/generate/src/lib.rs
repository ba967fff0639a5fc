//! Seeded logs that look real, for benches, for tests and for `loglens generate`.
//!
//! A family of logs is one module: [`FlowLogs`], [`AlbLogs`] and [`CloudTrailLogs`]. The same configuration and seed give
//! the same text on every platform: the generator of random numbers is our own (`random.rs`), and
//! floating point is used only in operations that IEEE 754 rounds exactly (`+ - * /` and the square
//! root), never through a platform's `pow` or `ln`.
//!
//! Nothing here is taken from anybody's logs. Account ids are those that AWS's pages use in
//! examples, and their continuation; public addresses are random.

mod alb_logs;
mod calendar;
mod cloudtrail_logs;
mod envelope;
mod flow_logs;
mod ids;
mod internet;
mod objects;
mod places;
mod plan;
mod random;
mod template;
#[cfg(test)]
mod testing;
mod text;
mod zipf;

use std::sync::Arc;

pub use alb_logs::{AlbFields, AlbLogs};
pub use cloudtrail_logs::{CloudTrailLayout, CloudTrailLogs};
pub use envelope::{Envelope, Packer, StreamRecord};
pub use flow_logs::{FieldsError, FlowLogs, flow_log_fields};
pub use places::MAX_REGIONS;

/// A record by itself, and where it was logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// The account.
    pub account: Arc<str>,
    /// The Region.
    pub region: &'static str,
    /// Its text: one line, without its end.
    pub line: Vec<u8>,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records, without header lines.
    pub rows: u64,
    /// Bytes of log text, header lines included, before any compression.
    pub bytes: u64,
    /// Files or objects.
    pub objects: u64,
}
