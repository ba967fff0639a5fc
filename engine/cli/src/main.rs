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
mod runtime;
mod time_range;
mod units;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use arguments::{Arguments, Command};
use failure::Failure;
use runtime::interruptible;

/// Batches come and go by the thousand, and every core allocates.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(arguments()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// What was typed. Nothing at all asks for the shell where the configuration names places, and for
/// help elsewhere.
fn arguments() -> Arguments {
    let nothing = std::env::args_os().len() <= 1;
    let command = Arguments::command().arg_required_else_help(nothing && !config::names_places());
    let matches = command.get_matches();
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let Some(command) = arguments.command else {
        return commands::shell::run(arguments.shell);
    };
    match command {
        Command::Schema(schema) => commands::schema::run(&schema),
        Command::Formats(formats) => commands::formats::run(&formats),
        Command::Generate(generate) => commands::generate::run(generate),
        Command::Completions { shell } => commands::completions::run(shell),
        Command::Query(query) => interruptible(commands::query::run(*query)),
        Command::Tail(tail) => commands::tail::run(*tail),
        Command::Tables(tables) => interruptible(commands::tables::run(*tables)),
        Command::Consume(consume) => commands::consume::run(*consume),
        Command::Replay(replay) => commands::replay::run(*replay),
        Command::Convert(convert) => commands::convert::run(*convert),
        Command::Doctor(doctor) => interruptible(commands::doctor::run(*doctor)),
        Command::Ddl(ddl) => interruptible(commands::ddl::run(*ddl)),
        Command::Run(named) => interruptible(commands::run::run(*named)),
    }
}
