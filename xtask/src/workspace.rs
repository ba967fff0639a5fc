//! The checkout that the tasks work on, and the commands they start in it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::error::Error;

/// The checkout that the tasks work on.
pub(crate) struct Workspace {
    root: PathBuf,
    cargo: OsString,
}

impl Workspace {
    /// Finds the workspace that `cargo xtask` was started for.
    ///
    /// The variable is read when the task runs, not when it is compiled: a target folder that
    /// several checkouts share may hold a task that was compiled for another one.
    pub(crate) fn find() -> Result<Self, Error> {
        let root = env::var_os("CARGO_MANIFEST_DIR")
            .map(PathBuf::from)
            .and_then(|package| package.parent().map(Path::to_path_buf))
            .ok_or_else(|| Error::Usage("start the tasks as `cargo xtask`".to_owned()))?;
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Ok(Self { root, cargo })
    }

    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A Cargo command, to be started at the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.cargo);
        command.current_dir(&self.root).args(arguments);
        // Cargo set these for this task. Some build scripts ask to be run again when they change,
        // so passed on they would cost a rebuild each time that `cargo xtask test` and
        // `cargo test` take turns.
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Where Cargo builds, which need not be below the root.
    pub(crate) fn target_folder(&self) -> Result<PathBuf, Error> {
        let metadata = self.read_cargo(&["metadata", "--no-deps", "--format-version=1"])?;
        folder_in(&metadata)
            .ok_or_else(|| Error::Failed("`cargo metadata` names no target folder".to_owned()))
    }

    /// What a Cargo command prints that reads the manifests, without the network if it can.
    ///
    /// Offline fails if a package was never fetched; only then is it tried again online.
    pub(crate) fn read_cargo(&self, arguments: &[&str]) -> Result<String, Error> {
        let mut offline = self.cargo(arguments);
        offline.args(["--locked", "--offline"]);
        read(offline).or_else(|_| {
            let mut online = self.cargo(arguments);
            online.arg("--locked");
            read(online)
        })
    }
}

fn folder_in(metadata: &str) -> Option<PathBuf> {
    let metadata: Value = serde_json::from_str(metadata).ok()?;
    Some(PathBuf::from(metadata["target_directory"].as_str()?))
}

/// Runs a command in the foreground.
pub(crate) fn run(mut command: Command) -> Result<(), Error> {
    let status = command
        .status()
        .map_err(|error| Error::Failed(format!("`{}`: {error}", line(&command))))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed(format!("`{}`: {status}", line(&command))))
}

/// Whether a command can be started and succeeds, without showing what it prints.
pub(crate) fn succeeds(mut command: Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a command prints; its complaints become the error.
pub(crate) fn read(mut command: Command) -> Result<String, Error> {
    let output = command
        .output()
        .map_err(|error| Error::Failed(format!("`{}`: {error}", line(&command))))?;
    if !output.status.success() {
        return Err(Error::Failed(format!(
            "`{}`: {}\n{}",
            line(&command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        )));
    }
    String::from_utf8(output.stdout)
        .map_err(|error| Error::Failed(format!("`{}`: {error}", line(&command))))
}

/// A command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut line = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn cargo_says_where_it_builds() {
        let folder = folder_in(r#"{"packages": [], "target_directory": "/src/target"}"#);
        assert_eq!(folder.unwrap(), Path::new("/src/target"));
        assert_eq!(folder_in("{}"), None);
    }
}
