//! The README shows what really comes out.

use std::fs;

use crate::command::{below, folder, root, shell};

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

/// The section on streams can be copied line by line.
#[test]
fn a_stream_is_filled_consumed_and_asked() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let streams = loglens_kinesis_server::Server::start().unwrap();
    let objects = loglens_test_server::Server::start().unwrap();
    objects.add("org-logs", loglens_test_server::Bucket::new());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // As `cargo xtask up` makes it.
    runtime.block_on(streams.create("flow-logs", 2)).unwrap();
    let folder = folder(&[]);
    let commands = commands(&readme);
    let of_section = commands.iter().filter(|(line, _)| {
        line.contains("kinesis://flow-logs") || line.contains("s3://org-logs/lake/")
    });
    let mut checked = 0;
    for (line, shown) in of_section {
        let line = line
            .replace("loglens ", "\"$LOGLENS\" ")
            .replace("/tmp/leases", &below(&folder, "leases"));
        let mut command = shell(&line);
        let output = command
            .env("AWS_ENDPOINT_URL", objects.endpoint())
            .env("AWS_ENDPOINT_URL_KINESIS", streams.endpoint())
            .env("AWS_ACCESS_KEY_ID", "sample")
            .env("AWS_SECRET_ACCESS_KEY", "sample")
            .env("AWS_REGION", "us-east-1")
            .output()
            .unwrap();
        let found = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        // Shards come in any order, and in as many cuts as there is time for.
        match line.contains(" consume ") {
            true => assert!(found.contains("shardId-000000000001: given up"), "{found}"),
            false => assert_eq!(found, *shown, "{line}"),
        }
        checked += 1;
    }
    assert_eq!(checked, 4, "fill, consume, ask twice");
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
