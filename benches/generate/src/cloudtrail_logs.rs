//! CloudTrail logs.
//!
//! The model, from the inside out: `catalogue` lists the kinds of `event`s, `principal` has those who
//! act, and `identity` says who they are; `value` fills the gaps of what they ask and get;
//! `activity` draws who does what, and with what success; `record` writes that as JSON, `layout` puts records together.

mod activity;
mod catalogue;
mod event;
mod identity;
mod layout;
mod principal;
mod record;
mod value;

use std::io::{self, Write};
use std::path::Path;

use crate::calendar::Minute;
use crate::ids::push_letters;
use crate::places::{Region, account_id};
use crate::plan::{Family, Interval, Output, Plan};
use crate::random::{Random, Subject};
use crate::{LogRecord, Summary};
use activity::Activity;

pub use layout::CloudTrailLayout;

/// Logs of trails that have never existed.
///
/// Roles act most, few of them nearly always; users, services, other accounts, federated users and
/// seldom the root user act, too. A few percent of the calls fail; one user of each account tries
/// what it may not. Sign-ins are with and without a second factor, and some fail. Once in a long
/// while a trail is stopped. A record has about 1.4 KB. What is global, IAM above all, is only in
/// the logs of us-east-1.
#[derive(Clone, Debug)]
pub struct CloudTrailLogs {
    plan: Plan,
    layout: CloudTrailLayout,
}

impl CloudTrailLogs {
    /// Logs of exactly so many events, of one account in one region.
    pub fn new(rows: u64, seed: u64) -> Self {
        Self {
            plan: Plan::new(rows, seed),
            layout: CloudTrailLayout::default(),
        }
    }

    /// Puts the records together in another way than CloudTrail does.
    #[must_use]
    pub fn with_layout(self, layout: CloudTrailLayout) -> Self {
        Self { layout, ..self }
    }

    /// Spreads the logs over so many accounts, at least one.
    #[must_use]
    pub fn with_accounts(self, accounts: u32) -> Self {
        let plan = self.plan.with_accounts(accounts);
        Self { plan, ..self }
    }

    /// Spreads each account's logs over so many regions: at least one, at most
    /// [`MAX_REGIONS`](crate::MAX_REGIONS).
    #[must_use]
    pub fn with_regions(self, regions: u32) -> Self {
        let plan = self.plan.with_regions(regions);
        Self { plan, ..self }
    }

    /// Begins with the interval of five minutes that holds this time (Unix seconds) instead of
    /// 2026-01-05T00:00:00Z.
    #[must_use]
    pub fn with_start(self, unix_seconds: u64) -> Self {
        let plan = self.plan.with_start(unix_seconds);
        Self { plan, ..self }
    }

    /// Writes one text: events that cover an hour of all accounts and regions.
    pub fn write_to(&self, mut out: &mut (impl Write + ?Sized)) -> io::Result<Summary> {
        self.plan.write_text(&mut out, &mut self.writer())
    }

    /// Writes the rows as so many objects (at least one) below a folder, under the keys that AWS
    /// uses:
    /// `AWSLogs/<account>/CloudTrail/<region>/YYYY/MM/DD/<account>_CloudTrail_<region>_YYYYMMDDTHHmmZ_<random>.json`,
    /// with `.gz` when they are compressed.
    ///
    /// An object holds five minutes of one account and region; its key has their end. Each account
    /// and region in turn gets an object for an interval before the next interval begins. An object
    /// appears under its key when it is complete. The text of an object does not depend on `gzip`;
    /// the compressed bytes depend on the version of the compressor, too.
    pub fn write_objects(&self, folder: &Path, objects: usize, gzip: bool) -> io::Result<Summary> {
        self.plan
            .write_objects(folder, objects, gzip, &mut self.writer())
    }

    /// Gives each record of an hour by itself, as it is written into a stream.
    pub fn each_record(&self, give: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()> {
        let lines = self.clone().with_layout(CloudTrailLayout::Ndjson);
        lines.plan.each_record(give, &mut lines.writer())
    }

    fn writer(&self) -> Writer {
        let places = self.plan.places();
        Writer {
            seed: self.plan.seed,
            layout: self.layout,
            places: places
                .map(|(account, region)| Place {
                    account: account_id(account),
                    region: Region::of(region).name,
                    seed: Random::keyed(self.plan.seed, Subject::Account, account).next(),
                })
                .collect(),
            activity: Activity::new(self.plan.seed, self.plan.rows),
            first: true,
            record: Vec::new(),
        }
    }
}

/// One account in one region.
struct Place {
    account: String,
    region: &'static str,
    /// The account's own: its principals act in all of its regions.
    seed: u64,
}

/// CloudTrail logs being written.
struct Writer {
    seed: u64,
    layout: CloudTrailLayout,
    places: Vec<Place>,
    activity: Activity,
    /// Whether no record of the text has been written yet.
    first: bool,
    /// The record at hand, on one line.
    record: Vec<u8>,
}

impl Family for Writer {
    fn sources(&self) -> u64 {
        self.places.len() as u64
    }

    fn place(&self, interval: &Interval) -> (&str, &'static str) {
        let place = &self.places[interval.source];
        (&place.account, place.region)
    }

    fn key(&self, interval: &Interval) -> String {
        let Place {
            account, region, ..
        } = &self.places[interval.source];
        let Minute {
            year,
            month,
            day,
            hour,
            minute,
        } = Minute::of(interval.end());
        let mut unique = Vec::new();
        let mut random = Random::keyed(self.seed, Subject::Object, interval.object);
        push_letters(&mut unique, &mut random, 16);
        let unique = String::from_utf8_lossy(&unique);
        format!(
            "AWSLogs/{account}/CloudTrail/{region}/{year}/{month:02}/{day:02}/\
             {account}_CloudTrail_{region}_\
             {year}{month:02}{day:02}T{hour:02}{minute:02}Z_{unique}.json"
        )
    }

    fn begin(&mut self, text: &mut Vec<u8>) {
        self.first = true;
        self.layout.begin(text);
    }

    fn write(&mut self, interval: &Interval, out: &mut Output<'_>) -> io::Result<()> {
        let Self {
            layout,
            places,
            activity,
            first,
            record,
            ..
        } = self;
        activity.interval(interval, &places[interval.source], |event| {
            record.clear();
            event.push_json(record);
            out.push(|text| layout.push(text, record, std::mem::take(first)))
        })
    }

    fn end(&mut self, text: &mut Vec<u8>) {
        self.layout.end(text);
    }
}

#[cfg(test)]
mod tests;
