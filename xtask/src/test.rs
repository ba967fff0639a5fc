//! `test`: every test of the workspace.

use std::path::PathBuf;
use std::process::Command;

use crate::error::Error;
use crate::python;
use crate::workspace::{self, Workspace};

/// What is installed for the tests of S3 and DynamoDB, below the root.
const MOTO: &str = "engine/io/tests/moto/requirements.txt";

/// Tells these tests where it is.
const MOTO_PYTHON: &str = "LOGLENS_MOTO_PYTHON";

/// Runs the tests, passing what follows `--` to the test runner.
pub(crate) fn task(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    match arguments.split_first() {
        None => run_all(&Runner::new(workspace, moto_if_any(workspace))),
        Some((separator, selection)) if separator == "--" => {
            run_some(&Runner::new(workspace, moto_if_any(workspace)), selection)
        }
        Some((argument, _)) => Err(Error::Usage(format!(
            "arguments for the test runner go after `--`, as in `cargo xtask test -- {argument}`"
        ))),
    }
}

/// Runs every test. Without moto it fails: nobody would see that tests were passed over.
pub(crate) fn run_all_with_moto(workspace: &Workspace) -> Result<(), Error> {
    let moto = moto(workspace)?;
    run_all(&Runner::new(workspace, Some(moto)))
}

/// The Python that has moto, which is installed if need be.
fn moto(workspace: &Workspace) -> Result<PathBuf, Error> {
    let venv = workspace.target_folder()?.join("moto-venv");
    python::with(workspace, MOTO, &venv)
}

/// The same, or a word about what is passed over without it.
fn moto_if_any(workspace: &Workspace) -> Option<PathBuf> {
    let moto = moto(workspace);
    if let Err(error) = &moto {
        eprintln!(
            "test: S3 is not compared with moto, and leases in DynamoDB are not tested: it cannot be installed: {error}"
        );
    }
    moto.ok()
}

/// Runs every test, with the runner's summary as the last thing printed.
///
/// All are run even if some fail, so that one run shows everything that is broken. Benchmarks are
/// not tests: neither runner touches them unless told to.
fn run_all(runner: &Runner<'_>) -> Result<(), Error> {
    if !runner.has_nextest {
        return workspace::run(runner.cargo_test(&["--workspace", "--no-fail-fast"]));
    }
    // nextest leaves out the examples in the documentation.
    let examples = workspace::run(runner.cargo_test(&["--workspace", "--doc"]));
    let tests = workspace::run(runner.nextest(&["--workspace", "--no-fail-fast"]));
    tests.and(examples)
}

/// Runs what the arguments ask for.
fn run_some(runner: &Runner<'_>, selection: &[String]) -> Result<(), Error> {
    let mut arguments: Vec<&str> = selection.iter().map(String::as_str).collect();
    if !names_packages(&arguments) {
        arguments.insert(0, "--workspace");
    }
    workspace::run(if runner.has_nextest {
        runner.nextest(&arguments)
    } else {
        runner.cargo_test(&arguments)
    })
}

/// Runs the test of this name with such variables, and shows what it prints.
pub(crate) fn run_one(
    workspace: &Workspace,
    name: &str,
    variables: &[(&str, u64)],
) -> Result<(), Error> {
    let runner = Runner::new(workspace, moto_if_any(workspace));
    let filter = format!("test(={name})");
    let mut command = if runner.has_nextest {
        runner.nextest(&["--workspace", "--no-capture", "--filterset", &filter])
    } else {
        runner.cargo_test(&[
            "--workspace",
            "--tests",
            "--",
            "--exact",
            "--nocapture",
            name,
        ])
    };
    for (variable, number) in variables {
        command.env(variable, number.to_string());
    }
    workspace::run(command)
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

/// What runs tests.
struct Runner<'a> {
    workspace: &'a Workspace,
    has_nextest: bool,
    moto: Option<PathBuf>,
}

impl<'a> Runner<'a> {
    fn new(workspace: &'a Workspace, moto: Option<PathBuf>) -> Self {
        Self {
            workspace,
            has_nextest: workspace::succeeds(workspace.cargo(&["nextest", "--version"])),
            moto,
        }
    }

    fn nextest(&self, arguments: &[&str]) -> Command {
        self.command(&["nextest", "run", "--locked"], arguments)
    }

    fn cargo_test(&self, arguments: &[&str]) -> Command {
        self.command(&["test", "--locked"], arguments)
    }

    fn command(&self, runner: &[&str], arguments: &[&str]) -> Command {
        let mut command = self.workspace.cargo(runner);
        command.args(arguments);
        if let Some(python) = &self.moto {
            command.env(MOTO_PYTHON, python);
        }
        command
    }
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
