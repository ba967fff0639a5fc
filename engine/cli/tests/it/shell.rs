//! `loglens FROM...`: statements and commands through a pipe, and how the shell is reached.

use std::fs;

use tempfile::TempDir;

use crate::assert_command_snapshot;
use crate::command::{HEADER, RECORD, answer, below, folder, loglens, run, shell};

const SMALL: &str = "testdata/vpcflow/vrl-v2-default.log";

/// A folder with a log of two records.
fn logs() -> TempDir {
    folder(&[("a.log", format!("{HEADER}{RECORD}{RECORD}").as_bytes())])
}

/// What the shell answers to lines, with its exit code.
fn told(lines: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = folder(&[("input", lines.as_bytes())]);
    let input = fs::File::open(folder.path().join("input")).unwrap();
    let (output, out, err) = run(loglens(arguments).stdin(input));
    (output.status.code(), out, err)
}

/// Several on a line, one over several lines, and a last one without its end.
#[test]
fn statements() {
    let lines = "SELECT 1 AS a; SELECT 2 AS b;\n-- how many?\nSELECT count(*) AS n\nFROM vpc_flow_logs;\nSELECT ';' AS c";
    assert_command_snapshot!(loglens(&[SMALL]).pass_stdin(lines), @"");
}

#[test]
fn nothing_to_run() {
    assert_eq!(told("", &[SMALL]), (Some(0), String::new(), String::new()));
    assert_eq!(told("-- \n;;\n", &[SMALL]).0, Some(0));
}

/// What statements make lasts as long as the shell.
#[test]
fn views_and_tables() {
    let lines = "CREATE VIEW v AS SELECT srcaddr FROM vpc_flow_logs;\nCREATE TABLE t AS SELECT 7 AS x;\nSELECT count(*) AS n FROM v, t;\n\\d\n\\d t\nDROP VIEW v;\n\\d v";
    assert_command_snapshot!(loglens(&[SMALL]).pass_stdin(lines), @"");
}

/// Nothing runs after a statement that fails.
#[test]
fn a_statement_that_fails() {
    let lines = "SELECT 1 AS a;\nSELECT\n  srcadr FROM vpc_flow_logs;\nSELECT 2;";
    assert_command_snapshot!(loglens(&["-o", "csv", SMALL]).pass_stdin(lines), @"");
    assert_command_snapshot!(loglens(&[SMALL]).pass_stdin("\\tming"), @"");
}

#[test]
fn help() {
    assert_command_snapshot!(loglens(&[SMALL]).pass_stdin("\\?"), @"");
}

#[test]
fn tables_and_columns() {
    assert_command_snapshot!(loglens(&["testdata"]).pass_stdin("\\d\n\\d rejects\n"), @"");
    let (code, out, _) = told("\\d vpc", &[SMALL]);
    assert_eq!(code, Some(0));
    assert!(out.contains("srcaddr") && out.contains("$path"), "{out}");
}

/// Columns that only these logs have are described too.
#[test]
fn columns_of_header_lines() {
    let log = "version srcaddr shoe-size\n2 10.0.0.1 44\n";
    let folder = folder(&[("a.log", log.as_bytes())]);
    let place = below(&folder, "a.log");
    let (_, out, err) = told("\\d vpc_flow_logs", &["--table", "vpc_flow_logs", &place]);
    assert!(out.contains("shoe-size"), "{out}{err}");
}

#[test]
fn named_queries() {
    assert_command_snapshot!(loglens(&["-o", "csv", SMALL]).pass_stdin("\\run top-talkers\n\\run top-talker"), @"");
    assert_command_snapshot!(loglens(&[SMALL]).pass_stdin("\\run"), @"");
    assert_eq!(told("\\run top-talkers limit=3", &[SMALL]).0, Some(2));
}

#[test]
fn formats() {
    let lines = "SELECT 1 AS a;\n\\format ndjson\nSELECT 2 AS a;\n\\format\n\\format table\n\\x\nSELECT 3 AS a, 4 AS b;\n\\x off\nSELECT 5 AS a;\n\\format xlsx";
    assert_command_snapshot!(loglens(&["-o", "csv", SMALL]).pass_stdin(lines), @"");
}

#[test]
fn toggles() {
    let (_, out, err) = told(
        "\\timing\nSELECT 1 AS a;\n\\timing off\nSELECT 2 AS a;",
        &["-o", "csv", SMALL],
    );
    assert_eq!(out, "a\n1\na\n2\n");
    assert_eq!(err.matches("\ntime ").count(), 1, "{err}");
    let (_, _, err) = told("\\stats\nSELECT count(*) FROM vpc_flow_logs;", &[SMALL]);
    assert!(err.contains("records  "), "{err}");
    assert_eq!(told("\\timing often", &[SMALL]).0, Some(2));
}

/// Rejects are counted, and seen in the way of the shell.
#[test]
fn rejects() {
    let folder = folder(&[("a.log", format!("{HEADER}{RECORD}short\n").as_bytes())]);
    let lines = "SELECT count(*) AS n FROM vpc_flow_logs;\n\\format csv\n\\rejects";
    assert_command_snapshot!(loglens(&[&below(&folder, "a.log")]).pass_stdin(lines), @"");
}

/// Whole results go to the file, which is there when it is complete.
#[test]
fn results_in_files() {
    let folder = logs();
    let (csv, parquet) = (below(&folder, "a b.csv"), below(&folder, "c.parquet"));
    let lines = format!(
        "\\o {}\nSELECT 1 AS a;\nSELECT 2 AS a;\n\\o\nSELECT 'screen' AS a;\n\\o \"{parquet}\"\nSELECT 3 AS a;",
        csv.replace(' ', "\\ ")
    );
    assert_command_snapshot!(loglens(&["-o", "csv", &below(&folder, "a.log")]).pass_stdin(lines), @"");
    assert_eq!(fs::read_to_string(&csv).unwrap(), "a\n1\na\n2\n");
    assert_eq!(&fs::read(&parquet).unwrap()[..4], b"PAR1");
}

/// A file of one result takes no second one, and what failed never gets its name.
#[test]
fn results_that_do_not_get_into_files() {
    let folder = logs();
    let to = below(&folder, "a.parquet");
    let lines = format!("\\o {to}\nSELECT 1;\nSELECT 2;");
    let (code, _, err) = told(&lines, &[SMALL]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("one statement"), "{err}");
    assert!(!fs::exists(&to).unwrap());
}

#[test]
fn to() {
    let folder = logs();
    let to = below(&folder, "a.ndjson");
    let lines = "SELECT 1 AS a;\n\\o\nSELECT 2 AS b;";
    let (_, out, _) = told(lines, &["--to", &to, SMALL]);
    assert!(out.starts_with("b\n-\n2\n"), "{out}");
    assert_eq!(fs::read_to_string(&to).unwrap(), "{\"a\":1}\n");
}

#[test]
fn files_of_statements() {
    let folder = folder(&[
        ("outer.sql", b"SELECT 1 AS a;\n\\i inner.sql\nSELECT 3 AS c"),
        ("inner.sql", b"SELECT\n2 AS b;"),
        ("itself.sql", b"\\i itself.sql"),
        ("a.log", HEADER.as_bytes()),
    ]);
    let within = || {
        let mut command = loglens(&["-o", "csv", "a.log"]);
        command.current_dir(folder.path());
        command
    };
    assert_command_snapshot!(within().pass_stdin("SELECT 0\n\\i outer.sql\nAS z;"), @"");
    assert_command_snapshot!(within().pass_stdin("\\i itself.sql"), @"");
    assert_command_snapshot!(within().pass_stdin("\\i none.sql"), @"");
}

/// New objects are seen; what statements made is forgotten.
#[test]
fn refresh() {
    let folder = logs();
    let line = "(echo 'CREATE VIEW v AS SELECT 1;'; echo '\\d'; cp \"$0/a.log\" \"$0/b.log\"; echo '\\refresh'; \
                echo 'SELECT count(*) AS n FROM vpc_flow_logs;'; echo 'SELECT * FROM v;') | \"$LOGLENS\" -o csv \"$0\"";
    let (output, out, err) = run(shell(line).arg(folder.path()));
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("forgotten: v\n"), "{err}");
    assert!(out.ends_with("n\n4\n") || out.ends_with("n\n2\n"), "{out}");
}

#[test]
fn quitting() {
    for end in ["\\q", "quit", "exit;", "QUIT"] {
        let lines = format!("SELECT 1 AS a;\n{end}\nSELECT nothing;");
        let (code, out, err) = told(&lines, &["-o", "csv", SMALL]);
        assert_eq!((code, out.as_str()), (Some(0), "a\n1\n"), "{end}: {err}");
    }
}

#[test]
fn a_pipe_that_closes() {
    let line = "(echo 'SELECT * FROM vpc_flow_logs a, vpc_flow_logs b, vpc_flow_logs c;' | \"$LOGLENS\" -o csv testdata; echo \"exit $?\" >&2) | head -n 1";
    let (_, out, err) = run(&mut shell(line));
    assert_eq!(out.lines().count(), 1);
    assert!(err.contains("exit 0\n"), "{err}");
}

#[test]
fn text_that_is_not_utf_8() {
    let folder = folder(&[("input", b"SELECT '\xff';\n")]);
    let input = fs::File::open(folder.path().join("input")).unwrap();
    assert_command_snapshot!(loglens(&[SMALL]).stdin(input), @"");
}

/// What is typed in the place of a place.
#[test]
fn no_such_place() {
    assert_command_snapshot!(loglens(&["qeury", "SELECT 1", "testdata"]), @"");
    assert_command_snapshot!(loglens(&["SELECT 1", "testdata"]), @"");
    assert_command_snapshot!(loglens(&["logs-of-may"]), @"");
    assert_command_snapshot!(loglens(&["no/such.log"]).pass_stdin(""), @"");
    assert_command_snapshot!(loglens(&["-"]), @"");
    assert_command_snapshot!(loglens(&["--last", "1h"]), @"");
}

/// With places in the configuration, `loglens` alone is the shell.
#[test]
fn configured_places() {
    let folder = logs();
    let file = below(&folder, "loglens.toml");
    fs::write(&file, "from = [\"a.log\"]\noutput = \"csv\"\n").unwrap();
    let input = below(&folder, "input");
    fs::write(&input, "SELECT count(*) AS n FROM vpc_flow_logs;").unwrap();
    let mut command = loglens(&[]);
    command
        .current_dir(folder.path())
        .stdin(fs::File::open(&input).unwrap());
    assert_eq!(answer(&mut command), "n\n2\n");

    fs::write(&file, "output = \"csv\"\n").unwrap();
    let (output, _, err) = run(loglens(&[]).current_dir(folder.path()));
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("Usage: loglens"), "{err}");

    fs::write(&file, "from = 1\n").unwrap();
    let (output, _, err) = run(loglens(&[]).current_dir(folder.path()));
    assert_eq!(output.status.code(), Some(2));
    assert!(err.starts_with("error: loglens.toml:1: "), "{err}");
}
