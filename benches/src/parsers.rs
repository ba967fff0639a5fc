//! The speed of the parsers alone: one core, blocks in memory, every answer checked.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use loglens_bench::{alb_logs, blocks, cloudtrail_logs, flow_logs};
use loglens_parsers::format::{Format, by_name};
use loglens_parsers::parse::{ParseOptions, Parser};
use loglens_parsers::record::Block;
use loglens_parsers::table::{ColumnSource, Table};

use crate::error::{Error, Result};
use crate::results::ParserResult;

pub(crate) const FLOW_ALL: &str = "flow logs, all 14 columns";
pub(crate) const FLOW_TWO: &str = "flow logs, two columns";
pub(crate) const ALB_ALL: &str = "ALB, all columns";
pub(crate) const CLOUDTRAIL_SIX: &str = "CloudTrail, 6 columns";
pub(crate) const FLOW_VRL: &str = "flow logs, VRL";
pub(crate) const ALB_VRL: &str = "ALB, VRL";

/// Records of each log: some 20 MB of text.
const FLOW_ROWS: u64 = 200_000;
const ALB_ROWS: u64 = 40_000;
const CLOUDTRAIL_ROWS: u64 = 20_000;

const SIX: &[&str] = &[
    "eventtime",
    "eventname",
    "eventsource",
    "awsregion",
    "sourceipaddress",
    "errorcode",
];

/// Every parser, in runs that take turns.
pub(crate) fn measure(runs: usize) -> Result<Vec<ParserResult>> {
    let flow = Log::new("vpc_flow_logs", flow_logs(FLOW_ROWS), FLOW_ROWS)?;
    let alb = Log::new("alb_access_logs", alb_logs(ALB_ROWS), ALB_ROWS)?;
    let cloudtrail = Log::new(
        "cloudtrail_logs",
        cloudtrail_logs(CLOUDTRAIL_ROWS),
        CLOUDTRAIL_ROWS,
    )?;
    let all_of_flow: Vec<&str> = flow
        .format
        .default_order
        .iter()
        .map(String::as_str)
        .collect();
    let all_of_alb: Vec<&str> = alb
        .format
        .columns
        .iter()
        .map(|column| &*column.name)
        .collect();
    let mut parsers: Vec<(&str, &Log, Parse<'_>)> = vec![
        (FLOW_ALL, &flow, flow.parser(&all_of_flow)?),
        (FLOW_TWO, &flow, flow.parser(&["srcaddr", "bytes"])?),
        (ALB_ALL, &alb, alb.parser(&all_of_alb)?),
        (CLOUDTRAIL_SIX, &cloudtrail, cloudtrail.parser(SIX)?),
    ];
    #[cfg(feature = "vrl")]
    for (name, log, source) in [
        (FLOW_VRL, &flow, loglens_bench::vector::FLOW_LOG),
        (ALB_VRL, &alb, loglens_bench::vector::ALB_LOG),
    ] {
        let mut theirs = loglens_bench::vector::VectorParser::new(source).map_err(Error::new)?;
        parsers.push((name, log, Box::new(move || theirs.parse(&log.text))));
    }
    let mut results: Vec<ParserResult> = parsers
        .iter()
        .map(|(name, log, _)| ParserResult {
            name: (*name).to_owned(),
            bytes: log.text.len() as u64,
            records: log.rows,
            seconds: Vec::new(),
        })
        .collect();
    for run in 0..=runs {
        for ((name, log, parse), result) in parsers.iter_mut().zip(&mut results) {
            let start = Instant::now();
            let rows = parse();
            let seconds = start.elapsed().as_secs_f64();
            if rows != log.rows {
                return Err(Error::new(format!("{name}: {rows} rows, not {}", log.rows)));
            }
            // The first run warms up.
            if run > 0 {
                result.seconds.push(seconds);
            }
        }
    }
    Ok(results)
}

/// Parses all of a log and counts its rows.
type Parse<'a> = Box<dyn FnMut() -> u64 + 'a>;

/// A log in memory.
struct Log {
    format: &'static Arc<Format>,
    text: Vec<u8>,
    blocks: Vec<Block>,
    rows: u64,
}

impl Log {
    fn new(table: &str, text: Vec<u8>, rows: u64) -> Result<Self> {
        let format = by_name(table).ok_or_else(|| Error::new(format!("{table}: not a table")))?;
        Ok(Self {
            format,
            blocks: blocks(format, &text),
            text,
            rows,
        })
    }

    /// What parses these columns of all blocks and counts the rows.
    fn parser(&self, columns: &[&str]) -> Result<Parse<'_>> {
        let table = Arc::new(Table::new(Arc::clone(self.format), []));
        let index = |name: &&str| {
            let column = self.format.column(name);
            column
                .map(|column| table.index_of(ColumnSource::Format(column)))
                .ok_or_else(|| Error::new(format!("{name}: not a column")))
        };
        let projection = columns.iter().map(index).collect::<Result<Vec<usize>>>()?;
        Ok(Box::new(move || {
            let options = ParseOptions::default();
            let mut parser = Parser::new(Arc::clone(&table), &projection, &[], options);
            let mut rows = 0;
            for block in &self.blocks {
                if let Ok(parsed) = parser.parse(block, None) {
                    rows += black_box(parsed.batch).num_rows() as u64;
                }
            }
            rows
        }))
    }
}
