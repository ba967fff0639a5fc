//! `test`: every test of the workspace.

use std::process::Command;

use crate::error::Error;
use crate::workspace::{self, Workspace};

/// Runs the tests, passing what follows `--` to the test runner.
pub(crate) fn task(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    match arguments.split_first() {
        None => run_all(workspace),
        Some((separator, selection)) if separator == "--" => run_some(workspace, selection),
        Some((argument, _)) => Err(Error::Usage(format!(
            "arguments for the test runner go after `--`, as in `cargo xtask test -- {argument}`"
        ))),
    }
}

/// Runs every test, with the runner's summary as the last thing printed.
///
/// All are run even if some fail, so that one run shows everything that is broken. Benchmarks are
/// not tests: neither runner touches them unless told to.
pub(crate) fn run_all(workspace: &Workspace) -> Result<(), Error> {
    if !has_nextest(workspace) {
        return workspace::run(cargo_test(workspace, &["--workspace", "--no-fail-fast"]));
    }
    // nextest leaves out the examples in the documentation.
    let examples = workspace::run(cargo_test(workspace, &["--workspace", "--doc"]));
    let tests = workspace::run(nextest(workspace, &["--workspace", "--no-fail-fast"]));
    tests.and(examples)
}

/// Runs what the arguments ask for.
fn run_some(workspace: &Workspace, selection: &[String]) -> Result<(), Error> {
    let mut arguments: Vec<&str> = selection.iter().map(String::as_str).collect();
    if !names_packages(&arguments) {
        arguments.insert(0, "--workspace");
    }
    workspace::run(if has_nextest(workspace) {
        nextest(workspace, &arguments)
    } else {
        cargo_test(workspace, &arguments)
    })
}

/// Whether the arguments say which packages are meant. Cargo ignores them beside `--workspace`.
fn names_packages(arguments: &[&str]) -> bool {
    arguments
        .iter()
        .take_while(|argument| **argument != "--")
        .any(|argument| {
            let long = argument.strip_prefix("--package");
            long.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
                || (argument.starts_with("-p") && !argument.starts_with("--"))
        })
}

fn has_nextest(workspace: &Workspace) -> bool {
    workspace::succeeds(workspace.cargo(&["nextest", "--version"]))
}

fn nextest(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = workspace.cargo(&["nextest", "run", "--locked"]);
    command.args(arguments);
    command
}

fn cargo_test(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = workspace.cargo(&["test", "--locked"]);
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_in_any_of_cargos_spellings() {
        for (arguments, expected) in [
            (&["-p", "loglens-parsers"][..], true),
            (&["-ploglens-parsers"], true),
            (&["--package", "loglens"], true),
            (&["--package=loglens"], true),
            (&["--no-capture", "-p", "loglens"], true),
            (&[], false),
            (&["window"], false),
            (&["--profile", "dist"], false),
            (&["--", "-p"], false),
        ] {
            assert_eq!(names_packages(arguments), expected, "{arguments:?}");
        }
    }
}
