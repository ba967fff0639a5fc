//! VPC flow logs.
//!
//! The model, from the inside out: `network` has the interfaces that log, `internet` the hosts
//! they talk to; `conversation` draws who talks to whom about what, `volume` how much,
//! `traffic` when, and it turns that into the records of the interfaces concerned; `record`
//! writes a record's text in the order of the chosen `fields`.

mod conversation;
mod fields;
mod internet;
mod network;
mod record;
mod traffic;
mod volume;

use std::io::{self, Write};
use std::path::Path;

use crate::Summary;
use crate::calendar::Minute;
use crate::objects::write_object;
use crate::random::{Random, Subject};
use conversation::Population;
use fields::Fields;
use network::Place;
use record::Record;
use traffic::{INTERVAL_SECONDS, Traffic};

pub use fields::{FieldsError, flow_log_fields};
pub use network::MAX_REGIONS;

/// 2026-01-05T00:00:00Z, a Monday.
const DEFAULT_START: u64 = 1_767_571_200;

/// A single text holds an hour.
const INTERVALS_OF_TEXT: u64 = 12;

const FLUSH_AT_BYTES: usize = 1 << 16;

/// Flow logs of a network that has never existed.
///
/// Nearly all records come in pairs of request and reply; both ends log a conversation between two
/// of the network's own interfaces. Few addresses carry most of the traffic. About 4 % is IPv6, 6 %
/// REJECT (mostly scans from outside), 1 % NODATA, 0.1 % SKIPDATA; bytes exceed 2^32 now and then.
/// The distinct groups of `(srcaddr, dstaddr, dstport, action)` are about a quarter of the rows at
/// any size, since the network and the internet around it grow with the number of rows.
#[derive(Clone, Debug)]
pub struct FlowLogs {
    rows: u64,
    seed: u64,
    start: u64,
    accounts: u32,
    regions: u32,
    fields: Fields,
}

impl FlowLogs {
    /// Logs of exactly so many rows, with the fields of version 2, of one account in one region.
    pub fn new(rows: u64, seed: u64) -> Self {
        Self {
            rows,
            seed,
            start: DEFAULT_START,
            accounts: 1,
            regions: 1,
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
        let accounts = accounts.max(1);
        Self { accounts, ..self }
    }

    /// Spreads each account's logs over so many regions: at least one, at most [`MAX_REGIONS`].
    #[must_use]
    pub fn with_regions(self, regions: u32) -> Self {
        let regions = regions.clamp(1, MAX_REGIONS);
        Self { regions, ..self }
    }

    /// Begins with the interval of five minutes that holds this time (Unix seconds) instead of
    /// 2026-01-05T00:00:00Z.
    #[must_use]
    pub fn with_start(self, unix_seconds: u64) -> Self {
        let start = unix_seconds - unix_seconds % INTERVAL_SECONDS;
        Self { start, ..self }
    }

    /// Writes one text: a header, then rows that cover an hour.
    pub fn write_to(&self, out: &mut (impl Write + ?Sized)) -> io::Result<Summary> {
        let places = self.places();
        let population = self.population();
        let mut traffic = Traffic::new(self.seed, &places, &population, self.rows);
        let mut lines = Lines::begin(out, &self.fields);
        let intervals = self.intervals(INTERVALS_OF_TEXT * places.len() as u64);
        for interval in intervals {
            lines.write(&mut traffic, &interval)?;
        }
        let bytes = lines.finish()?;
        Ok(Summary {
            rows: self.rows,
            bytes,
            objects: 1,
        })
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
        let places = self.places();
        let population = self.population();
        let mut traffic = Traffic::new(self.seed, &places, &population, self.rows);
        let mut summary = Summary::default();
        for interval in self.intervals(objects.max(1) as u64) {
            let key = self.key(&places[interval.place], &interval, gzip);
            summary.bytes += write_object(folder, &key, gzip, |out| {
                let mut lines = Lines::begin(out, &self.fields);
                lines.write(&mut traffic, &interval)?;
                lines.finish()
            })?;
            summary.rows += interval.rows;
            summary.objects += 1;
        }
        Ok(summary)
    }

    fn place_count(&self) -> u64 {
        u64::from(self.accounts) * u64::from(self.regions)
    }

    /// An interface logs about a thousand rows.
    fn interfaces_per_place(&self) -> u64 {
        (self.rows / self.place_count() / 1_000).clamp(12, 20_000)
    }

    fn places(&self) -> Vec<Place> {
        let regions = u64::from(self.regions);
        let interfaces = self.interfaces_per_place();
        (0..self.place_count())
            .map(|i| {
                let (account, region) = (i / regions, (i % regions) as usize);
                Place::new(self.seed, i, account, region, interfaces)
            })
            .collect()
    }

    fn population(&self) -> Population {
        let public_hosts = (self.rows / 20).max(256);
        Population::new(self.seed, self.interfaces_per_place(), public_hosts)
    }

    /// The rows dealt out evenly over objects.
    fn intervals(&self, objects: u64) -> impl Iterator<Item = Interval> {
        let places = self.place_count();
        let (rows, start) = (self.rows, self.start);
        let rows_before =
            move |object: u64| (u128::from(rows) * u128::from(object) / u128::from(objects)) as u64;
        (0..objects).map(move |object| Interval {
            object,
            place: (object % places) as usize,
            start: start + object / places * INTERVAL_SECONDS,
            rows: rows_before(object + 1) - rows_before(object),
        })
    }

    fn key(&self, place: &Place, interval: &Interval, gzip: bool) -> String {
        let Place {
            account,
            region,
            flow_log,
            ..
        } = place;
        let Minute {
            year,
            month,
            day,
            hour,
            minute,
        } = Minute::of(interval.start);
        let hash = Random::keyed(self.seed, Subject::Object, interval.object).next() as u32;
        let suffix = if gzip { ".gz" } else { "" };
        format!(
            "AWSLogs/{account}/vpcflowlogs/{region}/{year}/{month:02}/{day:02}/\
             {account}_vpcflowlogs_{region}_{flow_log}_\
             {year}{month:02}{day:02}T{hour:02}{minute:02}Z_{hash:08x}.log{suffix}"
        )
    }
}

/// Five minutes of one place: what an object holds.
struct Interval {
    object: u64,
    place: usize,
    /// Unix seconds.
    start: u64,
    rows: u64,
}

/// Text on its way out, in large writes.
struct Lines<'a, W: ?Sized> {
    out: &'a mut W,
    fields: &'a Fields,
    text: Vec<u8>,
    bytes: u64,
}

impl<'a, W: Write + ?Sized> Lines<'a, W> {
    /// Begins with the header.
    fn begin(out: &'a mut W, fields: &'a Fields) -> Self {
        let mut text = Vec::with_capacity(FLUSH_AT_BYTES * 2);
        text.extend_from_slice(fields.header().as_bytes());
        Self {
            out,
            fields,
            text,
            bytes: 0,
        }
    }

    fn write(&mut self, traffic: &mut Traffic<'_>, interval: &Interval) -> io::Result<()> {
        let Interval {
            object,
            place,
            start,
            rows,
        } = *interval;
        traffic.object(object, place, start, rows, |record| self.push(record))
    }

    fn push(&mut self, record: &Record<'_>) -> io::Result<()> {
        record.push_line(&mut self.text, self.fields);
        if self.text.len() >= FLUSH_AT_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.text)?;
        self.bytes += self.text.len() as u64;
        self.text.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests;
