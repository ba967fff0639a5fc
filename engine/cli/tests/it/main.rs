//! The command as people meet it: whole outputs, exit codes, and what the system does to it.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod cache;
mod chaos;
mod chart;
mod cloudtrail;
mod command;
mod config;
mod consume;
mod consume_check;
mod consume_config;
mod consume_edges;
mod consume_operation;
mod consume_windows;
mod convert;
mod convert_killed;
mod credentials;
mod ddl;
mod describe;
mod doctor;
mod errors;
mod generate;
mod generate_stream;
mod hostile;
mod named_queries;
mod own_formats;
mod parameters;
mod process;
mod query;
mod readme;
mod replay;
mod s3;
mod shell;
mod shell_terminal;
mod tail;

/// Compares standard output, standard error and the exit code of a command. Times, sizes of
/// memory and names of folders differ from run to run and are filtered.
macro_rules! assert_command_snapshot {
    ($command:expr, @$expected:literal) => {
        crate::command::settings()
            .bind(|| insta_cmd::assert_cmd_snapshot!($command, @$expected))
    };
}
pub(crate) use assert_command_snapshot;
