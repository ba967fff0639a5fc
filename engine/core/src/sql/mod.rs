//! SQL: the Athena dialect and what has to be done to statements before DataFusion plans them.

pub(crate) mod dialect;
pub(crate) mod errors;
pub(crate) mod hidden_columns;
pub(crate) mod null_marker;
pub(crate) mod parameters;
pub(crate) mod references;
pub(crate) mod struct_names;
mod visit;
pub(crate) mod windows;
