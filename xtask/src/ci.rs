//! `ci`: the checks that every change passes.

use std::time::Instant;

use crate::error::Error;
use crate::workspace::{self, Workspace};
use crate::{dependencies, test, tidy};

struct Step {
    name: &'static str,
    run: fn(&Workspace) -> Result<(), Error>,
}

/// In the order in which they run: the tests last, so that their summary ends the output.
const STEPS: &[Step] = &[
    Step {
        name: "format",
        run: format,
    },
    Step {
        name: "lint",
        run: lint,
    },
    Step {
        name: "deps",
        run: dependencies::check,
    },
    Step {
        name: "tidy",
        run: tidy::check,
    },
    Step {
        name: "docs",
        run: docs,
    },
    Step {
        name: "test",
        run: test::run_all_with_moto,
    },
];

/// Runs the named steps, or all of them, and stops at the first that fails.
pub(crate) fn task(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    let steps = select(arguments)?;
    for (index, step) in steps.iter().enumerate() {
        eprintln!("==> {}", step.name);
        let start = Instant::now();
        let result = (step.run)(workspace);
        let seconds = start.elapsed().as_secs_f64();
        if let Err(error) = result {
            return Err(Error::Failed(format!(
                "ci: {} failed after {seconds:.1} s: {error}{}",
                step.name,
                left_out(&steps[index + 1..])
            )));
        }
        eprintln!("==> {}: passed in {seconds:.1} s", step.name);
    }
    Ok(())
}

/// The steps that the arguments name, in the order of [`STEPS`]; all of them if they name none.
fn select(names: &[String]) -> Result<Vec<&'static Step>, Error> {
    let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Error::Usage(format!(
            "no step is named `{name}`; the steps are {}",
            known.join(", ")
        )));
    }
    Ok(STEPS
        .iter()
        .filter(|step| names.is_empty() || names.iter().any(|name| name == step.name))
        .collect())
}

/// A line that says which steps a failure kept from running.
fn left_out(steps: &[&Step]) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
    format!("\nnot run: {}", names.join(", "))
}

fn format(workspace: &Workspace) -> Result<(), Error> {
    workspace::run(workspace.cargo(&["fmt", "--all", "--check"]))
}

fn lint(workspace: &Workspace) -> Result<(), Error> {
    workspace::run(workspace.cargo(&[
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

fn docs(workspace: &Workspace) -> Result<(), Error> {
    let mut command = workspace.cargo(&[
        "doc",
        "--locked",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    workspace::run(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_run_in_their_own_order_whatever_the_order_of_the_arguments() {
        for (names, expected) in [
            (
                &[][..],
                Some(&["format", "lint", "deps", "tidy", "docs", "test"][..]),
            ),
            (&["test", "format"], Some(&["format", "test"])),
            (&["deps", "deps"], Some(&["deps"])),
            (&["deps", "build"], None),
        ] {
            let names: Vec<String> = names.iter().map(|name: &&str| (*name).to_owned()).collect();
            let selected = select(&names).ok();
            let selected: Option<Vec<&str>> =
                selected.map(|steps| steps.iter().map(|step| step.name).collect());
            assert_eq!(selected.as_deref(), expected, "{names:?}");
        }
    }
}
