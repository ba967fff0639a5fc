//! Starting the command where nothing of the user's own configuration matters.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use insta::Settings;
use tempfile::TempDir;

/// A header of version 2, with its line end.
pub(crate) const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport \
                                 protocol packets bytes start end action log-status\n";
/// A record of version 2, with its line end.
pub(crate) const RECORD: &str = "2 123456789012 eni-1 10.0.0.1 10.0.0.2 1000 443 6 20 4249 \
                                 1418530010 1418530070 ACCEPT OK\n";

/// The command with arguments, in the workspace's root.
pub(crate) fn loglens(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loglens"));
    command.args(arguments);
    isolate(&mut command);
    command
}

/// A line for the shell, which finds the command as `$LOGLENS`.
pub(crate) fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .env("LOGLENS", env!("CARGO_BIN_EXE_loglens"));
    isolate(&mut command);
    command
}

fn isolate(command: &mut Command) {
    command
        .current_dir(root())
        .env_remove("NO_COLOR")
        .env_remove("LOGLENS_CONFIG")
        .env_remove("COLUMNS")
        .env(
            "XDG_CONFIG_HOME",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/no-configuration"),
        );
}

/// The workspace's root, where `testdata` lies.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What differs from run to run.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::clone_current();
    let folders = format!(
        r"{}/\.?[A-Za-z0-9]+",
        std::env::temp_dir().canonicalize().unwrap().display()
    );
    settings.add_filter(&folders, "[folder]");
    settings.add_filter(r"loglens looked in .*", "loglens looked in [root]");
    settings.add_filter(r"time     [0-9.]+ s", "time     [time]");
    settings.add_filter(r"memory   .* at most", "memory   [memory]");
    // clap puts blanks into an empty line, which editors take away here.
    settings.add_filter(r"\n +\n", "\n\n");
    settings
}

/// A new folder with files.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// A path below a folder, as an argument.
pub(crate) fn below(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

/// The names in a folder, in order.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Runs a command and gives its standard output and error as text.
pub(crate) fn run(command: &mut Command) -> (Output, String, String) {
    let output = command.output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, out, err)
}

/// Standard output of a command that must answer.
pub(crate) fn answer(command: &mut Command) -> String {
    let (output, out, err) = run(command);
    assert!(output.status.success(), "{command:?}: {err}");
    out
}
