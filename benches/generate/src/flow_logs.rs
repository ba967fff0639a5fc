//! VPC flow logs.
//!
//! The model, from the inside out: `network` has the interfaces that log; `conversation` draws who talks to whom about what, `volume` how much,
//! `traffic` when, and it turns that into the records of the interfaces concerned; `record`
//! writes a record's text in the order of the chosen `fields`.

mod conversation;
mod fields;
mod network;
mod record;
mod traffic;
mod volume;

use std::io::{self, Write};
use std::path::Path;

use crate::calendar::Minute;
use crate::plan::{Family, Interval, Output, Plan};
use crate::random::{Random, Subject};
use crate::{LogRecord, Summary};
use conversation::Population;
use fields::Fields;
use network::Place;
use traffic::Traffic;

pub use fields::{FieldsError, flow_log_fields};

/// Flow logs of a network that has never existed.
///
/// Nearly all records come in pairs of request and reply; both ends log a conversation between two
/// of the network's own interfaces. Few addresses carry most of the traffic. About 4 % is IPv6, 6 %
/// REJECT (mostly scans from outside), 1 % NODATA, 0.1 % SKIPDATA; bytes exceed 2^32 now and then.
/// The distinct groups of `(srcaddr, dstaddr, dstport, action)` are about a quarter of the rows at
/// any size, since the network and the internet around it grow with the number of rows.
#[derive(Clone, Debug)]
pub struct FlowLogs {
    plan: Plan,
    fields: Fields,
}

impl FlowLogs {
    /// Logs of exactly so many rows, with the fields of version 2, of one account in one region.
    pub fn new(rows: u64, seed: u64) -> Self {
        Self {
            plan: Plan::new(rows, seed),
            fields: Fields::default(),
        }
    }

    /// Chooses the fields and their order, by their names on the wire (see [`flow_log_fields`]).
    pub fn with_fields<S: AsRef<str>>(
        self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, FieldsError> {
        let fields = Fields::parse(names)?;
        Ok(Self { fields, ..self })
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

    /// Writes one text: a header, then rows that cover an hour.
    pub fn write_to(&self, mut out: &mut (impl Write + ?Sized)) -> io::Result<Summary> {
        self.with_writer(|writer| self.plan.write_text(&mut out, writer))
    }

    /// Writes the rows as so many objects (at least one) below a folder, under the keys that AWS
    /// uses:
    /// `AWSLogs/<account>/vpcflowlogs/<region>/YYYY/MM/DD/<account>_vpcflowlogs_<region>_<flow log>_YYYYMMDDTHHmmZ_<hash>.log`,
    /// with `.gz` when they are compressed.
    ///
    /// An object holds five minutes of one account and region, by the records' end times. Each
    /// account and region in turn gets an object for an interval before the next interval begins.
    /// An object appears under its key when it is complete. The text of an object does not depend
    /// on `gzip`; the compressed bytes depend on the version of the compressor, too.
    pub fn write_objects(&self, folder: &Path, objects: usize, gzip: bool) -> io::Result<Summary> {
        self.with_writer(|writer| self.plan.write_objects(folder, objects, gzip, writer))
    }

    /// Gives each record of an hour by itself, as it is written into a stream: without a header.
    pub fn each_record(&self, give: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()> {
        self.with_writer(|writer| self.plan.each_record(give, writer))
    }

    fn with_writer<T>(&self, write: impl FnOnce(&mut Writer<'_>) -> T) -> T {
        let places = self.places();
        let population = self.population();
        write(&mut Writer {
            seed: self.plan.seed,
            fields: &self.fields,
            places: &places,
            traffic: Traffic::new(self.plan.seed, &places, &population, self.plan.rows),
        })
    }

    /// An interface logs about a thousand rows.
    fn interfaces_per_place(&self) -> u64 {
        (self.plan.rows / self.plan.place_count() / 1_000).clamp(12, 20_000)
    }

    fn places(&self) -> Vec<Place> {
        let interfaces = self.interfaces_per_place();
        (0..)
            .zip(self.plan.places())
            .map(|(index, (account, region))| {
                Place::new(self.plan.seed, index, account, region, interfaces)
            })
            .collect()
    }

    fn population(&self) -> Population {
        let public_hosts = (self.plan.rows / 20).max(256);
        Population::new(self.plan.seed, self.interfaces_per_place(), public_hosts)
    }
}

/// Flow logs being written.
struct Writer<'a> {
    seed: u64,
    fields: &'a Fields,
    places: &'a [Place],
    traffic: Traffic<'a>,
}

impl Family for Writer<'_> {
    fn sources(&self) -> u64 {
        self.places.len() as u64
    }

    fn place(&self, interval: &Interval) -> (&str, &'static str) {
        let place = &self.places[interval.source];
        (&place.account, place.region)
    }

    fn key(&self, interval: &Interval) -> String {
        let Place {
            account,
            region,
            flow_log,
            ..
        } = &self.places[interval.source];
        let Minute {
            year,
            month,
            day,
            hour,
            minute,
        } = Minute::of(interval.start);
        let hash = Random::keyed(self.seed, Subject::Object, interval.object).next() as u32;
        format!(
            "AWSLogs/{account}/vpcflowlogs/{region}/{year}/{month:02}/{day:02}/\
             {account}_vpcflowlogs_{region}_{flow_log}_\
             {year}{month:02}{day:02}T{hour:02}{minute:02}Z_{hash:08x}.log"
        )
    }

    fn begin(&mut self, text: &mut Vec<u8>) {
        text.extend_from_slice(self.fields.header().as_bytes());
    }

    fn write(&mut self, interval: &Interval, out: &mut Output<'_>) -> io::Result<()> {
        let fields = self.fields;
        self.traffic.interval(interval, |record| {
            out.push(|text| record.push_line(text, fields))
        })
    }
}

#[cfg(test)]
mod tests;
