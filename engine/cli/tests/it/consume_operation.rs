//! `loglens consume` as it is operated: health, metrics, the alarm, lines of JSON, and how it ends.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use loglens_test_server::{Bucket, Fault, Server};
use serde_json::Value;

use crate::command::root;
use crate::consume::{Running, World};

const LISTEN: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// Waits until something is so.
fn until<T>(what: &str, mut is: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = is() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        sleep(Duration::from_millis(50));
    }
}

/// Where a consumer says that it listens.
fn address(world: &World) -> String {
    until("it does not listen", || {
        let said = world.said();
        let (_, rest) = said.split_once("http://")?;
        let address = rest.split(['"', '\n']).next()?;
        rest.contains('\n').then(|| address.to_owned())
    })
}

/// The status and the text of an answer.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// The sum of a metric over all of its samples.
fn sum(page: &str, name: &str) -> f64 {
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    let values = samples.filter_map(|line| {
        let (sample, value) = line.rsplit_once(' ')?;
        let of = sample.split('{').next()?;
        (of == name).then(|| value.parse::<f64>().unwrap())
    });
    values.sum()
}

/// Waits until so many records were read.
fn read(address: &str, records: f64) {
    until("not all is read", || {
        let page = get(address, "/metrics").1;
        let read = sum(&page, "loglens_shard_records_read_total");
        (read >= records).then_some(())
    });
}

fn terminate(consumer: &Running) {
    let id = consumer.0.id().to_string();
    let killed = Command::new("kill").args(["-TERM", &id]).status();
    assert!(killed.unwrap().success());
}

/// The exit code of a consumer that ends by itself, and how long that took.
fn end(consumer: &mut Running) -> (Option<i32>, Duration) {
    let begun = Instant::now();
    let code = until("it does not end", || consumer.0.try_wait().unwrap()).code();
    (code, begun.elapsed())
}

#[test]
fn metrics_count_what_was_done() {
    let world = World::new();
    world.put(0..200);
    world.put_data("garbage", "neither this nor that");
    let server = &world.server;
    server.fail(Fault::status(
        "GetRecords",
        400,
        "ProvisionedThroughputExceededException",
        "Rate exceeded",
    ));
    let consumer = world.start(&mut world.command(&LISTEN));
    let address = address(&world);
    world.wait_for(200);
    let page = until("not all is committed", || {
        let (status, page) = get(&address, "/metrics");
        assert_eq!(status, 200);
        let done =
            sum(&page, "loglens_rows_written_total") + sum(&page, "loglens_records_rejected_total");
        // A shard that gave nothing more since has a new checkpoint.
        let is_new = sum(&page, "loglens_shard_checkpoint_age_seconds") < 10.0;
        (done >= 201.0 && is_new && page.contains("retention")).then_some(page)
    });
    for (name, expected) in [
        ("loglens_rows_written_total", 200.0),
        ("loglens_records_rejected_total", 1.0),
        ("loglens_records_missing_total", 0.0),
        ("loglens_shard_records_read_total", 201.0),
        ("loglens_shard_lag_milliseconds", 0.0),
        ("loglens_shard_checkpoint_late", 0.0),
        ("loglens_stream_retention_seconds", 86_400.0),
        ("loglens_leases_held", 2.0),
        ("loglens_failures_total", 0.0),
        ("loglens_requests_retried_total", 1.0),
        ("loglens_requests_throttled_total", 1.0),
        ("loglens_stopping", 0.0),
        ("loglens_build_info", 1.0),
    ] {
        assert_eq!(sum(&page, name), expected, "{name}\n{page}");
    }
    let bytes = world.bytes_put();
    assert_eq!(sum(&page, "loglens_shard_bytes_read_total"), bytes as f64);
    let (files, written) = world.files();
    assert_eq!(
        sum(&page, "loglens_files_written_total"),
        files as f64,
        "{page}"
    );
    assert_eq!(sum(&page, "loglens_bytes_written_total"), written as f64);
    let cuts = sum(&page, "loglens_cuts_total");
    assert!((2.0..=files as f64).contains(&cuts), "{page}");
    assert!(page.contains("loglens_shard_records_read_total{shard=\"shardId-000000000001\"} "));
    assert!(page.contains("application=\"loglens\",stream=\"kinesis://flow-logs\"} 1\n"));

    assert_eq!(documented(), metrics(&page), "docs/running.md and the page");
    assert_eq!(get(&address, "/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(get(&address, "/readyz"), (200, "ok\n".to_owned()));
    assert_eq!(get(&address, "/").0, 404);
    consumer.terminate();
}

/// The names of metrics on a page.
fn metrics(page: &str) -> BTreeSet<String> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = types.filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

/// The names of metrics in the documentation's table.
fn documented() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("docs/running.md")).unwrap();
    let rows = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `loglens_"));
    let names = rows.filter_map(|row| row.split(['`', '{']).next());
    names.map(|name| format!("loglens_{name}")).collect()
}

/// While a bucket does not take what was read, it is stopping and not ready; then it leaves at the last
/// commit.
#[test]
fn a_lake_that_is_too_slow_is_left_at_the_last_commit() {
    let world = World::new();
    let server = Server::start().unwrap();
    server.add("lake", Bucket::default());
    world.put(0..50);
    let more = [LISTEN.as_slice(), &["--drain", "3s", "--cut-size", "1GiB"]].concat();
    let mut consumer = world.start(&mut world.command_to(&server, &more));
    let address = address(&world);
    until("nothing is written", || {
        let page = get(&address, "/metrics").1;
        (sum(&page, "loglens_rows_written_total") == 50.0).then_some(())
    });
    assert_eq!(get(&address, "/readyz").0, 200);
    // After a commit its log is looked at once more.
    sleep(Duration::from_secs(1));
    server.delay(Duration::from_secs(20));
    world.put(50..100);
    read(&address, 100.0);
    terminate(&consumer);
    let (status, why) = until("it does not stop", || {
        let (status, why) = get(&address, "/readyz");
        (status != 200).then_some((status, why))
    });
    assert_eq!((status, why.as_str()), (503, "stopping\n"));
    assert_eq!(sum(&get(&address, "/metrics").1, "loglens_stopping"), 1.0);
    assert_eq!(get(&address, "/healthz").0, 200);
    let (code, took) = end(&mut consumer);
    let said = world.said();
    assert_eq!(code, Some(1), "{said}");
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert!(
        said.contains(
            "not all that was read could be written within 3 s: ended at the last commit"
        ),
        "{said}"
    );
    // Whoever goes on reads it again, and all is there once.
    server.delay(Duration::ZERO);
    let consumer = world.start(&mut world.command_to(&server, &[]));
    until("not all is written", || {
        (rows(&server) == 100).then_some(())
    });
    consumer.terminate();
    assert_eq!(rows(&server), 100);
}

/// What fails for good is not tried again once it is asked to end.
#[test]
fn a_lake_that_fails_is_left_at_the_last_commit() {
    let world = World::new();
    let server = Server::start().unwrap();
    server.add("lake", Bucket::default());
    let denied = Fault::status("PutObject", 403, "AccessDenied", "Access Denied");
    server.fail(denied.times(1000));
    world.put(0..50);
    let mut consumer = world.start(&mut world.command_to(&server, &[]));
    until("nothing fails", || {
        let failed = "s3:PutObject is not allowed";
        world.said().contains(failed).then_some(())
    });
    terminate(&consumer);
    let (code, took) = end(&mut consumer);
    let said = world.said();
    assert_eq!(code, Some(1), "{said}");
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert!(said.contains(": given up at the last commit\n"), "{said}");
    let error = "\nerror: what was read of ";
    assert!(said.contains(error), "{said}");
    assert!(
        said.contains("\nhint: allow "),
        "hints are lines of their own: {said}"
    );
}

/// Rows in a bucket's files of flow logs.
fn rows(server: &Server) -> u64 {
    let mut command = crate::command::loglens(&[
        "query",
        "-o",
        "csv",
        "SELECT count(*) FROM vpc_flow_logs",
        "s3://lake/logs/vpc_flow_logs/",
        "--anonymous",
        "--path-style",
        "--region",
        "us-east-1",
    ]);
    command.env("AWS_ENDPOINT_URL_S3", server.endpoint());
    let (_, out, _) = crate::command::run(&mut command);
    out.lines()
        .nth(1)
        .and_then(|rows| rows.parse().ok())
        .unwrap_or(0)
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let world = World::new();
    let server = Server::start().unwrap();
    server.add("lake", Bucket::default());
    let more = [LISTEN.as_slice(), &["--drain", "1h"]].concat();
    let mut consumer = world.start(&mut world.command_to(&server, &more));
    let address = address(&world);
    until("it does not read", || {
        let page = get(&address, "/metrics").1;
        let shards = page
            .matches("\nloglens_shard_checkpoint_age_seconds{")
            .count();
        (shards == 2).then_some(())
    });
    assert_eq!(get(&address, "/readyz").0, 200);
    server.delay(Duration::from_secs(30));
    world.put(0..50);
    read(&address, 50.0);
    terminate(&consumer);
    until("it does not stop", || {
        (get(&address, "/readyz").0 == 503).then_some(())
    });
    terminate(&consumer);
    let (code, took) = end(&mut consumer);
    assert_eq!(code, Some(130), "{}", world.said());
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn lines_of_json() {
    let world = World::new();
    world.put(0..100);
    let more = [LISTEN.as_slice(), &["--log", "json"]].concat();
    let consumer = world.start(&mut world.command(&more));
    world.wait_for(100);
    consumer.terminate();
    let lines: Vec<Value> = world
        .said()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let of =
        |what: &str| -> Vec<&Value> { lines.iter().filter(|line| line["what"] == what).collect() };
    for what in [
        "listening",
        "found",
        "taken",
        "committed",
        "stopping",
        "given_up",
    ] {
        assert!(!of(what).is_empty(), "{what}: {}", world.said());
    }
    let rows = of("committed")
        .iter()
        .map(|line| line["rows"].as_u64().unwrap())
        .sum::<u64>();
    assert_eq!(rows, 100);
    for line in &lines {
        assert_eq!(line["level"], "info", "{line}");
        assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
        assert!(line["message"].is_string(), "{line}");
    }
    assert!(
        of("taken")[0]["shard"]
            .as_str()
            .unwrap()
            .starts_with("shardId-")
    );
    // An error that ends it is a line too, and the exit code is its own.
    let mut command = world.command_of("kinesis://other", "leases", "lake");
    let (output, _, err) = crate::command::run(command.args(["--log", "json"]));
    assert_eq!(output.status.code(), Some(2), "{err}");
    let line: Value = serde_json::from_str(&err).unwrap();
    assert_eq!(line["level"], "error");
    assert!(
        line["message"]
            .as_str()
            .unwrap()
            .contains("there is no stream other"),
        "{line}"
    );
    assert!(line["hint"].is_string(), "{line}");
}

/// Records that came half the retention ago are about to be lost.
#[test]
fn an_old_checkpoint_is_an_alarm() {
    let world = World::new();
    world.put(0..100);
    world.server.age(Duration::from_secs(13 * 60 * 60));
    // Nothing is committed.
    let consumer = world.start(&mut world.command_that_waits(&LISTEN));
    let address = address(&world);
    let alarm = "warning: shardId-000000000000: its checkpoint is 46";
    until("there is no alarm", || {
        world.said().contains(alarm).then_some(())
    });
    let page = get(&address, "/metrics").1;
    assert_eq!(sum(&page, "loglens_shard_checkpoint_late"), 2.0, "{page}");
    assert!(sum(&page, "loglens_shard_checkpoint_age_seconds") > 2.0 * 46_800.0);
    sleep(Duration::from_secs(6));
    assert_eq!(
        world.said().matches("its checkpoint is").count(),
        2,
        "once a shard"
    );
    assert!(
        world
            .said()
            .contains("the stream drops records after 86400 s")
    );
    consumer.terminate();
}
