//! Why a task did not succeed.

use std::fmt;
use std::process::ExitCode;

/// Why a task did not succeed, in one sentence for whoever started it.
#[derive(Debug)]
pub(crate) enum Error {
    /// The task was asked for in a way that it does not understand.
    Usage(String),
    /// The task ran, and what it checks does not hold.
    Failed(String),
}

impl Error {
    /// 2 for a mistake in the command line, 1 for everything else, as `loglens` itself does.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Failed(message) => formatter.write_str(message),
        }
    }
}

/// Refuses arguments that a task has no use for.
pub(crate) fn no_arguments(task: &str, arguments: &[String]) -> Result<(), Error> {
    match arguments.first() {
        None => Ok(()),
        Some(argument) => Err(Error::Usage(format!(
            "`{task}` takes no arguments, but was given `{argument}`"
        ))),
    }
}

/// Succeeds if a check found no problems, else prints them and says how many there are.
pub(crate) fn no_problems(check: &str, problems: &[String]) -> Result<(), Error> {
    for problem in problems {
        eprintln!("{check}: {problem}");
    }
    match problems.len() {
        0 => Ok(()),
        1 => Err(Error::Failed(format!("{check}: 1 problem"))),
        count => Err(Error::Failed(format!("{check}: {count} problems"))),
    }
}
