//! What is left of writing that was killed at any point, and that it ends as if nothing had been.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use loglens_test_server::{Bucket, Content, Server};

use crate::command::{answer, below, folder, loglens, run};
use crate::process::interrupt;
use crate::s3::{self, KEYS, stderr, stdout};

/// What tells each object from all others: its flows begin at a second of their own.
const EACH: &str =
    "SELECT start, count(*) AS flows, sum(bytes) AS bytes FROM t GROUP BY 1 ORDER BY 1";

/// An object of five minutes, with rows of two kinds, so that it goes to two folders.
fn object(number: usize) -> (String, String) {
    let (day, hour, minute) = (number / 288 + 1, number % 288 / 12, number % 12 * 5);
    let key = format!(
        "AWSLogs/1/vpcflowlogs/us-east-1/2026/01/{day:02}/1_vpcflowlogs_us-east-1_fl-1_202601{day:02}T{hour:02}{minute:02}Z_x.log"
    );
    let start = 1_767_225_600 + number * 300;
    let mut log = format!("{}\n", s3::LOG.lines().next().unwrap());
    for (action, bytes) in [("ACCEPT", number), ("REJECT", 7)] {
        log.push_str(&format!(
            "2 1 eni-1 10.0.0.1 10.0.0.2 1 443 6 1 {bytes} {start} {start} {action} OK\n"
        ));
    }
    (key, log)
}

/// Numbers that look random, and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }
}

/// Waits until something holds, or the process has ended by itself; says whether it held.
fn wait(child: &mut Child, holds: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if holds() {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "it hangs");
        sleep(Duration::from_micros(300));
    }
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The objects that a journal says are converted, each with how often.
fn converted(entries: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut converted = BTreeMap::new();
    for entry in entries {
        let entry: serde_json::Value = serde_json::from_str(&entry).unwrap();
        if entry["state"] != "committed" {
            continue;
        }
        for object in entry["chunk"]["objects"].as_array().unwrap() {
            let key = object["key"].as_str().unwrap().to_owned();
            *converted.entry(key).or_default() += 1;
        }
    }
    converted
}

fn journal_of(server: &Server) -> Vec<String> {
    server.with("lake", |bucket| {
        let keys = bucket.keys().into_iter();
        let entries = keys.filter(|key| key.contains("_loglens/"));
        let bytes = entries.filter_map(|key| bucket.get(&key));
        bytes
            .map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
            .collect()
    })
}

fn query(server: &Server, sql: &str, place: &str) -> std::process::Output {
    s3::loglens(server, &KEYS, &["query", "-o", "csv", sql, place])
}

#[test]
fn killed_ten_times_over_s3() {
    const OBJECTS: usize = 120;
    let server = Server::start().unwrap();
    let mut logs = Bucket::new();
    for number in 0..OBJECTS {
        let (key, log) = object(number);
        logs.put(&key, log);
    }
    server.add("org-logs", logs);
    server.add("lake", Bucket::new());
    let convert = [
        "convert",
        "--partitioned-by",
        "action",
        "--chunk-size",
        "1500",
        "s3://org-logs/",
        "s3://lake/flows",
    ];
    let mut numbers = Numbers(7);
    let mut killed = 0;
    let mut tries = 0;
    while killed < 10 {
        tries += 1;
        assert!(tries < 40, "it ends before it is killed");
        server.forget();
        server.delay(Duration::from_millis(2));
        let mut child = s3::command(&server, &KEYS, &convert)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Requests of two chunks or three.
        let requests = 4 + numbers.below(60);
        let struck = wait(&mut child, || server.log().len() >= requests);
        kill(child);
        killed += usize::from(struck);
        // What the killed process has sent may still be on its way.
        sleep(Duration::from_millis(20));
        server.delay(Duration::ZERO);

        // What a reader of ours sees is what the journal says is converted.
        let done = converted(journal_of(&server).into_iter());
        assert!(done.values().all(|times| *times == 1), "{done:?}");
        let output = query(&server, "SELECT count(*) FROM flows", "s3://lake/");
        if done.is_empty() {
            assert!(!output.status.success(), "{output:?}");
        } else {
            let rows = (done.len() * 2).to_string();
            assert_eq!(stdout(&output).lines().last(), Some(&*rows));
        }
    }
    let output = s3::loglens(&server, &KEYS, &convert);
    assert!(output.status.success(), "{}", stderr(&output));
    let done = converted(journal_of(&server).into_iter());
    assert_eq!(done.len(), OBJECTS);
    assert!(done.values().all(|times| *times == 1), "{done:?}");
    let raw = stdout(&query(
        &server,
        &EACH.replace(" t ", " vpc_flow_logs "),
        "s3://org-logs/",
    ));
    let read = stdout(&query(
        &server,
        &EACH.replace(" t ", " flows "),
        "s3://lake/",
    ));
    assert!(raw == read);
    assert_eq!(read.lines().count(), OBJECTS + 1);
    // Readers who know no journal see the same: nothing else lies there.
    let files = server.with("lake", |bucket| {
        let keys = bucket.keys().into_iter();
        keys.filter(|key| !key.contains("_loglens/")).count()
    });
    let named: usize = journal_of(&server)
        .iter()
        .map(|entry| serde_json::from_str::<serde_json::Value>(entry).unwrap())
        .filter(|entry| entry["state"] == "committed")
        .map(|entry| entry["files"].as_array().unwrap().len())
        .sum();
    assert_eq!(files, named);
}

fn journal_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("_loglens")).into_iter().flatten();
    let entries = entries.map(|entry| entry.unwrap().path());
    entries
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

#[test]
fn killed_ten_times_in_a_folder() {
    const OBJECTS: usize = 150;
    let objects: Vec<_> = (0..OBJECTS).map(object).collect();
    let files: Vec<_> = objects
        .iter()
        .map(|(key, log)| (format!("logs/{key}"), log.as_bytes()))
        .collect();
    let files: Vec<_> = files
        .iter()
        .map(|(key, log)| (key.as_str(), *log))
        .collect();
    let folder = folder(&files);
    let (logs, lake) = (below(&folder, "logs"), below(&folder, "lake"));
    let convert = [
        "convert",
        "--partitioned-by",
        "action",
        "--chunk-size",
        "1200",
        &logs,
        &lake,
    ];
    let mut numbers = Numbers(3);
    let mut killed = 0;
    let mut tries = 0;
    while killed < 10 {
        tries += 1;
        assert!(tries < 40, "it ends before it is killed");
        let path = folder.path().join("lake");
        let before = journal_in(&path).len();
        let mut child = loglens(&convert)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let entries = before + 1 + numbers.below(2);
        let struck = wait(&mut child, || {
            fs::read_dir(path.join("_loglens")).is_ok_and(|entries_there| {
                let names = entries_there.map(|entry| entry.unwrap().file_name());
                let is_entry =
                    |name: &std::ffi::OsString| name.to_string_lossy().ends_with(".json");
                names.filter(is_entry).count() >= entries
            })
        });
        sleep(Duration::from_micros(numbers.below(4000) as u64));
        kill(child);
        killed += usize::from(struck);
        let done = converted(journal_in(&path).into_iter());
        assert!(done.values().all(|times| *times == 1), "{done:?}");
        let sql = "SELECT count(*) FROM lake";
        let (output, out, err) = run(&mut loglens(&["query", "-o", "csv", sql, &lake]));
        if done.is_empty() {
            assert!(!output.status.success(), "{out}");
        } else {
            assert_eq!(out, format!("count(*)\n{}\n", done.len() * 2), "{err}");
        }
    }
    answer(&mut loglens(&convert));
    let done = converted(journal_in(&folder.path().join("lake")).into_iter());
    assert_eq!(done.len(), OBJECTS);
    let [raw, read] = [(&logs, "vpc_flow_logs"), (&lake, "lake")].map(|(place, table)| {
        let sql = EACH.replace(" t ", &format!(" {table} "));
        answer(&mut loglens(&["query", "-o", "csv", &sql, place]))
    });
    assert!(raw == read);
}

/// Killed at the half, and gone on with: each once, and none read twice but those of the chunk that
/// was lost. The engine's tests do it with ten thousand keys.
#[test]
fn killed_at_the_half() {
    const OBJECTS: usize = 2000;
    let server = Server::start().unwrap();
    let mut logs = Bucket::new();
    for number in 0..OBJECTS {
        let (key, log) = object(number);
        logs.put_content(&key, Content::Bytes(log.into()));
    }
    let size = object(0).1.len();
    server.add("org-logs", logs);
    server.add("lake", Bucket::new());
    let chunk = (size * 150).to_string();
    let convert = [
        "convert",
        "-o",
        "csv",
        "--chunk-size",
        &chunk,
        "s3://org-logs/",
        "s3://lake/flows",
    ];
    let mut child = s3::command(&server, &KEYS, &convert)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let is_half = || converted(journal_of(&server).into_iter()).len() >= OBJECTS / 2;
    assert!(wait(&mut child, is_half));
    kill(child);
    let done = converted(journal_of(&server).into_iter()).len();
    assert!((OBJECTS / 2..OBJECTS).contains(&done), "{done}");
    server.forget();
    let said = stdout(&s3::loglens(&server, &KEYS, &convert));
    let row = said.lines().nth(1).unwrap();
    assert!(
        row.starts_with(&format!("{},{},", OBJECTS - done, (OBJECTS - done) * 2)),
        "{row}"
    );
    assert!(row.ends_with(&format!(",0,{done},0")), "{row}");
    let gets = server.log().into_iter();
    let gets = gets.filter(|asked| asked.operation == "GetObject" && asked.bucket == "org-logs");
    // Of the one log an object is looked at beforehand.
    assert!(gets.count() <= OBJECTS - done + 2);
    let read = query(
        &server,
        "SELECT count(*), count(DISTINCT start), sum(bytes) FROM flows",
        "s3://lake/",
    );
    let bytes = (0..OBJECTS).sum::<usize>() + 7 * OBJECTS;
    let expected = format!("{},{OBJECTS},{bytes}", OBJECTS * 2);
    assert_eq!(stdout(&read).lines().last(), Some(&*expected));
}

/// Two that are started together: whoever is second at an entry stops, and what is there is right.
#[test]
fn two_at_once() {
    const OBJECTS: usize = 60;
    let server = Server::start().unwrap();
    let mut logs = Bucket::new();
    for number in 0..OBJECTS {
        let (key, log) = object(number);
        logs.put(&key, log);
    }
    server.add("org-logs", logs);
    server.add("lake", Bucket::new());
    server.delay(Duration::from_millis(3));
    let convert = [
        "convert",
        "--chunk-size",
        "1500",
        "s3://org-logs/",
        "s3://lake/flows",
    ];
    let start = || {
        s3::command(&server, &KEYS, &convert)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let both = [start(), start()].map(|child| child.wait_with_output().unwrap());
    let failed = both.iter().filter(|output| !output.status.success());
    for output in failed.clone() {
        assert!(
            stderr(output).starts_with(
                "error: s3://lake/flows: another loglens is writing there: this one has stopped, and \
                 what it was writing is not kept\nhint: run it again when the other one has ended\n"
            ),
            "{output:?}"
        );
    }
    assert!(
        failed.count() >= 1,
        "both cannot have written all: {both:?}"
    );
    server.delay(Duration::ZERO);
    let output = s3::loglens(&server, &KEYS, &convert);
    assert!(output.status.success(), "{}", stderr(&output));
    let raw = stdout(&query(
        &server,
        &EACH.replace(" t ", " vpc_flow_logs "),
        "s3://org-logs/",
    ));
    let read = stdout(&query(
        &server,
        &EACH.replace(" t ", " flows "),
        "s3://lake/",
    ));
    assert!(raw == read);
    let done = converted(journal_of(&server).into_iter());
    assert!(
        done.len() == OBJECTS && done.values().all(|times| *times == 1),
        "{done:?}"
    );
}

/// A statement that is killed while its files become visible leaves none that a reader of ours
/// sees, and the next one deletes them.
#[test]
fn a_statement_killed_while_files_become_visible() {
    let server = Server::start().unwrap();
    server.add("org-logs", s3::many_sources());
    server.add("lake", Bucket::new());
    let unload = ["query", "-o", "csv", s3::UNLOAD, "s3://org-logs/"];
    let kill_while_completing = |arguments: &[&str], files: usize| {
        server.forget();
        server.delay(Duration::from_millis(20));
        let mut child = s3::command(&server, &KEYS, arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let completed = || server.count("CompleteMultipartUpload") >= files;
        assert!(wait(&mut child, completed));
        kill(child);
        sleep(Duration::from_millis(60));
        server.delay(Duration::ZERO);
    };
    let parquet = || {
        server.with("lake", |bucket| {
            let keys = bucket.keys().into_iter();
            keys.filter(|key| key.ends_with(".parquet")).count()
        })
    };
    kill_while_completing(&unload, 70);
    assert!((1..300).contains(&parquet()), "{} of 300 files", parquet());
    let counted = "SELECT count(*), count(DISTINCT srcaddr) FROM flows";
    let output = query(&server, counted, "s3://lake/");
    assert!(stderr(&output).contains("no table \"flows\""), "{output:?}");

    // The same statement again: the place counts as empty.
    let output = s3::loglens(&server, &KEYS, &unload);
    assert!(stdout(&output).contains("\n3000,300,"), "{output:?}");
    assert_eq!(parquet(), 300);
    let output = query(&server, counted, "s3://lake/");
    assert_eq!(stdout(&output).lines().last(), Some("3000,300"));
    assert!(journal_of(&server).is_empty());

    // Rows that were there stay, and those of an INSERT that was killed are not seen.
    let insert = "INSERT INTO flows SELECT bytes, event_time, srcaddr FROM vpc_flow_logs";
    let insert = ["query", insert, "s3://org-logs/", "s3://lake/"];
    kill_while_completing(&insert, 70);
    assert!((301..600).contains(&parquet()), "{} files", parquet());
    let output = query(&server, counted, "s3://lake/");
    assert_eq!(stdout(&output).lines().last(), Some("3000,300"));
    let claim = journal_of(&server).remove(0);
    assert!(claim.contains("\"state\":\"claimed\""), "{claim}");

    // The server's clock stands in January: the next INSERT sees that it was killed long ago.
    let output = s3::loglens(&server, &KEYS, &insert);
    assert!(output.status.success(), "{output:?}");
    assert!(journal_of(&server).is_empty());
    assert_eq!(parquet(), 600);
    let output = query(&server, counted, "s3://lake/");
    assert_eq!(stdout(&output).lines().last(), Some("6000,300"));
}

/// Ctrl-C says that nothing is lost.
#[test]
fn interrupted() {
    const OBJECTS: usize = 60;
    let server = Server::start().unwrap();
    let mut logs = Bucket::new();
    for number in 0..OBJECTS {
        let (key, log) = object(number);
        logs.put(&key, log);
    }
    server.add("org-logs", logs);
    server.add("lake", Bucket::new());
    server.delay(Duration::from_millis(5));
    let convert = [
        "convert",
        "-o",
        "csv",
        "--chunk-size",
        "1500",
        "s3://org-logs/",
        "s3://lake/flows",
    ];
    let mut child = s3::command(&server, &KEYS, &convert)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let some = || !converted(journal_of(&server).into_iter()).is_empty();
    assert!(wait(&mut child, some));
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(
        stderr(&output),
        "note: interrupted; what is converted stays, and the same command goes on from there\n"
    );
    server.delay(Duration::ZERO);
    let done = converted(journal_of(&server).into_iter()).len();
    assert!((1..OBJECTS).contains(&done), "{done}");
    let said = stdout(&s3::loglens(&server, &KEYS, &convert));
    assert!(said.ends_with(&format!(",{done},0\n")), "{said}");
    let done = converted(journal_of(&server).into_iter());
    assert!(done.len() == OBJECTS && done.values().all(|times| *times == 1));
}
