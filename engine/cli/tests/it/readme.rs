//! The README shows what really comes out.

use std::fs;

use crate::command::{root, shell};

/// The console blocks of the README: each command with the output below it.
fn commands(readme: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for line in block.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => commands.push((command.to_owned(), String::new())),
                None => {
                    let shown = &mut commands.last_mut().unwrap().1;
                    shown.push_str(line);
                    shown.push('\n');
                }
            }
        }
    }
    commands
}

/// Times and memory differ from run to run.
fn steady(text: &str) -> String {
    let measured = |line: &&str| line.starts_with("time  ") || line.starts_with("memory  ");
    text.lines()
        .filter(|line| !measured(line))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn every_command_over_testdata_gives_what_the_readme_shows() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let commands = commands(&readme);
    let over_testdata = commands
        .iter()
        .filter(|(line, _)| line.contains("testdata"));
    let mut checked = 0;
    for (line, shown) in over_testdata {
        let line = line
            .replace("cargo run --release -- ", "loglens ")
            .replace("loglens ", "\"$LOGLENS\" ");
        // The notes on standard error are shown below the answer.
        let output = shell(&line).output().unwrap();
        let found = [output.stdout, output.stderr].concat();
        let found = String::from_utf8(found).unwrap();
        assert_eq!(steady(&found), steady(shown), "{line}");
        checked += 1;
    }
    assert!(
        checked >= 5,
        "the README shows {checked} commands over testdata"
    );
}
