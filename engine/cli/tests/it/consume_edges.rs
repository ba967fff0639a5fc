//! `loglens consume` at the edges: shards without records, records of other days, and records that
//! are none.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use loglens_parsers::envelope::kpl;
use serde_json::Value;

use crate::command::{answer, below, loglens, names};
use crate::consume::World;

/// A flow whose bytes are this number, at this Unix time.
fn flow(number: u64, time: u64) -> String {
    format!("2 123456789012 eni-1 10.0.0.1 10.0.0.9 1000 443 6 1 {number} {time} {time} ACCEPT OK")
}

/// Rejected records: cause and bytes, by their bytes.
fn rejected(world: &World) -> Vec<(String, Vec<u8>)> {
    let errors = below(&world.folder, "lake/errors");
    let objects = names(Path::new(&errors)).into_iter();
    let objects = objects.map(|name| fs::read_to_string(format!("{errors}/{name}")).unwrap());
    let mut rejected = Vec::new();
    for object in objects {
        for line in object.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let data = BASE64_STANDARD
                .decode(line["data"].as_str().unwrap())
                .unwrap();
            rejected.push((line["cause"].as_str().unwrap().to_owned(), data));
        }
    }
    rejected.sort_by(|a, b| a.1.cmp(&b.1));
    rejected
}

#[test]
fn a_shard_without_records_holds_up_nothing_and_leaves_nothing() {
    let world = World::new();
    for number in 0..20 {
        world.put_at(0, flow(number, 1_767_225_500));
    }
    let consumer = world.consume();
    world.wait_for(20);
    world.put_at(0, flow(20, 1_767_225_500));
    world.wait_for(21);
    consumer.terminate();
    world.assert_each_once(21);
    let logs = names(Path::new(&below(
        &world.folder,
        "lake/_loglens/shards/loglens",
    )));
    assert_eq!(logs, ["shardId-000000000000"]);
    let said = world.said();
    assert!(said.contains("shardId-000000000001: given up"), "{said}");
}

#[test]
fn what_comes_late_lies_with_its_day() {
    let world = World::new();
    world.put_at(0, flow(0, 1_767_225_500));
    world.put_at(0, flow(1, 1_418_530_010));
    world.put_at(u128::MAX, flow(2, 1_767_225_500));
    let consumer = world.consume();
    world.wait_for(3);
    world.put_at(0, flow(3, 1_418_530_010));
    world.wait_for(4);
    consumer.terminate();
    let lake = below(&world.folder, "lake");
    let sql = "SELECT \"date\", count(*) AS n, sum(bytes) AS numbers FROM vpc_flow_logs GROUP BY 1 ORDER BY 1";
    assert_eq!(
        answer(&mut loglens(&["query", "-o", "csv", sql, &lake])),
        "date,n,numbers\n2014-12-14,2,4\n2025-12-31,2,2\n"
    );
}

#[test]
fn poison_is_kept_whole_and_nothing_else_is_lost() {
    let world = World::new();
    let binary: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    gzip.extend([0xff; 40]);
    let json = br#"{"eventVersion": "1.08", "eventTime": "2026-01-01T0"#.to_vec();
    // The server's largest record, key and all.
    let long = vec![b'x'; (1 << 20) - 100];
    let packed = flow(0, 1_767_225_500);
    let mut aggregate = kpl::pack([("key", None, packed.as_bytes())]);
    // Another checksum: it is no aggregate, but one record that is of no table.
    *aggregate.last_mut().unwrap() ^= 1;
    let poison = [binary, gzip, json, long, aggregate];
    for (number, bytes) in (0..).zip(&poison) {
        world.put_at(0, flow(number, 1_767_225_500));
        world.put_at(0, bytes.clone());
    }
    world.put_at(0, flow(5, 1_767_225_500));
    let consumer = world.consume();
    world.wait_for(6);
    consumer.terminate();
    world.assert_each_once(6);
    let rejected = rejected(&world);
    let mut expected = poison.to_vec();
    expected.sort();
    let bytes: Vec<_> = rejected.iter().map(|(_, bytes)| bytes.clone()).collect();
    assert!(
        bytes == expected,
        "{:?}",
        rejected
            .iter()
            .map(|(cause, bytes)| (cause, bytes.len()))
            .collect::<Vec<_>>()
    );
    for (cause, bytes) in rejected {
        let is_gzip = bytes.starts_with(&[0x1f, 0x8b]);
        let expected = if is_gzip {
            "damaged gzip"
        } else {
            "no known log format"
        };
        assert!(cause.starts_with(expected), "{cause}");
    }
}
