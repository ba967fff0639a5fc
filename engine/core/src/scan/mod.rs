//! The scan: from objects to batches.
//!
//! - [`spec`]: what to scan, as plain data.
//! - [`source`]: the node in DataFusion's plans.
//! - [`queue`]: the objects of one execution, shared by its partitions.
//! - [`cursor`]: one open object: out of its frame, into blocks.
//! - [`batches`]: blocks to batches, with the columns that come from keys.
//!
//! Every partition takes the next object that nobody reads. When there is none, it helps with one
//! that is open: inflating and cutting go in order behind a lock, parsing does not. So one large
//! file keeps all cores busy, and the inflating of one gzip object overlaps with its parsing.

pub(crate) mod batches;
pub(crate) mod columns;
mod cursor;
mod literals;
mod metrics;
pub(crate) mod predicate;
mod queue;
pub(crate) mod source;
pub(crate) mod spec;
mod tests_of_fields;
