//! `bench`: loglens against its peers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::error::Error;
use crate::workspace::{self, Workspace};

/// What is installed for the peers, below the root.
const REQUIREMENTS: &str = "benches/peers/requirements.txt";

/// Asks for Vector's parsers too; everything else is for `loglens-bench compare`.
const VRL: &str = "--vrl";

/// Installs the peers, builds both programs, and compares.
pub(crate) fn task(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    let (with_vrl, arguments) = split(arguments);
    let target = target_folder(workspace)?;
    let python = install_peers(workspace, &target.join("bench-venv"))?;
    workspace::run(build(workspace, with_vrl))?;
    let mut compare = Command::new(target.join("release/loglens-bench"));
    compare
        .current_dir(workspace.root())
        .arg("compare")
        .arg("--python")
        .arg(python)
        .arg("--data")
        .arg(target.join("bench-data"))
        .args(arguments);
    workspace::run(compare)
}

/// Takes `--vrl` out of the arguments.
fn split(arguments: &[String]) -> (bool, Vec<&str>) {
    let others = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| *argument != VRL);
    let others: Vec<&str> = others.collect();
    (others.len() < arguments.len(), others)
}

fn build(workspace: &Workspace, with_vrl: bool) -> Command {
    let mut command = workspace.cargo(&[
        "build",
        "--locked",
        "--release",
        "--package=loglens",
        "--package=loglens-bench",
    ]);
    if with_vrl {
        command.arg("--features=loglens-bench/vrl");
    }
    command
}

/// Where Cargo builds, which need not be below the root.
fn target_folder(workspace: &Workspace) -> Result<PathBuf, Error> {
    let metadata = workspace.read_cargo(&["metadata", "--no-deps", "--format-version=1"])?;
    folder_in(&metadata)
        .ok_or_else(|| Error::Failed("`cargo metadata` names no target folder".to_owned()))
}

fn folder_in(metadata: &str) -> Option<PathBuf> {
    let metadata: Value = serde_json::from_str(metadata).ok()?;
    Some(PathBuf::from(metadata["target_directory"].as_str()?))
}

/// Installs the peers at their versions, unless that is done; gives the Python that has them.
fn install_peers(workspace: &Workspace, venv: &Path) -> Result<PathBuf, Error> {
    let python = venv.join("bin/python");
    let requirements = workspace.root().join(REQUIREMENTS);
    let installed = venv.join("requirements.txt");
    if is_same(&requirements, &installed) {
        return Ok(python);
    }
    eprintln!("installing the peers into {}", venv.display());
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(venv);
    workspace::run(make)?;
    let mut install = Command::new(&python);
    install
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
        ])
        .arg(&requirements);
    workspace::run(install)?;
    // Last, so that a folder that has it is complete.
    fs::copy(&requirements, &installed)
        .map_err(|error| Error::Failed(format!("{}: {error}", installed.display())))?;
    Ok(python)
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::read(one), fs::read(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn all_arguments_but_one_are_passed_on() {
        for (arguments, expected) in [
            (&[][..], (false, vec![])),
            (&["--rows", "2000"], (false, vec!["--rows", "2000"])),
            (&["--runs", "3", "--vrl"], (true, vec!["--runs", "3"])),
        ] {
            let arguments: Vec<String> =
                arguments.iter().map(|&one: &&str| one.to_owned()).collect();
            assert_eq!(split(&arguments), expected);
        }
    }

    #[test]
    fn cargo_says_where_it_builds() {
        let folder = folder_in(r#"{"packages": [], "target_directory": "/src/target"}"#);
        assert_eq!(folder.unwrap(), Path::new("/src/target"));
        assert_eq!(folder_in("{}"), None);
    }

    #[test]
    fn every_peer_has_one_version() {
        let requirements = include_str!("../../benches/peers/requirements.txt");
        let lines = requirements.lines().filter(|line| !line.starts_with('#'));
        let names: Vec<&str> = lines
            .map(|line| line.split_once("==").unwrap_or_else(|| panic!("{line}")).0)
            .collect();
        for peer in ["duckdb", "polars", "chdb"] {
            assert!(names.contains(&peer), "{peer}");
        }
    }
}
