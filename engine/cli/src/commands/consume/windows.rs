//! Standing windows: `[[consume.windows]]`.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use loglens_engine::stream::StreamOptions;
use loglens_engine::{Error, Owner};
use loglens_parsers::format::Formats;
use loglens_stream::lake::cut::REJECTED;
use loglens_stream::lake::maker::WindowStatement;
use loglens_stream::windows::files;
use toml::Spanned;

use crate::commands::session::duration_of;
use crate::config::{Daemon, Window};
use crate::failure::Failure;

/// What names of files with results end with.
const NDJSON: &str = ".ndjson";

/// A query that the daemon answers window by window, for as long as it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StandingWindow {
    /// Its name, a lower-case identifier: no other window and no log table is called so.
    pub(crate) name: String,
    /// The statement.
    pub(crate) sql: String,
    /// Where its rows go, one place or more.
    pub(crate) outputs: Vec<WindowOutput>,
    /// How much earlier than the latest record before it a record may be; None is what the format
    /// says.
    pub(crate) disorder: Option<Duration>,
    /// How long after its end a window is given again.
    pub(crate) lateness: Option<Duration>,
    /// A shard from which nothing came for so long does not hold up the others.
    pub(crate) idle: Option<Duration>,
}

impl StandingWindow {
    /// The same for the lake. Each shard gives rows once in `cut_age`: one that gave none for three
    /// times as long has none.
    pub(super) fn statement(&self, cut_age: Duration) -> WindowStatement {
        WindowStatement {
            name: Arc::from(self.name.as_str()),
            sql: Arc::from(self.sql.as_str()),
            options: StreamOptions {
                disorder: self.disorder,
                lateness: self.lateness.unwrap_or_default(),
                idle: self.idle.unwrap_or(cut_age * 3),
            },
        }
    }
}

/// Where the rows of windows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WindowOutput {
    /// Parquet, in the lake, in a folder of the window's name.
    Parquet,
    /// NDJSON on standard output.
    Stdout,
    /// NDJSON in a file.
    File(PathBuf),
    /// A server that is told: `http://` or `https://`.
    Webhook(String),
}

/// The windows that a configuration says. `formats` are those whose tables they may read.
pub(crate) fn windows(daemon: &Daemon, formats: &Formats) -> Result<Vec<StandingWindow>, Failure> {
    let mut names = HashSet::new();
    let windows = daemon.section.windows.iter();
    let windows = windows.map(|window| {
        check_name(daemon, window, formats)?;
        if !names.insert(window.name.get_ref().clone()) {
            let name = daemon.key("windows.name", &window.name, window.name.get_ref());
            return name.read(|_, name| {
                Err(wrong(format!("there are two windows {name}")).hint("give each its own name"))
            });
        }
        one(daemon, window)
    });
    windows.collect()
}

fn one(daemon: &Daemon, window: &Window) -> Result<StandingWindow, Failure> {
    let duration = |key, value: &Option<Spanned<String>>| {
        let value = value.as_ref();
        let said = value.map(|value| daemon.key(key, value, value.get_ref()));
        said.map(|said| said.read(duration_of)).transpose()
    };
    let sql = daemon.key("windows.sql", &window.sql, window.sql.get_ref());
    let sql = sql.read(|_, sql| match sql.trim() {
        "" => Err(wrong("there is no statement").hint("write one as for `loglens tail`")),
        sql => Ok(sql.to_owned()),
    });
    Ok(StandingWindow {
        name: window.name.get_ref().clone(),
        sql: sql?,
        outputs: outputs(daemon, window)?,
        disorder: duration("windows.disorder", &window.disorder)?,
        lateness: duration("windows.lateness", &window.lateness)?,
        idle: duration("windows.idle", &window.idle)?,
    })
}

fn check_name(daemon: &Daemon, window: &Window, formats: &Formats) -> Result<(), Failure> {
    let name = daemon.key("windows.name", &window.name, window.name.get_ref());
    name.read(|_, name| {
        // Folders whose names begin with _ are passed over by readers of lakes.
        let begins_well = name.starts_with(|first: char| first.is_ascii_lowercase());
        let of_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if !begins_well || !name.bytes().all(of_name) {
            return Err(wrong(format!("\"{name}\" is not a name"))
                .hint("write lower-case letters, digits and _, a letter first"));
        }
        let taken = match formats.by_name(name) {
            Some(_) => "a table of logs",
            None if name == REJECTED.trim_end_matches('/') => "where rejected records go",
            None if name == files::FOLDER => "the folder of all windows",
            None => return Ok(()),
        };
        Err(wrong(format!("{name} is {taken}"))
            .hint("give the window another name: both are folders in the lake"))
    })
}

fn outputs(daemon: &Daemon, window: &Window) -> Result<Vec<WindowOutput>, Failure> {
    let Some(output) = &window.output else {
        return Ok(vec![WindowOutput::Parquet]);
    };
    let said = |text: &str| daemon.key("windows.output", output, text);
    let places = output.get_ref().all();
    if places.is_empty() {
        return said("").read(|_, _| {
            Err(wrong("the list is empty").hint("leave the key out for Parquet in the lake"))
        });
    }
    let outputs = places.iter();
    let outputs = outputs.map(|place| said(place).read(|_, place| output_of(daemon, place)));
    outputs.collect()
}

fn output_of(daemon: &Daemon, place: &str) -> Result<WindowOutput, Error> {
    let is_url = |scheme: &str| {
        let rest = place.strip_prefix(scheme);
        rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
    };
    match place {
        "parquet" => Ok(WindowOutput::Parquet),
        "stdout" => Ok(WindowOutput::Stdout),
        _ if is_url("http://") || is_url("https://") => {
            Ok(WindowOutput::Webhook(place.to_owned()))
        }
        _ if !place.contains("://") && place.ends_with(NDJSON) => {
            Ok(WindowOutput::File(PathBuf::from(daemon.absolute(place))))
        }
        _ => Err(wrong(format!("\"{place}\" is no output")).hint(
            "write \"parquet\", \"stdout\", a file that ends in .ndjson, or an http:// or https:// address",
        )),
    }
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(Owner::Config, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::arguments::S3Options;
    use crate::config;

    #[test]
    fn a_window_is_what_the_file_says() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("daemon.toml");
        let text = "[[consume.windows]]\nname = \"top_10\"\nsql = \" SELECT 1 \"\n\
                    output = [\"parquet\", \"stdout\", \"a/b.ndjson\", \"http://h/x\"]\n\
                    disorder = \"1m\"\nlateness = \"30m\"\nidle = \"90s\"\n\
                    [[consume.windows]]\nname = \"plain\"\nsql = \"SELECT 2\"\n\
                    [[consume.windows]]\nname = \"one\"\nsql = \"SELECT 3\"\noutput = \"https://h\"\n";
        std::fs::write(&file, text).unwrap();
        let daemon = config::complete_daemon(&mut S3Options::default(), Some(&file)).unwrap();
        let plain = |name: &str, sql: &str, output| StandingWindow {
            name: name.to_owned(),
            sql: sql.to_owned(),
            outputs: vec![output],
            disorder: None,
            lateness: None,
            idle: None,
        };
        let first = StandingWindow {
            outputs: vec![
                WindowOutput::Parquet,
                WindowOutput::Stdout,
                WindowOutput::File(folder.path().join("a/b.ndjson")),
                WindowOutput::Webhook("http://h/x".to_owned()),
            ],
            disorder: Some(Duration::from_secs(60)),
            lateness: Some(Duration::from_secs(1800)),
            idle: Some(Duration::from_secs(90)),
            ..plain("top_10", "SELECT 1", WindowOutput::Parquet)
        };
        let webhook = WindowOutput::Webhook("https://h".to_owned());
        assert_eq!(
            windows(&daemon, &Formats::default()).unwrap(),
            [
                first,
                plain("plain", "SELECT 2", WindowOutput::Parquet),
                plain("one", "SELECT 3", webhook),
            ]
        );
    }
}
