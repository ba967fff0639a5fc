//! Format descriptions that the user gives.

use std::path::{Path, PathBuf};

use loglens_engine::{Error, Owner};
use loglens_parsers::format::{Format, FormatError, Formats};

use crate::failure::Failure;

/// The built-in formats and those of these files. Of two files the one named first goes before.
pub(crate) fn formats(files: &[PathBuf]) -> Result<Formats, Failure> {
    files
        .iter()
        .rev()
        .try_fold(Formats::default(), |formats, file| {
            Ok(formats.with(read(file)?))
        })
}

fn read(path: &Path) -> Result<Format, Failure> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::from(Error::new(Owner::Config, format!("{name}: {error}"))))?;
    Format::from_toml(&text).map_err(|error| {
        let (place, message) = match &error {
            FormatError::Toml(error) => (line(&text, error), first_line(error.message())),
            other => (String::new(), other.to_string()),
        };
        Error::new(Owner::Config, format!("{name}{place}: {message}"))
            .hint("testdata/nginx/nginx.toml is an example of a description")
            .into()
    })
}

/// `:7` for an error on the seventh line.
fn line(text: &str, error: &toml::de::Error) -> String {
    let Some(span) = error.span() else {
        return String::new();
    };
    let before = &text.as_bytes()[..span.start.min(text.len())];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    format!(":{line}")
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}
