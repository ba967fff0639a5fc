//! Tests of the crate as its callers see it: bytes in; rows, rejects and counts out.
#![allow(clippy::unwrap_used)]

mod cloudtrail;
mod envelopes;
mod filters;
mod fuzz;
mod generations;
mod hostile;
mod json;
mod json_records;
mod json_rows;
mod kpl;
mod logs;
mod one_file;
mod properties;
mod reader;
mod samples;

use std::sync::Arc;

use loglens_parsers::format::{Format, by_name};

/// The format that most tests use.
fn vpc() -> Arc<Format> {
    Arc::clone(by_name("vpc_flow_logs").unwrap())
}
