//! Failures: how an error is shown, and the exit code.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;

use loglens_engine::error::Place;
use loglens_engine::{Error, Owner};

use crate::output::{NothingToDraw, OutputError, is_unseen, visible};

/// The exit code after Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error to show.
    Error(Box<Error>),
    /// The reader of our output has gone: nobody is there to be told.
    ClosedPipe,
    /// Ctrl-C.
    Interrupted,
    /// Something is wrong, and it was said what.
    Told(Owner),
}

impl Failure {
    /// A usage error with the next step.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Error::new(Owner::Usage, message).hint(hint).into()
    }

    /// The runtime could not start.
    #[allow(clippy::needless_pass_by_value, reason = "map_err gives it by value")]
    pub(crate) fn runtime(error: io::Error) -> Self {
        Error::new(Owner::External, format!("cannot start: {error}")).into()
    }

    /// A task panicked; the panic's own message has been printed.
    pub(crate) fn panicked(error: &tokio::task::JoinError) -> Self {
        Error::new(Owner::Internal, format!("stopped unexpectedly: {error}"))
            .hint("this is a bug in loglens: please report it with the command")
            .into()
    }

    /// Shows it and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::ClosedPipe => ExitCode::SUCCESS,
            Self::Interrupted => ExitCode::from(INTERRUPTED),
            Self::Told(owner) => code_of(*owner),
            Self::Error(error) => {
                // Standard error may be closed: the exit code stands all the same.
                let mut stderr = io::stderr();
                let text = render(error, colour(&stderr));
                let _ = stderr.write_all(text.as_bytes());
                code_of(error.owner)
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        if error.is_broken_pipe() {
            return Self::ClosedPipe;
        }
        if let OutputError::NothingToDraw(error) = error {
            return Self::usage(error.to_string(), NothingToDraw::HINT);
        }
        Error::new(Owner::External, format!("cannot write the result: {error}")).into()
    }
}

/// Whether colours are wanted there: on a terminal, unless `NO_COLOR` says no.
pub(crate) fn colour(stream: &impl IsTerminal) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !refused
}

/// The exit code for an error of this owner.
fn code_of(owner: Owner) -> ExitCode {
    match owner {
        Owner::Usage | Owner::Config => ExitCode::from(2),
        Owner::Query | Owner::Data | Owner::External | Owner::Internal => ExitCode::FAILURE,
    }
}

fn render(error: &Error, colour: bool) -> String {
    let (red, bold, plain) = if colour {
        ("\x1b[1;31m", "\x1b[1m", "\x1b[0m")
    } else {
        ("", "", "")
    };
    // Names of files and what stands in logs come from others.
    let message = visible(&error.message);
    let mut text = format!("{red}error:{plain} {bold}{message}{plain}\n");
    if let Some(place) = &error.place {
        render_place(&mut text, place, red, plain);
    }
    if let Some(hint) = &error.hint {
        let _ = writeln!(text, "{bold}hint:{plain} {}", visible(hint));
    }
    text
}

/// The line of the statement with its place underlined.
fn render_place(text: &mut String, place: &Place, red: &str, plain: &str) {
    let line = usize::try_from(place.line).unwrap_or(usize::MAX);
    let Some(source) = place.text.lines().nth(line.saturating_sub(1)) else {
        return;
    };
    // One character for one, so that the marks stay below what they mean.
    let source: String = source
        .chars()
        .map(|c| {
            if c != '\t' && is_unseen(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    let column = usize::try_from(place.column)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let indent: String = source
        .chars()
        .take(column)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    let marks = "^".repeat(
        usize::try_from(place.length)
            .unwrap_or(1)
            .clamp(1, source.chars().count().max(1)),
    );
    if place.text.lines().count() > 1 {
        let _ = writeln!(text, "  line {line}, column {}:", place.column);
    }
    let _ = writeln!(text, "  {source}\n  {indent}{red}{marks}{plain}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_underlined() {
        let place = Place {
            text: "SELECT a,\n  srcadr FROM t".to_owned(),
            line: 2,
            column: 3,
            length: 6,
        };
        let error = Error::new(Owner::Query, "no column \"srcadr\"")
            .at(place)
            .hint("did you mean \"srcaddr\"?");
        assert_eq!(
            render(&error, false),
            "error: no column \"srcadr\"\n  line 2, column 3:\n    srcadr FROM t\n    ^^^^^^\n\
             hint: did you mean \"srcaddr\"?\n"
        );
    }

    #[test]
    fn a_place_beyond_the_text_does_no_harm() {
        let place = Place {
            text: "x".to_owned(),
            line: 9,
            column: 9,
            length: 9,
        };
        let error = Error::new(Owner::Query, "m").at(place);
        assert_eq!(render(&error, false), "error: m\n");
    }
}
