//! What the daemon writes: records of shards become Parquet files in folders as Hive names them.
//!
//! - [`payload`]: records of a stream taken apart, and told which table they are of.
//! - [`chunk`]: payloads of one table, one after the other, as an object that the engine reads.
//! - [`rejected`]: what fits no table, with cause, position and bytes.
//! - [`replay`]: such records, tried again.
//! - [`maker`] and [`cut`]: the [`CutMaker`](crate::cut::CutMaker) of all this.
//!
//! A cut keeps what came as it came: rows are made of it twice, once to learn the folders, which its
//! claim names, and once to write the files. Parsing is cheap beside holding rows of all columns.

pub mod chunk;
pub mod cut;
pub mod maker;
pub mod payload;
pub mod rejected;
pub mod replay;

#[cfg(test)]
mod tests;
