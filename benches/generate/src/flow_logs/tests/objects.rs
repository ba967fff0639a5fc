//! Flow logs as objects in a folder.

use std::collections::{BTreeMap, HashSet};

use super::*;
use crate::plan::DEFAULT_START;
use crate::testing::Folder;

#[test]
fn objects_follow_each_other_and_hold_their_interval() {
    let folder = Folder::new("objects");
    let logs = FlowLogs::new(3_001, 5).with_accounts(2).with_regions(3);
    let summary = logs.write_objects(folder.path(), 14, false).unwrap();
    let objects = folder.objects();
    assert_eq!((summary.rows, summary.objects), (3_001, 14));
    assert_eq!(objects.len(), 14);
    assert_eq!(
        summary.bytes,
        objects.values().map(|o| o.len() as u64).sum::<u64>()
    );

    let mut rows = 0;
    for (key, bytes) in &objects {
        let parts: Vec<&str> = key.split(['/', '_']).collect();
        let [
            "AWSLogs",
            account,
            "vpcflowlogs",
            region,
            "2026",
            "01",
            "05",
            rest @ ..,
        ] = &parts[..]
        else {
            panic!("{key}");
        };
        let [account2, "vpcflowlogs", region2, flow_log, time, hash] = rest else {
            panic!("{key}");
        };
        assert_eq!((account, region), (account2, region2));
        assert!(
            flow_log.len() == 20 && flow_log.starts_with("fl-0"),
            "{key}"
        );
        assert!(hash.len() == 12 && hash.ends_with(".log"), "{key}");
        let minute: u64 = time.strip_prefix("20260105T00").unwrap()[..2]
            .parse()
            .unwrap();
        let start = DEFAULT_START + minute * 60;
        for record in records(std::str::from_utf8(bytes).unwrap()) {
            let end: u64 = record["end"].parse().unwrap();
            assert!((start..start + 300).contains(&end), "{key}: {end}");
            assert!(end - record["start"].parse::<u64>().unwrap() <= 600);
            assert_eq!(record["account-id"], *account);
            rows += 1;
        }
    }
    assert_eq!(rows, 3_001);
    let times: HashSet<&str> = objects
        .keys()
        .map(|k| k.split('_').nth(4).unwrap())
        .collect();
    assert_eq!(times.len(), 3);
}

#[test]
fn one_place_fills_one_interval_after_the_other() {
    let folder = Folder::new("intervals");
    let logs = FlowLogs::new(1_000, 5).with_start(1_700_000_123);
    logs.write_objects(folder.path(), 5, false).unwrap();
    let objects = folder.objects();
    let times: Vec<&str> = objects
        .keys()
        .map(|key| key.split('_').nth(4).unwrap())
        .collect();
    assert_eq!(
        times,
        [
            "20231114T2215Z",
            "20231114T2220Z",
            "20231114T2225Z",
            "20231114T2230Z",
            "20231114T2235Z"
        ]
    );
    let header = logs.fields.header();
    let whole: String = objects
        .values()
        .map(|bytes| {
            std::str::from_utf8(bytes)
                .unwrap()
                .strip_prefix(&header)
                .unwrap()
        })
        .collect();
    assert_eq!(whole.lines().count(), 1_000);
}

#[test]
fn a_text_holds_the_lines_of_twelve_objects() {
    let folder = Folder::new("text");
    let logs = FlowLogs::new(1_000, 9);
    logs.write_objects(folder.path(), 12, false).unwrap();
    let header = logs.fields.header();
    let mut joined = header.clone();
    for object in folder.objects().values() {
        joined.push_str(
            std::str::from_utf8(object)
                .unwrap()
                .strip_prefix(&header)
                .unwrap(),
        );
    }
    assert_eq!(joined, text(&logs));
}

#[test]
fn gzip_holds_the_plain_text() {
    let (plain, compressed) = (Folder::new("plain"), Folder::new("gzip"));
    let logs = FlowLogs::new(5_000, 3);
    let summary = logs.write_objects(plain.path(), 3, false).unwrap();
    assert_eq!(
        logs.write_objects(compressed.path(), 3, true).unwrap(),
        summary
    );
    let inflated: BTreeMap<String, Vec<u8>> = compressed
        .objects()
        .into_iter()
        .map(|(key, bytes)| {
            // Magic, deflate, no flags, no time.
            assert_eq!(bytes[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
            let mut text = Vec::new();
            io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text)
                .unwrap();
            (key.strip_suffix(".gz").unwrap().to_owned(), text)
        })
        .collect();
    assert_eq!(inflated, plain.objects());

    let before = compressed.objects();
    logs.write_objects(compressed.path(), 3, true).unwrap();
    assert_eq!(compressed.objects(), before);
}
