//! Seeded logs that look real, for benches, for tests and for `loglens generate`.
//!
//! A family of logs is one module: [`FlowLogs`] is the first. The same configuration and seed give
//! the same text on every platform: the generator of random numbers is our own (`random.rs`), and
//! floating point is used only in operations that IEEE 754 rounds exactly (`+ - * /` and the square
//! root), never through a platform's `pow` or `ln`.
//!
//! Nothing here is taken from anybody's logs. Account ids are those that AWS's pages use in
//! examples, and their continuation; public addresses are random.

mod calendar;
mod flow_logs;
mod objects;
mod random;
mod text;
mod zipf;

pub use flow_logs::{FieldsError, FlowLogs, MAX_REGIONS, flow_log_fields};

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
