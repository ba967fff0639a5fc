//! Each built-in query over hand-made logs with a known answer, and people's own queries.
//!
//! `queries/tests/<name>/` holds `logs`, `expected.csv` and, where the defaults would not show
//! what a parameter does, `params.txt` with a `name=value` on each line. `LOGLENS_COMPLETE=1`
//! writes the answers: work them out by hand before you keep them.

use std::collections::BTreeSet;
use std::fs;

use loglens_queries::Library;
use tempfile::TempDir;

use crate::assert_command_snapshot;
use crate::command::{HEADER, RECORD, answer, below, folder, loglens, names, root, run};

#[test]
fn every_query_has_a_test() {
    let library = Library::built_in();
    let queries: Vec<_> = library.queries().map(|query| query.name.clone()).collect();
    assert_eq!(queries, names(&root().join("queries/tests")));
}

#[test]
fn every_query_gives_its_answer() {
    let mut failed = Vec::new();
    for query in Library::built_in().queries() {
        let folder = root().join("queries/tests").join(&query.name);
        let params = fs::read_to_string(folder.join("params.txt")).unwrap_or_default();
        let logs = folder.join("logs").display().to_string();
        let mut command = loglens(&["run", &query.name, &logs, "-o", "csv", "--strict"]);
        for param in params.lines() {
            command.args(["--param", param]);
        }
        let (_, out, err) = run(&mut command);
        let expected = folder.join("expected.csv");
        if std::env::var_os("LOGLENS_COMPLETE").is_some() {
            fs::write(&expected, &out).unwrap();
        }
        let expected = fs::read_to_string(expected).unwrap();
        if !err.is_empty() || out != expected {
            failed.push(format!("{}\n{err}{out}expected:\n{expected}", query.name));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The tables that a front matter says are those that the SQL reads.
#[test]
fn tables_are_those_of_the_sql() {
    let formats = loglens_parsers::format::built_in();
    for query in Library::built_in().queries() {
        let sql = query.sql.lines().filter(|line| !line.starts_with("--"));
        let sql = sql.collect::<Vec<_>>().join(" ");
        let words: BTreeSet<_> = sql
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .collect();
        let tables = formats.iter().map(|format| format.table.as_str());
        let read: BTreeSet<_> = tables.filter(|table| words.contains(table)).collect();
        let said: BTreeSet<_> = query.tables.iter().map(String::as_str).collect();
        assert_eq!(said, read, "{}", query.name);
    }
}

/// A folder with a log of two records, queries of one's own and a configuration that names them.
fn with_queries() -> TempDir {
    let log = format!("{HEADER}{RECORD}{RECORD}");
    folder(&[
        ("loglens.toml", b"queries = \"mine\"\nfrom = [\"logs\"]\n"),
        ("logs/a.log", log.as_bytes()),
        ("mine/flows-to.sql", FLOWS_TO.as_bytes()),
        ("mine/top-ports.sql", TOP_PORTS.as_bytes()),
        (
            "mine/broken.sql",
            b"-- title = \"t\"\n-- question: what?\nSELECT 1\n",
        ),
        ("mine/notes.txt", b"no query"),
    ])
}

const FLOWS_TO: &str = r#"-- title = "Flows to"
-- question = "How many flows go there?"
-- tables = ["vpc_flow_logs"]
-- answer = "One row."
-- [parameters]
-- port = { type = "integer", doc = "destination port" }
-- of = { type = "list", default = ["10.0.0.1", "10.0.0.9"], doc = "sources" }
SELECT count(*) AS flows
FROM vpc_flow_logs
WHERE dstport = $port AND srcaddr IN ($of)
"#;

const TOP_PORTS: &str = r#"-- title = "Top ports"
-- question = "Which port is first?"
-- tables = ["vpc_flow_logs"]
-- answer = "One row."
SELECT min(dstport) AS port FROM vpc_flow_logs
"#;

/// The command in a folder, with arguments as one text.
fn within(folder: &TempDir, arguments: &str) -> std::process::Command {
    let mut command = loglens(&arguments.split(' ').collect::<Vec<_>>());
    command.current_dir(folder.path());
    command
}

#[test]
fn queries_of_one_s_own() {
    let folder = with_queries();
    let rows = [
        ("run flows-to --param port=443 -o csv", "flows\n2\n"),
        ("run flows-to --param port=80 -o csv", "flows\n0\n"),
        (
            "run flows-to --param port=443 --param of=10.0.0.9 -o csv",
            "flows\n0\n",
        ),
        (
            "run flows-to --param port=443 --param of= -o csv",
            "flows\n0\n",
        ),
        // The user's goes before the one that is built in.
        ("run top-ports -o csv", "port\n443\n"),
        (
            "run top-talkers -o csv",
            "srcaddr,flows,bytes\n10.0.0.1,2,8498\n",
        ),
        // The argument goes before the configuration.
        (
            "run top-ports --queries logs -o csv",
            "protocol,dstport,flows,bytes\n6,443,2,8498\n",
        ),
    ];
    for (arguments, expected) in rows {
        assert_eq!(
            answer(&mut within(&folder, arguments)),
            expected,
            "{arguments}"
        );
    }
}

/// Values of every type, in every place that is their own.
#[test]
fn values_have_the_types_of_their_parameters() {
    let sql = r#"-- title = "t"
-- question = "q"
-- tables = ["vpc_flow_logs"]
-- answer = "a"
-- [parameters]
-- since = { type = "timestamp", doc = "from" }
-- within = { type = "interval", default = "1m30s", doc = "for" }
-- least = { type = "number", default = 0.5, doc = "bytes at least" }
-- any = { type = "boolean", default = false, doc = "any number of bytes" }
-- action = { type = "text", default = "ACCEPT", doc = "action" }
-- of = { type = "list", default = ["10.0.0.1"], doc = "sources" }
SELECT count(*) AS flows
FROM vpc_flow_logs
WHERE event_time >= $since
    AND event_time < $since + $within
    AND event_time < $since + INTERVAL $within
    AND (bytes >= $least OR $any)
    AND action = $action
    AND array_has($of, srcaddr)
"#;
    let log = format!("{HEADER}{RECORD}");
    let folder = folder(&[("logs/a.log", log.as_bytes()), ("q.sql", sql.as_bytes())]);
    // The record is of 04:06:50 and has 4249 bytes.
    let rows = [
        ("since=2014-12-14T04:06:50Z", 1),
        ("since=2014-12-14T04:06:51Z", 0),
        ("since=2014-12-14T04:05:21Z", 1),
        ("since=2014-12-14T04:05:20Z", 0),
        ("since=2014-12-14T04:05:20Z --param within=2m", 1),
        ("since=2014-12-14T13:06:50 --tz Asia/Tokyo", 1),
        ("since=2014-12-14T04:06:50Z --param least=4249", 1),
        ("since=2014-12-14T04:06:50Z --param least=4249.5", 0),
        (
            "since=2014-12-14T04:06:50Z --param least=4249.5 --param any=true",
            1,
        ),
        ("since=2014-12-14T04:06:50Z --param action=accept", 0),
        ("since=2014-12-14T04:06:50Z --param of=10.0.0.9,10.0.0.1", 1),
        ("since=2014-12-14T04:06:50Z --param of=10.0.0.9", 0),
        ("since=1h", 0),
    ];
    for (params, flows) in rows {
        let arguments = format!("run q logs --queries . -o csv --param {params}");
        let out = answer(&mut within(&folder, &arguments));
        assert_eq!(out, format!("flows\n{flows}\n"), "{params}");
    }
}

#[test]
fn the_list_says_where_a_query_comes_from() {
    let folder = with_queries();
    let (_, out, err) = run(&mut within(&folder, "run --list -o ndjson"));
    let line = |name: &str| {
        let start = format!("{{\"name\":\"{name}\"");
        out.lines().find(|line| line.starts_with(&start)).unwrap()
    };
    assert_eq!(
        line("flows-to"),
        r#"{"name":"flows-to","question":"How many flows go there?","tables":"vpc_flow_logs","parameters":"of=10.0.0.1,10.0.0.9, port=<integer>","from":"mine/flows-to.sql"}"#
    );
    assert!(line("top-ports").contains(r#""parameters":null,"from":"mine/top-ports.sql""#));
    assert!(line("top-talkers").contains(r#""parameters":"limit=10","from":"built in""#));
    assert_eq!(
        err,
        "left out: mine/broken.sql:2: key with no value, expected `=`\n"
    );
}

#[test]
fn a_query_is_shown_as_its_file() {
    let folder = with_queries();
    assert_eq!(
        answer(&mut within(&folder, "run flows-to --show")),
        FLOWS_TO
    );
    answer(&mut within(&folder, "run flows-to --show --to copy.sql"));
    assert_eq!(
        fs::read_to_string(below(&folder, "copy.sql")).unwrap(),
        FLOWS_TO
    );
    let built_in = answer(&mut within(&folder, "run top-talkers --show"));
    assert!(
        built_in.starts_with("-- title = \"Top talkers\"\n"),
        "{built_in}"
    );
    assert!(built_in.ends_with("LIMIT $limit\n"), "{built_in}");
}

#[test]
fn a_broken_file() {
    assert_command_snapshot!(within(&with_queries(), "run broken"), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: mine/broken.sql:2: key with no value, expected `=`
    hint: `loglens run top-talkers --show` prints a query that is right
    "#);
}

#[test]
fn no_such_folder_of_queries() {
    assert_command_snapshot!(loglens(&["run", "--list", "--queries", "nowhere"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: queries: nowhere: No such file or directory (os error 2)
    hint: name a folder with *.sql files
    "#);
}

#[test]
fn values_that_cannot_be() {
    let folder = with_queries();
    let mut told = String::new();
    for arguments in [
        "run flows-to",
        "run flows-to --param port=https",
        "run flows-to --param ports=1",
        "run top-ports --param limit=1",
        "run top-talkers --param limit=ten",
        "run top-talkers --param limit",
        "run top-talkers --param limit=-1",
    ] {
        let (output, _, err) = run(&mut within(&folder, arguments));
        let code = output.status.code().unwrap();
        told.push_str(&format!("{arguments}: {code}\n{err}\n"));
    }
    insta::assert_snapshot!(told, @r#"
    run flows-to: 2
    error: flows-to needs --param port=VALUE: a whole number
    hint: the parameters of flows-to: of (list, default 10.0.0.1,10.0.0.9): sources; port (integer): destination port

    run flows-to --param port=https: 2
    error: --param port=https: expected a whole number
    hint: the parameters of flows-to: of (list, default 10.0.0.1,10.0.0.9): sources; port (integer): destination port

    run flows-to --param ports=1: 2
    error: --param ports: flows-to has no such parameter
    hint: the parameters of flows-to: of (list, default 10.0.0.1,10.0.0.9): sources; port (integer): destination port

    run top-ports --param limit=1: 2
    error: --param limit: top-ports has no such parameter
    hint: top-ports has no parameters

    run top-talkers --param limit=ten: 2
    error: --param limit=ten: expected a whole number
    hint: the parameters of top-talkers: limit (integer, default 10): rows at most

    run top-talkers --param limit: 2
    error: invalid value 'limit' for '--param <NAME=VALUE>': write the parameter's name, = and its value

    For more information, try '--help'.

    run top-talkers --param limit=-1: 1
    error: LIMIT must be >= 0, '-1' was provided
    "#);
}

/// The front matter and the SQL must agree.
#[test]
fn parameters_of_one_side_only() {
    let file = |parameters: &str, sql: &str| {
        format!(
            "-- title = \"t\"\n-- question = \"q\"\n-- tables = []\n-- answer = \"a\"\n-- [parameters]\n{parameters}{sql}"
        )
    };
    let n = "-- n = { type = \"integer\", default = 1, doc = \"n\" }\n";
    let folder = folder(&[
        ("unused.sql", file(n, "SELECT 1 AS a").as_bytes()),
        ("undeclared.sql", file(n, "SELECT $n + $m AS a").as_bytes()),
    ]);
    let mut told = String::new();
    for name in ["unused", "undeclared"] {
        let (_, _, err) = run(&mut within(&folder, &format!("run {name} --queries .")));
        told.push_str(&err);
    }
    insta::assert_snapshot!(told, @r#"
    error: unused: $n: its front matter has the parameter, its SQL has not
    hint: mend the query: `loglens run unused --show` prints it
    error: undeclared: $m: its SQL has the parameter, its front matter has not
    hint: mend the query: `loglens run undeclared --show` prints it
    "#);
}
