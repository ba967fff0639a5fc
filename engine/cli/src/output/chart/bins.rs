//! The bins of times, found from the times themselves.
//!
//! Times at the beginning of months are counted in months, times at midnight in days, and all
//! others in milliseconds: so a day may have 23 hours and a month 28 days.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{DAY, first_day, month};
use super::zone::Zone;

/// With more bins than this none are filled in.
const MAX_BINS: i64 = 10_000;

/// What times are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Milli,
    Day,
    Month,
}

/// The bins from the first time to the last.
pub(super) struct Bins {
    /// When each begins, in order.
    pub(super) times: Vec<i64>,
    /// How many of them had no row.
    pub(super) missing: usize,
    /// How far they are apart; `None` for a single one.
    pub(super) step: Option<(Unit, i64)>,
    /// Whether all bins are there; otherwise there would be too many.
    pub(super) is_filled: bool,
}

impl Unit {
    /// The number of the unit that holds an instant.
    pub(super) fn number(self, instant: i64, zone: &Zone) -> i64 {
        let day = || zone.local(instant).div_euclid(DAY);
        match self {
            Self::Milli => instant,
            Self::Day => day(),
            Self::Month => month(day()),
        }
    }

    /// When a unit begins.
    pub(super) fn begin(self, number: i64, zone: &Zone) -> i64 {
        match self {
            Self::Milli => number,
            Self::Day => zone.instant(number * DAY),
            Self::Month => zone.instant(first_day(number) * DAY),
        }
    }

    /// The largest unit whose beginnings all of these are.
    fn of(times: &BTreeSet<i64>, zone: &Zone) -> Self {
        let all_begin = |unit: Self| {
            let begins = |&time: &i64| unit.begin(unit.number(time, zone), zone) == time;
            times.iter().all(begins)
        };
        [Self::Month, Self::Day]
            .into_iter()
            .find(|&unit| all_begin(unit))
            .unwrap_or(Self::Milli)
    }
}

impl Bins {
    pub(super) fn of(times: &BTreeSet<i64>, zone: &Zone) -> Self {
        let unit = Unit::of(times, zone);
        let numbers: Vec<_> = times.iter().map(|&time| unit.number(time, zone)).collect();
        let step = numbers
            .windows(2)
            .fold(0, |step, pair| gcd(step, pair[1] - pair[0]));
        let mut bins = Self {
            times: times.iter().copied().collect(),
            missing: 0,
            step: (step > 0).then_some((unit, step)),
            is_filled: true,
        };
        let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
            return bins;
        };
        if step > 0 {
            let count = (last - first) / step + 1;
            bins.is_filled = count <= MAX_BINS;
            if bins.is_filled {
                // The times that there are stand for their own bins.
                let own: BTreeMap<_, _> =
                    numbers.iter().copied().zip(times.iter().copied()).collect();
                let numbers = (0..count).map(|index| first + index * step);
                bins.times = numbers
                    .map(|number| {
                        own.get(&number)
                            .copied()
                            .unwrap_or_else(|| unit.begin(number, zone))
                    })
                    .collect();
                bins.missing = bins.times.len() - times.len();
            }
        }
        bins
    }

    /// How wide a bin is: `5 minutes`.
    pub(super) fn width(&self) -> Option<String> {
        let (unit, step) = self.step?;
        let units: &[(i64, &str)] = match unit {
            Unit::Milli => &[
                (3_600_000, "hour"),
                (60_000, "minute"),
                (1_000, "second"),
                (1, "millisecond"),
            ],
            Unit::Day => &[(7, "week"), (1, "day")],
            Unit::Month => &[(12, "year"), (1, "month")],
        };
        let (size, name) = units.iter().find(|(size, _)| step % size == 0)?;
        Some(match step / size {
            1 => format!("1 {name}"),
            many => format!("{many} {name}s"),
        })
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
