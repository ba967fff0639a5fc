//! Places as they behave: S3 and Kinesis over servers on loopback, DynamoDB over moto, local folders.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod cache;
mod cost;
mod dynamodb;
mod fan_out;
mod faults;
mod kinesis;
mod kinesis_faults;
mod leases;
mod moto;
mod reading;
mod refusals;
mod sinks;
mod store;
mod world;
