//! What the daemon writes: records of shards become Parquet files in folders as Hive names them.
//!
//! - [`payload`]: records of a stream taken apart, and told which table they are of.
//! - [`chunk`]: payloads of one table, one after the other, as an object that the engine reads.
//! - [`rejected`]: what fits no table, with cause, position and bytes.
//! - [`replay`]: such records, tried again.
//! - [`room`]: the memory that all this may take.
//! - [`maker`] and [`cut`]: the [`CutMaker`](crate::cut::CutMaker) of all this.

pub mod chunk;
pub mod cut;
pub mod maker;
pub mod payload;
pub mod rejected;
pub mod replay;
mod room;

#[cfg(test)]
mod tests;
