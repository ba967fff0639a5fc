//! What has to hold in the end.

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::load::{Flow, HOURS, Sent, garbage};
use super::services::{BUCKET, FOLDER, LAKE, Services};
use crate::command::{answer, loglens};

/// The lake, as whoever queries it sees it.
pub(super) struct Lake<'a> {
    services: &'a Services,
}

/// Checks all that has to hold. Every promise is a function of its own.
pub(super) fn verify(lake: &Lake<'_>, sent: &Sent) {
    counts_are_right(lake, sent);
    every_flow_is_there_once(lake, sent);
    every_rejected_record_is_there_once(lake, sent);
    every_window_is_that_of_all_records(lake, sent);
}

fn counts_are_right(lake: &Lake<'_>, sent: &Sent) {
    let flows = (0..sent.flows).map(Flow::new);
    let packets: u64 = flows.map(|flow| flow.packets).sum();
    let sql = "SELECT count(*) AS n, count(DISTINCT bytes) AS numbers, sum(packets) AS checksum FROM vpc_flow_logs";
    let expected = format!("n,numbers,checksum\n{0},{0},{packets}\n", sent.flows);
    assert_eq!(lake.query(sql), expected);
}

fn every_flow_is_there_once(lake: &Lake<'_>, sent: &Sent) {
    let sql = "SELECT bytes, packets, srcport, start FROM vpc_flow_logs ORDER BY bytes";
    let mut expected = (0..sent.flows).map(Flow::new);
    for line in lake.query(sql).lines().skip(1) {
        let mut numbers = line.split(',').map(|number| number.parse().unwrap());
        let mut next = || numbers.next().unwrap();
        let flow = Flow {
            bytes: next(),
            packets: next(),
            srcport: next(),
            start: next(),
        };
        assert_eq!(Some(flow), expected.next());
    }
    assert_eq!(expected.next(), None);
}

fn every_rejected_record_is_there_once(lake: &Lake<'_>, sent: &Sent) {
    let mut rejected = lake.rejected();
    rejected.sort_unstable();
    let mut expected: Vec<_> = (0..sent.garbage).map(garbage).collect();
    expected.sort_unstable();
    assert_eq!(rejected, expected);
}

/// What was given while records came is what a query answers over all of them, up to the last window.
fn every_window_is_that_of_all_records(lake: &Lake<'_>, sent: &Sent) {
    let given = lake.query("SELECT window_end, parity, flows, checksum FROM hours ORDER BY 1, 2");
    let last = given.lines().last().unwrap();
    let (last, _) = last.split_once(',').unwrap();
    let last = last.trim_end_matches('Z').replace('T', " ");
    let sql =
        format!("SELECT * FROM ({HOURS}) WHERE window_end <= TIMESTAMP '{last}' ORDER BY 1, 2");
    assert_eq!(given, lake.query(&sql));
    // All but the last hours, for which records are waited for.
    let hours = sent.flows * 7 / 3600;
    let windows = given.lines().count() / 2;
    assert!(
        windows as u64 + 8 > hours,
        "{windows} windows of {hours} hours"
    );
}

impl<'a> Lake<'a> {
    pub(super) fn new(services: &'a Services) -> Self {
        Self { services }
    }

    /// An answer as CSV.
    fn query(&self, sql: &str) -> String {
        let arguments = [
            "query",
            "-o",
            "csv",
            sql,
            LAKE,
            "--anonymous",
            "--path-style",
        ];
        let mut command: Command = loglens(&arguments);
        self.services.reach(&mut command);
        answer(&mut command)
    }

    /// The bytes of all rejected records.
    fn rejected(&self) -> Vec<String> {
        let errors = format!("{FOLDER}errors/");
        let server = self.services.objects();
        let objects = server.with(BUCKET, |bucket| {
            let keys = bucket.keys().into_iter();
            let keys = keys.filter(|key| key.starts_with(&errors));
            keys.filter_map(|key| bucket.get(&key)).collect::<Vec<_>>()
        });
        let lines = objects
            .iter()
            .flat_map(|object| object.split(|byte| *byte == b'\n'));
        let lines = lines.filter(|line| !line.is_empty());
        let records = lines.map(|line| {
            let line: Value = serde_json::from_slice(line).unwrap();
            let bytes = BASE64_STANDARD.decode(line["data"].as_str().unwrap());
            String::from_utf8(bytes.unwrap()).unwrap()
        });
        records.collect()
    }
}
