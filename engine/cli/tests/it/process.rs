//! What the system does to a process: pipes that close, disks that are full, signals, terminals.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::assert_command_snapshot;
use crate::command::{HEADER, RECORD, answer, below, folder, loglens, names, run, shell};

const SMALL: &str = "testdata/vpcflow/vrl-v2-default.log";

/// A folder with generated flow logs.
fn generated(rows: &str) -> TempDir {
    let folder = folder(&[]);
    let to = below(&folder, "logs");
    answer(&mut loglens(&[
        "generate",
        "vpc_flow_logs",
        "--rows",
        rows,
        "--to",
        &to,
    ]));
    folder
}

/// `head` takes what it wants and goes; that is no error.
#[test]
fn a_pipe_that_closes() {
    let folder = generated("20000");
    for format in [
        "table", "csv", "json", "ndjson", "markdown", "arrow", "parquet",
    ] {
        let line = "\"$LOGLENS\" query -o \"$0\" 'SELECT * FROM vpc_flow_logs' \"$1\"; echo \"exit $?\" >&2";
        let mut command = shell(&format!("({line}) | head -c 1 >/dev/null"));
        command.arg(format).arg(folder.path());
        let (output, _, err) = run(&mut command);
        assert!(output.status.success());
        assert_eq!(err, "exit 0\n", "{format}");
    }
}

#[test]
fn closed_standard_output() {
    let mut command = shell("exec \"$LOGLENS\" query 'SELECT 1' >&-");
    let (output, _, err) = run(&mut command);
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{:?} {err}",
        output.status
    );
    assert!(!err.contains("panicked"), "{err}");
}

/// Nobody can be told, and the answer stands all the same.
#[test]
fn closed_standard_error() {
    let command = "exec \"$LOGLENS\" query --stats -o csv 'SELECT count(*) AS n FROM vpc_flow_logs' testdata 2>&-";
    let (output, out, _) = run(&mut shell(command));
    assert_eq!((output.status.code(), out.as_str()), (Some(0), "n\n30\n"));
    let (output, _, _) = run(&mut shell("exec \"$LOGLENS\" query 'SELECT x' 2>&-"));
    assert_eq!(output.status.code(), Some(1));
}

/// The same where standard error is a pipe whose reader has gone.
#[test]
fn standard_error_into_a_pipe_that_closed() {
    for (arguments, code) in [
        ("'SELECT x'", "1"),
        ("--tz nowhere 'SELECT 1'", "2"),
        ("--stats 'SELECT 1'", "0"),
    ] {
        let line = format!(
            "(sleep 0.3; \"$LOGLENS\" query {arguments}; echo $? >&3) 3>&1 2>&1 >/dev/null | true"
        );
        let folder = folder(&[]);
        let to = below(&folder, "code");
        let line = line.replace("3>&1", &format!("3>'{to}'"));
        run(&mut shell(&line));
        assert_eq!(fs::read_to_string(&to).unwrap().trim(), code, "{arguments}");
    }
}

#[test]
fn a_full_disk() {
    for (format, sql) in [
        ("table", "SELECT * FROM vpc_flow_logs"),
        ("csv", "SELECT 1"),
        ("parquet", "SELECT 1"),
        ("arrow", "SELECT 1"),
    ] {
        let line = format!("exec \"$LOGLENS\" query -o {format} '{sql}' {SMALL} >/dev/full");
        let (output, _, err) = run(&mut shell(&line));
        assert_eq!(output.status.code(), Some(1), "{format}: {err}");
        assert!(
            err.starts_with("error: cannot write the result: "),
            "{format}: {err}"
        );
        assert!(err.contains("No space left on device"), "{format}: {err}");
    }
    for command in [
        "schema vpc_flow_logs",
        "formats",
        "run --list",
        "completions bash",
        "tables testdata",
    ] {
        let (output, _, err) = run(&mut shell(&format!(
            "exec \"$LOGLENS\" {command} >/dev/full"
        )));
        assert_eq!(output.status.code(), Some(1), "{command}: {err}");
        assert!(!err.contains("panicked"), "{command}: {err}");
    }
}

/// A query over input that never ends, with its own folder for temporary files.
fn endless(folder: &TempDir, sql: &str) -> Child {
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let mut records = Command::new("yes")
        .arg(RECORD.trim_end())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let child = loglens(&[
        "query",
        "--memory-limit",
        "300MB",
        sql,
        "-",
        "--to",
        &below(folder, "a.csv"),
    ])
    .env("TMPDIR", &temporary)
    .stdin(records.stdout.take().unwrap())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    // It ends by itself once nobody reads it.
    std::thread::spawn(move || records.wait());
    child
}

pub(crate) fn interrupt(child: &Child) {
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
}

fn wait_at_most(child: &mut Child, limit: Duration) -> Option<i32> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.code().unwrap_or(-1));
        }
        sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    None
}

fn files(folder: &Path) -> Vec<String> {
    names(folder)
        .into_iter()
        .filter(|name| name != "tmp")
        .collect()
}

/// Ctrl-C ends it soon, and it takes what it wrote with it.
#[test]
fn an_interrupt() {
    for sql in [
        "SELECT count(*) FROM vpc_flow_logs",
        "SELECT * FROM vpc_flow_logs",
        "SELECT srcaddr, bytes FROM vpc_flow_logs ORDER BY bytes",
    ] {
        let folder = folder(&[]);
        let mut child = endless(&folder, sql);
        sleep(Duration::from_millis(1500));
        interrupt(&child);
        assert_eq!(
            wait_at_most(&mut child, Duration::from_secs(3)),
            Some(130),
            "{sql}"
        );
        assert_eq!(files(folder.path()), [""; 0], "{sql}");
        assert_eq!(names(&folder.path().join("tmp")), [""; 0], "{sql}");
    }
}

/// Also while it waits for input that does not come.
#[test]
fn an_interrupt_while_nothing_comes() {
    let mut child = loglens(&["query", "SELECT count(*) FROM vpc_flow_logs", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let input = child.stdin.take();
    sleep(Duration::from_millis(500));
    interrupt(&child);
    assert_eq!(wait_at_most(&mut child, Duration::from_secs(3)), Some(130));
    drop(input);
}

/// Logs are written by attackers: what they wrote must not reach a terminal as it is.
#[test]
fn terminal_escapes_in_logs() {
    let record = RECORD.replace("eni-1", "eni\x1b]0;x\x07\x1b[31m\u{202e}");
    let input = format!("{HEADER}{record}");
    assert_command_snapshot!(loglens(&["query", "SELECT interface_id FROM vpc_flow_logs", "-"]).pass_stdin(input.clone()), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    interface_id
    -------------------------------
    eni\x1b]0;x\x07\x1b[31m\u{202e}

    1 row

    ----- stderr -----
    "#);
    let rejected = format!("{input}\x1b[31m short\n");
    assert_command_snapshot!(loglens(&["query", "SELECT reason, excerpt FROM rejects", "-"]).pass_stdin(rejected), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    reason                       excerpt
    ---------------------------  --------------
    expected 14 fields, found 2  \x1b[31m short

    1 row

    ----- stderr -----
    note: 1 record rejected, first -:3: expected 14 fields, found 2; all of them: loglens query "SELECT * FROM rejects" -
    "#);
    assert_command_snapshot!(loglens(&["query", "SELECT '\x1b[31m' AS \"\x1b[32m\", nothing"]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: no column "nothing"
      SELECT '�[31m' AS "�[32m", nothing
                                 ^^^^^^^
    "#);
}

#[test]
fn no_colours_without_a_terminal() {
    for arguments in [
        &["query", "SELECT NULL AS a, * FROM vpc_flow_logs", SMALL][..],
        &["query", "SELECT x"],
        &["query", "--stats", "SELECT 1", SMALL],
    ] {
        let (_, out, err) = run(&mut loglens(arguments));
        assert!(!out.contains('\x1b') && !err.contains('\x1b'), "{out}{err}");
    }
}

/// On a terminal there are colours, unless `NO_COLOR` says no. `script` makes one.
#[test]
fn colours_on_a_terminal() {
    if !run(&mut shell("script -qec true /dev/null"))
        .0
        .status
        .success()
    {
        eprintln!("skipped: there is no script(1) to make a terminal");
        return;
    }
    let line = "script -qec '\"$LOGLENS\" query \"SELECT NULL AS a\"; \"$LOGLENS\" query \"SELECT x\"' /dev/null </dev/null";
    let (_, out, _) = run(&mut shell(line));
    assert!(out.contains("\x1b[1;31merror:"), "{out:?}");
    let (_, out, _) = run(shell(line).env("NO_COLOR", "1"));
    assert!(out.contains("error:") && !out.contains("\x1b["), "{out:?}");
}

/// More than fits into memory is sorted and grouped on disk, which is tidied up.
#[test]
fn little_memory() {
    let folder = generated("300000");
    for sql in [
        "SELECT srcaddr, bytes FROM vpc_flow_logs ORDER BY bytes, srcaddr",
        "SELECT srcaddr, srcport, dstaddr, dstport, count(*) FROM vpc_flow_logs GROUP BY 1, 2, 3, 4",
    ] {
        let (code, err) = with_memory(&folder, "60MB", sql);
        assert_eq!(code, Some(0), "{sql}: {err}");
    }
}

/// What cannot be done with so little is refused in words that help.
#[test]
fn too_little_memory() {
    let folder = generated("30000");
    let (code, err) = with_memory(
        &folder,
        "100kB",
        "SELECT * FROM vpc_flow_logs ORDER BY bytes, srcaddr",
    );
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("hint: allow more with --memory-limit"),
        "{err}"
    );
    assert!(!folder.path().join("a.csv").exists());
}

/// Exit code and standard error of a statement over generated logs.
fn with_memory(folder: &TempDir, limit: &str, sql: &str) -> (Option<i32>, String) {
    let (temporary, to, place) = (
        folder.path().join("tmp"),
        below(folder, "a.csv"),
        below(folder, "logs"),
    );
    fs::create_dir_all(&temporary).unwrap();
    let arguments = ["query", "--memory-limit", limit, sql, &place, "--to", &to];
    let (output, _, err) = run(loglens(&arguments).env("TMPDIR", &temporary));
    assert_eq!(names(&temporary), [""; 0], "{sql}");
    (output.status.code(), err)
}
