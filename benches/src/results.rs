//! What came out, as `results.json` keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cases::Layout;
use crate::machine::Machine;

/// Ours, on all cores.
pub(crate) const LOGLENS: &str = "loglens";
/// Ours, on one.
pub(crate) const ONE_CORE: &str = "loglens_one_core";

/// A whole comparison.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Results {
    pub(crate) date: String,
    pub(crate) commit: String,
    pub(crate) machine: Machine,
    /// The load just before: others were at work if it is not near 0.
    #[serde(default)]
    pub(crate) load: Option<f64>,
    /// Cores that everybody had.
    pub(crate) threads: usize,
    pub(crate) rows: u64,
    pub(crate) runs: usize,
    pub(crate) binary_bytes: u64,
    /// A whole process of loglens that reads nothing.
    pub(crate) select_one: Contestant,
    /// Versions of the peers by their names.
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) layouts: Vec<LayoutResults>,
    pub(crate) parsers: Vec<ParserResult>,
    pub(crate) memory: Vec<MemoryResult>,
}

/// A layout, its floors and cases.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct LayoutResults {
    pub(crate) layout: Layout,
    pub(crate) rows: u64,
    /// Bytes in the files.
    pub(crate) file_bytes: u64,
    /// Bytes of text.
    pub(crate) text_bytes: u64,
    pub(crate) floors: Vec<Floor>,
    pub(crate) cases: Vec<CaseResults>,
}

/// What no reader of the same bytes can do without.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Floor {
    pub(crate) name: String,
    pub(crate) seconds: Vec<f64>,
}

/// A case and how everybody did.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct CaseResults {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) note: Option<String>,
    /// Rows of the answer.
    pub(crate) answer_rows: usize,
    pub(crate) contestants: Vec<Contestant>,
}

/// What somebody took for a case.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Contestant {
    pub(crate) name: String,
    /// In the order of the runs.
    pub(crate) seconds: Vec<f64>,
    pub(crate) cpu_seconds: Vec<f64>,
    /// The highest of all measured runs.
    pub(crate) peak_bytes: u64,
    /// Why there is nothing to see.
    pub(crate) cannot: Option<String>,
    /// How its answer differs from that of loglens: then nothing else of it counts.
    pub(crate) disagrees: Option<String>,
}

/// The speed of a parser on one core, in memory.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct ParserResult {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) records: u64,
    pub(crate) seconds: Vec<f64>,
}

/// A case about memory.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct MemoryResult {
    pub(crate) name: String,
    pub(crate) title: String,
    /// As given to `--memory-limit`.
    pub(crate) limit: Option<String>,
    /// The peak may be this high.
    pub(crate) allowed_bytes: Option<u64>,
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_bytes: u64,
    pub(crate) failed: Option<String>,
}

impl Results {
    pub(crate) fn layout(&self, layout: Layout) -> Option<&LayoutResults> {
        self.layouts.iter().find(|results| results.layout == layout)
    }

    /// Whether loglens answered everything, and everybody who answered gave the same answer.
    pub(crate) fn agree(&self) -> bool {
        let cases = self.layouts.iter().flat_map(|layout| &layout.cases);
        cases.flat_map(|case| &case.contestants).all(|contestant| {
            let is_missing = contestant.name == LOGLENS && contestant.cannot.is_some();
            contestant.disagrees.is_none() && !is_missing
        })
    }
}

impl LayoutResults {
    /// The median seconds of a floor.
    pub(crate) fn floor(&self, name: &str) -> Option<f64> {
        let floor = self.floors.iter().find(|floor| floor.name == name)?;
        median(&floor.seconds)
    }
}

impl CaseResults {
    /// The median seconds of somebody who answered, and rightly.
    pub(crate) fn seconds(&self, name: &str) -> Option<f64> {
        self.contestant(name)?.median()
    }

    pub(crate) fn contestant(&self, name: &str) -> Option<&Contestant> {
        self.contestants
            .iter()
            .find(|contestant| contestant.name == name)
    }

    /// How many times as long as loglens somebody took.
    pub(crate) fn ratio(&self, name: &str) -> Option<f64> {
        Some(self.seconds(name)? / self.seconds(LOGLENS)?)
    }
}

impl Contestant {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn cannot(name: &str, reason: impl Into<String>) -> Self {
        Self {
            cannot: Some(reason.into()),
            ..Self::new(name)
        }
    }

    pub(crate) fn median(&self) -> Option<f64> {
        if self.disagrees.is_some() {
            return None;
        }
        median(&self.seconds)
    }

    /// How many cores were busy, on average.
    pub(crate) fn cores(&self) -> Option<f64> {
        Some(median(&self.cpu_seconds)? / median(&self.seconds)?)
    }

    pub(crate) fn add(&mut self, seconds: f64, cpu_seconds: f64, peak_bytes: u64) {
        self.seconds.push(seconds);
        self.cpu_seconds.push(cpu_seconds);
        self.peak_bytes = self.peak_bytes.max(peak_bytes);
    }
}

impl ParserResult {
    /// Bytes per second.
    pub(crate) fn rate(&self) -> Option<f64> {
        Some(self.bytes as f64 / median(&self.seconds)?)
    }
}

/// The middle of the values, or of the two in the middle.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some((sorted[middle - 1] + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        for (values, expected) in [
            (&[][..], None),
            (&[3.0], Some(3.0)),
            (&[3.0, 1.0], Some(2.0)),
            (&[9.0, 1.0, 2.0], Some(2.0)),
        ] {
            assert_eq!(median(values), expected, "{values:?}");
        }
    }
}
