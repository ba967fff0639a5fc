//! The scan: from objects to batches.
//!
//! - [`spec`]: what to scan, as plain data.
//! - [`source`]: the node in DataFusion's plans.
//! - [`key_filter`]: what of a predicate can be asked of keys.
//! - [`queue`]: the objects of one execution, shared by its partitions.
//! - [`prefetch`]: small objects, read ahead; each is one partition's.
//! - [`shared`]: large objects, of which every partition takes blocks.
//! - [`pump`]: what of these comes in order, from a thread of its own.
//! - [`cursor`]: one object from its beginning to its end: out of its frame, into blocks.
//! - [`batches`]: blocks to batches, with the columns that come from keys.
//! - [`rows`]: rows that are read once, for all that would scan them.
//!
//! Every partition takes the next object that nobody reads. When there is none, it helps with a
//! large one that is open. So one large file keeps all cores busy, and the inflating of one large
//! gzip object overlaps with its parsing.

pub(crate) mod batches;
pub(crate) mod columns;
mod cursor;
mod input;
pub(crate) mod key_filter;
mod literals;
mod members;
mod metrics;
mod parts;
pub(crate) mod predicate;
mod prefetch;
mod pump;
mod queue;
pub(crate) mod rows;
mod shared;
pub(crate) mod source;
pub(crate) mod spec;
mod tests_of_fields;
