#![allow(clippy::unwrap_used)]

use std::collections::{HashMap, HashSet};

use super::*;
use crate::testing::hash;

mod objects;

fn text(logs: &FlowLogs) -> String {
    let mut out = Vec::new();
    let summary = logs.write_to(&mut out).unwrap();
    assert_eq!(summary.bytes, out.len() as u64);
    assert_eq!(summary.objects, 1);
    String::from_utf8(out).unwrap()
}

/// Records as maps of their fields.
fn records(text: &str) -> Vec<HashMap<&str, &str>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(' ').collect();
    lines
        .map(|line| {
            let values: Vec<&str> = line.split(' ').collect();
            assert_eq!(values.len(), header.len(), "{line}");
            assert!(values.iter().all(|value| !value.is_empty()), "{line}");
            header.iter().copied().zip(values).collect()
        })
        .collect()
}

fn with_all_fields(rows: u64) -> FlowLogs {
    FlowLogs::new(rows, 1)
        .with_fields(flow_log_fields())
        .unwrap()
}

#[test]
fn a_seed_decides_every_byte() {
    let logs = FlowLogs::new(2_000, 7);
    assert_eq!(text(&logs), text(&logs));
    assert_ne!(text(&logs), text(&FlowLogs::new(2_000, 8)));
}

/// A change here changes what every seed means: recorded figures of benches no longer compare.
#[test]
fn the_text_of_a_seed_never_changes() {
    let all = text(&with_all_fields(20_000).with_accounts(2).with_regions(2));
    assert_eq!(hash(&all), 7_274_745_267_720_898_949);
}

#[test]
fn the_default_is_version_2() {
    let text = text(&FlowLogs::new(500, 1));
    assert!(text.starts_with(
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes \
         start end action log-status\n"
    ));
    assert!(text.ends_with('\n'));
    let records = records(&text);
    assert_eq!(records.len(), 500);
    assert!(
        records
            .iter()
            .all(|r| r["version"] == "2" && r["account-id"] == "111122223333")
    );
}

#[test]
fn every_number_of_rows_is_met() {
    for rows in [0, 1, 2, 11, 12, 13, 100] {
        assert_eq!(
            text(&FlowLogs::new(rows, 1)).lines().count() as u64,
            rows + 1
        );
    }
}

#[test]
fn fields_come_in_the_order_asked_for() {
    let logs = FlowLogs::new(100, 1)
        .with_fields("region start version az-id".split(' '))
        .unwrap();
    let text = text(&logs);
    assert!(
        text.starts_with("region start version az-id\nus-east-1 17675"),
        "{text}"
    );
    assert!(records(&text).iter().all(|r| r["version"] == "4"));
}

#[test]
fn wrong_fields_are_named() {
    let error = |names: &[&str]| {
        FlowLogs::new(1, 1)
            .with_fields(names)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(&["version", "srcadr"]),
        "unknown flow log field 'srcadr'"
    );
    assert_eq!(
        error(&["start", "start"]),
        "flow log field 'start' is given twice"
    );
    assert_eq!(error(&[]), "expected at least one flow log field, got none");
}

#[test]
fn shares_and_groups_at_200_000_rows() {
    const ROWS: usize = 200_000;
    let text = text(&with_all_fields(ROWS as u64));
    let records = records(&text);
    assert_eq!(records.len(), ROWS);
    let share = |holds: &dyn Fn(&HashMap<&str, &str>) -> bool| {
        records.iter().filter(|r| holds(r)).count() as f64 / ROWS as f64
    };
    let check = |what, share: f64, low, high| {
        assert!((low..=high).contains(&share), "{what}: {share}");
    };
    check("IPv6", share(&|r| r["type"] == "IPv6"), 0.03, 0.05);
    check("REJECT", share(&|r| r["action"] == "REJECT"), 0.055, 0.065);
    check(
        "NODATA",
        share(&|r| r["log-status"] == "NODATA"),
        0.009,
        0.011,
    );
    check(
        "SKIPDATA",
        share(&|r| r["log-status"] == "SKIPDATA"),
        0.000_7,
        0.001_3,
    );
    check(
        "ICMP",
        share(&|r| matches!(r["protocol"], "1" | "58")),
        0.005,
        0.03,
    );
    check(
        "egress",
        share(&|r| r["flow-direction"] == "egress"),
        0.4,
        0.5,
    );
    check("instances", share(&|r| r["instance-id"] != "-"), 0.6, 0.95);
    check(
        "pods",
        share(&|r| r["srcaddr"] != r["pkt-srcaddr"]),
        0.005,
        0.2,
    );

    let groups: HashSet<_> = records
        .iter()
        .map(|r| (r["srcaddr"], r["dstaddr"], r["dstport"], r["action"]))
        .collect();
    check("groups", groups.len() as f64 / ROWS as f64, 0.2, 0.35);

    let bytes = || {
        records
            .iter()
            .filter_map(|r| r["bytes"].parse::<u64>().ok())
    };
    assert!(bytes().any(|bytes| bytes > u64::from(u32::MAX)));
    assert!(bytes().filter(|&bytes| bytes < 10_000).count() > ROWS / 2);
}

#[test]
fn the_fields_of_a_record_agree() {
    let text = text(&with_all_fields(50_000));
    let mut replies = 0;
    let records = records(&text);
    let tuple = |r: &HashMap<&'_ str, &'_ str>| {
        ["srcaddr", "dstaddr", "srcport", "dstport", "protocol"].map(|f| r[f].to_owned())
    };
    let mut interfaces: HashMap<_, HashSet<&str>> = HashMap::new();
    for r in &records {
        assert!(r["start"].parse::<u64>().unwrap() <= r["end"].parse::<u64>().unwrap());
        if r["log-status"] != "OK" {
            for field in ["srcaddr", "dstport", "protocol", "bytes", "action", "type"] {
                assert_eq!(r[field], "-", "{field}");
            }
            assert!(r["interface-id"].starts_with("eni-0"));
            continue;
        }
        interfaces
            .entry(tuple(r))
            .or_default()
            .insert(r["interface-id"]);
        assert_eq!(r["type"] == "IPv6", r["srcaddr"].contains(':'));
        assert_eq!(r["type"] == "IPv6", r["dstaddr"].contains(':'));
        assert_eq!(r["flow-direction"] == "egress", r["traffic-path"] != "-");
        if r["type"] == "IPv4" {
            let own = if r["flow-direction"] == "egress" {
                "srcaddr"
            } else {
                "dstaddr"
            };
            assert!(r[own].starts_with("10."), "{r:?}");
        }
        if matches!(r["protocol"], "1" | "58") {
            assert_eq!((r["srcport"], r["dstport"]), ("0", "0"));
        }
        if r["protocol"] != "6" {
            assert_eq!(r["tcp-flags"], "0");
        }
        if r["action"] == "REJECT" {
            assert!(matches!(r["tcp-flags"], "2" | "0"));
        }
        replies += usize::from(r["dstport"].parse::<u16>().unwrap() >= 32_768);
    }
    assert!(replies > records.len() / 3, "{replies}");
    let between_own = interfaces
        .iter()
        .filter(|(t, _)| t[0].starts_with("10.") && t[1].starts_with("10."));
    let (both, all) = between_own.fold((0, 0), |(both, all), (_, interfaces)| {
        (both + usize::from(interfaces.len() == 2), all + 1)
    });
    assert!(
        all > 1_000 && both * 1_000 >= all * 998,
        "{both} of {all} logged twice"
    );
}

/// The description in `parsers/formats` defines the fields; here they only get values.
#[test]
fn fields_are_those_of_the_description() {
    let format = loglens_parsers::format::by_name("vpc_flow_logs").unwrap();
    let described: Vec<String> = format
        .columns
        .iter()
        .map(|column| column.name.replace('_', "-"))
        .collect();
    assert_eq!(flow_log_fields().collect::<Vec<_>>(), described);
    let default = format.default_order.iter();
    let default: Vec<_> = default.map(|name| name.replace('_', "-")).collect();
    let logs = text(&FlowLogs::new(1, 1));
    assert_eq!(
        logs.lines().next().unwrap().split(' ').collect::<Vec<_>>(),
        default
    );
}
