//! Writing tables: `UNLOAD (SELECT ...) TO 'place'`, `CREATE TABLE ... AS` with a place, and
//! `INSERT INTO` a table of Parquet.
//!
//! Rows come sorted by the columns that partition them, so that one file is written at a time,
//! however many partitions there are. Files are Parquet in folders as Hive names them
//! (`day=2026-01-31/`); none is visible before all are complete.

mod destination;
mod files;
mod folders;
mod gathered;
mod insert;
mod made;
mod partitions;
mod pieces;
pub(crate) mod statement;
mod target;
pub(crate) mod uploads;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

pub(crate) use self::destination::{Destination, Written};
pub(crate) use self::files::{Summary, summary_schema, write};
pub(crate) use self::folders::NULL_PARTITION;
pub(crate) use self::gathered::read_within;
pub use self::made::{MadeFile, MadeFiles};
pub(crate) use self::partitions::folders_of;
pub(crate) use self::pieces::{Piece, not_alone};
pub(crate) use self::target::{Form, Target};
use crate::error::Error;
use crate::object::ObjectSource;
use crate::sink::ObjectSink;

pub use crate::journal::FOLDER as JOURNAL;

/// Opens the places that statements name to be written to.
#[async_trait]
pub trait Places: Debug + Send + Sync {
    /// Whether nothing lies there.
    async fn is_empty(&self, place: &str) -> Result<bool, Error>;

    /// What reads there.
    fn source(&self, place: &str) -> Result<Arc<dyn ObjectSource>, Error>;

    /// What writes there.
    fn sink(&self, place: &str) -> Result<Arc<dyn ObjectSink>, Error>;
}
