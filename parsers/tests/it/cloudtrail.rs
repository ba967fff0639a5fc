//! CloudTrail events, in every way that they are written down.

use std::sync::Arc;

use loglens_parsers::detect::by_head;
use loglens_parsers::format::{Format, built_in, by_name};
use loglens_parsers::json;
use loglens_parsers::reject::Reason;

use crate::reader::{Reader, Reading, gzip};
use crate::samples::log_files;

fn format() -> Arc<Format> {
    Arc::clone(by_name("cloudtrail_logs").unwrap())
}

fn read(bytes: &[u8]) -> Reading {
    Reader::new(&format()).read(bytes)
}

/// The events of a file, each as its JSON text.
fn events(bytes: &[u8]) -> Vec<String> {
    let mut values =
        serde_json::Deserializer::from_slice(bytes).into_iter::<serde::de::IgnoredAny>();
    let mut events = Vec::new();
    let mut start = 0;
    while let Some(value) = values.next() {
        value.unwrap();
        let text = bytes[start..values.byte_offset()].trim_ascii();
        start = values.byte_offset();
        let records = json::members(text, 0..text.len())
            .map(Result::unwrap)
            .find(|member| &text[member.key.clone()] == b"Records");
        match records {
            None => events.push(text.to_vec()),
            Some(records) => {
                let elements = json::elements(text, records.value).map(Result::unwrap);
                events.extend(elements.map(|element| text[element].to_vec()));
            }
        }
    }
    let text = |event: Vec<u8>| String::from_utf8(json::compact(&event).into_owned()).unwrap();
    events.into_iter().map(text).collect()
}

/// The same JSON with a line and blanks at every part of it.
fn pretty(compact: &str) -> String {
    let mut text = String::new();
    let (mut inside, mut escaped) = (false, false);
    for c in compact.chars() {
        let structural = !inside && "{}[],:".contains(c);
        if structural && "}]".contains(c) {
            text.push_str("\r\n\t");
        }
        text.push(c);
        if structural {
            text.push_str("\n  ");
        }
        if c == '"' && !escaped {
            inside = !inside;
        }
        escaped = inside && c == '\\' && !escaped;
    }
    text
}

fn trails() -> Vec<Vec<u8>> {
    let files = log_files().into_iter().filter(|path| {
        let folder = path.parent().unwrap();
        folder.ends_with("cloudtrail")
    });
    files.map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn one_line_and_pretty_and_ndjson_give_the_same() {
    let trails = trails();
    assert!(trails.len() > 5);
    for trail in trails {
        let events = events(&trail);
        let wrapped = format!(r#"{{"Records":[{}]}}"#, events.join(","));
        let ways = [
            wrapped.clone(),
            pretty(&wrapped),
            format!(
                r#"{{"foo":{{"Records":[1]}},"Records":[{}],"bar":[{{}}]}}"#,
                events.join(" , ")
            ),
            events.join("\n"),
            events.join("\r\n") + "\r\n",
            events.concat(),
            events
                .iter()
                .map(|event| pretty(event))
                .collect::<Vec<_>>()
                .join("\n\n"),
            format!("[{}]", events.join(",")),
            format!("\u{feff}{wrapped}{wrapped}"),
        ];
        let without_lines = |reading: &Reading| {
            let batch = reading.batch();
            batch
                .slice(0, events.len())
                .project(&(0..batch.num_columns() - 1).collect::<Vec<_>>())
                .unwrap()
        };
        let expected = read(&trail);
        assert_eq!(expected.counts.rows, events.len() as u64);
        for way in ways {
            for reader in [
                Reader::new(&format()),
                Reader::new(&format())
                    .in_blocks_of(700)
                    .in_pieces(&[1, 50, 3]),
            ] {
                let found = reader.read(way.as_bytes());
                assert_eq!(without_lines(&found), without_lines(&expected), "{way}");
                assert_eq!(found.reasons(), expected.reasons());
                assert!(found.counts.add_up());
            }
            let recognised = by_head(way.as_bytes(), built_in(), None).unwrap();
            assert_eq!(recognised.format.table, "cloudtrail_logs");
        }
    }
}

#[test]
fn what_is_cut_off_gives_its_leading_records() {
    let trail = trails()
        .into_iter()
        .find(|trail| trail.len() > 10_000)
        .unwrap();
    let whole = read(&trail).batch();
    let mut last = 0;
    for end in (1..trail.len()).step_by(97) {
        let found = Reader::new(&format()).read_plain(&trail[..end]);
        let rows = found.batch().num_rows();
        assert_eq!(found.batch(), whole.slice(0, rows));
        assert!(rows >= last);
        last = rows;
        assert_eq!(found.counts.rejects, 1, "{end}");
        assert_eq!(found.rejects[0].reason, Reason::CutOff);
    }
    assert!(last + 1 >= whole.num_rows());

    let object = gzip(&trail);
    let found = read(&object[..object.len() / 2]);
    assert!(found.damage.is_some());
    assert!(found.counts.rows > 0);
    assert_eq!(found.counts.rejects, 1);
}

#[test]
fn objects_that_hold_no_events() {
    let digest = br#"{"awsAccountId":"123456789012","digestStartTime":"2026-01-01T00:00:00Z",
        "digestS3Bucket":"b","digestS3Object":"AWSLogs/x","previousDigestSignature":null,
        "logFiles":[{"s3Bucket":"b","s3Object":"o","hashValue":"00"}]}"#;
    let empty = br#" { "Records" : [] } "#;
    for (object, skipped) in [(&digest[..], 1), (&empty[..], 0)] {
        let recognised = by_head(object, built_in(), None).unwrap();
        assert_eq!(recognised.format.table, "cloudtrail_logs");
        let found = read(object);
        assert_eq!((found.counts.rows, found.counts.skipped), (0, skipped));
        assert_eq!(found.reasons(), [""; 0]);
    }
    let others = [
        "{}",
        "[]",
        "{\"a\":1}",
        "[1,2]",
        "{\"Recordsmen\":[]}",
        // What a Lambda function gets from Kinesis.
        r#"{"Records":[{"eventVersion":"1.0","eventSource":"aws:kinesis","eventName":"aws:kinesis:record"}]}"#,
    ];
    for other in others {
        assert!(
            by_head(other.as_bytes(), built_in(), None).is_none(),
            "{other}"
        );
    }
}

#[test]
fn members_that_no_column_has() {
    let found = read(br#"{"eventVersion":"1.11","brandNew":{ "a" : [1, "x y"] },"eventName":"X","other":null,"n":1.50}"#);
    assert_eq!(
        found.column("extra"),
        [Some(r#"{"brandNew":{"a":[1,"x y"]},"n":1.50}"#.to_owned())]
    );
    assert_eq!(found.column("eventname"), [Some("X".to_owned())]);
    // What is no JSON inside, or no UTF-8, is said once for a record.
    let found = read(
        b"{\"eventVersion\":\"1.11\",\"a\":{\"b\":},\"c\":[1 2],\"d\":\"\xff\",\"e\":\"\xff\"}",
    );
    assert_eq!(
        found.column("extra"),
        [Some("{\"d\":\"\u{fffd}\",\"e\":\"\u{fffd}\"}".to_owned())]
    );
    assert_eq!(found.reasons(), ["1 extra: not UTF-8"]);
}

#[test]
fn values_of_another_type_than_usual() {
    let rows = [
        // userIdentity is a text, resources an object: NULL, and said.
        r#"{"eventVersion":"1.08","userIdentity":"root","resources":{"arn":"a"},"eventTime":"foo"}"#,
        // Booleans and numbers where texts are usual: their text.
        r#"{"eventVersion":1.08,"readOnly":true,"eventName":null,"requestParameters":"hidden","resources":[]}"#,
        r#"{"eventVersion":"1.08","userAgent":"a\u00fc\ud83d\ude00\"\\\/\n","errorMessage":"\ud83d \q"}"#,
        r#"{"eventVersion":"1.08","resources":[{"ARN":"a"},null,{"accountId":7}],"userIdentity":{}}"#,
    ];
    let found = read(rows.join("\n").as_bytes());
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(found.column("eventversion")[1], text("1.08"));
    assert_eq!(found.column("readonly")[1], text("true"));
    assert_eq!(found.column("requestparameters")[1], text("\"hidden\""));
    assert_eq!(found.column("useragent")[2], text("aü😀\"\\/\n"));
    assert_eq!(found.column("useridentity.type"), [None, None, None, None]);
    assert_eq!(
        found.column("resources"),
        [None, text("[]"), None, text("[(arn=a) NULL (accountid=7)]")]
    );
    assert_eq!(found.column("useridentity")[3], text("()"));
    assert_eq!(
        found.reasons(),
        [
            "1 event_time: not a time",
            "1 resources: not the JSON that the column holds",
            "1 useridentity: not the JSON that the column holds",
            "3 errormessage: an escape that stands for no character",
        ]
    );
}

#[test]
fn one_bad_event_does_not_take_others_with_it() {
    let good = r#"{"eventVersion":"1.08","eventName":"A"}"#;
    let rows: &[(&str, u64, u64)] = &[
        (r#"{"eventVersion":"1.08" "eventName":"B"}"#, 2, 1),
        (r#"{"eventVersion":"1.08","eventName":"B""#, 2, 1),
        (r#"{"eventVersion":"1.08","eventName":"B}"#, 2, 1),
        (r#"{"eventVersion":"1.08","a":{"b":[1,2}}"#, 2, 1),
        ("garbage", 2, 1),
        ("[1,2]", 2, 2),
        ("7", 2, 1),
    ];
    for (bad, expected, rejects) in rows {
        let lines = format!("{good}\n{bad}\n{good}\n");
        let found = read(lines.as_bytes());
        assert_eq!(
            (found.counts.rows, found.counts.rejects),
            (*expected, *rejects),
            "{bad}: {:?}",
            found.reasons()
        );
        assert!(found.counts.add_up());
    }
}
