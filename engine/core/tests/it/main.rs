//! Tests of the engine as its users see it: statements in, rows and a ledger out.

#![allow(clippy::unwrap_used)]

mod approx_distinct;
mod ask;
mod converting;
mod envelopes;
mod faults;
mod golden;
mod logs;
mod lot_windows;
mod lots;
mod members;
mod memory;
mod pruning;
mod rejects;
mod spilling;
mod sql_files;
mod writing;
