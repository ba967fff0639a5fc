//! Filters that look at bytes before any column is built.
//!
//! A predicate is asked in three steps, and each spares the next one work:
//! - [`Literals`]: texts of which one stands in every record that can match. What holds none of
//!   them is passed over without finding its fields.
//! - [`FieldPredicate`]: a test of one field's bytes.
//! - [`crate::parse::RowFilter`]: any expression over the columns that it needs, built for the
//!   records that are left.

mod cidr;
mod field;
mod literals;

pub use cidr::Cidr;
pub use field::{FieldPredicate, FieldTest, TextTest};
pub use literals::Literals;
pub(crate) use literals::Prefilter;
