//! Commands that answer.

use std::fs;

use crate::assert_command_snapshot;
use crate::command::{HEADER, RECORD, answer, below, folder, loglens, names, run};

/// One file with few records, for results that are looked at whole.
const SMALL: &str = "testdata/vpcflow/vrl-v2-default.log";
const FLOWS: &str = "SELECT srcaddr, srcport, bytes, action, event_time FROM vpc_flow_logs \
                     ORDER BY event_time, srcaddr LIMIT 3";

/// Which of several sources with as many flows come first is left open by the statement.
#[test]
fn the_first_command_of_the_readme() {
    let sql = "SELECT srcaddr, count(*) AS flows FROM vpc_flow_logs GROUP BY srcaddr ORDER BY flows DESC LIMIT 10";
    let text = answer(&mut loglens(&["query", "-o", "csv", sql, "testdata"]));
    let rows: Vec<(&str, u64)> = text
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').unwrap())
        .map(|(source, flows)| (source, flows.parse().unwrap()))
        .collect();
    let flows: Vec<_> = rows.iter().map(|(_, flows)| *flows).collect();
    assert_eq!(flows, [4, 4, 4, 4, 3, 2, 2, 1, 1, 1]);
    let mut first: Vec<_> = rows[..4].iter().map(|(source, _)| *source).collect();
    first.sort_unstable();
    assert_eq!(first, ["", "10.0.0.62", "172.31.16.139", "52.213.180.42"]);
}

#[test]
fn as_table() {
    assert_command_snapshot!(loglens(&["query", FLOWS, SMALL]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    srcaddr        srcport  bytes  action  event_time
    -------------  -------  -----  ------  --------------------
    172.31.16.139    20641   4249  ACCEPT  2014-12-14T04:06:50Z
    172.31.9.69      49761   4249  REJECT  2014-12-14T04:06:50Z
    NULL              NULL   NULL  NULL    2015-05-10T18:01:16Z

    3 rows

    ----- stderr -----
    "#);
}

#[test]
fn as_csv() {
    assert_command_snapshot!(loglens(&["query", "-o", "csv", FLOWS, SMALL]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    srcaddr,srcport,bytes,action,event_time
    172.31.16.139,20641,4249,ACCEPT,2014-12-14T04:06:50Z
    172.31.9.69,49761,4249,REJECT,2014-12-14T04:06:50Z
    ,,,,2015-05-10T18:01:16Z

    ----- stderr -----
    "#);
}

#[test]
fn as_tsv() {
    assert_command_snapshot!(loglens(&["query", "-o", "tsv", FLOWS, SMALL]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    srcaddr	srcport	bytes	action	event_time
    172.31.16.139	20641	4249	ACCEPT	2014-12-14T04:06:50Z
    172.31.9.69	49761	4249	REJECT	2014-12-14T04:06:50Z
    				2015-05-10T18:01:16Z

    ----- stderr -----
    "#);
}

#[test]
fn as_json() {
    assert_command_snapshot!(loglens(&["query", "-o", "json", FLOWS, SMALL]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    [
    {"srcaddr":"172.31.16.139","srcport":20641,"bytes":4249,"action":"ACCEPT","event_time":"2014-12-14T04:06:50Z"},
    {"srcaddr":"172.31.9.69","srcport":49761,"bytes":4249,"action":"REJECT","event_time":"2014-12-14T04:06:50Z"},
    {"srcaddr":null,"srcport":null,"bytes":null,"action":null,"event_time":"2015-05-10T18:01:16Z"}
    ]

    ----- stderr -----
    "#);
}

#[test]
fn as_ndjson() {
    assert_command_snapshot!(loglens(&["query", "-o", "ndjson", FLOWS, SMALL]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    {"srcaddr":"172.31.16.139","srcport":20641,"bytes":4249,"action":"ACCEPT","event_time":"2014-12-14T04:06:50Z"}
    {"srcaddr":"172.31.9.69","srcport":49761,"bytes":4249,"action":"REJECT","event_time":"2014-12-14T04:06:50Z"}
    {"srcaddr":null,"srcport":null,"bytes":null,"action":null,"event_time":"2015-05-10T18:01:16Z"}

    ----- stderr -----
    "#);
}

#[test]
fn as_markdown() {
    assert_command_snapshot!(loglens(&["query", "-o", "markdown", FLOWS, SMALL]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    | srcaddr | srcport | bytes | action | event_time |
    | --- | ---: | ---: | --- | --- |
    | 172.31.16.139 | 20641 | 4249 | ACCEPT | 2014-12-14T04:06:50Z |
    | 172.31.9.69 | 49761 | 4249 | REJECT | 2014-12-14T04:06:50Z |
    | NULL | NULL | NULL | NULL | 2015-05-10T18:01:16Z |

    ----- stderr -----
    "#);
}

/// The binary formats begin and end as they must, and go to a pipe.
#[test]
fn as_arrow_and_parquet() {
    for (format, begin) in [("arrow", &b"\xff\xff\xff\xff"[..]), ("parquet", b"PAR1")] {
        let (output, _, err) = run(&mut loglens(&["query", "-o", format, FLOWS, SMALL]));
        assert!(output.status.success(), "{err}");
        assert_eq!(err, "");
        assert_eq!(&output.stdout[..4], begin, "{format}");
        if format == "parquet" {
            assert!(output.stdout.ends_with(b"PAR1"));
        }
    }
}

/// What a program reads from no rows: still the names, or an empty array.
#[test]
fn no_rows_in_every_format() {
    let sql = "SELECT srcaddr, bytes FROM vpc_flow_logs WHERE bytes < 0";
    let mut all = String::new();
    for format in ["table", "csv", "tsv", "json", "ndjson", "markdown"] {
        all += &format!(
            "{format}:\n{}\n",
            answer(&mut loglens(&["query", "-o", format, sql, SMALL]))
        );
    }
    insta::assert_snapshot!(all, @r#"
    table:
    srcaddr  bytes
    -------  -----

    0 rows

    csv:
    srcaddr,bytes

    tsv:
    srcaddr	bytes

    json:
    []

    ndjson:

    markdown:
    | srcaddr | bytes |
    | --- | ---: |
    "#);
}

#[test]
fn the_extension_of_to_names_the_format() {
    let folder = folder(&[]);
    for (name, begin) in [
        ("a.csv", "srcaddr,srcport,"),
        ("a.TSV", "srcaddr\tsrcport\t"),
        ("a.json", "["),
        ("a.ndjson", "{\"srcaddr\":"),
        ("a.markdown", "| srcaddr"),
        ("a.txt", "srcaddr "),
        ("plain", "srcaddr "),
        ("a.parquet", "PAR1"),
    ] {
        let to = below(&folder, name);
        assert_eq!(
            answer(&mut loglens(&["query", FLOWS, SMALL, "--to", &to])),
            ""
        );
        let bytes = fs::read(&to).unwrap();
        assert!(
            bytes.starts_with(begin.as_bytes()),
            "{name}: {:?}",
            String::from_utf8_lossy(&bytes)
        );
    }
    let names = names(folder.path());
    assert_eq!(names.len(), 8, "{names:?}");
}

#[test]
fn the_format_that_is_named_wins_over_the_extension() {
    let folder = folder(&[]);
    let to = below(&folder, "a.csv");
    answer(&mut loglens(&[
        "query", "-o", "ndjson", FLOWS, SMALL, "--to", &to,
    ]));
    assert!(fs::read_to_string(&to).unwrap().starts_with('{'));
}

#[test]
fn an_extension_that_is_no_format() {
    let folder = folder(&[]);
    let to = below(&folder, "a.xlsx");
    assert_command_snapshot!(loglens(&["query", FLOWS, SMALL, "--to", &to]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: [folder]/a.xlsx: no output format is called xlsx
    hint: say it with -o
    "#);
    assert_eq!(names(folder.path()), [""; 0]);
}

/// A failed query leaves what was there before, and nothing else.
#[test]
fn a_failure_leaves_the_old_result() {
    let folder = folder(&[("a.csv", b"old")]);
    let to = below(&folder, "a.csv");
    for sql in [
        "SELECT nothing FROM vpc_flow_logs",
        "SELECT CAST(srcaddr AS bigint) FROM vpc_flow_logs",
    ] {
        let (output, _, err) = run(&mut loglens(&["query", sql, SMALL, "--to", &to]));
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert_eq!(names(folder.path()), ["a.csv"]);
        assert_eq!(fs::read_to_string(&to).unwrap(), "old");
    }
}

#[test]
fn a_result_file_in_no_folder() {
    let folder = folder(&[]);
    let to = below(&folder, "none/a.csv");
    assert_command_snapshot!(loglens(&["query", FLOWS, SMALL, "--to", &to]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: [folder]/none/a.csv: No such file or directory (os error 2)
    "#);
}

#[test]
fn several_statements() {
    let sql = "SELECT 1 AS a; SELECT count(*) AS flows FROM vpc_flow_logs; SELECT 'x' AS b;";
    assert_command_snapshot!(loglens(&["query", sql, SMALL]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    a
    -
    1

    1 row

    flows
    -----
        7

    1 row

    b
    -
    x

    1 row

    ----- stderr -----
    "#);
}

#[test]
fn several_statements_as_csv() {
    let sql = "SELECT 1 AS a; SELECT 'x' AS b, 2 AS c";
    assert_command_snapshot!(loglens(&["query", "-o", "csv", sql, SMALL]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    a
    1
    b,c
    x,2

    ----- stderr -----
    "#);
}

#[test]
fn sql_from_a_file() {
    let folder = folder(&[(
        "q.sql",
        b"-- flows\nSELECT count(*) AS flows\nFROM vpc_flow_logs;\n",
    )]);
    let file = below(&folder, "q.sql");
    assert_command_snapshot!(loglens(&["query", "-f", &file, SMALL, "testdata/tgw"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    flows
    -----
        7

    1 row

    ----- stderr -----
    "#);
}

#[test]
fn standard_input() {
    let input = format!("{HEADER}{RECORD}{RECORD}");
    assert_command_snapshot!(
        loglens(&["query", "SELECT count(*) AS flows, sum(bytes) AS bytes FROM vpc_flow_logs", "-"]).pass_stdin(input),
        @r#"
        success: true
        exit_code: 0
        ----- stdout -----
        flows  bytes
        -----  -----
            2   8498

        1 row

        ----- stderr -----
        "#
    );
}

#[test]
fn globs() {
    let sql = "SELECT count(*) AS flows, count(DISTINCT \"$path\") AS objects FROM vpc_flow_logs";
    assert_command_snapshot!(loglens(&["query", sql, "testdata/**/vrl-v[23]*.log"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    flows  objects
    -----  -------
       15        2

    1 row

    ----- stderr -----
    "#);
}

#[test]
fn a_glob_that_matches_nothing() {
    assert_command_snapshot!(loglens(&["query", "SELECT * FROM vpc_flow_logs", "testdata/*.log"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: testdata/*.log: no file matches
    hint: * stays within one folder; ** goes through all below
    "#);
}

#[test]
fn since_and_until() {
    let sql = "SELECT count(*) AS flows, min(event_time) AS \"first\", max(event_time) AS \"last\" FROM vpc_flow_logs";
    assert_command_snapshot!(
        loglens(&["query", "--since", "2015-08-12T12:47:44", "--until", "2019-08-27", sql, "testdata/vpcflow"]),
        @r#"
        success: true
        exit_code: 0
        ----- stdout -----
        flows  first                 last
        -----  --------------------  --------------------
           10  2015-08-12T13:47:43Z  2019-08-26T19:48:53Z

        1 row

        ----- stderr -----
        "#
    );
}

/// `--tz` moves both what is read and what is shown.
#[test]
fn times_in_a_zone() {
    let sql = "SELECT DISTINCT event_time FROM vpc_flow_logs ORDER BY 1";
    assert_command_snapshot!(
        loglens(&["query", "--tz", "Europe/Berlin", "--since", "2014-12-14T05:06:50", "--until", "2014-12-14T05:06:51", sql, SMALL]),
        @r#"
        success: true
        exit_code: 0
        ----- stdout -----
        event_time
        -------------------------
        2014-12-14T05:06:50+01:00

        1 row

        ----- stderr -----
        "#
    );
}

#[test]
fn the_last_hour() {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let record = |ago: u64| {
        let (start, end) = (now - ago, now - ago + 60);
        format!("2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 {ago} {start} {end} ACCEPT OK\n")
    };
    let text = format!("{HEADER}{}{}{}", record(600), record(3000), record(9000));
    let folder = folder(&[("a.log", text.as_bytes())]);
    let place = below(&folder, "");
    let sql = "SELECT count(*) FROM vpc_flow_logs";
    for (last, rows) in [("15m", "1"), ("1h", "2"), ("1d", "3")] {
        let out = answer(&mut loglens(&[
            "query", "-o", "csv", "--last", last, sql, &place,
        ]));
        assert_eq!(out.lines().nth(1), Some(rows), "--last {last}");
    }
}

#[test]
fn stats() {
    assert_command_snapshot!(
        loglens(&["query", "--stats", "SELECT count(*) AS n FROM vpc_flow_logs WHERE action = 'REJECT'", SMALL]),
        @r#"
        success: true
        exit_code: 0
        ----- stdout -----
        n
        -
        2

        1 row

        ----- stderr -----
        objects  1
        bytes    892 B read, 892 B inflated
        records  8 = 2 rows + 5 filtered + 0 unexamined + 0 rejects + 1 skipped
        time     [time]
        memory   [memory]
        "#
    );
}

/// Every record is accounted for, also rejected and skipped ones, and ones of two tables.
#[test]
fn stats_add_up() {
    let bad = format!("{HEADER}{RECORD}too short\n\n{RECORD}");
    let folder = folder(&[("bad.log", bad.as_bytes())]);
    let place = below(&folder, "bad.log");
    for sql in [
        "SELECT count(*) FROM vpc_flow_logs",
        "SELECT * FROM vpc_flow_logs WHERE bytes > 1000",
        "SELECT * FROM vpc_flow_logs LIMIT 1",
        "SELECT * FROM rejects",
        "SELECT (SELECT count(*) FROM vpc_flow_logs) AS a, (SELECT count(*) FROM tgw_flow_logs) AS b",
    ] {
        let (output, _, err) = run(&mut loglens(&["query", "--stats", sql, "testdata", &place]));
        assert!(output.status.success(), "{err}");
        let line = err
            .lines()
            .find(|line| line.starts_with("records"))
            .unwrap();
        let numbers: Vec<u64> = line
            .split(' ')
            .filter_map(|word| word.replace(',', "").parse().ok())
            .collect();
        assert_eq!(numbers.len(), 6, "{line}");
        assert_eq!(
            numbers[0],
            numbers[1..].iter().sum::<u64>(),
            "{sql}: {line}"
        );
    }
}

#[test]
fn rejects_are_said_and_listed() {
    let bad = format!(
        "{HEADER}{RECORD}too short\n{}",
        RECORD.replace("443", "https")
    );
    let folder = folder(&[("bad.log", bad.as_bytes())]);
    let place = below(&folder, "bad.log");
    assert_command_snapshot!(loglens(&["query", "SELECT dstport FROM vpc_flow_logs", &place]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    dstport
    -------
        443
       NULL

    2 rows

    ----- stderr -----
    note: 1 record rejected, 1 value set aside, first [folder]/bad.log:3: expected 14 fields, found 2; all of them: loglens query "SELECT * FROM rejects" [folder]/bad.log
    "#);
    assert_command_snapshot!(loglens(&["query", "-o", "json", "SELECT * FROM rejects", &place]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    [
    {"object":"[folder]/bad.log","line":3,"byte_offset":205,"format":"vpc_flow_logs","field":null,"kind":"record","reason":"expected 14 fields, found 2","excerpt":"too short"},
    {"object":"[folder]/bad.log","line":4,"byte_offset":215,"format":"vpc_flow_logs","field":"dstport","kind":"value","reason":"not an integer","excerpt":"2 123456789012 eni-1 10.0.0.1 10.0.0.2 1000 https 6 20 4249 1418530010 1418530070 ACCEPT OK"}
    ]

    ----- stderr -----
    note: 1 record rejected, 1 value set aside, first [folder]/bad.log:3: expected 14 fields, found 2; all of them: loglens query "SELECT * FROM rejects" [folder]/bad.log
    "#);
}

#[test]
fn strict() {
    let bad = format!("{HEADER}{RECORD}{}", RECORD.replace("443", "https"));
    let folder = folder(&[("bad.log", bad.as_bytes())]);
    let place = below(&folder, "bad.log");
    assert_command_snapshot!(loglens(&["query", "--strict", "SELECT count(*) FROM vpc_flow_logs", &place]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: [folder]/bad.log:3: dstport: not an integer
    hint: leave out --strict to go on without it
    "#);
    assert_command_snapshot!(loglens(&["query", "--strict", "SELECT count(*) FROM vpc_flow_logs", SMALL]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    count(*)
    --------
           7

    1 row

    ----- stderr -----
    "#);
}

#[test]
fn table_and_fields() {
    let folder = folder(&[("a.log", b"10.0.0.1 443 ACCEPT\n10.0.0.2 22 REJECT\n")]);
    let place = below(&folder, "a.log");
    let sql = "SELECT srcaddr, dstport, action FROM vpc_flow_logs ORDER BY 1";
    for fields in [
        "srcaddr dstport action",
        "${srcaddr} ${dstport} ${action}",
        "srcaddr,dstport,action",
    ] {
        let out = answer(&mut loglens(&[
            "query",
            "-o",
            "csv",
            "--table",
            "vpc_flow_logs",
            "--fields",
            fields,
            sql,
            &place,
        ]));
        assert_eq!(
            out, "srcaddr,dstport,action\n10.0.0.1,443,ACCEPT\n10.0.0.2,22,REJECT\n",
            "{fields}"
        );
    }
}

#[test]
fn explain() {
    let (output, out, err) = run(&mut loglens(&[
        "query",
        "EXPLAIN SELECT srcaddr FROM vpc_flow_logs WHERE bytes > 9",
        SMALL,
    ]));
    assert!(output.status.success(), "{err}");
    assert!(out.contains("bytes"), "{out}");
    assert!(!out.contains("plan_type"), "a plan is shown as text: {out}");
    insta::assert_snapshot!(out, @r#"
    logical_plan
    TableScan: vpc_flow_logs projection=[srcaddr], full_filters=[vpc_flow_logs.bytes > Int64(9)]

    physical_plan
    CooperativeExec
      DataSourceExec: table=vpc_flow_logs, objects=1, projection=[srcaddr], fields=[bytes >= 10]
    "#);
}

#[test]
fn expressions_need_no_logs() {
    assert_command_snapshot!(loglens(&["query", "SELECT 1 + 1 AS two"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    two
    ---
      2

    1 row

    ----- stderr -----
    "#);
}

/// A file of Firehose: messages of CloudWatch Logs one after the other.
#[test]
fn logs_in_envelopes() {
    let message = |kind: &str, owner: &str, event: &str| {
        let event = event.trim_end();
        format!(
            r#"{{"messageType":"{kind}","owner":"{owner}","logGroup":"vpc-flows","logStream":"eni-1","logEvents":[{{"id":"1","timestamp":1418530010000,"message":"{event}"}}]}}"#
        )
    };
    let object = [
        message("CONTROL_MESSAGE", "CloudwatchLogs", "health"),
        message("DATA_MESSAGE", "111122223333", RECORD),
        message("DATA_MESSAGE", "444455556666", "2 eni-1"),
    ];
    let folder = folder(&[("stream-1-2026-11-20-13-00-00", object.concat().as_bytes())]);
    let sql = r#"SELECT accid, srcaddr, "$log_group", "$log_stream", "$line" FROM vpc_flow_logs"#;
    let place = below(&folder, "stream-1-2026-11-20-13-00-00");
    assert_command_snapshot!(loglens(&["query", sql, &place]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    accid         srcaddr   $log_group  $log_stream  $line
    ------------  --------  ----------  -----------  -----
    111122223333  10.0.0.1  vpc-flows   eni-1            1

    1 row

    ----- stderr -----
    note: 1 record rejected, first [folder]/stream-1-2026-11-20-13-00-00:2: expected 14 fields, found 2; all of them: loglens query "SELECT * FROM rejects" [folder]/stream-1-2026-11-20-13-00-00
    "#);
}
