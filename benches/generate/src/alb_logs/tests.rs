#![allow(clippy::unwrap_used)]

use std::collections::{HashMap, HashSet};

use super::*;
use crate::plan::DEFAULT_START;
use crate::testing::{Folder, hash};

fn text(logs: &AlbLogs) -> String {
    let mut out = Vec::new();
    let summary = logs.write_to(&mut out).unwrap();
    assert_eq!(summary.bytes, out.len() as u64);
    assert_eq!(summary.objects, 1);
    String::from_utf8(out).unwrap()
}

const FIELDS: [&str; 34] = [
    "type",
    "time",
    "elb",
    "client",
    "target",
    "request_time",
    "target_time",
    "response_time",
    "elb_status",
    "target_status",
    "received",
    "sent",
    "request",
    "user_agent",
    "cipher",
    "protocol",
    "group",
    "trace",
    "domain",
    "certificate",
    "rule",
    "creation",
    "actions",
    "redirect",
    "error",
    "target_list",
    "status_list",
    "classification",
    "reason",
    "connection",
    "host",
    "uri",
    "transform",
    "node",
];

const QUOTED: [&str; 15] = [
    "request",
    "user_agent",
    "trace",
    "domain",
    "certificate",
    "actions",
    "redirect",
    "error",
    "target_list",
    "status_list",
    "classification",
    "reason",
    "host",
    "uri",
    "transform",
];

/// Tokens by a grammar of `bare` and `"quoted \" text"`, with whether each was quoted.
fn tokens(line: &str) -> Vec<(&str, bool)> {
    let mut tokens = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (token, quoted, after) = match rest.strip_prefix('"') {
            Some(text) => {
                let mut escaped = false;
                let end = text.find(|char| {
                    let closes = char == '"' && !escaped;
                    escaped = char == '\\' && !escaped;
                    closes
                });
                let (token, after) = text.split_at(end.expect(line));
                (token, true, &after[1..])
            }
            None => {
                let (token, after) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
                (token, false, after)
            }
        };
        assert!(after.is_empty() || after.starts_with(' '), "{line}");
        tokens.push((token, quoted));
        rest = after.get(1..).unwrap_or_default();
    }
    tokens
}

type Fields<'a> = HashMap<&'static str, &'a str>;

fn lines(text: &str, count: usize) -> Vec<Fields<'_>> {
    text.lines()
        .map(|line| {
            let tokens = tokens(line);
            assert_eq!(tokens.len(), count, "{line}");
            let values = FIELDS.into_iter().zip(tokens);
            values
                .map(|(name, (value, quoted))| {
                    assert_eq!(quoted, QUOTED.contains(&name), "{name}: {line}");
                    assert!(!value.is_empty(), "{name}: {line}");
                    (name, value)
                })
                .collect()
        })
        .collect()
}

#[test]
fn a_seed_decides_every_byte() {
    let logs = AlbLogs::new(2_000, 7);
    assert_eq!(text(&logs), text(&logs));
    assert_ne!(text(&logs), text(&AlbLogs::new(2_000, 8)));
}

/// A change here changes what every seed means: recorded figures of benches no longer compare.
#[test]
fn the_text_of_a_seed_never_changes() {
    let all = text(&AlbLogs::new(20_000, 1).with_accounts(2).with_regions(2));
    assert_eq!(hash(&all), 2_134_507_948_843_658_167);
    assert_eq!(
        all.lines().next().unwrap(),
        "h2 2026-01-05T00:00:01.439738Z app/shop/4ba18665f026247a 45.5.147.99:37919 \
         10.69.0.144:8080 0.000 0.001 0.000 200 200 470 52577 \
         \"GET https://shop.example.com:443/assets/app.3c6ef372fe94f82a.js HTTP/2.0\" \
         \"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 \
         (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1\" \
         TLS_AES_256_GCM_SHA384 TLSv1.3 \
         arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/shop-web/2701ad53691795da \
         \"Root=1-695aff01-1cfbf4806261010df414ac94\" \"shop.example.com\" \"session-reused\" 0 \
         2026-01-05T00:00:01.436994Z \"waf,forward\" \"-\" \"-\" \"10.69.0.144:8080\" \"200\" \"-\" \"-\" \
         TID_4ddf691e44372c4969637429a82c329f \"-\" \"-\" \"-\" 143.242.176.223"
    );
}

#[test]
fn every_number_of_rows_is_met() {
    for rows in [0, 1, 2, 71, 72, 73] {
        let lines = text(&AlbLogs::new(rows, 1)).lines().count();
        assert_eq!(lines as u64, rows);
    }
}

#[test]
fn older_lines_are_the_beginnings_of_newer_ones() {
    let logs = AlbLogs::new(1_000, 3);
    let newest = text(&logs);
    for (fields, count) in [
        (AlbFields::Classified29, 29),
        (AlbFields::Transformed33, 33),
        (AlbFields::Node34, 34),
    ] {
        let older = text(&logs.clone().with_fields(fields));
        assert_eq!(lines(&older, count).len(), 1_000);
        for (older, newest) in older.lines().zip(newest.lines()) {
            assert!(newest.starts_with(older), "{older}");
        }
    }
}

#[test]
fn the_fields_of_a_line_agree() {
    for f in lines(&text(&AlbLogs::new(50_000, 1)), 34) {
        let get = |name: &str| f[name];
        let answered = get("target_status") != "-";
        for time in ["request_time", "target_time", "response_time"] {
            assert_eq!(get(time) != "-1", answered, "{f:?}");
            assert!(get(time) == "-1" || get(time).rsplit('.').next().unwrap().len() == 3);
        }
        if answered {
            assert_eq!(get("elb_status"), get("target_status"));
            assert!(get("actions").ends_with("forward"));
        } else {
            assert!(
                matches!(
                    get("elb_status"),
                    "301" | "302" | "400" | "403" | "404" | "460" | "502" | "503" | "504"
                ),
                "{f:?}"
            );
        }
        assert_eq!(get("target"), get("target_list"));
        assert_eq!(get("target_status"), get("status_list"));
        assert_eq!(get("group") != "-", get("actions").ends_with("forward"));
        assert_eq!(get("redirect") != "-", get("actions") == "redirect");
        assert_eq!(get("type") == "http", get("cipher") == "-");
        assert_eq!(get("type") == "http", get("certificate") == "-");
        assert_eq!(get("cipher") == "-", get("protocol") == "-");
        assert_eq!(
            get("protocol") == "TLSv1.3",
            get("cipher").starts_with("TLS_")
        );
        assert!(get("creation") <= get("time"));
        let scheme = if get("type") == "http" {
            "http://"
        } else {
            "https://"
        };
        assert!(get("request").contains(scheme), "{f:?}");
        assert_eq!(get("type") == "h2", get("request").ends_with(" HTTP/2.0"));
        assert_eq!(get("classification") == "Severe", get("rule") == "-");
        assert_eq!(get("actions") == "rewrite,forward", get("uri") != "-");
        assert_eq!(get("transform") == "TransformSuccess", get("uri") != "-");
        let (address, port) = get("client").rsplit_once(':').unwrap();
        assert!(address.parse::<std::net::IpAddr>().is_ok() && port.parse::<u16>().is_ok());
        assert!(get("node").parse::<std::net::IpAddr>().is_ok());
    }
}

#[test]
fn shares_at_50_000_rows() {
    const ROWS: usize = 50_000;
    let text = text(&AlbLogs::new(ROWS as u64, 1));
    let lines = lines(&text, 34);
    let share = |holds: &dyn Fn(&Fields<'_>) -> bool| {
        lines.iter().filter(|line| holds(line)).count() as f64 / ROWS as f64
    };
    let check = |what: &str, share: f64, low, high| {
        assert!((low..=high).contains(&share), "{what}: {share}");
    };
    for (status, low, high) in [
        ("200", 0.7, 0.85),
        ("301", 0.03, 0.06),
        ("304", 0.01, 0.1),
        ("400", 0.003, 0.03),
        ("403", 0.005, 0.03),
        ("404", 0.02, 0.06),
        ("460", 0.0005, 0.002),
        ("500", 0.002, 0.006),
        ("502", 0.0005, 0.01),
        ("503", 0.0001, 0.005),
        ("504", 0.0005, 0.01),
    ] {
        check(status, share(&|f| f["elb_status"] == status), low, high);
    }
    check("h2", share(&|f| f["type"] == "h2"), 0.6, 0.9);
    check("http", share(&|f| f["type"] == "http"), 0.03, 0.06);
    check(
        "IPv6",
        share(&|f| f["client"].matches(':').count() > 1),
        0.03,
        0.15,
    );
    check(
        "scans",
        share(&|f| f["request"].contains("/wp-login.php")),
        0.002,
        0.006,
    );
    check("firewall", share(&|f| f["actions"] == "waf"), 0.002, 0.01);
    check(
        "Lambda",
        share(&|f| f["group"].contains("shop-images") && f["target"] == "-"),
        0.02,
        0.06,
    );
    check(
        "spaces",
        share(&|f| f["reason"] == "SpaceInUri"),
        0.0001,
        0.002,
    );
    check(
        "quotes",
        share(&|f| f["user_agent"].contains("\\\"")),
        0.001,
        0.03,
    );

    let mut micros: Vec<u64> = lines
        .iter()
        .filter(|f| f["target_time"] != "-1")
        .map(|f| f["target_time"].replace('.', "").parse().unwrap())
        .collect();
    micros.sort_unstable();
    let quantile = |percent: usize| micros[micros.len() * percent / 100];
    assert!((5..=15).contains(&quantile(50)), "p50 {} ms", quantile(50));
    assert!(
        (500..=2_000).contains(&quantile(99)),
        "p99 {} ms",
        quantile(99)
    );
    assert!(*micros.last().unwrap() > 20_000);
}

#[test]
fn few_clients_and_urls_make_most_of_the_requests() {
    let text = text(&AlbLogs::new(50_000, 1));
    let lines = lines(&text, 34);
    for (what, values) in [
        (
            "clients",
            Vec::from_iter(
                lines
                    .iter()
                    .map(|f| f["client"].rsplit_once(':').unwrap().0),
            ),
        ),
        ("URLs", Vec::from_iter(lines.iter().map(|f| f["request"]))),
    ] {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for value in &values {
            *counts.entry(value).or_default() += 1;
        }
        let mut counts: Vec<usize> = counts.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let top: usize = counts.iter().take(counts.len() / 10).sum();
        assert!(counts.len() > 500, "{what}: {}", counts.len());
        assert!(top * 2 > values.len(), "{what}: {top} of {}", values.len());
    }
}

#[test]
fn templates_have_no_unknown_holes() {
    for balancer in AlbLogs::new(1, 1).balancers() {
        for path in &balancer.paths {
            let mut filled = Vec::new();
            path.fill(&mut filled, |_, _| {});
            let filled = String::from_utf8(filled).unwrap();
            assert!(
                filled.starts_with('/') && !filled.contains(['<', '>']),
                "{filled}"
            );
        }
    }
}

#[test]
fn an_object_holds_five_minutes_of_one_node() {
    let folder = Folder::new("alb");
    let logs = AlbLogs::new(3_001, 5).with_accounts(2).with_regions(2);
    let summary = logs.write_objects(folder.path(), 26, false).unwrap();
    assert_eq!((summary.rows, summary.objects), (3_001, 26));
    let mut rows = 0;
    let mut sources = HashSet::new();
    for (key, bytes) in folder.objects() {
        let parts: Vec<&str> = key.split(['/', '_']).collect();
        let [
            "AWSLogs",
            account,
            "elasticloadbalancing",
            region,
            "2026",
            "01",
            "05",
            account2,
            "elasticloadbalancing",
            region2,
            name,
            time,
            node,
            unique,
        ] = parts[..]
        else {
            panic!("{key}");
        };
        assert_eq!((account, region), (account2, region2));
        assert_eq!(unique.len(), "12345678.log".len(), "{key}");
        let minute = &time.strip_prefix("20260105T00").unwrap()[..2];
        let end = DEFAULT_START + minute.parse::<u64>().unwrap() * 60;
        let from = utc(end - 300);
        let until = utc(end);
        for line in lines(std::str::from_utf8(&bytes).unwrap(), 34) {
            let times = from.as_str()..until.as_str();
            assert!(times.contains(&line["time"]), "{key}: {line:?}");
            assert_eq!(line["elb"].replace('/', "."), name);
            assert_eq!(line["node"], node);
            for arn in [line["group"], line["certificate"]] {
                assert!(!arn.starts_with("arn") || arn.contains(&format!("{region}:{account}:")));
            }
            rows += 1;
        }
        sources.insert((
            account.to_owned(),
            region.to_owned(),
            name.to_owned(),
            node.to_owned(),
        ));
    }
    assert_eq!(rows, 3_001);
    assert_eq!(sources.len(), 24);
}

fn utc(unix_seconds: u64) -> String {
    let mut out = Vec::new();
    crate::calendar::push_micros(&mut out, unix_seconds * 1_000_000);
    String::from_utf8(out).unwrap()
}
