//! Every record is accounted for: rejects, counts, `strict`, columns of headers and of keys.

use std::sync::Arc;

use loglens_engine::archive::Given;
use loglens_engine::{Engine, EngineOptions, Owner};
use loglens_parsers::format::{Format, by_name};

use crate::ask::{Answer, ask, ask_new};
use crate::logs::{Folder, HEADER, RECORD, gzip, text};

const SHORT: &str =
    "2 123456789010 eni-1 10.0.0.1 10.0.0.2 1000 443 6 10 840 1700000000 1700000060 ACCEPT";
const NO_PORT: &str =
    "2 123456789010 eni-1 10.0.0.1 10.0.0.2 1000 http 6 10 840 1700000000 1700000060 ACCEPT OK";
const HUGE_PORT: &str = "2 123456789010 eni-1 10.0.0.1 10.0.0.2 99999999999 443 6 10 840 1700000000 1700000060 REJECT OK";

/// Two good records, two short ones, two with values that do not fit, a blank line.
fn damaged() -> Folder {
    Folder::of(&[
        (
            "bad.log",
            &text(&[
                HEADER, RECORD, SHORT, NO_PORT, "", HUGE_PORT, "garbage", RECORD,
            ]),
        ),
        ("good.log", &text(&[HEADER, RECORD])),
    ])
}

/// Rejected records, values and objects.
fn rejects(answer: &Answer) -> (u64, u64, u64) {
    let rejects = &answer.totals.rejects;
    (rejects.records, rejects.values, rejects.objects)
}

#[tokio::test]
async fn damage_is_counted_exactly() {
    let folder = damaged();
    let engine = Engine::new(folder.options()).unwrap();
    let answer = ask(&engine, "SELECT count(*) FROM vpc_flow_logs")
        .await
        .unwrap();
    assert_eq!(answer.to_string(), "5");
    assert_eq!(rejects(&answer), (2, 0, 0), "no value was read");
    let counts = answer.totals.counts;
    assert_eq!(
        (counts.records, counts.rows, counts.rejects, counts.skipped),
        (10, 5, 2, 3)
    );
    assert_eq!(answer.totals.objects, 2);
    assert_eq!(answer.totals.bytes_read, answer.totals.bytes_inflated);
}

#[tokio::test]
async fn misfits_count_where_their_column_is_read() {
    let folder = damaged();
    let engine = Engine::new(folder.options()).unwrap();
    for (sql, values) in [
        ("SELECT srcaddr FROM vpc_flow_logs", 0),
        ("SELECT dstport FROM vpc_flow_logs", 1),
        ("SELECT srcport, dstport FROM vpc_flow_logs", 2),
        ("SELECT * FROM vpc_flow_logs", 2),
        ("SELECT srcaddr FROM vpc_flow_logs WHERE dstport = 443", 1),
    ] {
        let answer = ask(&engine, sql).await.unwrap();
        assert_eq!(rejects(&answer), (2, values, 0), "{sql}");
    }
    let ports = ask(&engine, "SELECT srcport, dstport FROM vpc_flow_logs")
        .await
        .unwrap();
    assert_eq!(
        ports.sorted(),
        ["1000 443", "1000 443", "1000 443", "1000 NULL", "NULL 443"]
    );
}

#[tokio::test]
async fn rejects_are_rows_of_a_table() {
    let folder = damaged();
    let engine = Engine::new(folder.options()).unwrap();
    let sql = "SELECT object, line, byte_offset, format, kind, field, reason, excerpt FROM rejects ORDER BY line";
    let answer = ask(&engine, sql).await.unwrap();
    let (short, no_port) = (HEADER.len() + RECORD.len() + 2, SHORT.len() + 1);
    let huge_port = short + no_port + NO_PORT.len() + 2;
    let garbage = huge_port + HUGE_PORT.len() + 1;
    let rows: Vec<_> = answer
        .lines()
        .iter()
        .map(|row| folder.shorten(row))
        .collect();
    assert_eq!(
        rows,
        [
            format!(
                "bad.log 3 {short} vpc_flow_logs record NULL expected 14 fields, found 13 {SHORT}"
            ),
            format!(
                "bad.log 4 {} vpc_flow_logs value dstport not an integer {NO_PORT}",
                short + no_port
            ),
            format!(
                "bad.log 6 {huge_port} vpc_flow_logs value srcport integer out of range {HUGE_PORT}"
            ),
            format!(
                "bad.log 7 {garbage} vpc_flow_logs record NULL expected 14 fields, found 1 garbage"
            ),
        ]
    );
    assert_eq!(rejects(&answer), (2, 2, 0));
    for (sql, expected) in [
        ("SELECT count(*) FROM rejects", "4"),
        (
            "SELECT count(DISTINCT object) FROM rejects WHERE kind = 'value'",
            "1",
        ),
        (
            "SELECT count(*) FROM (SELECT kind FROM rejects LIMIT 3)",
            "3",
        ),
    ] {
        assert_eq!(
            ask(&engine, sql).await.unwrap().to_string(),
            expected,
            "{sql}"
        );
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_is_mended_and_counted() {
    let mut bytes = text(&[HEADER]);
    bytes.extend(
        RECORD
            .replace("ACCEPT", "ACC?PT")
            .replace('?', "\u{1}")
            .bytes(),
    );
    let at = bytes.iter().position(|&byte| byte == 1).unwrap();
    bytes[at] = 0xff;
    let folder = Folder::of(&[("a.log", &bytes)]);
    let answer = ask_new(folder.options(), "SELECT action FROM vpc_flow_logs")
        .await
        .unwrap();
    assert_eq!(answer.to_string(), "ACC\u{fffd}PT");
    assert_eq!(rejects(&answer), (0, 1, 0));
}

#[tokio::test]
async fn a_ledger_adds_up_whatever_is_asked() {
    let folder = damaged();
    let engine = Engine::new(folder.options()).unwrap();
    // `ask` checks the sum of every statement.
    for (sql, rows, filtered, unexamined) in [
        ("SELECT srcaddr FROM vpc_flow_logs", 5, 0, 0),
        (
            "SELECT srcaddr FROM vpc_flow_logs WHERE action = 'REJECT'",
            1,
            0,
            7,
        ),
        (
            "SELECT srcaddr FROM vpc_flow_logs WHERE dstport IS NULL",
            1,
            4,
            0,
        ),
        (
            "SELECT srcaddr FROM vpc_flow_logs WHERE \"$line\" > 1000",
            0,
            5,
            0,
        ),
        (
            "SELECT srcaddr FROM vpc_flow_logs WHERE \"$path\" LIKE '%good.log'",
            1,
            4,
            0,
        ),
    ] {
        let answer = ask(&engine, sql).await.unwrap();
        let counts = answer.totals.counts;
        assert_eq!(answer.rows.len(), rows, "{sql}");
        assert_eq!(
            (counts.rows, counts.filtered, counts.unexamined),
            (rows as u64, filtered, unexamined),
            "{sql}"
        );
        assert_eq!(counts.records, 10, "{sql}");
    }
    for limit in [0, 1, 3, 5, 100] {
        let sql = format!("SELECT srcaddr FROM vpc_flow_logs LIMIT {limit}");
        let answer = ask(&engine, &sql).await.unwrap();
        assert_eq!(answer.rows.len(), limit.min(5), "{sql}");
    }
}

#[tokio::test]
async fn a_self_join_counts_rejects_once() {
    let folder = damaged();
    let sql = "SELECT count(*) FROM vpc_flow_logs a JOIN vpc_flow_logs b ON a.dstport = b.dstport";
    let answer = ask_new(folder.options(), sql).await.unwrap();
    assert_eq!(answer.to_string(), "16");
    assert_eq!(rejects(&answer), (2, 1, 0));
    assert_eq!(
        answer.totals.counts.rejects, 4,
        "the counts are of both scans"
    );
}

#[tokio::test]
async fn the_first_rejects_are_described() {
    let folder = damaged();
    let answer = ask_new(folder.options(), "SELECT * FROM vpc_flow_logs")
        .await
        .unwrap();
    let lines: Vec<_> = answer
        .totals
        .rejects
        .first
        .iter()
        .map(|(_, reject)| reject.line)
        .collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines.iter().all(|line| [3, 4, 6, 7].contains(line)),
        "{lines:?}"
    );
}

#[tokio::test]
async fn strict_fails_with_the_place() {
    for (lines, message) in [
        ([RECORD, SHORT], "a.log:3: expected 14 fields, found 13"),
        ([NO_PORT, RECORD], "a.log:2: dstport: not an integer"),
    ] {
        let folder = Folder::of(&[("a.log", &text(&[HEADER, lines[0], lines[1]]))]);
        // Whatever is read, everything is examined.
        for sql in [
            "SELECT count(*) FROM vpc_flow_logs",
            "SELECT srcaddr FROM vpc_flow_logs WHERE bytes = 840",
        ] {
            let options = EngineOptions {
                strict: true,
                ..folder.options()
            };
            let error = ask_new(options, sql).await.unwrap_err();
            assert_eq!(folder.shorten(&error.message), message, "{sql}");
            assert_eq!(error.owner, Owner::Data);
            assert!(error.hint.unwrap().contains("--strict"));
        }
    }
    let folder = Folder::of(&[("a.log", &text(&[HEADER, RECORD]))]);
    let options = EngineOptions {
        strict: true,
        ..folder.options()
    };
    let answer = ask_new(options, "SELECT count(*) FROM vpc_flow_logs")
        .await
        .unwrap();
    assert_eq!(answer.to_string(), "1");
}

#[tokio::test]
async fn unknown_names_of_a_header_become_columns() {
    let folder = Folder::of(&[
        (
            "a.log",
            &text(&["version srcaddr new-field", "2 10.0.0.1 x", "2 10.0.0.2 -"]),
        ),
        ("b.log", &text(&["version srcaddr other", "2 10.0.0.3 y"])),
        ("c.log", &text(&["version srcaddr", "2 10.0.0.4"])),
        // Names that no first header has are in `extra`.
        (
            "d.log",
            &text(&[
                "version srcaddr",
                "2 10.0.0.5",
                "version srcaddr late-field",
                "2 10.0.0.6 z",
            ]),
        ),
    ]);
    let engine = Engine::new(folder.options()).unwrap();
    let sql = "SELECT srcaddr, new_field, other, extra FROM vpc_flow_logs ORDER BY srcaddr";
    assert_eq!(
        ask(&engine, sql).await.unwrap().lines(),
        [
            "10.0.0.1 x NULL NULL",
            "10.0.0.2 NULL NULL NULL",
            "10.0.0.3 NULL y NULL",
            "10.0.0.4 NULL NULL NULL",
            "10.0.0.5 NULL NULL NULL",
            "10.0.0.6 NULL NULL {\"late-field\":\"z\"}",
        ]
    );
    let sql = "SELECT count(*) FROM vpc_flow_logs WHERE new_field = '-'";
    assert_eq!(
        ask(&engine, sql).await.unwrap().to_string(),
        "5",
        "- is NULL there too"
    );
}

#[tokio::test]
async fn a_header_that_names_a_field_twice_is_a_reject() {
    let folder = Folder::of(&[(
        "a.log",
        &text(&["version srcaddr srcaddr", "2 10.0.0.1 10.0.0.2"]),
    )]);
    let engine = Engine::new(folder.options()).unwrap();
    let answer = ask(&engine, "SELECT srcaddr FROM vpc_flow_logs")
        .await
        .unwrap();
    assert_eq!(answer.to_string(), "10.0.0.1");
    assert_eq!(rejects(&answer), (1, 0, 0));
    let reason = ask(&engine, "SELECT reason FROM rejects").await.unwrap();
    assert_eq!(reason.to_string(), "the header names \"srcaddr\" twice");
}

fn fields(names: &str) -> Given {
    Given {
        fields: Some(names.split(' ').map(str::to_owned).collect()),
        ..Given::default()
    }
}

fn vpc_flow_logs() -> Arc<Format> {
    Arc::clone(by_name("vpc_flow_logs").unwrap())
}

#[tokio::test]
async fn given_fields_serve_records_without_a_header() {
    let folder = Folder::of(&[
        (
            "a.log",
            &text(&[
                "10.0.0.1 443 ACCEPT seven",
                "10.0.0.2 - REJECT -",
                "10.0.0.3 80",
            ]),
        ),
        ("b.log", &text(&["dstport srcaddr", "22 10.0.0.4"])),
    ]);
    let options = EngineOptions {
        given: fields("srcaddr dstport action colour"),
        ..folder.options()
    };
    let sql = "SELECT srcaddr, dstport, action, colour FROM vpc_flow_logs ORDER BY srcaddr";
    let answer = ask_new(options, sql).await.unwrap();
    assert_eq!(
        answer.lines(),
        [
            "10.0.0.1 443 ACCEPT seven",
            "10.0.0.2 NULL REJECT NULL",
            "10.0.0.4 22 NULL NULL"
        ]
    );
    assert_eq!(rejects(&answer), (1, 0, 0));
}

#[tokio::test]
async fn a_given_format_takes_everything() {
    let folder = Folder::of(&[
        ("diary.txt", &text(&["Dear diary,", "it rained"])),
        ("a.log", &text(&[HEADER, RECORD])),
    ]);
    let unsure = Engine::new(folder.options()).unwrap();
    assert_eq!(
        ask(&unsure, "SELECT count(*) FROM rejects")
            .await
            .unwrap()
            .to_string(),
        "0"
    );
    let unrecognised = &unsure.archive().await.unwrap().unrecognised();
    assert_eq!(unrecognised.len(), 1);
    assert_eq!(folder.shorten(&unrecognised[0].key), "diary.txt");
    assert_eq!(unrecognised[0].reason, "no known log format");

    let given = Given {
        format: Some(vpc_flow_logs()),
        fields: None,
        ..Given::default()
    };
    let answer = ask_new(
        EngineOptions {
            given,
            ..folder.options()
        },
        "SELECT count(*) FROM vpc_flow_logs",
    )
    .await
    .unwrap();
    assert_eq!(answer.to_string(), "1");
    assert_eq!(rejects(&answer), (2, 0, 0));
}

#[tokio::test]
async fn what_is_not_there_is_an_error() {
    let folder = Folder::of(&[("a.log", &text(&[HEADER, RECORD])), ("empty.log", b"")]);
    let error = ask_new(folder.options(), "SELECT * FROM tgw_flow_logs")
        .await
        .unwrap_err();
    assert_eq!(error.owner, Owner::Data);
    assert_eq!(
        error.message,
        format!("{}: no tgw_flow_logs", folder.path())
    );
    assert_eq!(
        error.hint.unwrap(),
        "there is vpc_flow_logs; --table tgw_flow_logs reads everything as that"
    );

    let folder = Folder::of(&[]);
    let error = ask_new(folder.options(), "SELECT * FROM vpc_flow_logs")
        .await
        .unwrap_err();
    assert_eq!(error.message, format!("{}: no files", folder.path()));

    let error = ask_new(EngineOptions::default(), "SELECT * FROM vpc_flow_logs")
        .await
        .unwrap_err();
    assert_eq!(
        (error.owner, error.message.as_str()),
        (Owner::Usage, "no logs were named")
    );
    let without_logs = ask_new(EngineOptions::default(), "SELECT 1 + 1")
        .await
        .unwrap();
    assert_eq!(without_logs.to_string(), "2");
}

const POSITIONAL: &str = "in/AWSLogs/111111111111/vpcflowlogs/us-east-1/2026/01/02/111111111111_vpcflowlogs_us-east-1_fl-1_20260102T0305Z_a.log.gz";
const HOURLY: &str = "in/AWSLogs/222222222222/vpcflowlogs/eu-west-1/2026/01/02/07/222222222222_vpcflowlogs_eu-west-1_fl-2_20260102T0705Z_b.log.gz";
const HIVE: &str = "in/AWSLogs/aws-account-id=333333333333/aws-service=vpcflowlogs/aws-region=ap-south-1/year=2026/month=02/day=28/hour=23/x.log.gz";

#[tokio::test]
async fn keys_give_columns() {
    let log = gzip(&text(&[HEADER, RECORD]));
    let folder = Folder::of(&[
        (POSITIONAL, &log),
        (HOURLY, &log),
        (HIVE, &log),
        ("loose.log", &log),
    ]);
    let engine = Engine::new(folder.options()).unwrap();
    let sql = "SELECT accid, region, \"day\", \"date\", \"hour\", \"aws-account-id\", \"aws-region\", \"month\" FROM vpc_flow_logs ORDER BY accid";
    assert_eq!(
        ask(&engine, sql).await.unwrap().lines(),
        [
            "111111111111 us-east-1 2026/01/02 2026-01-02 NULL NULL NULL NULL",
            "222222222222 eu-west-1 2026/01/02 2026-01-02 07 NULL NULL NULL",
            "333333333333 ap-south-1 28 2026-02-28 23 333333333333 ap-south-1 02",
            "NULL NULL NULL NULL NULL NULL NULL NULL",
        ]
    );
    for (filter, rows) in [
        ("region = 'eu-west-1'", "1"),
        ("\"date\" = date '2026-01-02'", "2"),
        ("\"date\" >= date '2026-01-02' AND \"hour\" > '10'", "1"),
        ("\"day\" = '2026/01/02'", "2"),
        ("\"year\" = '2026'", "1"),
        ("accid IS NULL", "1"),
        ("accid <> account_id", "3"),
    ] {
        let sql = format!("SELECT count(*) FROM vpc_flow_logs WHERE {filter}");
        assert_eq!(
            ask(&engine, &sql).await.unwrap().to_string(),
            rows,
            "{filter}"
        );
    }
}

#[tokio::test]
async fn the_region_of_the_record_goes_before_that_of_the_key() {
    let log = text(&[
        "version region srcaddr",
        "4 us-gov-west-1 10.0.0.1",
        "4 - 10.0.0.2",
    ]);
    let folder = Folder::of(&[(POSITIONAL, &log)]);
    let sql = "SELECT srcaddr, region FROM vpc_flow_logs";
    assert_eq!(
        ask_new(folder.options(), sql).await.unwrap().lines(),
        ["10.0.0.1 us-gov-west-1", "10.0.0.2 NULL"]
    );
}

#[tokio::test]
async fn hive_segments_do_not_replace_what_the_log_says() {
    let folder = Folder::of(&[
        (
            "colour=key/extra=e/a.log",
            &text(&["version srcaddr colour", "2 10.0.0.1 log"]),
        ),
        (
            "colour=key/b.log",
            &text(&["version srcaddr", "2 10.0.0.2"]),
        ),
    ]);
    let sql = "SELECT srcaddr, colour, extra FROM vpc_flow_logs ORDER BY srcaddr";
    assert_eq!(
        ask_new(folder.options(), sql).await.unwrap().lines(),
        ["10.0.0.1 log NULL", "10.0.0.2 key NULL"]
    );
}

#[tokio::test]
async fn a_hive_date_is_a_date() {
    let log = text(&[HEADER, RECORD]);
    let folder = Folder::of(&[
        ("date=2026-02-28/a.log", &log),
        ("date=tomorrow/b.log", &log),
    ]);
    let sql = "SELECT \"date\", count(*) FROM vpc_flow_logs GROUP BY 1";
    let answer = ask_new(folder.options(), sql).await.unwrap();
    assert_eq!(answer.sorted(), ["2026-02-28 1", "NULL 1"]);
}

#[tokio::test]
async fn since_and_until_bound_event_time() {
    let lines: Vec<String> = (0..10)
        .map(|second| RECORD.replace("1700000000", &(1_700_000_000 + second).to_string()))
        .collect();
    let mut all = vec![HEADER];
    all.extend(lines.iter().map(String::as_str));
    // A record without a time is in no time range.
    let timeless = RECORD.replace("1700000000 1700000060", "- -");
    all.push(&timeless);
    let folder = Folder::of(&[("a.log", &text(&all))]);
    let micros = |second: i64| Some((1_700_000_000 + second) * 1_000_000);
    for (since, until, rows) in [
        (None, None, "11"),
        (micros(3), None, "7"),
        (None, micros(3), "3"),
        (micros(3), micros(5), "2"),
        (micros(5), micros(3), "0"),
    ] {
        for sql in [
            "SELECT count(*) FROM vpc_flow_logs",
            "SELECT count(event_time) + sum(CASE WHEN event_time IS NULL THEN 1 ELSE 0 END) FROM vpc_flow_logs HAVING count(*) > 0",
        ] {
            let options = EngineOptions {
                since,
                until,
                ..folder.options()
            };
            let answer = ask_new(options, sql).await.unwrap();
            let found = answer.rows.first().map_or("0", |row| row[0].as_str());
            assert_eq!(found, rows, "{since:?} {until:?} {sql}");
            assert_eq!(answer.totals.counts.records, 12);
        }
    }
}

#[tokio::test]
async fn times_are_shown_in_the_zone() {
    let folder = Folder::of(&[("a.log", &text(&[HEADER, RECORD]))]);
    let zone = Some("Europe/Berlin".to_owned());
    let options = EngineOptions {
        zone,
        ..folder.options()
    };
    let engine = Engine::new(options).unwrap();
    let time = ask(&engine, "SELECT event_time FROM vpc_flow_logs")
        .await
        .unwrap();
    assert_eq!(time.to_string(), "2023-11-14T23:13:20+01:00");
    let sql =
        "SELECT count(*) FROM vpc_flow_logs WHERE event_time = timestamp '2023-11-14 23:13:20'";
    assert_eq!(ask(&engine, sql).await.unwrap().to_string(), "1");
}
