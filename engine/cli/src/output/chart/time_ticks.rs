//! Marks on an axis of time, where a clock or a calendar has its own.

use super::bins::Unit;
use super::calendar::{date, year_and_month};
use super::zone::{Zone, clock};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// How far marks may be apart.
#[rustfmt::skip]
const STEPS: [(Unit, i64); 48] = [
    (Unit::Milli, 1), (Unit::Milli, 2), (Unit::Milli, 5),
    (Unit::Milli, 10), (Unit::Milli, 20), (Unit::Milli, 50),
    (Unit::Milli, 100), (Unit::Milli, 200), (Unit::Milli, 500),
    (Unit::Milli, SECOND), (Unit::Milli, 2 * SECOND), (Unit::Milli, 5 * SECOND),
    (Unit::Milli, 10 * SECOND), (Unit::Milli, 15 * SECOND), (Unit::Milli, 30 * SECOND),
    (Unit::Milli, MINUTE), (Unit::Milli, 2 * MINUTE), (Unit::Milli, 5 * MINUTE),
    (Unit::Milli, 10 * MINUTE), (Unit::Milli, 15 * MINUTE), (Unit::Milli, 30 * MINUTE),
    (Unit::Milli, HOUR), (Unit::Milli, 2 * HOUR), (Unit::Milli, 3 * HOUR),
    (Unit::Milli, 6 * HOUR), (Unit::Milli, 12 * HOUR),
    (Unit::Day, 1), (Unit::Day, 2), (Unit::Day, 7), (Unit::Day, 14),
    (Unit::Month, 1), (Unit::Month, 2), (Unit::Month, 3), (Unit::Month, 6),
    (Unit::Month, 12), (Unit::Month, 12 * 2), (Unit::Month, 12 * 5),
    (Unit::Month, 12 * 10), (Unit::Month, 12 * 20), (Unit::Month, 12 * 50),
    (Unit::Month, 12 * 100), (Unit::Month, 12 * 200), (Unit::Month, 12 * 500),
    (Unit::Month, 12 * 1_000), (Unit::Month, 12 * 2_000), (Unit::Month, 12 * 5_000),
    (Unit::Month, 12 * 10_000), (Unit::Month, 12 * 20_000),
];

/// The marks from `first` to `last`, with their text: as many as there may be.
pub(super) fn time_ticks(first: i64, last: i64, zone: &Zone, at_most: usize) -> Vec<(i64, String)> {
    if first == last {
        return vec![(first, zone.stamp(first))];
    }
    let fits = |&(unit, step): &(Unit, i64)| {
        let span = unit.number(last, zone) - unit.number(first, zone);
        usize::try_from(span / step).is_ok_and(|count| count < at_most)
    };
    let Some(&(unit, step)) = STEPS.iter().find(|step| fits(step)) else {
        return Vec::new();
    };
    // Marks stand at multiples of the step, counted from midnight, a Monday or a January.
    let shift = match unit {
        Unit::Milli => zone.offset(first),
        Unit::Day => 3,
        Unit::Month => 0,
    };
    let begin = unit.number(first, zone) + shift;
    let end = unit.number(last, zone) + shift;
    (begin.div_euclid(step)..=end.div_euclid(step))
        .map(|multiple| multiple * step - shift)
        .map(|number| (unit.begin(number, zone), label(unit, step, number, zone)))
        .filter(|(time, _)| (first..=last).contains(time))
        .collect()
}

fn label(unit: Unit, step: i64, number: i64, zone: &Zone) -> String {
    match unit {
        Unit::Month if step % 12 == 0 => format!("{:04}", number.div_euclid(12)),
        Unit::Month => year_and_month(number),
        Unit::Day => date(number),
        Unit::Milli => match clock(zone.local(number)) {
            // A day's begin says which day begins: its month and day.
            midnight if midnight == "00:00" => date(Unit::Day.number(number, zone))[5..].to_owned(),
            other => other,
        },
    }
}
