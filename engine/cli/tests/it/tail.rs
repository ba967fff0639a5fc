//! `loglens tail`: files that grow and rotate, folders, pipes, stopping and going on.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, sleep};
use std::time::Duration;

use crate::command::{HEADER, answer, below, folder, loglens, run, shell};

/// A record of a second, whose bytes are its number.
fn record(number: u64, second: u64) -> String {
    let time = 1_700_000_000 + second;
    format!(
        "2 123456789012 eni-1 10.0.0.{} 10.0.0.9 1000 443 6 1 {number} {time} {time} ACCEPT OK\n",
        number % 3
    )
}

fn append(path: &str, text: &str) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// A command that goes on, and its lines as they come.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    fn numbers(&self, count: usize) -> BTreeSet<u64> {
        (0..count).map(|_| number(&self.line())).collect()
    }

    /// Asks it to end; gives what else it said.
    fn interrupt(mut self) -> Vec<String> {
        let killed = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        assert!(self.child.wait().unwrap().success());
        self.lines.iter().collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// The number in `{"bytes":7}`.
fn number(line: &str) -> u64 {
    line.trim_start_matches("{\"bytes\":")
        .trim_end_matches('}')
        .parse()
        .unwrap()
}

const ROWS: &str = "SELECT bytes FROM vpc_flow_logs";
const WINDOWS: &str = "SELECT window_start, count(*) AS n, sum(bytes) AS b FROM vpc_flow_logs GROUP BY tumble(event_time, INTERVAL '1' MINUTE)";

#[test]
fn a_file_is_read_as_it_grows_and_rotates() {
    let folder = folder(&[]);
    let log = below(&folder, "flow.log");
    append(&log, &format!("{HEADER}{}", record(1, 0)));
    let tail = Running::start(&mut loglens(&["tail", ROWS, &log]));
    assert_eq!(tail.numbers(1), [1].into());
    // A line that is not whole yet waits for its end.
    let second = record(2, 1);
    append(&log, &second[..20]);
    sleep(Duration::from_millis(400));
    append(&log, &second[20..]);
    assert_eq!(tail.numbers(1), [2].into());
    // What is written just before the rename, and after it by whoever still has the file open.
    append(&log, &record(3, 2));
    let old = below(&folder, "flow.log.1");
    fs::rename(&log, &old).unwrap();
    append(&old, &record(4, 3));
    append(&log, &format!("{HEADER}{}", record(5, 4)));
    assert_eq!(tail.numbers(3), [3, 4, 5].into());
    // Cut to nothing and begun anew.
    fs::write(&log, format!("{HEADER}{}", record(6, 5))[..].as_bytes()).unwrap();
    assert_eq!(tail.numbers(1), [6].into());
    assert!(tail.interrupt().is_empty());
}

#[test]
fn files_that_appear_in_a_folder_are_read_once() {
    let folder = folder(&[("a.log", format!("{HEADER}{}", record(1, 0)).as_bytes())]);
    let place = below(&folder, "");
    let tail = Running::start(&mut loglens(&["tail", ROWS, &place]));
    assert_eq!(tail.numbers(1), [1].into());
    fs::write(
        below(&folder, "b.log"),
        format!("{HEADER}{}{}", record(2, 1), record(3, 2)),
    )
    .unwrap();
    assert_eq!(tail.numbers(2), [2, 3].into());
    // Rotation within the folder, and what compression makes of it, bring nothing new.
    fs::rename(below(&folder, "a.log"), below(&folder, "a.log.1")).unwrap();
    sleep(Duration::from_millis(400));
    answer(shell("gzip -k \"$0\"").arg(below(&folder, "a.log.1")));
    append(&below(&folder, "b.log"), &record(4, 3));
    assert_eq!(tail.numbers(1), [4].into());
    assert!(tail.interrupt().is_empty());
}

/// More files than a process may hold open, and files that take the places of deleted ones.
#[test]
fn a_folder_of_many_files_that_come_and_go() {
    let folder = folder(&[]);
    for number in 0..600 {
        append(
            &below(&folder, &format!("{number}.log")),
            &format!("{HEADER}{}", record(number, number)),
        );
    }
    let mut command = shell("ulimit -n 400; exec \"$LOGLENS\" tail \"$0\" \"$1\"");
    let tail = Running::start(command.arg(ROWS).arg(folder.path()));
    assert_eq!(tail.numbers(600), (0..600).collect());
    for round in 600..620 {
        let name = below(&folder, &format!("{round}.log"));
        append(&name, &format!("{HEADER}{}", record(round, round)));
        assert_eq!(tail.numbers(1), [round].into());
        fs::remove_file(name).unwrap();
    }
    append(&below(&folder, "7.log"), &record(1000, 1000));
    assert_eq!(tail.numbers(1), [1000].into());
    assert!(tail.interrupt().is_empty());
}

#[test]
fn windows_close_as_time_passes_and_late_records_revise_them() {
    let folder = folder(&[]);
    let log = below(&folder, "flow.log");
    let late = below(&folder, "late.ndjson");
    append(&log, &format!("{HEADER}{}{}", record(1, 40), record(2, 50)));
    let options = ["--watermark", "10s", "--lateness", "2m", "--late-to", &late];
    let tail = Running::start(loglens(&["tail", WINDOWS, &log]).args(options));
    // 1_700_000_000 is 20 seconds into a minute.
    append(&log, &record(3, 115));
    assert_eq!(
        tail.line(),
        "{\"window_start\":\"2023-11-14T22:14:00Z\",\"n\":2,\"b\":3,\"revision\":0}"
    );
    append(&log, &record(4, 45));
    assert_eq!(
        tail.line(),
        "{\"window_start\":\"2023-11-14T22:14:00Z\",\"n\":3,\"b\":7,\"revision\":1}"
    );
    append(&log, &record(5, 600));
    assert_eq!(
        tail.line(),
        "{\"window_start\":\"2023-11-14T22:15:00Z\",\"n\":1,\"b\":3,\"revision\":0}"
    );
    append(&log, &record(6, 41));
    sleep(Duration::from_millis(500));
    assert!(tail.interrupt().is_empty());
    let kept = fs::read_to_string(&late).unwrap();
    assert_eq!(kept.lines().count(), 1, "{kept}");
    assert!(kept.contains(":6"), "{kept}");
}

/// Four inputs of which one says nothing more: it holds the others up as long as `--idle` says.
#[test]
fn a_silent_input_does_not_hold_the_others_up() {
    let folder = folder(&[]);
    let logs: Vec<_> = (0..4)
        .map(|input| below(&folder, &format!("{input}.log")))
        .collect();
    for (input, log) in (0..).zip(&logs) {
        append(log, &format!("{HEADER}{}", record(input, 40 + input)));
    }
    let mut command = loglens(&["tail", "--watermark", "0s", "--idle", "2s", WINDOWS]);
    let tail = Running::start(command.args(&logs));
    for (input, log) in (10..).zip(&logs[..3]) {
        append(log, &record(input, 200));
    }
    // What the silent one said before is in it.
    assert_eq!(
        tail.line(),
        "{\"window_start\":\"2023-11-14T22:14:00Z\",\"n\":4,\"b\":6}"
    );
    assert!(tail.interrupt().is_empty());
}

#[test]
fn standard_input_ends_and_gives_all_windows() {
    let lines: String = (0..200).map(|number| record(number, number)).collect();
    let mut command = shell("\"$LOGLENS\" tail -o csv \"$0\" -");
    command
        .arg(WINDOWS)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(HEADER.as_bytes()).unwrap();
    let (first, second) = lines.split_at(lines.len() / 2 + 7);
    input.write_all(first.as_bytes()).unwrap();
    sleep(Duration::from_millis(300));
    input.write_all(second.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let folder = folder(&[("flow.log", format!("{HEADER}{lines}").as_bytes())]);
    let batch = answer(&mut loglens(&[
        "query",
        "-o",
        "csv",
        &format!("{WINDOWS} ORDER BY 1"),
        &below(&folder, "flow.log"),
    ]));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), batch);
}

#[test]
fn a_stream_that_is_killed_goes_on_without_loss_or_repetition() {
    let folder = folder(&[]);
    let (log, state, to) = (
        below(&folder, "flow.log"),
        below(&folder, "state"),
        below(&folder, "out.csv"),
    );
    append(&log, HEADER);
    let follow = |once: bool| {
        let mut command = loglens(&[
            "tail",
            "--watermark",
            "30s",
            "--state",
            &state,
            "--to",
            &to,
            WINDOWS,
            &log,
        ]);
        if once {
            command.arg("--once");
        }
        command
    };
    let mut written = 0;
    for round in 0..6_u64 {
        for _ in 0..300 {
            append(&log, &record(written, written));
            written += 1;
        }
        let mut tail = Running::start(&mut follow(false));
        // Long enough to get somewhere, and not to the end each time.
        sleep(Duration::from_millis(300 + 350 * (round % 4)));
        tail.child.kill().unwrap();
        tail.child.wait().unwrap();
    }
    answer(&mut follow(true));
    let rows = fs::read_to_string(&to).unwrap();
    let batch = answer(&mut loglens(&[
        "query",
        "-o",
        "csv",
        &format!("{WINDOWS} ORDER BY 1"),
        &log,
    ]));
    assert_eq!(rows, batch);
    // Nothing new is nothing.
    answer(&mut follow(true));
    assert_eq!(fs::read_to_string(&to).unwrap(), batch);
}

/// A run that ends gives windows that are not complete; the next one gives those again that more came
/// to, and none of it is late.
#[test]
fn what_comes_after_a_run_that_ended_is_not_late() {
    let folder = folder(&[]);
    let (log, state, late) = (
        below(&folder, "flow.log"),
        below(&folder, "state"),
        below(&folder, "late"),
    );
    append(&log, HEADER);
    let once = || {
        let arguments = [
            "tail",
            "--once",
            "-o",
            "csv",
            "--state",
            &state,
            "--late-to",
            &late,
            WINDOWS,
            &log,
        ];
        let out = answer(&mut loglens(&arguments));
        out.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut last = std::collections::BTreeMap::new();
    for half in 0..4 {
        (0..95).for_each(|number| append(&log, &record(number, half * 95 + number)));
        let rows = once();
        assert!(!rows.is_empty());
        last.extend(rows.into_iter().map(|row| (row[..20].to_owned(), row)));
    }
    let last: Vec<_> = last.into_values().collect();
    let sql = format!("{WINDOWS} ORDER BY 1");
    let batch = answer(&mut loglens(&["query", "-o", "csv", &sql, &log]));
    assert_eq!(last, batch.lines().skip(1).collect::<Vec<_>>());
    assert!(!Path::new(&late).exists());
}

#[test]
fn what_is_there_is_read_as_a_query_reads_it() {
    for (sql, place) in [
        (
            "SELECT eventname, sourceipaddress FROM cloudtrail_logs",
            "testdata/cloudtrail",
        ),
        (
            "SELECT window_start, elb_status_code, count(*) AS n FROM alb_access_logs GROUP BY tumble(event_time, INTERVAL '1' DAY), elb_status_code",
            "testdata/alb",
        ),
        (
            "SELECT srcaddr, \"$line\", \"$path\" FROM vpc_flow_logs",
            "testdata/vpcflow",
        ),
    ] {
        let sort = |text: String| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let tail = sort(answer(&mut loglens(&[
            "tail",
            "--once",
            "-o",
            "csv",
            "--watermark",
            "9999d",
            sql,
            place,
        ])));
        let query = sort(answer(&mut loglens(&["query", "-o", "csv", sql, place])));
        assert!(tail.len() > 1, "{sql}");
        assert_eq!(tail, query, "{sql}");
    }
}

#[test]
fn what_has_no_answer_on_a_stream_says_what_to_write() {
    let place = "testdata/vpcflow";
    let mut said = Vec::new();
    for sql in [
        "SELECT count(*) FROM vpc_flow_logs",
        "SELECT * FROM vpc_flow_logs ORDER BY bytes DESC LIMIT 10",
        "SELECT srcaddr FROM vpc_flow_logs LIMIT 10",
        "SELECT DISTINCT srcaddr FROM vpc_flow_logs",
        "SELECT a.srcaddr FROM vpc_flow_logs a JOIN vpc_flow_logs b ON a.srcaddr = b.dstaddr",
        "SELECT sum(bytes) OVER (PARTITION BY srcaddr) FROM vpc_flow_logs",
        "SELECT max(n) FROM (SELECT count(*) AS n FROM vpc_flow_logs GROUP BY tumble(event_time, INTERVAL '1' MINUTE))",
        "SELECT window_start, srcaddr, count(*) AS n FROM vpc_flow_logs GROUP BY tumble(event_time, INTERVAL '1' MINUTE), srcaddr ORDER BY n",
        "SELECT 1",
        "UNLOAD (SELECT * FROM vpc_flow_logs) TO 'nowhere'",
    ] {
        let (output, out, err) = run(&mut loglens(&["tail", "--once", sql, place]));
        assert!(!output.status.success(), "{sql}");
        assert_eq!(out, "", "{sql}");
        writeln!(said, "{sql}\n{err}").unwrap();
    }
    insta::assert_snapshot!(
        "what_has_no_answer_on_a_stream",
        String::from_utf8(said).unwrap()
    );
}

#[test]
fn options_that_cannot_be_meant() {
    let folder = folder(&[]);
    let state = below(&folder, "state");
    for (name, arguments) in [
        ("no sql", vec!["tail"]),
        ("no places", vec!["tail", ROWS]),
        ("a bucket", vec!["tail", ROWS, "s3://bucket/"]),
        (
            "state of standard input",
            vec!["tail", "--state", &state, ROWS, "-"],
        ),
        (
            "a speed",
            vec!["tail", "--speed", "0", ROWS, "testdata/vpcflow"],
        ),
        (
            "a duration",
            vec!["tail", "--watermark", "soon", ROWS, "testdata/vpcflow"],
        ),
        (
            "a format",
            vec!["tail", "-o", "parquet", ROWS, "testdata/vpcflow"],
        ),
    ] {
        let (output, _, err) = run(&mut loglens(&arguments));
        assert_eq!(output.status.code(), Some(2), "{name}: {err}");
        assert!(err.contains("hint: "), "{name}: {err}");
    }
}

#[test]
fn a_state_of_another_statement_is_not_used() {
    let folder = folder(&[("flow.log", format!("{HEADER}{}", record(1, 0)).as_bytes())]);
    let (log, state) = (below(&folder, "flow.log"), below(&folder, "state"));
    answer(&mut loglens(&[
        "tail", "--once", "--state", &state, ROWS, &log,
    ]));
    assert!(Path::new(&state).join("stream.arrow").is_file());
    let (output, _, err) = run(&mut loglens(&[
        "tail", "--once", "--state", &state, WINDOWS, &log,
    ]));
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err.contains("it is of another statement: SELECT bytes FROM vpc_flow_logs"),
        "{err}"
    );
    fs::write(Path::new(&state).join("stream.arrow"), b"garbage").unwrap();
    let (_, _, err) = run(&mut loglens(&[
        "tail", "--once", "--state", &state, ROWS, &log,
    ]));
    assert!(
        err.contains("no state of loglens, or a damaged one"),
        "{err}"
    );
}
