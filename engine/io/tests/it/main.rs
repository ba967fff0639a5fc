//! Places as they behave: S3 over a server on loopback, local folders.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod cache;
mod cost;
mod faults;
mod moto;
mod reading;
mod refusals;
mod sinks;
mod store;
mod world;
