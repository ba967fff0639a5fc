//! The `loglens` command.
//!
//! What a person sees is here and nowhere else: arguments, configuration, output formats,
//! progress, errors, exit codes. Everything that answers questions is in the libraries.
#![allow(clippy::print_stderr, reason = "the one crate that talks to people")]

mod arguments;
mod commands;
mod config;
mod descriptions;
mod failure;
mod output;
mod parameters;
mod progress;
mod receipt;
mod result_file;
mod time_range;
mod units;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use arguments::{Arguments, Command};
use failure::Failure;

/// Stack of a thread that plans: what DataFusion and its parser do goes as deep as an expression,
/// and a list of conditions that a program wrote can have thousands. Pages that nobody touches
/// cost nothing.
const STACK: usize = 32 << 20;

/// How long a cancelled query may take to remove its temporary files.
const CLEAN_UP: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Schema(schema) => commands::schema::run(&schema),
        Command::Formats(formats) => commands::formats::run(&formats),
        Command::Generate(generate) => commands::generate::run(&generate),
        Command::Completions { shell } => commands::completions::run(shell),
        Command::Query(query) => interruptible(commands::query::run(*query)),
        Command::Tables(tables) => interruptible(commands::tables::run(*tables)),
        Command::Run(named) => interruptible(commands::run::run(*named)),
    }
}

/// Runs something long until it is done or Ctrl-C ends it. Cancelling drops it, so that its
/// temporary files go too; a second Ctrl-C does not wait for that.
fn interruptible(
    work: impl Future<Output = Result<(), Failure>> + Send + 'static,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(Failure::runtime)?;
    let result = runtime.block_on(async {
        let mut work = tokio::spawn(work);
        tokio::select! {
            done = &mut work => done.unwrap_or_else(|error| Err(Failure::panicked(&error))),
            _ = tokio::signal::ctrl_c() => {
                work.abort();
                tokio::spawn(async {
                    if tokio::signal::ctrl_c().await.is_ok() {
                        std::process::exit(failure::INTERRUPTED.into());
                    }
                });
                Err(Failure::Interrupted)
            }
        }
    });
    runtime.shutdown_timeout(CLEAN_UP);
    result
}
