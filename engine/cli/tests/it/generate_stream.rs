//! `loglens generate --to kinesis://`: what goes into a stream, how fast, and what is said of it.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use loglens_engine::shard::{ShardSource, Start};
use loglens_io::kinesis::KinesisStream;
use loglens_io::s3::access::Access;
use loglens_kinesis_server::{Fault, Server};
use loglens_parsers::envelope::kpl::{self, Packing};
use tokio::runtime::Runtime;

use crate::command::{answer, below, folder, loglens, run};
use crate::process::interrupt;

/// A stream of two shards.
struct World {
    runtime: Runtime,
    server: Server,
}

impl World {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let server = Server::start().unwrap();
        runtime.block_on(server.create("logs", 2)).unwrap();
        Self { runtime, server }
    }

    fn generate(&self, more: &[&str]) -> std::process::Command {
        let endpoint = self.server.endpoint();
        let mut command = loglens(&["generate", "vpc_flow_logs", "--to", "kinesis://logs"]);
        command.args(["--endpoint-url", &endpoint, "--anonymous"]);
        command.args(more);
        command
    }

    /// The bytes of all records of the stream.
    fn records(&self) -> Vec<Bytes> {
        let access = Access {
            endpoint_url: Some(self.server.endpoint()),
            anonymous: true,
            ..Access::default()
        };
        let stream = KinesisStream::new("kinesis://logs", access).unwrap();
        self.runtime.block_on(async {
            let mut all = Vec::new();
            for shard in stream.shards().await.unwrap() {
                let mut reader = stream.open(&shard.id, &Start::Oldest).await.unwrap();
                loop {
                    let fetched = reader.fetch().await.unwrap();
                    if fetched.records.is_empty() && fetched.behind.is_zero() {
                        break;
                    }
                    all.extend(fetched.records.into_iter().map(|record| record.data));
                }
            }
            all
        })
    }
}

/// The lines of the same logs in a file, in order.
fn lines(rows: &str) -> Vec<Bytes> {
    let folder = folder(&[]);
    let to = below(&folder, "logs");
    let arguments = [
        "generate",
        "vpc_flow_logs",
        "--rows",
        rows,
        "--objects",
        "12",
    ];
    answer(loglens(&arguments).args(["--to", &to]));
    let mut lines = Vec::new();
    let mut folders = vec![folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            lines.extend(
                text.lines()
                    .skip(1)
                    .map(|line| Bytes::from(line.to_owned())),
            );
        }
    }
    lines.sort_unstable();
    lines
}

fn sorted(mut lines: Vec<Bytes>) -> Vec<Bytes> {
    lines.sort_unstable();
    lines
}

#[test]
fn lines_go_at_a_pace() {
    let world = World::new();
    let begun = Instant::now();
    let (output, _, err) = run(&mut world.generate(&["--rows", "300", "--rate", "150"]));
    let took = begun.elapsed();
    assert!(output.status.success(), "{err}");
    // The last of them are due a tenth of a second before.
    assert!(took >= Duration::from_millis(1850), "{took:?}");
    assert_eq!(
        err,
        "wrote 300 records, 33.0 KB in 300 stream records, to kinesis://logs\n"
    );
    assert_eq!(sorted(world.records()), lines("300"));
}

#[test]
fn what_the_stream_has_no_room_for_is_sent_again_and_said() {
    let world = World::new();
    world.server.refuse_some(2);
    let code = "ProvisionedThroughputExceededException";
    world
        .server
        .fail(Fault::status("PutRecords", 400, code, "Rate exceeded").times(2));
    let (output, _, err) = run(&mut world.generate(&["--rows", "3000"]));
    assert!(output.status.success(), "{err}");
    assert!(err.contains("the stream had no room at times"), "{err}");
    assert!(err.contains("2 requests were sent again"), "{err}");
    assert_eq!(sorted(world.records()), lines("3000"));
}

#[test]
fn aggregates_hold_the_same_lines() {
    let world = World::new();
    let (output, _, err) = run(&mut world.generate(&["--rows", "3000", "--envelope", "kpl"]));
    assert!(output.status.success(), "{err}");
    let records = world.records();
    assert!(records.len() < 100, "{}", records.len());
    let key = std::sync::Arc::from("key");
    let users = records.iter().flat_map(|record| {
        let (users, packing) = kpl::unpack(&key, record);
        let users: Vec<_> = users.collect();
        assert_eq!(packing, Packing::Aggregated);
        users.into_iter().map(|user| user.data)
    });
    assert_eq!(sorted(users.collect()), lines("3000"));
}

/// Nothing else than what was sent is said to be, and what is under way is waited for.
#[test]
fn an_interrupt_says_how_far_it_got() {
    let world = World::new();
    let mut command = world.generate(&["--rows", "1000000", "--rate", "100"]);
    let child: Child = command.stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{err}");
    let records = world.records().len();
    assert!(records > 0);
    assert!(
        err.starts_with(&format!("wrote {records} of 1,000,000 records, ")),
        "{err}"
    );
}

#[test]
fn what_cannot_be_sent_is_said() {
    let world = World::new();
    for (arguments, expected) in [
        (
            &["--gzip"][..],
            "error: --gzip is for a folder, and --to is kinesis://logs\n",
        ),
        (
            &["--objects", "2"],
            "error: --objects is for a folder, and --to is kinesis://logs\n",
        ),
        (
            &["--rate", "0"],
            "error: invalid value '0' for '--rate <N>'",
        ),
        (
            &["--envelope", "zip"],
            "error: invalid value 'zip' for '--envelope <ENVELOPE>'",
        ),
    ] {
        let (output, _, err) = run(world.generate(&["--rows", "1"]).args(arguments));
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.starts_with(expected), "{err}");
    }
    let folder = folder(&[]);
    let to = below(&folder, "logs");
    let mut command = loglens(&["generate", "cloudtrail_logs", "--rows", "1", "--to", &to]);
    let (output, _, err) = run(command.args(["--rate", "5"]));
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(
        err.starts_with("error: --rate is for a stream, and --to is "),
        "{err}"
    );

    let endpoint = world.server.endpoint();
    let arguments = [
        "generate",
        "alb_access_logs",
        "--rows",
        "9",
        "--to",
        "kinesis://other",
    ];
    let (output, _, err) =
        run(loglens(&arguments).args(["--endpoint-url", &endpoint, "--anonymous"]));
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(
        err.starts_with("error: kinesis://other: there is no stream other"),
        "{err}"
    );
}
