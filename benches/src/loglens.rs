//! Runs of loglens: a whole process each.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::answer::Answer;
use crate::error::{Error, Result};
use crate::measure::{self, Measured};

/// The binary that is measured.
pub(crate) struct Loglens {
    pub(crate) path: PathBuf,
}

impl Loglens {
    /// The one that was named, or the one beside this program.
    pub(crate) fn find(named: Option<&Path>) -> Result<Self> {
        let this = std::env::current_exe().map_err(|error| Error::new(error.to_string()))?;
        let path = named.map_or_else(|| this.with_file_name("loglens"), Path::to_path_buf);
        if !path.is_file() {
            return Err(Error::new(format!(
                "{}: there is no loglens; build it with `cargo build --release -p loglens` or name it with --loglens",
                path.display()
            )));
        }
        let path = path.canonicalize().map_err(Error::at(&path))?;
        Ok(Self { path })
    }

    pub(crate) fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |data| data.len())
    }

    /// Asks a statement of a place on the first so many cores.
    pub(crate) fn run(
        &self,
        cores: usize,
        options: &[&str],
        statement: &str,
        place: Option<&Path>,
    ) -> Result<(Measured, Answer)> {
        let mut arguments: Vec<&OsStr> =
            vec![OsStr::new("query"), OsStr::new("-o"), OsStr::new("json")];
        arguments.extend(options.iter().map(OsStr::new));
        arguments.push(OsStr::new(statement));
        arguments.extend(place.map(Path::as_os_str));
        let measured = measure::run(cores, &self.path, &arguments)?;
        // A note on standard error would mean that something was left out.
        if !measured.stderr.trim().is_empty() {
            return Err(Error::new(measured.stderr.trim()));
        }
        let answer = Answer::from_objects(&measured.stdout)?;
        Ok((measured, answer))
    }
}
