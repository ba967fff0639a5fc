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
    assert_command_snapshot!(loglens(&[SMALL]).pass_stdin(lines), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    a
    -
    1

    1 row
    b
    -
    2

    1 row
    n
    -
    7

    1 row
    c
    -
    ;

    1 row

    ----- stderr -----
    "#);
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
    assert_command_snapshot!(loglens(&[SMALL]).pass_stdin(lines), @r#"
    success: false
    exit_code: 1
    ----- stdout -----
    n
    -
    7

    1 row
    table          objects  bytes
    -------------  -------  -----
    vpc_flow_logs  1        892 B
    t
    v

    3 rows
    column_name  data_type  is_nullable
    -----------  ---------  -----------
    x            Int64      NO

    1 row

    ----- stderr -----
    error: no table "v"
    hint: did you mean "t"?
    "#);
}

/// Nothing runs after a statement that fails.
#[test]
fn a_statement_that_fails() {
    let lines = "SELECT 1 AS a;\nSELECT\n  srcadr FROM vpc_flow_logs;\nSELECT 2;";
    assert_command_snapshot!(loglens(&["-o", "csv", SMALL]).pass_stdin(lines), @r#"
    success: false
    exit_code: 1
    ----- stdout -----
    a
    1

    ----- stderr -----
    error: no column "srcadr"
      line 2, column 3:
        srcadr FROM vpc_flow_logs;
        ^^^^^^
    hint: did you mean "srcaddr"?
    "#);
    assert_command_snapshot!(loglens(&[SMALL]).pass_stdin("\\tming"), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: no command \tming
    hint: did you mean \timing? \? lists the commands
    "#);
}

#[test]
fn help() {
    assert_command_snapshot!(loglens(&[SMALL]).pass_stdin("\\?"), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    \?                     show this
    \q                     quit; quit, exit and Ctrl-D do too
    \d [TABLE]             list the tables, or the columns of one
    \run [NAME [k=v ...]]  list the named queries, or answer one
    \rejects               show 20 records that were rejected, and why
    \i FILE                run statements from a file
    \o [FILE]              write results to a file, until \o alone completes it
    \format [FORMAT]       output format of the results that follow
    \x [on|off]            show each row of a table as a record
    \pager [on|off]        page what is taller than the screen
    \timing [on|off]       say how long statements take
    \stats [on|off]        say what was read
    \refresh               list the places again; forgets views and tables of this session

    Everything else is SQL and ends with ;

    ----- stderr -----
    "#);
}

#[test]
fn tables_and_columns() {
    assert_command_snapshot!(loglens(&["testdata/tgw", "testdata/vpcflow"]).pass_stdin("\\d\n\\d rejects\n"), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    table          objects  bytes
    -------------  -------  ------
    tgw_flow_logs  1        741 B
    vpc_flow_logs  8        6.1 KB

    2 rows
    column       type     unit  since  meaning
    -----------  -------  ----  -----  ------------------------------------------------------------------------------------
    object       varchar               key of the object
    line         bigint                line of the record, from 1; none for a whole object
    byte_offset  bigint                byte offset of the record in the inflated object
    format       varchar               table that the object belongs to
    field        varchar               column whose value did not fit
    kind         varchar               record (not among the rows), value (NULL in its row) or object (not read to its end)
    reason       varchar               what was expected and what was found
    excerpt      varchar               the beginning of the record

    8 rows

    ----- stderr -----
    "#);
    let (code, out, _) = told("\\d vpc_flow", &[SMALL]);
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
    assert!(out.contains("shoe_size"), "{out}{err}");
}

#[test]
fn named_queries() {
    assert_command_snapshot!(loglens(&["-o", "csv", SMALL]).pass_stdin("\\run top-talkers\n\\run top-talker"), @r#"
    success: false
    exit_code: 2
    ----- stdout -----
    srcaddr,flows,bytes
    172.31.16.139,2,4585
    172.31.9.69,1,4249
    2001:db8:1234:a100:8d6e:3477:df66:f105,1,8855
    203.0.113.12,1,336

    ----- stderr -----
    error: no query "top-talker"
    hint: did you mean top-talkers? `loglens run --list` shows the queries
    "#);
    let (_, listed, _) = told("\\run", &[SMALL]);
    for query in loglens_queries::Library::built_in().queries() {
        assert!(listed.contains(&query.question), "{listed}");
    }
    let (_, limited, _) = told("\\run top-talkers limit=3", &["-o", "csv", SMALL]);
    assert_eq!(limited.lines().count(), 4);
    let (code, _, err) = told("\\run top-talkers limit", &[SMALL]);
    assert_eq!(code, Some(2));
    assert!(err.contains("limit: write the parameter's name"), "{err}");
    assert_eq!(told("\\run top-talkers limt=1", &[SMALL]).0, Some(2));
}

#[test]
fn formats() {
    let lines = "SELECT 1 AS a;\n\\format ndjson\nSELECT 2 AS a;\n\\format\n\\format table\n\\x\nSELECT 3 AS a, 4 AS b;\n\\x off\nSELECT 5 AS a;\n\\format xlsx";
    assert_command_snapshot!(loglens(&["-o", "csv", SMALL]).pass_stdin(lines), @r#"
    success: false
    exit_code: 2
    ----- stdout -----
    a
    1
    {"a":2}
    -[ record 1 ]-----------------------------------------------------------
    a  3
    b  4

    1 row
    a
    -
    5

    1 row

    ----- stderr -----
    the output format is ndjson
    expanded rows: on
    expanded rows: off
    error: no output format "xlsx"
    hint: there are table, csv, tsv, json, ndjson, markdown, arrow, parquet, chart, svg, html
    "#);
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
    assert_command_snapshot!(loglens(&[&below(&folder, "a.log")]).pass_stdin(lines), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    n
    -
    1

    1 row
    object,line,byte_offset,format,field,kind,reason,excerpt
    [folder]/a.log,3,205,vpc_flow_logs,,record,"expected 14 fields, found 1",short

    ----- stderr -----
    note: 1 record rejected, first [folder]/a.log:3: expected 14 fields, found 1; all of them: SELECT * FROM rejects;
    note: 1 record rejected, first [folder]/a.log:3: expected 14 fields, found 1; all of them: SELECT * FROM rejects;
    "#);
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
    assert_command_snapshot!(loglens(&["-o", "csv", &below(&folder, "a.log")]).pass_stdin(lines), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    a
    screen

    ----- stderr -----
    wrote [folder]/a b.csv
    wrote [folder]/c.parquet
    "#);
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
    assert_command_snapshot!(within().pass_stdin("SELECT 0\n\\i outer.sql\nAS z;"), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    a
    1
    b
    2
    c
    3
    z
    0

    ----- stderr -----
    "#);
    assert_command_snapshot!(within().pass_stdin("\\i itself.sql"), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: [folder]/itself.sql: it runs itself
    hint: take that \i out of it
    "#);
    assert_command_snapshot!(within().pass_stdin("\\i none.sql"), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: none.sql: No such file or directory (os error 2)
    "#);
}

/// New objects are seen; what statements made is forgotten.
#[test]
fn refresh() {
    let folder = logs();
    let line = "(printf '%s\\n' 'CREATE VIEW v AS SELECT 1;' 'SELECT count(*) AS n FROM vpc_flow_logs;'; sleep 1; \
                cp \"$0/a.log\" \"$0/b.log\"; printf '%s\\n' '\\refresh' 'SELECT count(*) AS n FROM vpc_flow_logs;' \
                'SELECT * FROM v;') | \"$LOGLENS\" -o csv \"$0\"";
    let (output, out, err) = run(shell(line).arg(folder.path()));
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("forgotten: v\n"), "{err}");
    assert_eq!(out, "n\n2\nn\n4\n");
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
    let line = "(echo 'SELECT * FROM vpc_flow_logs a, vpc_flow_logs b, vpc_flow_logs c;' | \"$LOGLENS\" -o csv testdata/vpcflow; echo \"exit $?\" >&2) | head -n 1";
    let (_, out, err) = run(&mut shell(line));
    assert_eq!(out.lines().count(), 1);
    assert!(err.contains("exit 0\n"), "{err}");
}

#[test]
fn text_that_is_not_utf_8() {
    let folder = folder(&[("input", b"SELECT '\xff';\n")]);
    let input = fs::File::open(folder.path().join("input")).unwrap();
    assert_command_snapshot!(loglens(&[SMALL]).stdin(input), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: standard input: stream did not contain valid UTF-8
    "#);
}

/// What is typed in the place of a place.
#[test]
fn no_such_place() {
    assert_command_snapshot!(loglens(&["qeury", "SELECT 1", "testdata"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: qeury: no such command, file or folder
    hint: did you mean `loglens query`?
    "#);
    assert_command_snapshot!(loglens(&["SELECT 1", "testdata"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: SQL goes after the command query
    hint: loglens query "SELECT ..." FROM...
    "#);
    assert_command_snapshot!(loglens(&["logs-of-may"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: logs-of-may: no such command, file or folder
    hint: `loglens --help` lists the commands
    "#);
    assert_command_snapshot!(loglens(&["no/such.log"]).pass_stdin(""), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: no/such.log: no such file or folder
    hint: loglens looked in [root]
    "#);
    assert_command_snapshot!(loglens(&["-"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: -: the shell reads its statements from standard input, not logs
    hint: loglens query "SELECT ..." -
    "#);
    assert_command_snapshot!(loglens(&["--last", "1h"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: no logs were named
    hint: loglens FOLDER opens the shell; or list places as `from` in loglens.toml
    "#);
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
