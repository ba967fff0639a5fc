//! Delimited records: one line each, fields between separators.
//!
//! First the offsets of all fields of a block of lines, with one mask pass over its bytes:
//! [`plain`] where a separator always separates, [`quoted`] where fields may stand in quotes.
//! Then one column after the other from those offsets ([`crate::parse`]).

pub mod plain;
pub mod quoted;
