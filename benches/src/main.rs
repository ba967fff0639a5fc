//! `loglens-bench`: loglens and others over the same logs, with answers that must agree.
//!
//! `compare` makes the data (`data`), starts the peers (`peers`, and the scripts in
//! `benches/peers`), asks everybody the cases (`cases`, described in `cases.toml`) in turn, checks
//! that the answers agree (`answer`), and writes down what came out (`results`, `report`, `chart`)
//! and which of the bars it meets (`bars`).

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark is there to print what it measured"
)]

mod answer;
mod arguments;
mod bars;
mod cases;
mod chart;
mod compare;
#[cfg(feature = "daemon")]
mod daemon;
mod data;
#[cfg(feature = "datafusion")]
mod datafusion;
mod entrant;
mod error;
mod floors;
mod loglens;
mod machine;
mod measure;
mod memory;
mod parsers;
mod peers;
mod report;
mod results;
#[cfg(feature = "s3")]
mod s3;
#[cfg(test)]
mod testing;
mod windows;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

use crate::arguments::{Arguments, Command};
use crate::error::Result;

/// That of loglens, for DataFusion as a peer too.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("error: answers differ or are missing");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<bool> {
    match command {
        Command::Compare(arguments) => return compare::compare(&arguments),
        #[cfg(feature = "s3")]
        Command::S3(arguments) => return s3::run(&arguments),
        #[cfg(feature = "daemon")]
        Command::Daemon(arguments) => return daemon::run(&arguments),
        Command::Windows(arguments) => return windows::run(&arguments),
        Command::Render { folder } => report::render(&folder)?,
        #[cfg(feature = "datafusion")]
        Command::Datafusion => datafusion::serve()?,
        Command::Measure(arguments) => {
            println!("{}", serde_json::to_string(&measure::measure(&arguments)?)?);
        }
    }
    Ok(true)
}
