//! Records in the envelopes of CloudWatch Logs and Firehose.

use std::sync::Arc;

use loglens_parsers::detect::{all_by_head, by_head};
use loglens_parsers::envelope::OriginPart;
use loglens_parsers::format::{Format, built_in, by_name};
use loglens_parsers::reject::Counts;
use loglens_parsers::table::ColumnSource;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::reader::{Reader, Reading, gzip, zstd};
use crate::vpc;

const FLOW: &str =
    "2 123456789010 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1418530010 1418530070 ACCEPT OK";
const EVENT: &str = r#"{"eventVersion":"1.08","eventType":"AwsApiCall","eventName":"A{"}"#;

/// A message of a log group with these events.
pub(crate) fn data(group: &str, messages: &[&str]) -> String {
    let events = messages.iter().enumerate();
    let events: Vec<String> = events
        .map(|(id, message)| {
            format!(
                r#"{{"id":"{id}","timestamp":1,"message":{}}}"#,
                json!(message)
            )
        })
        .collect();
    format!(
        r#"{{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":{},"logStream":"eni-1","#,
        json!(group)
    ) + &format!(
        r#""subscriptionFilters":["all {{[\""],"logEvents":[{}]}}"#,
        events.join(",")
    )
}

fn control() -> String {
    data("", &["CWL CONTROL MESSAGE: Checking health"]).replace("DATA_", "CONTROL_")
}

fn cloudtrail() -> Arc<Format> {
    Arc::clone(by_name("cloudtrail_logs").unwrap())
}

/// Records, rows, rejects, skipped.
fn counts(found: &Reading) -> [u64; 4] {
    assert!(found.counts.add_up());
    let Counts {
        records,
        rows,
        rejects,
        skipped,
        ..
    } = found.counts;
    [records, rows, rejects, skipped]
}

#[test]
fn every_log_event_is_a_record() {
    let flows = || data("vpc-flow", &[FLOW, FLOW]);
    let of = |events: &str| format!(r#"{{"logEvents":[{events}],"messageType":"DATA_MESSAGE"}}"#);
    let event = |message: &str| json!({ "message": message }).to_string();
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let rows: &[(&str, String, [u64; 4])] = &[
        ("one message", flows(), [2, 2, 0, 0]),
        ("nothing between", flows() + &flows(), [4, 4, 0, 0]),
        (
            "white space between",
            flows() + " \r\n\t" + &flows(),
            [4, 4, 0, 0],
        ),
        ("commas between", flows() + "," + &flows(), [4, 4, 0, 0]),
        (
            "a byte order mark",
            "\u{feff}".to_owned() + &flows(),
            [2, 2, 0, 0],
        ),
        ("a control message", control() + &flows(), [3, 2, 0, 1]),
        (
            "one without events",
            r#"{"messageType":"CONTROL_MESSAGE"}"#.to_owned() + &flows(),
            [3, 2, 0, 1],
        ),
        ("no events", data("vpc-flow", &[]), [0, 0, 0, 0]),
        ("events before all else", of(&event(FLOW)), [1, 1, 0, 0]),
        (
            "printed over lines",
            serde_json::to_string_pretty(&serde_json::from_str::<Value>(&flows()).unwrap())
                .unwrap(),
            [2, 2, 0, 0],
        ),
        (
            "an empty message",
            data("vpc-flow", &["", FLOW, "\n"]),
            [3, 1, 0, 2],
        ),
        (
            "line ends",
            data("vpc-flow", &[&format!("{FLOW}\r\n"), FLOW]),
            [2, 2, 0, 0],
        ),
        (
            "a line feed within",
            data("vpc-flow", &[&format!("{FLOW}\n{FLOW}"), FLOW]),
            [2, 1, 1, 0],
        ),
        (
            "a broken record",
            data("vpc-flow", &["2 eni-1", FLOW]),
            [2, 1, 1, 0],
        ),
        (
            "events that are none",
            of(&["1", "{}", r#"{"message":7}"#, "[]", &event(FLOW)].join(",")),
            [5, 1, 4, 0],
        ),
        (
            "an array that breaks off within",
            of(&format!("{} {}", event(FLOW), event(FLOW))),
            // The second object is found again, as one with a message.
            [3, 1, 2, 0],
        ),
        (
            "an array with nothing between commas",
            of(&format!("{},,{}", event(FLOW), event(FLOW))),
            [2, 1, 1, 0],
        ),
        (
            "huge numbers",
            of(&format!(
                r#"{{"timestamp":1e999999999,"id":{},"message":"{FLOW}"}}"#,
                "9".repeat(999)
            )),
            [1, 1, 0, 0],
        ),
        (
            "members that nobody knows",
            flows().replacen(
                '{',
                &format!(r#"{{"policyLevel":"ACCOUNT","z":{{"y":{}}},"#, "[[]]"),
                1,
            ),
            // Something nested before all that tells: no envelope.
            [1, 0, 1, 0],
        ),
        (
            "an unknown one later",
            flows() + &flows().replacen('{', r#"{"z":{"y":[[]]},"#, 1),
            [4, 4, 0, 0],
        ),
        (
            "too deep",
            flows() + &flows().replacen('{', &format!(r#"{{"z":{deep},"#), 1),
            [3, 2, 1, 0],
        ),
        (
            "other JSON among them",
            flows() + r#"{"a":1}"#,
            [3, 2, 1, 0],
        ),
        (
            "garbage among them",
            flows() + "\nwhat\n" + &flows(),
            [5, 4, 1, 0],
        ),
        (
            "two lists of events",
            flows().replacen('{', r#"{"logEvents":[],"#, 1),
            [1, 0, 1, 0],
        ),
        (
            "events that are no list",
            r#"{"logEvents":[],"logEvents":3}"#.to_owned(),
            [1, 0, 1, 0],
        ),
        (
            "of another type",
            flows().replace("DATA_", "OTHER_"),
            [1, 0, 1, 0],
        ),
        (
            "lines in objects",
            format!(
                "{0}{0}\n{0}",
                json!({"message": FLOW, "zone": {"a": "info"}})
            ),
            [3, 3, 0, 0],
        ),
        (
            "both kinds",
            json!({ "message": FLOW }).to_string() + &flows(),
            [3, 3, 0, 0],
        ),
        (
            "another's",
            flows() + &data("CloudTrail/x", &[EVENT, EVENT]),
            [4, 2, 0, 2],
        ),
        (
            "another's by name alone",
            data("CloudTrail/x", &[FLOW]),
            [1, 1, 0, 0],
        ),
    ];
    for (what, object, expected) in rows {
        let found = Reader::new(&vpc()).read_plain(object.as_bytes());
        assert_eq!(
            counts(&found),
            *expected,
            "{what}: {object}\n{:?}",
            found.reasons()
        );
        if expected[2] == 0 {
            assert_eq!(found.reasons(), [""; 0], "{what}");
        }
    }
}

#[test]
fn every_log_event_of_json_is_a_record() {
    let rows: &[(&str, String, [u64; 4])] = &[
        ("two", data("CloudTrail", &[EVENT, EVENT]), [2, 2, 0, 0]),
        (
            "a line feed within",
            data("t", &[&EVENT.replace(',', ",\n"), EVENT]),
            [2, 2, 0, 0],
        ),
        (
            "one that breaks off",
            data("t", &[&EVENT[..50], EVENT]),
            [2, 1, 1, 0],
        ),
        (
            "in a string",
            data("t", &[&EVENT[..10], EVENT]),
            [2, 1, 1, 0],
        ),
        ("in an array", data("t", &["[", EVENT]), [2, 1, 1, 0]),
        (
            "of a wrapper",
            data("t", &[r#"{"Records":["#, EVENT]),
            [2, 1, 1, 0],
        ),
        (
            "that closes too much",
            data("t", &["]}", EVENT]),
            [2, 1, 1, 0],
        ),
        (
            "no JSON",
            data("t", &["a line", EVENT, "\"", EVENT]),
            [4, 2, 2, 0],
        ),
        ("nothing", data("t", &["", " \n", EVENT, ","]), [4, 1, 0, 3]),
        (
            "several in one",
            data(
                "t",
                &[&format!(r#"{{"Records":[{EVENT},{EVENT}]}}"#), EVENT],
            ),
            [3, 3, 0, 0],
        ),
        (
            "lines in objects",
            json!({ "message": EVENT }).to_string().repeat(2),
            [2, 2, 0, 0],
        ),
        (
            "another's",
            data("vpc-flow", &[FLOW]) + &data("t", &[EVENT]),
            [2, 1, 0, 1],
        ),
    ];
    for (what, object, expected) in rows {
        for pieces in [usize::MAX, 7, 1] {
            let reader = Reader::new(&cloudtrail()).in_pieces(&[pieces]);
            let found = reader.read_plain(object.as_bytes());
            assert_eq!(
                counts(&found),
                *expected,
                "{what}: {object}\n{:?}",
                found.reasons()
            );
        }
    }
}

#[test]
fn a_record_with_a_message_is_no_envelope() {
    let format = |message: &str| {
        let text = format!(
            "table=\"t\"\ntitle=\"t\"\nabout=\"t\"\nsource=\"t\"\nshape={{kind=\"json\"}}\n\
             columns=[{{name=\"level\",kind=\"text\",doc=\"a\"}}{message}]\n\
             [recognise]\nmembers=[\"level\"]"
        );
        Arc::new(Format::from_toml(&text).unwrap())
    };
    let line = r#"{"message":"{\"level\":\"inner\"}","level":"outer"}"#;
    let own = format(",{name=\"message\",kind=\"text\",doc=\"a\"}");
    for (format, line, expected) in [
        (format(""), line, "outer"),
        (own, line, "outer"),
        (
            format(""),
            r#"{"message":"{\"level\":\"inner\"}","a":1}"#,
            "inner",
        ),
    ] {
        for pieces in [usize::MAX, 1] {
            let found = Reader::new(&format)
                .in_pieces(&[pieces])
                .read_plain(line.as_bytes());
            assert_eq!(found.column("level"), [Some(expected.to_owned())], "{line}");
        }
    }
}

#[test]
fn where_records_come_from_and_where_they_stand() {
    let both = json!({"@aws.account": "999999999999", "@aws.region": "eu-west-1", "x": "y"});
    let message = json!({
        "owner": "111122223333",
        "logGroup": "vpc \"flow\"",
        "logStream": "",
        "logEvents": [
            {"message": FLOW, "extractedFields": both},
            {"message": FLOW, "extractedFields": {"@aws.region": "eu-west-2"}},
            {"message": FLOW, "extractedFields": null},
            {"message": "2 eni-1"},
            {"message": "3 ".to_owned() + &FLOW[2..], "extractedFields": {}},
        ],
    });
    let object = control() + &message.to_string() + &json!({ "message": FLOW }).to_string();
    let reader = Reader::new(&vpc());
    let sources = OriginPart::ALL.map(ColumnSource::Origin);
    let sources = sources.into_iter().chain([ColumnSource::Line]);
    let columns: Vec<usize> = sources.map(|source| reader.index_of(source)).collect();
    let found = reader.projecting(&columns).read_plain(object.as_bytes());
    let texts = |name: &str| -> Vec<String> {
        let texts = found.column(name).into_iter();
        texts.map(Option::unwrap_or_default).collect()
    };
    let owner = "111122223333";
    assert_eq!(texts("$account"), ["999999999999", owner, owner, owner, ""]);
    assert_eq!(texts("$region"), ["eu-west-1", "eu-west-2", "", "", ""]);
    assert_eq!(texts("$log_group")[3..], ["vpc \"flow\"", ""]);
    assert_eq!(texts("$log_stream"), [""; 5]);
    assert_eq!(texts("$line"), ["1", "2", "3", "5", "6"]);
    let reject = &found.rejects[0];
    assert_eq!((reject.line, &*reject.excerpt), (4, "2 eni-1"));
    assert!(object[reject.offset as usize..].starts_with(r#"{"message":"2 eni-1"}"#));
}

#[test]
fn objects_that_break_off() {
    let (first, second) = (data("vpc-flow", &[FLOW]), data("vpc-flow", &[FLOW, FLOW]));
    let object = [first.as_str(), &second].concat();
    for length in first.len() + 1..object.len() {
        let found = Reader::new(&vpc()).read_cut_off(&object.as_bytes()[..length]);
        assert_eq!(counts(&found), [2, 1, 1, 0], "{length}");
        assert_eq!(found.reasons(), ["0: the object ends inside this record"]);
        let packed = gzip(&object.as_bytes()[..length]);
        let found = Reader::new(&vpc()).read(&packed[..packed.len() - 9]);
        assert!(found.damage.is_some() && found.counts.add_up());
    }
}

#[test]
fn the_log_group_tells_the_table_or_else_the_record() {
    let rows: &[(&str, String, &[&str])] = &[
        (
            "group",
            data("my-VPC-flow-logs", &["?"]),
            &["vpc_flow_logs"],
        ),
        ("record", data("x", &[FLOW]), &["vpc_flow_logs"]),
        ("JSON record", data("x", &[EVENT]), &["cloudtrail_logs"]),
        ("neither", data("x", &["?"]), &[]),
        ("control messages alone", control(), &[]),
        (
            "behind a control message",
            control() + &data("x", &[FLOW]),
            &["vpc_flow_logs"],
        ),
        (
            "several",
            data("x", &[FLOW]) + &data("x", &[FLOW]) + &data("cloudtrail", &["?"]),
            &["vpc_flow_logs", "cloudtrail_logs"],
        ),
        (
            "cut off behind the group",
            data("vpcflow", &[FLOW])[..120].to_owned(),
            &["vpc_flow_logs"],
        ),
        (
            "cut off behind the first record",
            data("x", &[FLOW, FLOW])
                .split(r#"{"id":"1""#)
                .next()
                .unwrap()
                .to_owned(),
            &["vpc_flow_logs"],
        ),
        (
            "message",
            json!({ "message": FLOW }).to_string(),
            &["vpc_flow_logs"],
        ),
        (
            "message of JSON",
            json!({ "message": EVENT }).to_string(),
            &["cloudtrail_logs"],
        ),
        (
            "message of nothing",
            json!({ "message": "?" }).to_string(),
            &[],
        ),
        (
            "broken",
            "{\"messageType\":\"DATA_MESSAGE\",\u{0}".to_owned(),
            &[],
        ),
    ];
    for (what, head, expected) in rows {
        let found = all_by_head(head.as_bytes(), built_in(), None);
        let mut tables: Vec<_> = found
            .iter()
            .map(|found| found.format.table.as_str())
            .collect();
        let mut expected = expected.to_vec();
        tables.sort_unstable();
        expected.sort_unstable();
        assert_eq!(tables, expected, "{what}: {head}");
    }
    let given = ["version", "interface-id", "srcaddr", "dstaddr"].map(str::to_owned);
    let custom = data("x", &["2 eni-1 10.0.0.1 10.0.0.2"]);
    assert!(by_head(custom.as_bytes(), built_in(), Some(&given)).is_some());
}

#[test]
fn gzip_in_gzip() {
    let flows = data("vpc-flow", &[FLOW]);
    let each = gzip(flows.as_bytes());
    for object in [
        each.repeat(3),
        gzip(&each.repeat(3)),
        gzip(&gzip(&each.repeat(3))),
        zstd(&each.repeat(3)),
        gzip(flows.repeat(3).as_bytes()),
    ] {
        for pieces in [usize::MAX, 100, 1] {
            let found = Reader::new(&vpc()).in_pieces(&[pieces]).read(&object);
            assert_eq!(found.damage, None);
            assert_eq!(counts(&found), [3, 3, 0, 0]);
        }
    }
}

/// Messages out of others' tests, all Apache-2.0. open-telemetry/opentelemetry-collector-contrib,
/// `subscription-filter/testdata/valid_cloudwatch_log_control.json` at 3f035ba8acc0, on one line, and
/// `vpc-flow-log/testdata/valid_vpc_flow_cw_custom.json` at bde0bded4153; airbnb/streamalert,
/// rules/classifier/cloudwatch at 75ba140d2e1a: `cloudwatch_control_message.json` and
/// `cloudwatch_cloudtrail.json`.
const OF_OTHERS: [&str; 4] = [
    r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"log_group_name","logStream":"log_stream_name","subscriptionFilters":["subscription_filter_name"],"logEvents":[{"id":"","timestamp":1763029869851,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}"#,
    r#"{"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logEvents": [{"id": "100", "timestamp": 1512601480749, "message": "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."}]}"#,
    r#"{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/aws/vpc/flowlogs","logStream":"eni-1234567890abcdef","subscriptionFilters":["MyFlowLogFilter"],"logEvents":[{"id":"35601234567890123456789012345678901234567890123456789","timestamp":1733430000000,"message":"2 eni-1235b8ca123456789 172.31.16.139 172.31.16.21"},{"id":"35601234567890123456789012345678901234567890123456788","timestamp":1733430001000,"message":"2 eni-1235b8ca123456789 172.31.9.69 172.31.9.12"}]}"#,
    r#"{"messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": "CloudTrail/DefaultLogGroup", "logStream": "123456789012_CloudTrail_us-east-1", "subscriptionFilters": ["FooBarSubscription"], "logEvents": [{"id": "44056647182143267075860006634052172261824828947338793472", "timestamp": 1526951139360, "message": "{\"eventVersion\": \"foo\", \"eventID\": \"bar\", \"eventTime\": \"foo\", \"sharedEventID\": \"bar\", \"additionalEventData\": {}, \"requestParameters\": {}, \"eventType\": \"foo\", \"responseElements\": {}, \"awsRegion\": \"foo\", \"eventName\": \"bar\", \"readOnly\": true, \"userIdentity\": {}, \"eventSource\": \"foo\", \"requestID\": \"bar\", \"userAgent\": \"foo\", \"sourceIPAddress\": \"bar\", \"resources\": [], \"recipientAccountId\": \"bar\"}"}]}"#,
];

#[test]
fn messages_of_others() {
    let [control, short_control, flows, trail] = OF_OTHERS;
    let given = ["version", "interface-id", "srcaddr", "dstaddr"].map(str::to_owned);
    let object = [control, flows, short_control].concat();
    let found = by_head(object.as_bytes(), built_in(), Some(&given)).unwrap();
    assert_eq!(found.format.table, "vpc_flow_logs");
    let found = Reader::new(&vpc())
        .given(&given)
        .read_plain(object.as_bytes());
    assert_eq!(counts(&found), [4, 2, 0, 2]);
    assert_eq!(found.column("dstaddr")[1].as_deref(), Some("172.31.9.12"));
    // Without the order that it was written in, nothing tells what the fields are.
    let found = Reader::new(&vpc()).read_plain(object.as_bytes());
    assert_eq!(counts(&found), [4, 0, 2, 2]);
    let found = by_head(trail.as_bytes(), built_in(), None).unwrap();
    assert_eq!(found.format.table, "cloudtrail_logs");
    let found = Reader::new(&found.format).read_plain(trail.as_bytes());
    assert_eq!(counts(&found), [1, 1, 0, 0]);
    assert_eq!(found.column("eventid"), [Some("bar".to_owned())]);
}

proptest! {
    /// The same lines in a file and in envelopes, whatever the split and the frame.
    #[test]
    fn an_envelope_changes_nothing(
        lines in vec(select(&[FLOW, "2 eni-1", "", "é \"\\ \t", "- - -"][..]), 0..30),
        events in 1..7_usize,
        between in select(&["", "\n", " "][..]),
        pieces in vec(1..200_usize, 1..5),
        block in select(&[1_usize, 300, 1 << 20][..]),
        frame in select(vec![<[u8]>::to_vec as fn(&[u8]) -> Vec<u8>, gzip]),
    ) {
        let messages: Vec<_> = lines.chunks(events).map(|lines| data("vpc-flow", lines)).collect();
        prop_assume!(!messages.is_empty());
        let object = frame(messages.join(between).as_bytes());
        let wrapped = Reader::new(&vpc()).in_pieces(&pieces).in_blocks_of(block).read(&object);
        let plain = Reader::new(&vpc()).read_plain(lines.join("\n").as_bytes());
        prop_assert_eq!(counts(&wrapped)[1..3].to_vec(), counts(&plain)[1..3].to_vec());
        prop_assert_eq!(wrapped.counts.records, lines.len() as u64);
        prop_assert_eq!(wrapped.batch(), plain.batch());
        prop_assert_eq!(wrapped.reasons(), plain.reasons());
    }

    #[test]
    fn an_envelope_changes_nothing_of_json(
        events in vec(select(&[EVENT, r#"{"eventName":"b"}"#, r#"{"a":{"b":[{}]}}"#][..]), 1..20),
        pieces in vec(1..200_usize, 1..5),
        block in select(&[1_usize, 300, 1 << 20][..]),
    ) {
        let object = events.chunks(3).map(|events| data("t", events)).collect::<String>();
        let reader = Reader::new(&cloudtrail()).in_pieces(&pieces).in_blocks_of(block);
        let wrapped = reader.read_plain(object.as_bytes());
        let plain = Reader::new(&cloudtrail()).read_plain(events.join("\n").as_bytes());
        prop_assert_eq!(counts(&wrapped), counts(&plain));
        prop_assert_eq!(wrapped.batch(), plain.batch());
    }
}
