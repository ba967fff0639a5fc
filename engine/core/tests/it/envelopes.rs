//! Logs in the envelopes of CloudWatch Logs, in files and as they lie in a bucket.

use loglens_engine::Engine;
use loglens_parsers::reject::Counts;

use crate::ask::ask;
use crate::logs::{Folder, HEADER, RECORD, gzip, text};

/// A message of a log group with these events, each a message and members behind it.
fn message(owner: &str, group: &str, events: &[(&str, &str)]) -> String {
    let events = events.iter().map(|(message, more)| {
        format!(r#"{{"id":"1","timestamp":1,"message":"{message}"{more}}}"#)
    });
    let events = events.collect::<Vec<_>>().join(",");
    format!(
        r#"{{"messageType":"DATA_MESSAGE","owner":"{owner}","logGroup":"{group}","logStream":"eni-1","subscriptionFilters":["all"],"logEvents":[{events}]}}"#
    )
}

const EVENT: &str =
    r#"{\"eventVersion\":\"1.08\",\"eventType\":\"AwsApiCall\",\"eventName\":\"GetObject\"}"#;

/// An object of several messages as Firehose writes it, one of a broken record, and a plain one.
fn folder() -> Folder {
    let control = message("CloudwatchLogs", "", &[("CWL CONTROL MESSAGE", "")]);
    let control = control.replace("DATA_MESSAGE", "CONTROL_MESSAGE");
    let region = r#","extractedFields":{"@aws.region":"eu-west-1"}"#;
    let both = r#","extractedFields":{"@aws.account":"333","@aws.region":"eu-west-2"}"#;
    let object = [
        control,
        message(
            "111",
            "vpc-flows",
            &[(RECORD, region), (RECORD, both), ("2 eni-1", "")],
        ),
        message("222", "CloudTrail/all", &[(EVENT, region)]),
        message("222", "my-vpc-flow-logs", &[(RECORD, "")]),
    ];
    let each: Vec<u8> = object
        .iter()
        .flat_map(|part| gzip(part.as_bytes()))
        .collect();
    Folder::of(&[
        (
            "2026/11/20/13/stream-1-2026-11-20-13-00-00-a.gz",
            &gzip(&each),
        ),
        ("plain.log", &text(&[HEADER, RECORD])),
        (
            "wrapped.json",
            format!(r#"{{"message":"{RECORD}"}}"#).as_bytes(),
        ),
    ])
}

#[tokio::test]
async fn logs_in_envelopes_are_rows_of_their_tables() {
    let folder = folder();
    let engine = Engine::new(folder.options()).unwrap();
    let rows: &[(&str, &[&str])] = &[
        (
            "SELECT accid, region, \"$log_group\", \"$log_stream\", \"$line\", srcport FROM vpc_flow_logs",
            &[
                "111 eu-west-1 vpc-flows eni-1 1 1000",
                "222 NULL my-vpc-flow-logs eni-1 4 1000",
                "333 eu-west-2 vpc-flows eni-1 2 1000",
                "NULL NULL NULL NULL 1 1000",
                "NULL NULL NULL NULL 2 1000",
            ],
        ),
        (
            "SELECT account, region, eventname, \"$log_group\" FROM cloudtrail_logs",
            &["222 eu-west-1 GetObject CloudTrail/all"],
        ),
        ("SELECT count(*) FROM vpc_flow_logs", &["5"]),
        (
            "SELECT region FROM vpc_flow_logs WHERE accid = '111'",
            &["eu-west-1"],
        ),
        (
            "SELECT accid FROM vpc_flow_logs WHERE region = 'eu-west-2'",
            &["333"],
        ),
        (
            "SELECT count(*) FROM vpc_flow_logs WHERE \"$log_group\" = 'my-vpc-flow-logs'",
            &["1"],
        ),
        (
            "SELECT count(*) FROM vpc_flow_logs WHERE \"$log_group\" IS NULL AND srcaddr = '10.0.0.1'",
            &["2"],
        ),
        (
            "SELECT line, kind, reason, excerpt FROM rejects",
            &["3 record expected 14 fields, found 2 2 eni-1"],
        ),
    ];
    for (sql, expected) in rows {
        let answer = ask(&engine, sql).await.unwrap();
        assert_eq!(answer.sorted(), *expected, "{sql}");
    }
}

#[tokio::test]
async fn every_record_of_an_envelope_is_accounted_for() {
    let folder = folder();
    let engine = Engine::new(folder.options()).unwrap();
    let counts = |records, rows, rejects, skipped| Counts {
        records,
        rows,
        rejects,
        skipped,
        ..Counts::default()
    };
    // A header, a control message and an event of the other table; the same the other way round.
    for (sql, expected) in [
        ("SELECT srcport FROM vpc_flow_logs", counts(9, 5, 1, 3)),
        ("SELECT eventname FROM cloudtrail_logs", counts(6, 1, 0, 5)),
    ] {
        assert_eq!(
            ask(&engine, sql).await.unwrap().totals.counts,
            expected,
            "{sql}"
        );
    }
}
