//! The repository's own tasks, started as `cargo xtask <task>`.
//!
//! Everything that has to hold for a change is a task here, so that a developer's machine, a
//! local CI runner (`.ci/run`) and a public one run the same code. The checks need nothing but
//! Cargo, git and what Cargo has already fetched, and the tests Python with moto, which is
//! installed once: no further tools, no network.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task is there to tell whoever started it what it found"
)]

mod bench;
mod chaos;
mod ci;
mod dependencies;
mod error;
mod python;
mod test;
mod tidy;
mod up;
mod workspace;

use std::env;
use std::process::ExitCode;

use crate::error::Error;
use crate::workspace::Workspace;

struct Task {
    name: &'static str,
    summary: &'static str,
    run: fn(&Workspace, &[String]) -> Result<(), Error>,
}

const TASKS: &[Task] = &[
    Task {
        name: "test",
        summary: "run every test of the workspace; what follows `--` goes to the test runner",
        run: test::task,
    },
    Task {
        name: "ci",
        summary: "run all checks and the tests, or only the named steps",
        run: ci::task,
    },
    Task {
        name: "bench",
        summary: "compare with DuckDB, Polars, chdb and DataFusion; arguments as of `loglens-bench compare`, and --vrl",
        run: bench::task,
    },
    Task {
        name: "chaos",
        summary: "kill `loglens consume` 100 times under faults and reshards; --kills, --reshards, --seed",
        run: chaos::task,
    },
    Task {
        name: "up",
        summary: "start servers of S3 with sample logs and of Kinesis on loopback, and print what to export",
        run: up::up,
    },
    Task {
        name: "down",
        summary: "end those servers",
        run: up::down,
    },
    Task {
        name: "deps",
        summary: "check licences, versions, number and direction of the dependencies",
        run: dependencies::task,
    },
    Task {
        name: "tidy",
        summary: "check that no tracked file holds a machine's paths or a secret",
        run: tidy::task,
    },
    Task {
        name: "help",
        summary: "list the tasks",
        run: |_, _| {
            print_tasks();
            Ok(())
        },
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.exit_code()
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<(), Error> {
    let Some((name, arguments)) = arguments.split_first() else {
        print_tasks();
        return Ok(());
    };
    let task = find_task(name)?;
    (task.run)(&Workspace::find()?, arguments)
}

fn find_task(name: &str) -> Result<&'static Task, Error> {
    let canonical = match name {
        "-h" | "--help" => "help",
        name => name,
    };
    TASKS
        .iter()
        .find(|task| task.name == canonical)
        .ok_or_else(|| {
            let names: Vec<&str> = TASKS.iter().map(|task| task.name).collect();
            Error::Usage(format!(
                "no task is named `{name}`; the tasks are {}",
                names.join(", ")
            ))
        })
}

fn print_tasks() {
    println!("usage: cargo xtask <task> [arguments]\n");
    for Task { name, summary, .. } in TASKS {
        println!("  {name:<5} {summary}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_found_by_its_name_and_help_by_its_flags() {
        for (name, expected) in [
            ("test", Some("test")),
            ("tidy", Some("tidy")),
            ("--help", Some("help")),
            ("-h", Some("help")),
            ("tests", None),
            ("", None),
        ] {
            let found = find_task(name).ok().map(|task| task.name);
            assert_eq!(found, expected, "{name:?}");
        }
    }
}
