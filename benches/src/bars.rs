//! The bars: what loglens is to reach (issue 4), and whether it does.

use crate::cases::{Family, Layout, Storage};
use crate::floors::NEWLINES_READING;
use crate::parsers::{ALB_ALL, ALB_VRL, CLOUDTRAIL_SIX, FLOW_ALL, FLOW_TWO, FLOW_VRL};
use crate::results::{LOGLENS, LayoutResults, ONE_CORE, Results};

/// A bar, and everything that has to reach it.
pub(crate) struct Bar {
    pub(crate) what: &'static str,
    pub(crate) bar: &'static str,
    pub(crate) checks: Vec<Check>,
}

/// One number that has to be on the right side of another.
#[derive(Clone)]
pub(crate) struct Check {
    pub(crate) label: String,
    /// None if it was not measured.
    pub(crate) measured: Option<f64>,
    pub(crate) needed: Needed,
    pub(crate) unit: &'static str,
}

/// The right side.
#[derive(Clone, Copy)]
pub(crate) enum Needed {
    AtLeast(f64),
    MoreThan(f64),
    AtMost(f64),
}

impl Check {
    /// None if it was not measured.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let measured = self.measured?;
        Some(match self.needed {
            Needed::AtLeast(bar) => measured >= bar,
            Needed::MoreThan(bar) => measured > bar,
            Needed::AtMost(bar) => measured <= bar,
        })
    }
}

impl Bar {
    /// Met if all that was measured is, and anything was.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let met: Vec<bool> = self.checks.iter().filter_map(Check::is_met).collect();
        (!met.is_empty()).then(|| met.iter().all(|&met| met))
    }
}

const PLAIN: Layout = Layout::new(Family::Flow, Storage::Plain);
const GZIP: Layout = Layout::new(Family::Flow, Storage::Gzip);
const FILES: Layout = Layout::new(Family::Flow, Storage::Files);

/// All bars, in the order of the issue.
pub(crate) fn bars(results: &Results) -> Vec<Bar> {
    use Needed::{AtLeast, AtMost, MoreThan};
    let ratios = Ratios { results };
    let four = &["top", "sum", "cidr", "hour"];
    vec![
        Bar {
            what: "parse default flow log to all 14 columns, one core",
            bar: "at least 1.0 GB/s; two columns at least 2.0 GB/s",
            checks: vec![ratios.parser(FLOW_ALL, 1.0), ratios.parser(FLOW_TWO, 2.0)],
        },
        Bar {
            what: "parse ALB 34 fields, one core; CloudTrail 6 columns, one core",
            bar: "at least 0.8 GB/s each",
            checks: vec![
                ratios.parser(ALB_ALL, 0.8),
                ratios.parser(CLOUDTRAIL_SIX, 0.8),
            ],
        },
        Bar {
            what: "plain file: top, sum, CIDR, time range",
            bar: "at least 3x DuckDB, 2x Polars, 1.8x DataFusion's CSV reader",
            checks: [
                ratios.over(PLAIN, four, "duckdb", AtLeast(3.0)),
                ratios.over(PLAIN, four, "polars", AtLeast(2.0)),
                ratios.over(PLAIN, four, "datafusion", AtLeast(1.8)),
            ]
            .concat(),
        },
        Bar {
            what: "plain file: wide group-by",
            bar: "at least 2x DuckDB",
            checks: ratios.over(PLAIN, &["wide"], "duckdb", AtLeast(2.0)),
        },
        Bar {
            what: "plain file: count",
            bar: "at most 1.5x the newline floor with reading",
            checks: vec![ratios.count_over_floor(AtMost(1.5))],
        },
        Bar {
            what: "plain file: needle",
            bar: "at least 10x DuckDB, 5x Polars",
            checks: [
                ratios.over(PLAIN, &["needle"], "duckdb", AtLeast(10.0)),
                ratios.over(PLAIN, &["needle"], "polars", AtLeast(5.0)),
            ]
            .concat(),
        },
        Bar {
            what: "one gzip file",
            bar: "at least 2x DuckDB, faster than Polars on every query",
            checks: [
                ratios.over(GZIP, &[], "duckdb", AtLeast(2.0)),
                ratios.over(GZIP, &[], "polars", MoreThan(1.0)),
            ]
            .concat(),
        },
        Bar {
            what: "288 gzip files",
            bar: "at least 3x DuckDB, 2x Polars",
            checks: [
                ratios.over(FILES, &[], "duckdb", AtLeast(3.0)),
                ratios.over(FILES, &[], "polars", AtLeast(2.0)),
            ]
            .concat(),
        },
        Bar {
            what: "CloudTrail gzip",
            bar: "at least 10x DuckDB's read_json",
            checks: [Storage::Gzip, Storage::Files]
                .map(|storage| {
                    let layout = Layout::new(Family::CloudTrail, storage);
                    ratios.over(layout, &[], "duckdb_read_json", AtLeast(10.0))
                })
                .concat(),
        },
        Bar {
            what: "ALB",
            bar: "at least 3x DuckDB",
            checks: [Storage::Plain, Storage::Gzip]
                .map(|storage| {
                    let layout = Layout::new(Family::Alb, storage);
                    ratios.over(layout, &[], "duckdb", AtLeast(3.0))
                })
                .concat(),
        },
        Bar {
            what: "against VRL's parsers per record",
            bar: "at least 20x",
            checks: vec![
                ratios.parsers(FLOW_VRL, FLOW_ALL, AtLeast(20.0)),
                ratios.parsers(ALB_VRL, ALB_ALL, AtLeast(20.0)),
            ],
        },
        Bar {
            what: "two cores against one",
            bar: "at least 1.8x on plain and on many files",
            checks: [
                ratios.over(PLAIN, &[], ONE_CORE, AtLeast(1.8)),
                ratios.over(FILES, &[], ONE_CORE, AtLeast(1.8)),
            ]
            .concat(),
        },
        Bar {
            what: "memory, 10x the data",
            bar: "under 500 MB with under 1 M groups; within the limit plus 10 % where there is one",
            checks: ratios.memory(),
        },
    ]
}

struct Ratios<'a> {
    results: &'a Results,
}

impl Ratios<'_> {
    /// How many times as long somebody takes as loglens, in the named cases or in all.
    fn over(&self, layout: Layout, cases: &[&str], who: &str, needed: Needed) -> Vec<Check> {
        let Some(results) = self.results.layout(layout) else {
            return Vec::new();
        };
        results
            .cases
            .iter()
            .filter(|case| cases.is_empty() || cases.contains(&case.name.as_str()))
            .map(|case| Check {
                label: format!("{}, {}: {who}", layout.name(), case.name),
                measured: case.ratio(who),
                needed,
                unit: "x",
            })
            .collect()
    }

    fn count_over_floor(&self, needed: Needed) -> Check {
        let ratio = |layout: &LayoutResults| {
            let count = layout.cases.iter().find(|case| case.name == "count")?;
            Some(count.seconds(LOGLENS)? / layout.floor(NEWLINES_READING)?)
        };
        Check {
            label: format!("count over {NEWLINES_READING}"),
            measured: self.results.layout(PLAIN).and_then(ratio),
            needed,
            unit: "x",
        }
    }

    /// Gigabytes per second.
    fn parser(&self, name: &str, needed: f64) -> Check {
        let parser = self
            .results
            .parsers
            .iter()
            .find(|parser| parser.name == name);
        Check {
            label: name.to_owned(),
            measured: parser.and_then(|parser| Some(parser.rate()? / 1e9)),
            needed: Needed::AtLeast(needed),
            unit: " GB/s",
        }
    }

    /// How many times as long a parser takes as ours, for each byte.
    fn parsers(&self, theirs: &str, ours: &str, needed: Needed) -> Check {
        let rate = |name| self.parser(name, 0.0).measured;
        Check {
            label: theirs.to_owned(),
            measured: rate(theirs).and_then(|theirs| Some(rate(ours)? / theirs)),
            needed,
            unit: "x",
        }
    }

    fn memory(&self) -> Vec<Check> {
        let checks = self.results.memory.iter().map(|result| Check {
            label: result.title.clone(),
            measured: match result.failed {
                // It had to finish.
                Some(_) => Some(f64::INFINITY),
                None => Some(result.peak_bytes as f64 / 1e6),
            },
            needed: Needed::AtMost(
                result
                    .allowed_bytes
                    .map_or(f64::MAX, |bytes| bytes as f64 / 1e6),
            ),
            unit: " MB",
        });
        checks.collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::results;

    fn is_met(what: &str) -> Option<bool> {
        let bars = bars(&results());
        bars.iter().find(|bar| bar.what == what).unwrap().is_met()
    }

    #[test]
    fn a_bar_is_met_if_all_that_was_measured_is() {
        for (what, expected) in [
            // Both numbers are there, and well above.
            (
                "parse default flow log to all 14 columns, one core",
                Some(true),
            ),
            // 3.5x DuckDB, but 1.5x Polars.
            ("plain file: top, sum, CIDR, time range", Some(false)),
            // 0.12 s over a floor of 0.1 s.
            ("plain file: count", Some(true)),
            // Twice for `top`, less for `count`.
            ("two cores against one", Some(false)),
            // Who disagrees was not measured.
            ("one gzip file", Some(true)),
            ("against VRL's parsers per record", Some(true)),
            ("CloudTrail gzip", None),
        ] {
            assert_eq!(is_met(what), expected, "{what}");
        }
    }

    #[test]
    fn what_was_to_finish_and_did_not_is_not_met() {
        assert_eq!(is_met("memory, 10x the data"), Some(false));
    }
}
