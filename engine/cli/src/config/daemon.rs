//! The section `[consume]`: what the daemon does.

use std::path::{Path, PathBuf};

use loglens_engine::Owner;
use serde::Deserialize;
use toml::Spanned;

use super::{Roles, absolute, line_of};
use crate::arguments::LogForm;
use crate::failure::Failure;

/// What the section may say. All values are text that is read where it is used, as that of options
/// is; spans say on which line it stands.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Section {
    pub(crate) stream: Option<Spanned<String>>,
    /// A relative place starts at the file's folder, as those of `leases`, `format` and outputs do.
    pub(crate) to: Option<Spanned<String>>,
    pub(crate) leases: Option<Spanned<String>>,
    pub(crate) application: Option<Spanned<String>>,
    pub(crate) from: Option<Spanned<String>>,
    pub(crate) cut_size: Option<Spanned<String>>,
    pub(crate) cut_age: Option<Spanned<String>>,
    pub(crate) failover: Option<Spanned<String>>,
    pub(crate) memory_limit: Option<Spanned<String>>,
    pub(crate) table: Option<Spanned<String>>,
    pub(crate) format: Vec<Spanned<String>>,
    pub(crate) fields: Option<Spanned<String>>,
    pub(crate) partition_by: Option<Vec<Part>>,
    pub(crate) fan_out: bool,
    pub(crate) keep_resent: bool,
    pub(crate) listen: Option<Spanned<String>>,
    pub(crate) drain: Option<Spanned<String>>,
    pub(crate) log: Option<LogForm>,
    pub(crate) windows: Vec<Window>,
}

/// A part of the place and day of records that partitions tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Part {
    Account,
    Region,
    Day,
}

/// A standing window as the section says it; `StandingWindow` is what it means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    pub(crate) name: Spanned<String>,
    pub(crate) sql: Spanned<String>,
    pub(crate) output: Option<Spanned<OneOrMore>>,
    pub(crate) disorder: Option<Spanned<String>>,
    pub(crate) lateness: Option<Spanned<String>>,
    pub(crate) idle: Option<Spanned<String>>,
}

/// One text, or a list of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
pub(crate) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub(crate) fn all(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::More(texts) => texts,
        }
    }
}

/// What a configuration says about the daemon.
#[derive(Debug, Default)]
pub(crate) struct Daemon {
    pub(crate) section: Section,
    /// The roles of places, by place.
    pub(crate) roles: Roles,
    /// The file and its text; None if there is no file.
    pub(super) file: Option<(PathBuf, String)>,
}

impl Daemon {
    /// The name of the file.
    pub(crate) fn name(&self) -> Option<String> {
        let (path, _) = self.file.as_ref()?;
        Some(path.display().to_string())
    }

    /// What an option and the key of the same name say of one thing; the option goes before.
    pub(crate) fn said(
        &self,
        option: &'static str,
        by_option: Option<String>,
        by_file: Option<&Spanned<String>>,
    ) -> Option<Said> {
        if let Some(text) = by_option {
            return Some(Said::by_option(option, text));
        }
        let value = by_file?;
        let place = self.place(value, &key_of(option));
        Some(Said::in_file(option, value.get_ref().clone(), place))
    }

    /// The same of a place, which in a file starts at the file's folder.
    pub(crate) fn said_place(
        &self,
        option: &'static str,
        by_option: Option<String>,
        by_file: Option<&Spanned<String>>,
    ) -> Option<Said> {
        let is_option = by_option.is_some();
        let mut said = self.said(option, by_option, by_file)?;
        if !is_option {
            said.text = self.absolute(&said.text);
        }
        Some(said)
    }

    /// What a key without an option says.
    pub(crate) fn key<T>(&self, key: &'static str, value: &Spanned<T>, text: &str) -> Said {
        Said::in_file(key, text.to_owned(), self.place(value, key))
    }

    /// A place as seen from the file's folder.
    pub(crate) fn absolute(&self, place: &str) -> String {
        let folder = self.file.as_ref().and_then(|(path, _)| path.parent());
        absolute(folder.unwrap_or(Path::new("")), place)
    }

    /// `daemon.toml:4: consume.cut_age`.
    fn place<T>(&self, value: &Spanned<T>, key: &str) -> String {
        let Some((path, text)) = &self.file else {
            return key.to_owned();
        };
        let line = line_of(text, value.span().start);
        format!("{}:{line}: consume.{key}", path.display())
    }
}

/// The key that says what an option does: `cut_age` for `--cut-age`.
pub(crate) fn key_of(option: &str) -> String {
    let name = option.trim_start_matches('-').to_lowercase();
    name.replace('-', "_")
}

/// What was said about something, and where.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// The option, or the key where there is no option.
    option: &'static str,
    /// The file, line and key, if it was said there.
    place: Option<String>,
}

impl Said {
    /// Something that an option says, or its default.
    pub(crate) fn by_option(option: &'static str, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            option,
            place: None,
        }
    }

    fn in_file(option: &'static str, text: String, place: String) -> Self {
        Self {
            text,
            option,
            place: Some(place),
        }
    }

    /// What it means by `read`, which is given the name of the option and the text. An error is that of
    /// whoever said it: what is wrong in the file names the file, the line and the key.
    pub(crate) fn read<T, E: Into<Failure>>(
        &self,
        read: impl FnOnce(&str, &str) -> Result<T, E>,
    ) -> Result<T, Failure> {
        read(self.option, &self.text).map_err(|error| self.blame(error.into()))
    }

    fn blame(&self, failure: Failure) -> Failure {
        match (&self.place, failure) {
            (Some(place), Failure::Error(mut error)) => {
                let named = format!("{} ", self.option);
                let what = error.message.strip_prefix(&named).unwrap_or(&error.message);
                error.message = format!("{place}: {what}");
                if error.owner == Owner::Usage {
                    error.owner = Owner::Config;
                }
                Failure::Error(error)
            }
            (_, failure) => failure,
        }
    }
}
