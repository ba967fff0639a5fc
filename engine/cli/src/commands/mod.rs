//! The commands, one file each.

pub(crate) mod completions;
pub(crate) mod consume;
pub(crate) mod convert;
pub(crate) mod ddl;
pub(crate) mod doctor;
pub(crate) mod formats;
pub(crate) mod generate;
pub(crate) mod query;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod schema;
mod session;
pub(crate) mod shell;
pub(crate) mod tables;
pub(crate) mod tail;
mod text_table;
