//! `loglens consume --check`: what it would do, and whether it could, without writing anything.

use std::fs;
use std::process::Command;

use loglens_test_server::{Bucket, Fault, Server};

use crate::command::{below, loglens, root, run};
use crate::consume::World;

/// What it says, and its exit code.
fn check(command: &mut Command) -> (String, Option<i32>) {
    let (output, out, err) = run(command.arg("--check"));
    assert_eq!(err, "", "{out}");
    (out, output.status.code())
}

/// The line of a step.
fn line<'a>(said: &'a str, name: &str) -> &'a str {
    let found = said.lines().find(|line| line[6..].starts_with(name));
    found.unwrap_or_else(|| panic!("no {name} in {said}"))
}

#[test]
fn what_would_be_done() {
    let world = World::new();
    let (said, code) = check(&mut world.command(&["--table", "vpc_flow_logs", "--from", "latest"]));
    assert_eq!(code, Some(0), "{said}");
    let folder = world.folder.path().display().to_string();
    insta::assert_snapshot!(said.replace(&folder, "[folder]"), @r"
    -     configuration there is none: options say all
    ok    stream        kinesis://flow-logs: 2 open shards, and 0 closed; read by polling, from the latest record on
    ok    retention     24 hours
    -     leases        [folder]/leases: it is not there yet: it would be made, which was not tried
    -     lake          [folder]/lake: it would be made, which was not tried
    ok    tables        every record is one of vpc_flow_logs
    ok    partitions    account, region, day
    ok    cuts          of 67.1 MB, or when the first record is 1 s old
    ok    memory        1.1 GB for the records of all shards and what is made of them
    ");
    assert!(fs::read_dir(world.folder.path()).unwrap().next().is_none());
    assert_eq!(world.server.count("GetRecords"), 0);
}

#[test]
fn leases_that_are_there() {
    let world = World::new();
    world.put(0..100);
    let consumer = world.consume();
    world.wait_for(100);
    consumer.terminate();
    let (said, code) = check(&mut world.command(&[]));
    assert_eq!(code, Some(0), "{said}");
    assert!(
        line(&said, "leases").ends_with("leases: 2 leases of loglens"),
        "{said}"
    );
    for shard in ["shardId-000000000000", "shardId-000000000001"] {
        let lease = said.lines().find(|line| line.contains(shard)).unwrap();
        assert!(lease.contains(": from behind record 4"), "{lease}");
        assert!(lease.ends_with(" on; held by nobody"), "{lease}");
    }
    assert!(line(&said, "lake").ends_with("it is there; it was not tried to write"));
}

/// Windows are shown by name, before it is said that one cannot stand.
#[test]
fn windows() {
    let world = World::new();
    let text = "[[consume.windows]]\nname = \"top\"\nsql = \"SELECT 1\"\n\
                output = [\"parquet\", \"https://example.com/secret\"]\n";
    fs::write(below(&world.folder, "daemon.toml"), text).unwrap();
    let file = below(&world.folder, "daemon.toml");
    let from = "2026-01-31T10:00:00+01:00";
    let mut command = world.command(&["--check", "--config", &file, "--from", from]);
    let (output, said, err) = run(&mut command);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        line(&said, "configuration"),
        format!("ok    configuration {file}")
    );
    assert_eq!(
        line(&said, "window"),
        "ok    window        top to Parquet in the lake, https://example.com/..."
    );
    assert!(
        line(&said, "stream").ends_with(", from 2026-01-31T09:00:00.000Z on"),
        "{said}"
    );
    assert!(
        err.starts_with("error: window top: the statement reads no log table"),
        "{err}"
    );
}

/// The file that the documentation shows is one.
#[test]
fn the_documented_file() {
    let world = World::new();
    let page = fs::read_to_string(root().join("docs/running.md")).unwrap();
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    fs::write(below(&world.folder, "daemon.toml"), text).unwrap();
    let (leases, lake) = (below(&world.folder, "leases"), below(&world.folder, "lake"));
    let file = below(&world.folder, "daemon.toml");
    let mut command = loglens(&[
        "consume", "--config", &file, "--leases", &leases, "--to", &lake,
    ]);
    command.args(["--endpoint-url", &world.server.endpoint(), "--anonymous"]);
    let (said, code) = check(&mut command);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        line(&said, "stream").contains("kinesis://flow-logs: 2 open shards"),
        "{said}"
    );
    assert!(line(&said, "cuts").ends_with("of 67.1 MB, or when the first record is 300 s old"));
    assert!(line(&said, "memory").contains(" 1.1 GB for the records of all shards"));
}

/// A bucket is asked for a write that is refused whatever is there.
#[test]
fn a_bucket() {
    let world = World::new();
    let server = Server::start().unwrap();
    server.add("lake", Bucket::default());
    let (said, code) = check(&mut world.command_to(&server, &[]));
    assert_eq!(code, Some(0), "{said}");
    assert!(
        line(&said, "lake").starts_with("ok    lake          s3://lake/logs: may be written"),
        "{said}"
    );
    assert_eq!(server.with("lake", |bucket| bucket.keys().len()), 0);

    server.fail(Fault::status(
        "PutObject",
        403,
        "AccessDenied",
        "Access Denied",
    ));
    let (said, code) = check(&mut world.command_to(&server, &[]));
    assert_eq!(code, Some(1), "{said}");
    let found = line(&said, "lake");
    assert!(found.starts_with("WRONG lake "), "{found}");
    assert!(found.contains("s3:PutObject"), "{found}");

    let nothing = Server::start().unwrap();
    let (said, code) = check(&mut world.command_to(&nothing, &[]));
    assert_ne!(code, Some(0), "{said}");
    assert!(line(&said, "lake").contains("there is no bucket"), "{said}");
}

#[test]
fn what_is_wrong_is_said_of_all_steps_and_the_first_gives_the_exit_code() {
    let world = World::new();
    fs::write(below(&world.folder, "file"), "").unwrap();
    let file = below(&world.folder, "file/leases");
    let mut command = world.command_of("kinesis://other", &file, &below(&world.folder, "lake"));
    let (said, code) = check(&mut command);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        line(&said, "stream")
            .starts_with("WRONG stream        kinesis://other: there is no stream other"),
        "{said}"
    );
    assert!(line(&said, "leases").starts_with("WRONG leases "), "{said}");
    assert!(said.contains("hint: "), "{said}");
    assert!(said.contains("\nok    cuts "), "{said}");
    let mut command = world.command_of(
        "kinesis://flow-logs",
        &below(&world.folder, "leases"),
        &file,
    );
    let (said, code) = check(&mut command);
    assert_eq!(code, Some(1), "{said}");
    assert!(line(&said, "lake").contains("is not a folder"), "{said}");
    assert!(!world.folder.path().join("leases").exists());
}
