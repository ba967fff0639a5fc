//! `loglens consume` with standing windows: what is given is what a query over all records answers,
//! whatever is killed when.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::{answer, below, loglens, run};
use crate::consume::World;

const FLOWS: &str = "SELECT window_end, bytes % 3 AS third, count(*) AS flows, sum(bytes) AS total \
                     FROM vpc_flow_logs GROUP BY hop(event_time, INTERVAL '1' MINUTE, INTERVAL '3' MINUTE), 2";

/// It holds in all windows but the first.
const BUSY: &str = "SELECT window_end, protocol, count(*) AS flows FROM vpc_flow_logs \
                    GROUP BY tumble(event_time, INTERVAL '1' MINUTE), protocol HAVING sum(bytes) > 3000";

/// A server that takes what is posted to it, but not at the first try.
struct Hook {
    address: String,
    posted: Arc<Mutex<Vec<String>>>,
}

impl Hook {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/secret", listener.local_addr().unwrap());
        let posted = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&posted);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    if stream.read_line(&mut line).unwrap() <= 2 {
                        break;
                    }
                    let line = line.to_ascii_lowercase();
                    if let Some(bytes) = line.strip_prefix("content-length:") {
                        length = bytes.trim().parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let status = match number {
                    0 => "500 Not Now",
                    _ => {
                        taken.lock().unwrap().push(String::from_utf8(body).unwrap());
                        "200 OK"
                    }
                };
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { address, posted }
    }
}

/// A configuration with two windows.
fn configuration(world: &World, hook: &Hook) -> String {
    let path = below(&world.folder, "daemon.toml");
    let lines = below(&world.folder, "flows.ndjson");
    let text = format!(
        "[[consume.windows]]\nname = \"flows\"\nsql = \"{FLOWS}\"\noutput = [\"parquet\", \"{lines}\"]\n\
         disorder = \"1m\"\nlateness = \"1h\"\nidle = \"1h\"\n\
         [[consume.windows]]\nname = \"busy\"\nsql = \"{BUSY}\"\noutput = [\"parquet\", \"{}\"]\n\
         disorder = \"1m\"\nidle = \"1h\"\n",
        hook.address
    );
    fs::write(&path, text).unwrap();
    path
}

fn rows(sql: &str, place: &str) -> Vec<String> {
    let (output, out, _) = run(&mut loglens(&["query", "-o", "csv", sql, place]));
    match output.status.success() {
        true => out.lines().skip(1).map(str::to_owned).collect(),
        // There is no window yet.
        false => Vec::new(),
    }
}

#[test]
fn windows_are_those_of_a_query_over_all_records() {
    let world = World::new();
    let hook = Hook::start();
    let configuration = configuration(&world, &hook);
    let start = || world.start(&mut world.command(&["--config", &configuration]));
    let mut written = 0;
    for round in 0..3 {
        let mut consumer = start();
        for _ in 0..2 {
            world.put(written..written + 100);
            written += 100;
            sleep(Duration::from_millis(700 + 130 * round));
        }
        consumer.0.kill().unwrap();
    }
    let consumer = start();
    world.wait_for(written);
    // Time goes on, in both shards.
    world.put(10_000..10_040);
    world.wait_for(written + 40);
    let lake = below(&world.folder, "lake");
    let until = "WHERE window_end <= TIMESTAMP '2026-01-01 00:30:00'";
    let expected = rows(
        &format!("SELECT * FROM ({FLOWS}) {until} ORDER BY 1, 2"),
        &below(&world.folder, "lake/vpc_flow_logs"),
    );
    assert_eq!(expected.len(), 39, "thirteen windows of three");
    let sql = format!("SELECT window_end, third, flows, total FROM flows {until} ORDER BY 1, 2");
    let begun = Instant::now();
    while rows(&sql, &lake) != expected {
        let given = rows(&sql, &lake);
        let waits = begun.elapsed() < Duration::from_secs(30);
        assert!(waits, "{given:#?}\n{}", world.said());
        sleep(Duration::from_millis(300));
    }
    consumer.terminate();
    assert_eq!(rows(&sql, &lake), expected, "{}", world.said());
    let expected = rows(
        &format!("SELECT * FROM ({BUSY}) {until} ORDER BY 1, 2"),
        &below(&world.folder, "lake/vpc_flow_logs"),
    );
    assert_eq!(expected.len(), 10);
    let sql = format!("SELECT window_end, protocol, flows FROM busy {until} ORDER BY 1, 2");
    assert_eq!(rows(&sql, &lake), expected);

    // What was told may be told twice after a kill, and is the same then.
    let told: BTreeSet<String> = hook.posted.lock().unwrap().iter().cloned().collect();
    let told: Vec<Value> = told
        .iter()
        .map(|told| serde_json::from_str(told).unwrap())
        .collect();
    let first = expected[0].split(',').next().unwrap().replace(' ', "T");
    let began: Vec<_> = told
        .iter()
        .filter(|told| told["state"] == "began")
        .collect();
    assert_eq!(began[0]["alert"], "busy");
    assert_eq!(began[0]["key"], serde_json::json!(["6"]));
    assert!(
        began[0]["since"]
            .as_str()
            .unwrap()
            .starts_with(&first[..16]),
        "{told:?}"
    );
    assert!(
        world.said().contains("http://127.0.0.1:"),
        "{}",
        world.said()
    );
    assert!(!world.said().contains("secret"), "{}", world.said());

    let lines = fs::read_to_string(below(&world.folder, "flows.ndjson")).unwrap();
    let ids = lines.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["window"], "flows");
        line["id"].as_str().unwrap().to_owned()
    });
    assert!(ids.collect::<BTreeSet<_>>().len() >= 39);
    // Whoever knows neither us nor our names finds the windows as a table, too.
    let tables = answer(&mut loglens(&["tables", &lake]));
    for table in ["vpc_flow_logs", "flows", "busy"] {
        assert!(tables.contains(table), "{tables}");
    }
}

#[test]
fn a_window_that_cannot_stand_is_said_before_anything_begins() {
    let world = World::new();
    let path = below(&world.folder, "daemon.toml");
    for (sql, expected) in [
        (
            "SELECT srcaddr FROM vpc_flow_logs",
            "window w: its statement has no window",
        ),
        ("SELECT nothing FROM vpc_flow_logs", "window w: "),
        (
            "SELECT count(*) FROM vpc_flow_logs ORDER BY 1 LIMIT 3",
            "window w: ",
        ),
    ] {
        let text = format!("[[consume.windows]]\nname = \"w\"\nsql = \"{sql}\"\n");
        fs::write(&path, text).unwrap();
        let (output, _, err) = run(&mut world.command(&["--config", &path, "--check"]));
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(expected), "{err}");
    }
}

#[test]
fn another_statement_under_a_name_is_refused() {
    let world = World::new();
    let path = below(&world.folder, "daemon.toml");
    let configure = |condition: &str| {
        let text = format!(
            "[[consume.windows]]\nname = \"w\"\nsql = \"SELECT window_end, count(*) AS n FROM vpc_flow_logs \
             {condition} GROUP BY tumble(event_time, INTERVAL '1' MINUTE)\"\ndisorder = \"1s\"\n"
        );
        fs::write(&path, text).unwrap();
    };
    let waits_for = |text: &str| {
        let begun = Instant::now();
        while !world.said().contains(text) {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{}",
                world.said()
            );
            sleep(Duration::from_millis(100));
        }
    };
    configure("");
    world.put(0..300);
    let consumer = world.start(&mut world.command(&["--config", &path]));
    waits_for("w: ");
    let id = consumer.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    drop(consumer);
    configure("WHERE dstport = 443");
    let _consumer = world.start(&mut world.command(&["--config", &path]));
    waits_for("is of another statement");
    waits_for("hint: give the new statement a name of its own");
}
