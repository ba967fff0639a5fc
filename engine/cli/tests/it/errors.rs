//! Commands that fail: what they say, and the exit code.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::assert_command_snapshot;
use crate::command::{HEADER, RECORD, folder, loglens, run, shell};

const SMALL: &str = "testdata/vpcflow/vrl-v2-default.log";

#[test]
fn unknown_column() {
    assert_command_snapshot!(loglens(&["query", "SELECT srcadr FROM vpc_flow_logs", SMALL]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: no column "srcadr"
      SELECT srcadr FROM vpc_flow_logs
             ^^^^^^
    hint: did you mean "srcaddr"?
    "#);
}

#[test]
fn unknown_column_far_from_all() {
    assert_command_snapshot!(loglens(&["query", "SELECT colour FROM vpc_flow_logs", SMALL]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: no column "colour"
      SELECT colour FROM vpc_flow_logs
             ^^^^^^
    hint: `loglens schema vpc_flow_logs` lists the columns
    "#);
}

#[test]
fn unknown_column_in_a_later_line() {
    let sql = "SELECT srcaddr,\n\tdstadr\nFROM vpc_flow_logs";
    assert_command_snapshot!(loglens(&["query", sql, SMALL]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: no column "dstadr"
      line 2, column 2:
      	dstadr
      	^^^^^^
    hint: did you mean "dstaddr"?
    "#);
}

#[test]
fn unknown_table() {
    assert_command_snapshot!(loglens(&["query", "SELECT * FROM vpc_flow_lgs", SMALL]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: no table "vpc_flow_lgs"
    hint: did you mean "vpc_flow_logs"?
    "#);
}

#[test]
fn unknown_function() {
    assert_command_snapshot!(loglens(&["query", "SELECT cont(srcaddr) FROM vpc_flow_logs", SMALL]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: invalid function 'cont'
      SELECT cont(srcaddr) FROM vpc_flow_logs
             ^^^^
    hint: did you mean 'cot'?
    "#);
}

#[test]
fn bad_syntax() {
    assert_command_snapshot!(loglens(&["query", "SELEC * FROM vpc_flow_logs", SMALL]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: expected: an SQL statement, found: SELEC
      SELEC * FROM vpc_flow_logs
      ^
    "#);
}

#[test]
fn bad_syntax_in_a_later_line() {
    let sql = "SELECT srcaddr\nFROM vpc_flow_logs\nWHERE AND bytes > 1";
    assert_command_snapshot!(loglens(&["query", sql, SMALL]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: expected: end of statement, found: bytes
      line 3, column 11:
      WHERE AND bytes > 1
                ^
    "#);
}

#[test]
fn sql_that_ends_too_early() {
    assert_command_snapshot!(loglens(&["query", "SELECT * FROM", SMALL]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: expected: identifier, found: EOF
      SELECT * FROM
                   ^
    "#);
}

#[test]
fn a_value_that_cannot_be_cast() {
    assert_command_snapshot!(loglens(&["query", "SELECT CAST(srcaddr AS bigint) FROM vpc_flow_logs", SMALL]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: cast error: Cannot cast string '172.31.16.139' to value of Int64 type
    "#);
}

#[test]
fn missing_file() {
    assert_command_snapshot!(loglens(&["query", "SELECT * FROM vpc_flow_logs", "no/such.log"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: no/such.log: no such file or folder
    hint: loglens looked in [root]
    "#);
}

#[test]
fn empty_folder() {
    let folder = folder(&[]);
    let place = folder.path().to_str().unwrap();
    assert_command_snapshot!(loglens(&["query", "SELECT * FROM vpc_flow_logs", place]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: [folder]: no files
    hint: loglens looks for log files in a folder and in all folders below it
    "#);
    assert_command_snapshot!(loglens(&["tables", place]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: [folder]: no files
    hint: loglens looks for log files in a folder and in all folders below it
    "#);
}

#[test]
fn no_source() {
    assert_command_snapshot!(loglens(&["query", "SELECT * FROM vpc_flow_logs"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: no logs were named
    hint: name a file, a folder, a glob or - after the SQL: loglens query "SELECT ..." FOLDER; or list them as `from` in loglens.toml
    "#);
    assert_command_snapshot!(loglens(&["tables"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: no logs were named
    hint: name a file, a folder, a glob or - after the SQL: loglens query "SELECT ..." FOLDER; or list them as `from` in loglens.toml
    "#);
}

#[test]
fn a_source_of_another_kind() {
    assert_command_snapshot!(loglens(&["query", "SELECT 1", "gs://bucket/logs/"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: gs://bucket/logs/: loglens does not read gs:// yet
    hint: copy the objects to a folder and name that
    "#);
}

#[test]
fn no_sql() {
    assert_command_snapshot!(loglens(&["query"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: no SQL was given
    hint: loglens query "SELECT count(*) FROM vpc_flow_logs" FOLDER, or --file FILE.sql
    "#);
    assert_command_snapshot!(loglens(&["query", " ; ", SMALL]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: the SQL is empty
    hint: loglens query "SELECT count(*) FROM vpc_flow_logs" FOLDER
    "#);
    assert_command_snapshot!(loglens(&["query", "", SMALL]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: the SQL is empty
    hint: loglens query "SELECT count(*) FROM vpc_flow_logs" FOLDER
    "#);
}

#[test]
fn a_missing_sql_file() {
    assert_command_snapshot!(loglens(&["query", "-f", "no/such.sql", SMALL]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: no/such.sql: No such file or directory (os error 2)
    "#);
}

#[test]
fn only_objects_that_are_not_recognised() {
    let folder = folder(&[("a.txt", b"hello\n"), ("b.json", b"{}\n")]);
    let place = folder.path().to_str().unwrap();
    assert_command_snapshot!(loglens(&["query", "SELECT * FROM vpc_flow_logs", place]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: [folder]: no vpc_flow_logs
    hint: nothing was recognised: [folder]/a.txt (no known log format), [folder]/b.json (no known log format); --table vpc_flow_logs says what it is
    "#);
    assert_command_snapshot!(loglens(&["tables", place]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----

    ----- stderr -----
    not recognised: [folder]/a.txt: no known log format
    not recognised: [folder]/b.json: no known log format
    "#);
}

#[test]
fn a_table_that_is_not_there() {
    assert_command_snapshot!(loglens(&["query", "SELECT * FROM tgw_flow_logs", SMALL]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: testdata/vpcflow/vrl-v2-default.log: no tgw_flow_logs
    hint: there is vpc_flow_logs; --table tgw_flow_logs reads everything as that
    "#);
}

#[test]
fn unknown_zone() {
    assert_command_snapshot!(loglens(&["query", "--tz", "Europe/Atlantis", "SELECT 1"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: --tz Europe/Atlantis: no such time zone
    hint: write a name like Europe/Berlin, an offset like +02:00, or UTC
    "#);
}

#[test]
fn unknown_memory_limit() {
    assert_command_snapshot!(loglens(&["query", "--memory-limit", "lots", "SELECT 1"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: --memory-limit lots: not a size
    hint: write one like 512MB or 2GiB
    "#);
}

#[test]
fn unknown_last() {
    assert_command_snapshot!(loglens(&["query", "--last", "week", "SELECT 1"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: --last week: not a duration
    hint: write one like 90s, 30m, 1h, 7d or 2w
    "#);
    assert_command_snapshot!(loglens(&["query", "--last", "1h", "--since", "2h", "SELECT 1"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: the argument '--last <DURATION>' cannot be used with '--since <TIME>'

    Usage: loglens query --last <DURATION> <SQL] [FROM>...

    For more information, try '--help'.
    "#);
}

#[test]
fn unknown_since() {
    assert_command_snapshot!(loglens(&["query", "--since", "yesterday", "SELECT 1"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: --since yesterday: not a time
    hint: write one like 2026-01-31, 2026-01-31T10:00:00, 2026-01-31T10:00:00Z, or 2h for two hours ago
    "#);
    assert_command_snapshot!(loglens(&["query", "--since", "2026-02-01", "--until", "2026-01-01", "SELECT 1"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: --since is not before --until
    hint: swap them
    "#);
}

#[test]
fn unknown_table_option() {
    assert_command_snapshot!(loglens(&["query", "--table", "elbs", "SELECT 1", SMALL]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: --table elbs: no such table
    hint: there are alb_access_logs, alb_connection_logs, alb_health_check_logs, clb_access_logs, cloudtrail_logs, nlb_access_logs, tgw_flow_logs, vpc_flow_logs
    "#);
}

#[test]
fn unknown_fields() {
    assert_command_snapshot!(loglens(&["query", "--fields", "", "SELECT 1", SMALL]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: --fields "": not a list of names
    hint: separate them with spaces
    "#);
}

#[test]
fn unknown_output() {
    assert_command_snapshot!(loglens(&["query", "-o", "xlsx", "SELECT 1"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: invalid value 'xlsx' for '--output <OUTPUT>'
      [possible values: table, csv, tsv, json, ndjson, markdown, arrow, parquet, chart, svg, html]

    For more information, try '--help'.
    "#);
}

#[test]
fn unknown_threads() {
    let (output, _, err) = run(&mut loglens(&[
        "query",
        "--threads",
        "0",
        "SELECT count(*) FROM vpc_flow_logs",
        SMALL,
    ]));
    assert_ne!(output.status.code(), Some(101), "{err}");
}

#[test]
fn unknown_named_query() {
    assert_command_snapshot!(loglens(&["run", "top-talker", SMALL]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: no query "top-talker"
    hint: did you mean top-talkers? `loglens run --list` shows the queries
    "#);
}

#[test]
fn unknown_schema() {
    assert_command_snapshot!(loglens(&["schema", "vpc_flow_log_s"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: no table "vpc_flow_log_s"
    hint: did you mean "vpc_flow_logs"?
    "#);
}

#[test]
fn standard_input_twice() {
    let sql = "SELECT count(*) FROM vpc_flow_logs; SELECT count(*) FROM vpc_flow_logs";
    // Beyond what is kept for recognising it.
    let input = HEADER.to_owned() + &RECORD.repeat(2000);
    assert_command_snapshot!(loglens(&["query", sql, "-"]).pass_stdin(input), @r#"
    success: false
    exit_code: 2
    ----- stdout -----
    count(*)
    --------
        2000

    1 row


    ----- stderr -----
    error: standard input can be read once, and it was
    hint: save it to a file and name that: loglens query "SELECT ..." FILE
    "#);
}

#[test]
fn one_binary_file_of_two_statements() {
    assert_command_snapshot!(loglens(&["query", "-o", "parquet", "SELECT 1; SELECT 2"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: this format holds the result of one statement
    hint: run the statements one by one
    "#);
}

#[test]
fn statements_that_would_change_something() {
    assert_command_snapshot!(loglens(&["query", "INSERT INTO vpc_flow_logs VALUES (1)", SMALL]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: inconsistent data length across values list: got 1 values in row 0 but expected 60
    "#);
    assert_command_snapshot!(loglens(&["query", "DROP TABLE vpc_flow_logs", SMALL]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: table 'vpc_flow_logs' doesn't exist.
    "#);
}

/// The first error of several statements does not hide the answers before it.
#[test]
fn a_later_statement_that_fails() {
    assert_command_snapshot!(loglens(&["query", "SELECT 1 AS a; SELECT b", SMALL]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----
    a
    -
    1

    1 row

    ----- stderr -----
    error: no column "b"
      SELECT 1 AS a; SELECT b
                            ^
    "#);
}

#[test]
fn unreadable_file() {
    let folder = folder(&[("a.log", RECORD.as_bytes()), ("b.log", RECORD.as_bytes())]);
    let file = folder.path().join("b.log");
    fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    let sql = "SELECT count(*) FROM vpc_flow_logs";
    let Some(mut command) = unprivileged(&["query", sql, folder.path().to_str().unwrap()]) else {
        return;
    };
    assert_command_snapshot!(command, @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: [folder]/b.log: permission denied
    hint: an answer without it would be wrong: allow reading it, or leave it out with a glob
    "#);
}

#[test]
fn unreadable_folder() {
    let folder = folder(&[
        ("a.log", RECORD.as_bytes()),
        ("shut/b.log", RECORD.as_bytes()),
    ]);
    let shut = folder.path().join("shut");
    fs::set_permissions(&shut, Permissions::from_mode(0o000)).unwrap();
    let sql = "SELECT count(*) FROM vpc_flow_logs";
    if let Some(mut command) = unprivileged(&["query", sql, folder.path().to_str().unwrap()]) {
        assert_command_snapshot!(command, @r#"
        success: false
        exit_code: 1
        ----- stdout -----

        ----- stderr -----
        error: [folder]/shut: permission denied
        hint: an answer without it would be wrong: allow reading it, or leave it out with a glob
        "#);
    }
    // It could not be removed otherwise.
    fs::set_permissions(&shut, Permissions::from_mode(0o700)).unwrap();
}

/// The command without the superuser's right to read everything; None where that cannot be had.
fn unprivileged(arguments: &[&str]) -> Option<Command> {
    let shut = folder(&[("x", b"")]);
    let file = shut.path().join("x");
    fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    if fs::read(&file).is_err() {
        return Some(loglens(arguments));
    }
    let bounded = "setpriv --bounding-set=-all --inh-caps=-all";
    let denied = shell(&format!(
        "{bounded} true && ! {bounded} cat '{}' 2>&1",
        file.display()
    ));
    if !run(&mut { denied }).0.status.success() {
        eprintln!("skipped: this user reads everything, and setpriv cannot change that");
        return None;
    }
    let mut command = shell(&format!("exec {bounded} \"$LOGLENS\" \"$@\""));
    command.arg("sh").args(arguments);
    Some(command)
}
