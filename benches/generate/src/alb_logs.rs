//! Application Load Balancer access logs.
//!
//! The model, from the inside out: `site` says what the load balancers serve, `balancer` has the
//! load balancers with their nodes and targets, `client` those who ask; `traffic` draws what is
//! asked, and `node` what comes back; `exchange` writes that as a line.

mod balancer;
mod client;
mod exchange;
mod node;
mod site;
mod traffic;

use std::io::{self, Write};
use std::path::Path;

use crate::calendar::Minute;
use crate::ids::push_letters;
use crate::plan::{Family, Interval, Output, Plan};
use crate::random::{Random, Subject};
use crate::{LogRecord, Summary};
use balancer::{Balancer, NODES};
use site::SITES;
use traffic::Traffic;

/// Access logs of load balancers that have never existed.
///
/// Each account and region has three load balancers of two nodes. Few clients and few URLs make
/// most of the requests. Half of the answers take less than 10 ms and 1 % take about a second. A
/// target fails now and then for a minute or two; some addresses only scan for weaknesses.
#[derive(Clone, Debug)]
pub struct AlbLogs {
    plan: Plan,
    fields: AlbFields,
}

/// How many fields a line has: AWS has appended some over the years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlbFields {
    /// Up to `classification_reason`.
    Classified29,
    /// With the connection's id and what a transform made of host and path.
    Transformed33,
    /// With the node's address.
    #[default]
    Node34,
}

impl AlbLogs {
    /// Logs of exactly so many rows, with all fields, of one account in one region.
    pub fn new(rows: u64, seed: u64) -> Self {
        Self {
            plan: Plan::new(rows, seed),
            fields: AlbFields::default(),
        }
    }

    /// Writes lines as they were when there were fewer fields.
    #[must_use]
    pub fn with_fields(self, fields: AlbFields) -> Self {
        Self { fields, ..self }
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

    /// Writes one text: lines that cover an hour of all load balancers.
    pub fn write_to(&self, mut out: &mut (impl Write + ?Sized)) -> io::Result<Summary> {
        let balancers = self.balancers();
        self.plan.write_text(&mut out, &mut self.writer(&balancers))
    }

    /// Writes the rows as so many objects (at least one) below a folder, under the keys that AWS
    /// uses:
    /// `AWSLogs/<account>/elasticloadbalancing/<region>/YYYY/MM/DD/<account>_elasticloadbalancing_<region>_app.<name>.<id>_YYYYMMDDTHHmmZ_<node's address>_<random>.log`,
    /// with `.gz` when they are compressed.
    ///
    /// An object holds five minutes of one node of one load balancer, by the times of the answers;
    /// its key has their end. Each node in turn gets an object for an interval before the next
    /// interval begins. An object appears under its key when it is complete. The text of an object
    /// does not depend on `gzip`; the compressed bytes depend on the version of the compressor, too.
    pub fn write_objects(&self, folder: &Path, objects: usize, gzip: bool) -> io::Result<Summary> {
        let balancers = self.balancers();
        self.plan
            .write_objects(folder, objects, gzip, &mut self.writer(&balancers))
    }

    /// Gives each record of an hour by itself, as it is written into a stream.
    pub fn each_record(&self, give: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()> {
        let balancers = self.balancers();
        self.plan.each_record(give, &mut self.writer(&balancers))
    }

    /// The first load balancers are of all places, so that a few objects show all of these.
    fn balancers(&self) -> Vec<Balancer> {
        let sites = SITES
            .iter()
            .flat_map(|site| self.plan.places().map(move |place| (site, place)));
        (0..)
            .zip(sites)
            .map(|(index, (site, (account, region)))| {
                Balancer::new(self.plan.seed, index, site, account, region)
            })
            .collect()
    }

    fn writer<'a>(&self, balancers: &'a [Balancer]) -> Writer<'a> {
        Writer {
            seed: self.plan.seed,
            fields: self.fields,
            balancers,
            traffic: Traffic::new(self.plan.seed, self.plan.rows),
        }
    }
}

/// Access logs being written.
struct Writer<'a> {
    seed: u64,
    fields: AlbFields,
    balancers: &'a [Balancer],
    traffic: Traffic,
}

impl<'a> Writer<'a> {
    /// A source is a node of a load balancer: the first nodes of all, then the second ones.
    fn source(&self, interval: &Interval) -> (&'a Balancer, usize) {
        let balancers = self.balancers.len();
        (
            &self.balancers[interval.source % balancers],
            interval.source / balancers,
        )
    }
}

impl Family for Writer<'_> {
    fn sources(&self) -> u64 {
        (self.balancers.len() * NODES) as u64
    }

    fn place(&self, interval: &Interval) -> (&str, &'static str) {
        let (balancer, _) = self.source(interval);
        (&balancer.account, balancer.region)
    }

    fn key(&self, interval: &Interval) -> String {
        let (balancer, node) = self.source(interval);
        let Balancer {
            account,
            region,
            elb,
            nodes,
            ..
        } = balancer;
        let Minute {
            year,
            month,
            day,
            hour,
            minute,
        } = Minute::of(interval.end());
        let name = elb.replace('/', ".");
        let address = nodes[node];
        let mut unique = Vec::new();
        let mut random = Random::keyed(self.seed, Subject::Object, interval.object);
        push_letters(&mut unique, &mut random, 8);
        let unique = String::from_utf8_lossy(&unique);
        format!(
            "AWSLogs/{account}/elasticloadbalancing/{region}/{year}/{month:02}/{day:02}/\
             {account}_elasticloadbalancing_{region}_{name}_\
             {year}{month:02}{day:02}T{hour:02}{minute:02}Z_{address}_{unique}.log"
        )
    }

    fn write(&mut self, interval: &Interval, out: &mut Output<'_>) -> io::Result<()> {
        let (balancer, node) = self.source(interval);
        let fields = self.fields;
        self.traffic.interval(interval, balancer, node, |exchange| {
            out.push(|text| exchange.push_line(text, fields))
        })
    }
}

#[cfg(test)]
mod tests;
