//! Athena's DDL for what loglens reads and writes.

mod hive;
mod logs;
mod parquet;
mod statement;

pub(crate) use self::logs::{Keys, of_logs};
pub(crate) use self::parquet::{Values, of_parquet};
