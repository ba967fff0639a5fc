//! What has to hold in the end.

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::load::{Flow, Sent, garbage};
use super::services::{BUCKET, FOLDER, LAKE, Services};
use crate::command::{answer, loglens};

/// The lake, as whoever queries it sees it.
pub(super) struct Lake<'a> {
    services: &'a Services,
}

/// Checks all that has to hold. Every promise is a function of its own; what windows promise is to be
/// added here.
pub(super) fn verify(lake: &Lake<'_>, sent: &Sent) {
    counts_are_right(lake, sent);
    every_flow_is_there_once(lake, sent);
    every_rejected_record_is_there_once(lake, sent);
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
