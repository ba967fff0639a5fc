//! `bench`: loglens against its peers.

use std::process::Command;

use crate::error::Error;
use crate::python;
use crate::workspace::{self, Workspace};

/// What is installed for the peers, below the root.
const REQUIREMENTS: &str = "benches/peers/requirements.txt";

/// Asks for Vector's parsers too; everything else is for `loglens-bench compare`.
const VRL: &str = "--vrl";

/// Installs the peers, builds both programs, and compares.
pub(crate) fn task(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    let (with_vrl, arguments) = split(arguments);
    let target = workspace.target_folder()?;
    let python = python::with(workspace, REQUIREMENTS, &target.join("bench-venv"))?;
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

#[cfg(test)]
mod tests {
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
