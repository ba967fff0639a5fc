//! `loglens consume`: a stream becomes Parquet, each record once, whatever is killed when.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use loglens_io::kinesis::KinesisStream;
use loglens_io::kinesis::producer::Entry;
use loglens_io::s3::access::Access;
use loglens_kinesis_server::Server;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::command::{answer, below, folder, loglens, run};

/// A server with a stream, a place for Parquet, and one for leases.
pub(crate) struct World {
    runtime: Runtime,
    pub(crate) server: Server,
    stream: KinesisStream,
    pub(crate) folder: TempDir,
    /// Bytes of data that were put.
    put: Cell<u64>,
}

impl World {
    pub(crate) fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let server = Server::start().unwrap();
        runtime.block_on(server.create("flow-logs", 2)).unwrap();
        let access = Access {
            endpoint_url: Some(server.endpoint()),
            anonymous: true,
            ..Access::default()
        };
        Self {
            stream: KinesisStream::new("kinesis://flow-logs", access).unwrap(),
            runtime,
            server,
            folder: folder(&[]),
            put: Cell::new(0),
        }
    }

    /// Puts flows whose bytes are these numbers.
    pub(crate) fn put(&self, numbers: std::ops::Range<u64>) {
        let entries = numbers.map(|number| {
            let time = 1_767_225_500 + number;
            Entry {
                partition_key: number.to_string(),
                data: format!(
                    "2 123456789012 eni-1 10.0.0.1 10.0.0.9 1000 443 6 1 {number} {time} {time} ACCEPT OK"
                )
                .into(),
                hash_key: None,
            }
        });
        self.put_all(&entries.collect::<Vec<_>>());
    }

    fn put_all(&self, entries: &[Entry]) {
        self.runtime.block_on(self.stream.put(entries)).unwrap();
        let bytes = entries.iter().map(|entry| entry.data.len() as u64);
        self.put.set(self.put.get() + bytes.sum::<u64>());
    }

    pub(crate) fn bytes_put(&self) -> u64 {
        self.put.get()
    }

    pub(crate) fn put_data(&self, key: &str, data: &str) {
        let entry = Entry {
            partition_key: key.to_owned(),
            data: data.to_owned().into(),
            hash_key: None,
        };
        self.put_all(&[entry]);
    }

    /// Puts a record into the shard of this hash key.
    pub(crate) fn put_at(&self, hash_key: u128, data: impl Into<bytes::Bytes>) {
        let entry = Entry {
            partition_key: "key".to_owned(),
            data: data.into(),
            hash_key: Some(hash_key),
        };
        self.put_all(&[entry]);
    }

    /// The command with a local lake, quick to write and to take over.
    pub(crate) fn command(&self, more: &[&str]) -> Command {
        let (leases, lake) = (below(&self.folder, "leases"), below(&self.folder, "lake"));
        let mut command = self.command_of("kinesis://flow-logs", &leases, &lake);
        command.args(more);
        command
    }

    /// The same that waits long before it writes.
    pub(crate) fn command_that_waits(&self, more: &[&str]) -> Command {
        let (leases, lake) = (below(&self.folder, "leases"), below(&self.folder, "lake"));
        let mut command = self.command_of_age("kinesis://flow-logs", &leases, &lake);
        command.args(["--cut-age", "1h"]).args(more);
        command
    }

    pub(crate) fn command_of(&self, stream: &str, leases: &str, lake: &str) -> Command {
        let mut command = self.command_of_age(stream, leases, lake);
        command.args(["--cut-age", "1s"]);
        command
    }

    /// The same without an age of cuts.
    fn command_of_age(&self, stream: &str, leases: &str, lake: &str) -> Command {
        let mut command = loglens(&["consume", stream, "--leases", leases, "--to", lake]);
        command.args(["--failover", "1s", "--anonymous"]);
        command.args(["--endpoint-url", &self.server.endpoint()]);
        command
    }

    /// The command with a lake in a bucket of another server.
    pub(crate) fn command_to(
        &self,
        bucket: &loglens_test_server::Server,
        more: &[&str],
    ) -> Command {
        let leases = below(&self.folder, "leases");
        let mut command = loglens(&["consume", "kinesis://flow-logs", "--to", "s3://lake/logs/"]);
        command.args(["--leases", &leases, "--cut-age", "1s", "--failover", "1s"]);
        command.args(["--anonymous", "--path-style", "--region", "us-east-1"]);
        command.args(more);
        command.env("AWS_ENDPOINT_URL_KINESIS", self.server.endpoint());
        command.env("AWS_ENDPOINT_URL_S3", bucket.endpoint());
        command
    }

    pub(crate) fn consume(&self) -> Running {
        self.start(&mut self.command(&[]))
    }

    /// Starts a consumer whose standard error is kept.
    pub(crate) fn start(&self, command: &mut Command) -> Running {
        let mut said = File::options();
        let said = said.create(true).append(true);
        let said = said.open(below(&self.folder, "said")).unwrap();
        Running(command.stderr(said).spawn().unwrap())
    }

    /// How often each number is in the files.
    fn numbers(&self) -> BTreeMap<u64, u64> {
        let lake = below(&self.folder, "lake/vpc_flow_logs");
        let sql = "SELECT bytes, count(*) FROM vpc_flow_logs GROUP BY 1";
        let (output, out, _) = run(&mut loglens(&["query", "-o", "csv", sql, &lake]));
        if !output.status.success() {
            // There are no files yet.
            return BTreeMap::new();
        }
        let numbers = out.lines().skip(1).map(|line| {
            let (number, times) = line.split_once(',').unwrap();
            (number.parse().unwrap(), times.parse().unwrap())
        });
        numbers.collect()
    }

    pub(crate) fn wait_for(&self, numbers: u64) {
        let begun = Instant::now();
        while self.numbers().len() < numbers as usize {
            let waits = begun.elapsed() < Duration::from_secs(60);
            let found = self.numbers().len();
            assert!(waits, "{found} of {numbers}: {}", self.said());
            sleep(Duration::from_millis(200));
        }
    }

    /// What consumers said so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(below(&self.folder, "said")).unwrap()
    }

    /// Files of the lake, and their bytes.
    pub(crate) fn files(&self) -> (u64, u64) {
        let lake = self.folder.path().join("lake");
        let entries = walk(&lake);
        let files = entries.iter().filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".parquet") || name.contains("/lake/errors/")
        });
        let sizes: Vec<_> = files
            .map(|path| fs::metadata(path).unwrap().len())
            .collect();
        (sizes.len() as u64, sizes.iter().sum())
    }

    pub(crate) fn assert_each_once(&self, numbers: u64) {
        assert_eq!(
            self.numbers(),
            (0..numbers).map(|number| (number, 1)).collect()
        );
    }
}

/// All files below a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.flat_map(|path| match path.is_dir() {
        true => walk(&path),
        false => vec![path],
    });
    files.collect()
}

/// A consumer, which is killed when it is dropped.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Ends as it does when it is asked to.
    pub(crate) fn terminate(mut self) {
        let killed = Command::new("kill")
            .args(["-TERM", &self.0.id().to_string()])
            .status();
        assert!(killed.unwrap().success());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_stream_becomes_files_by_table_and_day() {
    let world = World::new();
    world.put(0..200);
    world.put_data("garbage", "neither this nor that");
    let consumer = world.consume();
    world.wait_for(200);
    // What is not read when it ends is read by whoever goes on, and nothing else is.
    world.put(200..300);
    consumer.terminate();
    let said = world.said();
    assert!(said.contains("taken"), "{said}");
    assert!(said.contains("given up"), "{said}");
    assert!(said.contains(" and 1 rejected record in "), "{said}");
    let consumer = world.consume();
    world.wait_for(300);
    consumer.terminate();
    world.assert_each_once(300);
    let lake = below(&world.folder, "lake");
    let days = "SELECT \"date\", count(*) AS n FROM vpc_flow_logs GROUP BY 1 ORDER BY 1";
    assert_eq!(
        answer(&mut loglens(&["query", "-o", "csv", days, &lake])),
        "date,n\n2025-12-31,100\n2026-01-01,200\n"
    );
}

#[test]
fn what_is_killed_is_gone_on_with() {
    let world = World::new();
    let mut written = 0;
    for round in 0..4 {
        let mut consumer = world.consume();
        for _ in 0..3 {
            world.put(written..written + 50);
            written += 50;
            sleep(Duration::from_millis(250 + 60 * round));
        }
        consumer.0.kill().unwrap();
    }
    let consumer = world.consume();
    world.wait_for(written);
    consumer.terminate();
    world.assert_each_once(written);
}

#[test]
fn a_stream_that_is_not_there_is_said_at_once() {
    let world = World::new();
    let (lake, leases) = (below(&world.folder, "lake"), below(&world.folder, "leases"));
    let endpoint = world.server.endpoint();
    let mut command = loglens(&[
        "consume",
        "kinesis://other",
        "--to",
        &lake,
        "--leases",
        &leases,
    ]);
    let (output, _, err) = run(command.args(["--endpoint-url", &endpoint, "--anonymous"]));
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(
        err.starts_with("error: kinesis://other: there is no stream other"),
        "{err}"
    );
    assert!(err.contains("hint: "), "{err}");
}

#[test]
fn what_cannot_be_consumed_is_said() {
    for (stream, to, leases, more) in [
        ("flow-logs", "lake", "leases", [].as_slice()),
        ("kinesis://a", "gs://lake", "leases", &[]),
        ("kinesis://a", "lake", "leases", &["--cut-age", "x"]),
        ("kinesis://a", "lake", "leases", &["--cut-size", "x"]),
        ("kinesis://a", "lake", "leases", &["--table", "x"]),
        ("kinesis://a", "lake", "leases", &["--from", "x"]),
    ] {
        let mut command = loglens(&["consume", stream, "--to", to, "--leases", leases]);
        let (output, out, err) = run(command.args(more));
        assert_eq!(output.status.code(), Some(2), "{stream} {more:?}: {err}");
        assert_eq!(out, "");
        assert!(err.contains("hint") || err.contains("help"), "{err}");
    }
}
