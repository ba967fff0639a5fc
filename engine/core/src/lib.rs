//! SQL over AWS logs, with DataFusion embedded.
//!
//! The way of a query:
//!
//! 1. [`engine::Engine`] parses the statement with the Athena dialect ([`sql`]).
//! 2. If it names a log table, the sources are listed once and each object's format is told
//!    ([`archive`]).
//! 3. [`tables`] gives DataFusion a table for each format and one for `rejects`.
//! 4. A scan ([`scan`]) is described by a serialisable `ScanSpec`; it reads objects through the
//!    [`object::ObjectSource`] trait, and has `loglens-parsers` turn blocks of bytes into batches.
//! 5. What became of every record is written into the query's [`ledger::Ledger`].
//!
//! What is deliberately absent: this crate knows no AWS SDK, no terminal and no file; it never
//! prints. Only `engine`, `query`, `scan`, `tables` and `own_text` name physical plans.

pub mod archive;
pub mod convert;
pub mod cost;
mod ddl;
pub mod describe;
pub mod engine;
pub mod error;
mod functions;
mod journal;
pub mod lease;
pub mod ledger;
pub mod object;
mod overview;
mod own_text;
pub mod portable;
pub mod query;
mod scan;
mod session;
pub mod shard;
pub mod sink;
mod sql;
pub mod stream;
mod tables;
mod windows;
pub mod write;

pub use datafusion::arrow;
pub use engine::{Engine, EngineOptions, Statement};
pub use error::{Error, Owner};
pub use query::{Query, Receipt};
pub use scan::spec::{ScanObject, ScanOutput, ScanSpec};
pub use sql::errors::nearest;
pub use sql::parameters::{Value, Values};
pub use tables::parquet_table::ParquetTable;
