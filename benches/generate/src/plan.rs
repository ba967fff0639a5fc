//! Rows dealt out over sources and intervals, and written as objects or as one text.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use crate::objects::write_object;
use crate::places::MAX_REGIONS;
use crate::random::Random;
use crate::{LogRecord, Summary};

/// 2026-01-05T00:00:00Z, a Monday.
pub(crate) const DEFAULT_START: u64 = 1_767_571_200;

/// Delivery writes an object every five minutes.
pub(crate) const INTERVAL_SECONDS: u64 = 300;

/// A single text holds an hour.
const INTERVALS_OF_TEXT: u64 = 12;

const FLUSH_AT_BYTES: usize = 1 << 16;

/// How much is logged, and over what it is spread: the same for every family of logs.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) rows: u64,
    pub(crate) seed: u64,
    /// Unix seconds, at the beginning of an interval.
    start: u64,
    accounts: u32,
    regions: u32,
}

/// Five minutes of one source: what an object holds.
pub(crate) struct Interval {
    pub(crate) object: u64,
    pub(crate) source: usize,
    /// Unix seconds.
    pub(crate) start: u64,
    pub(crate) rows: u64,
}

/// What one family of logs adds to a plan.
pub(crate) trait Family {
    /// How many sources log at the same time, each into objects of its own.
    fn sources(&self) -> u64;

    /// The account and the Region that log in an interval.
    fn place(&self, interval: &Interval) -> (&str, &'static str);

    /// The key of an interval's object, without the suffix for compression.
    fn key(&self, interval: &Interval) -> String;

    /// What a text begins with.
    fn begin(&mut self, _text: &mut Vec<u8>) {}

    /// The interval's records.
    fn write(&mut self, interval: &Interval, out: &mut Output<'_>) -> io::Result<()>;

    /// What a text ends with.
    fn end(&mut self, _text: &mut Vec<u8>) {}
}

impl Plan {
    /// One account in one region.
    pub(crate) fn new(rows: u64, seed: u64) -> Self {
        Self {
            rows,
            seed,
            start: DEFAULT_START,
            accounts: 1,
            regions: 1,
        }
    }

    pub(crate) fn with_accounts(self, accounts: u32) -> Self {
        let accounts = accounts.max(1);
        Self { accounts, ..self }
    }

    pub(crate) fn with_regions(self, regions: u32) -> Self {
        let regions = regions.clamp(1, MAX_REGIONS);
        Self { regions, ..self }
    }

    pub(crate) fn with_start(self, unix_seconds: u64) -> Self {
        let start = unix_seconds - unix_seconds % INTERVAL_SECONDS;
        Self { start, ..self }
    }

    /// The number of places, that is of accounts times regions.
    pub(crate) fn place_count(&self) -> u64 {
        u64::from(self.accounts) * u64::from(self.regions)
    }

    /// The numbers of each place's account and region.
    pub(crate) fn places(&self) -> impl Iterator<Item = (u64, u64)> {
        let regions = u64::from(self.regions);
        (0..self.place_count()).map(move |place| (place / regions, place % regions))
    }

    /// Writes one text that covers an hour.
    pub(crate) fn write_text(
        &self,
        out: &mut dyn Write,
        family: &mut impl Family,
    ) -> io::Result<Summary> {
        let sources = family.sources();
        let bytes = Output::write(
            out,
            family,
            self.intervals(INTERVALS_OF_TEXT * sources, sources),
        )?;
        Ok(Summary {
            rows: self.rows,
            bytes,
            objects: 1,
        })
    }

    /// Writes so many objects, at least one. Each source in turn gets an object for an interval
    /// before the next interval begins.
    pub(crate) fn write_objects(
        &self,
        folder: &Path,
        objects: usize,
        gzip: bool,
        family: &mut impl Family,
    ) -> io::Result<Summary> {
        let suffix = if gzip { ".gz" } else { "" };
        let mut summary = Summary::default();
        for interval in self.intervals(objects.max(1) as u64, family.sources()) {
            let key = family.key(&interval) + suffix;
            summary.rows += interval.rows;
            summary.bytes += write_object(folder, &key, gzip, |out| {
                Output::write(out, family, [interval])
            })?;
            summary.objects += 1;
        }
        Ok(summary)
    }

    /// Gives each record of an hour by itself, in which each is written on a line of its own.
    pub(crate) fn each_record(
        &self,
        give: &mut dyn FnMut(LogRecord) -> io::Result<()>,
        family: &mut impl Family,
    ) -> io::Result<()> {
        let sources = family.sources();
        for interval in self.intervals(INTERVALS_OF_TEXT * sources, sources) {
            let (account, region) = family.place(&interval);
            let account = Arc::from(account);
            let mut lines = Lines {
                account,
                region,
                give: &mut *give,
            };
            let mut output = Output::new(&mut lines);
            family.write(&interval, &mut output)?;
            output.flush()?;
        }
        Ok(())
    }

    /// The rows dealt out evenly over objects.
    fn intervals(&self, objects: u64, sources: u64) -> impl Iterator<Item = Interval> + use<> {
        let (rows, start) = (self.rows, self.start);
        let rows_before =
            move |object: u64| (u128::from(rows) * u128::from(object) / u128::from(objects)) as u64;
        (0..objects).map(move |object| Interval {
            object,
            source: (object % sources) as usize,
            start: start + object / sources * INTERVAL_SECONDS,
            rows: rows_before(object + 1) - rows_before(object),
        })
    }
}

impl Interval {
    /// Unix seconds; belongs to the next interval.
    pub(crate) fn end(&self) -> u64 {
        self.start + INTERVAL_SECONDS
    }

    /// When the row with this number is logged, in Unix microseconds: evenly over the interval, but
    /// for a disorder of at most so many seconds.
    pub(crate) fn moment(&self, row: u64, disorder_seconds: u64, random: &mut Random) -> u64 {
        const MICROS: u64 = 1_000_000;
        let spread = (INTERVAL_SECONDS - disorder_seconds) * MICROS;
        let passed = (u128::from(row) * u128::from(spread) / u128::from(self.rows.max(1))) as u64;
        self.start * MICROS + passed + random.below(disorder_seconds * MICROS)
    }
}

/// Gives whole lines on as records.
struct Lines<'a> {
    account: Arc<str>,
    region: &'static str,
    give: &'a mut dyn FnMut(LogRecord) -> io::Result<()>,
}

impl Write for Lines<'_> {
    /// An [`Output`] writes whole lines.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        for line in lines.split(|byte| *byte == b'\n') {
            if !line.is_empty() {
                (self.give)(LogRecord {
                    account: Arc::clone(&self.account),
                    region: self.region,
                    line: line.to_vec(),
                })?;
            }
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Text on its way out, in large writes.
pub(crate) struct Output<'a> {
    out: &'a mut dyn Write,
    text: Vec<u8>,
    bytes: u64,
}

impl<'a> Output<'a> {
    fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            text: Vec::with_capacity(FLUSH_AT_BYTES * 2),
            bytes: 0,
        }
    }

    /// Writes a whole text, and says how many bytes it has.
    fn write(
        out: &'a mut dyn Write,
        family: &mut impl Family,
        intervals: impl IntoIterator<Item = Interval>,
    ) -> io::Result<u64> {
        let mut output = Self::new(out);
        output.push(|text| family.begin(text))?;
        for interval in intervals {
            family.write(&interval, &mut output)?;
        }
        output.push(|text| family.end(text))?;
        output.flush()?;
        Ok(output.bytes)
    }

    /// Appends what the function appends.
    pub(crate) fn push(&mut self, append: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        append(&mut self.text);
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
}
