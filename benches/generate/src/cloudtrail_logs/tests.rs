#![allow(clippy::unwrap_used)]

mod json;

use std::collections::{HashMap, HashSet};

use super::*;
use crate::plan::DEFAULT_START;
use crate::testing::{Folder, hash};
use json::Json;

fn text(logs: &CloudTrailLogs) -> String {
    let mut out = Vec::new();
    let summary = logs.write_to(&mut out).unwrap();
    assert_eq!(summary.bytes, out.len() as u64);
    assert_eq!(summary.objects, 1);
    String::from_utf8(out).unwrap()
}

fn events(text: &str) -> Vec<Json> {
    let object = Json::parse(text);
    assert!(matches!(object.get("Records"), Json::List(_)));
    object.get("Records").list().to_vec()
}

#[test]
fn a_seed_decides_every_byte() {
    let logs = CloudTrailLogs::new(500, 7);
    assert_eq!(text(&logs), text(&logs));
    assert_ne!(text(&logs), text(&CloudTrailLogs::new(500, 8)));
}

/// A change here changes what every seed means: recorded figures of benches no longer compare.
#[test]
fn the_text_of_a_seed_never_changes() {
    let logs = CloudTrailLogs::new(10_000, 1);
    let all = text(&logs.with_accounts(2).with_regions(2));
    assert_eq!(hash(&all), 1_334_080_531_759_556_986);
}

#[test]
fn every_number_of_rows_is_met() {
    for rows in [0, 1, 2, 11, 12, 13] {
        let text = text(&CloudTrailLogs::new(rows, 1));
        assert_eq!(events(&text).len() as u64, rows);
        assert!(!text.contains('\n'));
    }
}

#[test]
fn layouts_hold_the_same_events() {
    let logs = CloudTrailLogs::new(400, 3);
    let expected = events(&text(&logs));
    assert_eq!(expected.len(), 400);

    let pretty = text(&logs.clone().with_layout(CloudTrailLayout::Pretty));
    assert!(pretty.starts_with("{\n  \"Records\": [\n    {\n      \"eventVersion\": \"1."));
    assert!(pretty.ends_with("\n    }\n  ]\n}\n"));
    assert_eq!(events(&pretty), expected);

    let lines = text(&logs.with_layout(CloudTrailLayout::Ndjson));
    assert!(lines.ends_with("}\n"));
    let lines: Vec<Json> = lines.lines().map(Json::parse).collect();
    assert_eq!(lines, expected);
}

#[test]
fn no_hole_of_a_template_stays() {
    let text = text(&CloudTrailLogs::new(20_000, 1));
    let holes = ["<", "%3C", "\\u003c"];
    assert!(!holes.iter().any(|hole| text.contains(hole)));
}

#[test]
fn the_members_of_an_event_agree() {
    let mut ids = HashSet::new();
    for event in events(&text(&CloudTrailLogs::new(20_000, 1).with_accounts(2))) {
        let get = |name: &str| event.text(name);
        let (identity, source, name) = (
            event.get("userIdentity"),
            get("eventSource"),
            get("eventName"),
        );
        assert!(source.ends_with(".amazonaws.com") && !name.is_empty());
        assert!(matches!(get("eventVersion"), "1.08" | "1.10" | "1.11"));
        assert_eq!(get("eventTime").len(), "2026-01-05T00:00:00Z".len());
        assert!(get("eventTime").starts_with("2026-01-05T00:"));
        assert_eq!(get("eventID").len(), 36);
        assert!(ids.insert(get("eventID").to_owned()), "{event:?}");
        assert_eq!(get("awsRegion"), "us-east-1");
        assert!(matches!(
            get("recipientAccountId"),
            "111122223333" | "444455556666"
        ));

        let failed = !get("errorCode").is_empty();
        if failed {
            assert_eq!(event.get("responseElements"), &Json::Null);
            assert!(!get("errorMessage").is_empty());
            let denied = get("errorCode") != "ThrottlingException";
            let ec2 = source == "ec2.amazonaws.com";
            assert_eq!(
                get("errorCode") == "Client.UnauthorizedOperation",
                denied && ec2
            );
        }
        let management = event.get("managementEvent") == &Json::Bool(true);
        assert_eq!(get("eventCategory") == "Management", management);
        assert_eq!(
            get("eventType") == "AwsConsoleSignIn",
            name == "ConsoleLogin"
        );
        assert_eq!(get("requestID").is_empty(), name == "ConsoleLogin");
        let reads = name.starts_with("Describe") || name.starts_with("List");
        assert!(
            !reads || event.get("readOnly") == &Json::Bool(true),
            "{name}"
        );

        let kind = identity.text("type");
        assert_eq!(kind == "AWSService", !identity.text("invokedBy").is_empty());
        let by_service = get("sourceIPAddress").ends_with(".amazonaws.com");
        assert_eq!(kind == "AWSService", by_service);
        assert_eq!(kind == "AWSService", event.get("tlsDetails") == &Json::Null);
        assert_eq!(kind == "AWSAccount", !get("sharedEventID").is_empty());
        let session = identity.get("sessionContext").get("attributes");
        let has_session = matches!(kind, "AssumedRole" | "Root" | "FederatedUser");
        assert_eq!(session != &Json::Null, has_session, "{identity:?}");
        assert!(session.text("creationDate") <= get("eventTime"));
        if matches!(kind, "AssumedRole" | "IAMUser" | "Root" | "FederatedUser") {
            assert_eq!(identity.text("accountId"), get("recipientAccountId"));
            assert!(identity.text("arn").contains(get("recipientAccountId")));
        }
        for resource in event.get("resources").list() {
            assert!(resource.text("ARN").starts_with("arn:aws:"), "{event:?}");
        }
        // The same gap holds the same in what is asked and in what is acted on.
        let bucket = event.get("requestParameters").text("bucketName");
        assert!(
            bucket.is_empty()
                || name == "PutBucketPolicy"
                || event.get("resources").list()[0]
                    .text("ARN")
                    .contains(bucket)
        );
    }
}

#[test]
fn shares_at_20_000_rows() {
    const ROWS: usize = 20_000;
    let text = text(&CloudTrailLogs::new(ROWS as u64, 1));
    let bytes = text.len() / ROWS;
    assert!((1_200..=1_450).contains(&bytes), "{bytes} bytes a record");

    let events = events(&text);
    let share = |holds: &dyn Fn(&Json) -> bool| {
        events.iter().filter(|event| holds(event)).count() as f64 / ROWS as f64
    };
    let check = |what: &str, share: f64, low, high| {
        assert!((low..=high).contains(&share), "{what}: {share}");
    };
    for (kind, low, high) in [
        ("AssumedRole", 0.4, 0.65),
        ("IAMUser", 0.05, 0.25),
        ("Root", 0.0001, 0.002),
        ("AWSService", 0.18, 0.3),
        ("AWSAccount", 0.01, 0.03),
        ("FederatedUser", 0.01, 0.05),
        ("SAMLUser", 0.002, 0.01),
        ("WebIdentityUser", 0.005, 0.02),
    ] {
        let of_kind = |event: &Json| event.get("userIdentity").text("type") == kind;
        check(kind, share(&of_kind), low, high);
    }
    let denied = |event: &Json| {
        matches!(
            event.text("errorCode"),
            "AccessDenied" | "Client.UnauthorizedOperation"
        )
    };
    let prober = |event: &Json| event.get("userIdentity").text("userName") == "legacy-ci";
    check("denied", share(&denied), 0.02, 0.05);
    check("prober", share(&prober), 0.01, 0.02);
    check(
        "denied prober",
        share(&|event| prober(event) && denied(event)) / share(&prober),
        0.85,
        0.95,
    );
    check(
        "data",
        share(&|event| event.text("eventCategory") == "Data"),
        0.15,
        0.3,
    );
    check(
        "endpoints",
        share(&|event| !event.text("vpcEndpointId").is_empty()),
        0.02,
        0.1,
    );
    for (name, low, high) in [
        ("ConsoleLogin", 0.003, 0.008),
        ("AuthorizeSecurityGroupIngress", 0.001, 0.005),
    ] {
        check(
            name,
            share(&|event| event.text("eventName") == name),
            low,
            high,
        );
    }
    let logins = events
        .iter()
        .filter(|event| event.text("eventName") == "ConsoleLogin");
    let outcomes: HashSet<(&str, &str)> = logins
        .map(|event| {
            (
                event.get("responseElements").text("ConsoleLogin"),
                event.get("additionalEventData").text("MFAUsed"),
            )
        })
        .collect();
    assert_eq!(outcomes.len(), 4, "{outcomes:?}");

    let names: HashSet<&str> = events.iter().map(|event| event.text("eventName")).collect();
    assert!(names.len() >= 28, "{}", names.len());

    let mut principals: HashMap<&str, usize> = HashMap::new();
    for event in &events {
        let arn = event.get("userIdentity").text("arn");
        if !arn.is_empty() {
            *principals.entry(arn).or_default() += 1;
        }
    }
    let mut counts: Vec<usize> = principals.into_values().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let (top, all): (usize, usize) = (counts[..10].iter().sum(), counts.iter().sum());
    assert!(
        counts.len() > 30 && top * 2 > all,
        "{top} of {all}, {}",
        counts.len()
    );
}

#[test]
fn a_trail_is_stopped_once_in_a_long_while() {
    let text = text(&CloudTrailLogs::new(100_000, 1));
    let stops = text.matches("\"eventName\":\"StopLogging\"").count();
    assert!((1..=6).contains(&stops), "{stops}");
}

#[test]
fn an_object_holds_five_minutes_of_one_place() {
    let folder = Folder::new("cloudtrail");
    let logs = CloudTrailLogs::new(901, 5).with_accounts(2).with_regions(2);
    let summary = logs.write_objects(folder.path(), 9, false).unwrap();
    assert_eq!((summary.rows, summary.objects), (901, 9));
    let mut rows = 0;
    for (key, bytes) in folder.objects() {
        let parts: Vec<&str> = key.split(['/', '_']).collect();
        let [
            "AWSLogs",
            account,
            "CloudTrail",
            region,
            "2026",
            "01",
            "05",
            account2,
            "CloudTrail",
            region2,
            time,
            unique,
        ] = parts[..]
        else {
            panic!("{key}");
        };
        assert_eq!((account, region), (account2, region2));
        assert_eq!(unique.len(), 16 + ".json".len(), "{key}");
        let minute = &time.strip_prefix("20260105T00").unwrap()[..2];
        let end = DEFAULT_START + minute.parse::<u64>().unwrap() * 60;
        let (from, until) = (utc(end - 300), utc(end));
        for event in events(std::str::from_utf8(&bytes).unwrap()) {
            let times = from.as_str()..until.as_str();
            assert!(times.contains(&event.text("eventTime")), "{key}");
            assert_eq!(event.text("recipientAccountId"), account);
            assert_eq!(event.text("awsRegion"), region);
            let global = event.text("eventSource") == "iam.amazonaws.com";
            assert!(!global || region == "us-east-1");
            rows += 1;
        }
    }
    assert_eq!(rows, 901);
}

fn utc(unix_seconds: u64) -> String {
    let mut out = Vec::new();
    crate::calendar::push_seconds(&mut out, unix_seconds);
    String::from_utf8(out).unwrap()
}
