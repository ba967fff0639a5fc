//! `loglens consume --config`: one file says all that the daemon does.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::command::{below, folder, loglens, names, run};
use crate::consume::World;

/// All keys of the section.
const EVERYTHING: &str = r#"
[consume]
stream = "kinesis://flow-logs"
to = "lake"
leases = "leases"
application = "flows"
from = "2026-01-31T10:00:00Z"
cut_size = "1MiB"
cut_age = "1s"
failover = "1s"
memory_limit = "1GiB"
table = "vpc_flow_logs"
fields = "version account-id interface-id"
format = ["own.toml"]
partition_by = ["day"]
fan_out = true
keep_resent = false
listen = "127.0.0.1:9400"
drain = "30s"
log = "text"

[[consume.windows]]
name = "top_talkers"
sql = "SELECT 1"
output = ["parquet", "stdout", "rows.ndjson", "https://example.com/hook"]
disorder = "1m"
lateness = "30m"
idle = "1m"
"#;

/// A folder with a configuration and the description of a format.
fn configured(text: &str) -> TempDir {
    let own = include_bytes!("../../../../testdata/nginx/nginx.toml");
    folder(&[("daemon.toml", text.as_bytes()), ("own.toml", own)])
}

fn consume(folder: &TempDir, more: &[&str]) -> Command {
    let file = below(folder, "daemon.toml");
    let mut command = loglens(&["consume", "--config", &file]);
    command.args(more);
    command
}

/// The first line of standard error, from the file's name on.
fn error(folder: &TempDir, more: &[&str]) -> String {
    let (output, out, err) = run(&mut consume(folder, more));
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert_eq!(out, "");
    let says_more = err.contains("\nhint: ") || err.contains("No such file");
    assert!(says_more, "{err}");
    let first = err.lines().next().unwrap();
    let named = first.split_once("daemon.toml");
    named.map_or(first, |(_, rest)| rest).to_owned()
}

/// What is read to its end fails at what comes next: the statement.
#[test]
fn every_key_is_understood() {
    assert_eq!(
        error(&configured(EVERYTHING), &[]),
        "error: window top_talkers: the statement reads no log table"
    );
}

/// Each line in the place of the one of its key: what is said names line and key.
#[test]
fn what_is_wrong_is_said_with_its_line_and_key() {
    for (line, expected) in [
        (
            "stream = \"flow-logs\"",
            ":3: consume.stream: flow-logs: not a stream of Kinesis",
        ),
        (
            "stream = 5",
            ":3: consume.stream: invalid type: integer `5`, expected a string",
        ),
        (
            "to = \"gs://lake\"",
            ":4: consume.to: gs://lake: loglens does not write to gs:// yet",
        ),
        (
            "application = \"a/b\"",
            ":6: consume.application: a/b: not a name",
        ),
        (
            "from = \"yesterday\"",
            ":7: consume.from: yesterday: neither a place in a stream nor a time",
        ),
        (
            "from = \"2026-01-31T10:00:00\"",
            ":7: consume.from: 2026-01-31T10:00:00: neither",
        ),
        (
            "cut_size = \"big\"",
            ":8: consume.cut_size: big: not a size",
        ),
        ("cut_age = \"5\"", ":9: consume.cut_age: 5: not a duration"),
        (
            "failover = \"soon\"",
            ":10: consume.failover: soon: not a duration",
        ),
        (
            "memory_limit = \"0\"",
            ":11: consume.memory_limit: 0: not a size",
        ),
        (
            "table = \"elbs\"",
            ":12: consume.table: elbs: no such table",
        ),
        (
            "fields = \"\"",
            ":13: consume.fields: \"\": not a list of names",
        ),
        ("format = [\"none.toml\"]", ":14: consume.format: "),
        (
            "format = \"own.toml\"",
            ":14: consume.format: invalid type: string \"own.toml\", expected a sequence",
        ),
        (
            "partition_by = [\"hour\"]",
            ":15: consume.partition_by: unknown variant `hour`, expected one of `account`, `region`, `day`",
        ),
        (
            "fan_out = \"yes\"",
            ":16: consume.fan_out: invalid type: string \"yes\", expected a boolean",
        ),
        (
            "listen = \"9400\"",
            ":18: consume.listen: 9400: not an address and a port",
        ),
        (
            "drain = \"soon\"",
            ":19: consume.drain: soon: not a duration",
        ),
        (
            "log = \"xml\"",
            ":20: consume.log: unknown variant `xml`, expected `text` or `json`",
        ),
        (
            "fanout = true",
            ":3: consume: unknown field `fanout`, expected one of `stream`, `to`,",
        ),
        (
            "name = \"Top\"",
            ":23: consume.windows.name: \"Top\" is not a name",
        ),
        (
            "name = \"_top\"",
            ":23: consume.windows.name: \"_top\" is not a name",
        ),
        (
            "name = \"vpc_flow_logs\"",
            ":23: consume.windows.name: vpc_flow_logs is a table of logs",
        ),
        (
            "name = \"nginx\"",
            ":23: consume.windows.name: nginx is a table of logs",
        ),
        (
            "name = \"errors\"",
            ":23: consume.windows.name: errors is where rejected records go",
        ),
        (
            "sql = \" \"",
            ":24: consume.windows.sql: there is no statement",
        ),
        (
            "output = \"rows.csv\"",
            ":25: consume.windows.output: \"rows.csv\" is no output",
        ),
        (
            "output = [\"stdout\", \"http://\"]",
            ":25: consume.windows.output: \"http://\" is no output",
        ),
        (
            "output = []",
            ":25: consume.windows.output: the list is empty",
        ),
        (
            "output = 5",
            ":25: consume.windows.output: expected a text or a list of texts",
        ),
        (
            "disorder = \"x\"",
            ":26: consume.windows.disorder: x: not a duration",
        ),
        (
            "lateness = \"x\"",
            ":27: consume.windows.lateness: x: not a duration",
        ),
        (
            "idle = 60",
            ":28: consume.windows.idle: invalid type: integer `60`, expected a string",
        ),
    ] {
        let (key, _) = line.split_once(" = ").unwrap();
        let mut replaced = false;
        let lines = EVERYTHING.lines().map(|other| {
            let is_it = other.starts_with(&format!("{key} = "));
            replaced |= is_it;
            if is_it { line } else { other }
        });
        let lines: Vec<_> = lines.collect();
        let mut text = lines.join("\n");
        if !replaced {
            text = text.replacen("[consume]", &format!("[consume]\n{line}"), 1);
        }
        let found = error(&configured(&text), &[]);
        assert!(found.starts_with(expected), "{line}\n{found}");
    }
}

#[test]
fn two_windows_of_one_name() {
    let second = "[[consume.windows]]\nname = \"top_talkers\"\nsql = \"SELECT 2\"\n";
    let found = error(&configured(&format!("{EVERYTHING}{second}")), &[]);
    assert_eq!(
        found,
        ":30: consume.windows.name: there are two windows top_talkers"
    );
}

/// What an option says is not looked for in the file, and its errors are the option's.
#[test]
fn options_win() {
    let folder = configured(EVERYTHING);
    for (more, expected) in [
        (["--cut-age", "x"], "error: --cut-age x: not a duration"),
        (
            ["--from", "x"],
            "error: --from x: neither a place in a stream nor a time",
        ),
        (["--table", "x"], "error: --table x: no such table"),
        (
            ["--to", "gs://a"],
            "error: gs://a: loglens does not write to gs:// yet",
        ),
    ] {
        let text = EVERYTHING.split("[[consume").next().unwrap();
        let found = error(&configured(text), &more);
        assert_eq!(found, expected);
    }
    let broken = EVERYTHING.replace("cut_age = \"1s\"", "cut_age = \"x\"");
    assert_eq!(
        error(&configured(&broken), &["--cut-age", "1s"]),
        error(&folder, &[])
    );
}

#[test]
fn what_is_missing_is_said_with_option_and_key() {
    let nothing = configured("");
    assert_eq!(
        error(&nothing, &[]),
        "error: not said: STREAM (or `stream` in [consume]), --to (or `to` in [consume]), \
         --leases (or `leases` in [consume])"
    );
    let some = configured("[consume]\nstream = \"kinesis://a\"\nto = \"lake\"\n");
    assert_eq!(
        error(&some, &[]),
        "error: not said: --leases (or `leases` in [consume])"
    );
}

/// Nothing but the file is named; places in it start at its folder.
#[test]
fn one_file_is_enough() {
    let world = World::new();
    let endpoint = world.server.endpoint();
    let text = format!(
        "endpoint_url = \"{endpoint}\"\nanonymous = true\n\
         [consume]\nstream = \"kinesis://flow-logs\"\nto = \"lake\"\nleases = \"leases\"\n\
         application = \"flows\"\ncut_age = \"1s\"\nfailover = \"1s\"\n\
         partition_by = [\"day\"]\nfan_out = true\nlog = \"json\"\n"
    );
    fs::write(below(&world.folder, "daemon.toml"), text).unwrap();
    world.put(0..100);
    let consumer = world.start(&mut consume(&world.folder, &[]));
    world.wait_for(100);
    consumer.terminate();
    world.assert_each_once(100);
    assert!(world.server.count("SubscribeToShard") >= 2);
    assert_eq!(world.server.count("GetRecords"), 0);
    let table = world.folder.path().join("lake/vpc_flow_logs");
    assert_eq!(names(&table), ["date=2025-12-31"]);
    assert!(
        world
            .folder
            .path()
            .join("lake/_loglens/shards/flows")
            .is_dir()
    );
    assert!(world.said().starts_with("{\"time\":\""), "{}", world.said());
}
