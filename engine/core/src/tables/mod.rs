//! Tables: what DataFusion sees of an archive.

pub(crate) mod committed_files;
mod hive_folders;
pub(crate) mod log_table;
pub(crate) mod parquet_table;
pub(crate) mod planned_files;
pub(crate) mod rejects;
pub(crate) mod schema;
