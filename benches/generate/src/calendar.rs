//! Dates in object keys and in records.

use crate::text::{push_decimal, push_padded};

/// A minute of the Gregorian calendar, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Minute {
    pub(crate) year: u64,
    pub(crate) month: u64,
    pub(crate) day: u64,
    pub(crate) hour: u64,
    pub(crate) minute: u64,
}

impl Minute {
    /// The minute that holds a Unix time in seconds.
    ///
    /// The date is H. Hinnant's `civil_from_days`
    /// (<https://howardhinnant.github.io/date_algorithms.html>), for days from 1970 on: years begin
    /// in March there, so that the leap day is a year's last.
    pub(crate) fn of(unix_seconds: u64) -> Self {
        const DAYS_PER_ERA: u64 = 146_097;
        let days = unix_seconds / 86_400 + 719_468;
        let era = days / DAYS_PER_ERA;
        let day_of_era = days % DAYS_PER_ERA;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            hour: unix_seconds / 3_600 % 24,
            minute: unix_seconds / 60 % 60,
        }
    }
}

/// Appends `2026-01-05T10:00:00.123456Z`.
pub(crate) fn push_micros(out: &mut Vec<u8>, unix_micros: u64) {
    push_civil(out, unix_micros / 1_000_000);
    out.push(b'.');
    push_padded(out, unix_micros % 1_000_000, 6);
    out.push(b'Z');
}

/// Appends `2026-01-05T10:00:00Z`.
pub(crate) fn push_seconds(out: &mut Vec<u8>, unix_seconds: u64) {
    push_civil(out, unix_seconds);
    out.push(b'Z');
}

fn push_civil(out: &mut Vec<u8>, unix_seconds: u64) {
    let time = Minute::of(unix_seconds);
    push_decimal(out, time.year);
    for (separator, number) in [
        (b'-', time.month),
        (b'-', time.day),
        (b'T', time.hour),
        (b':', time.minute),
        (b':', unix_seconds % 60),
    ] {
        out.push(separator);
        push_padded(out, number, 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times() {
        let mut out = Vec::new();
        push_micros(&mut out, 1_767_571_200_000_123);
        push_seconds(&mut out, 1_709_251_199);
        assert_eq!(out, b"2026-01-05T00:00:00.000123Z2024-02-29T23:59:59Z");
    }

    #[test]
    fn known_minutes() {
        let check = |seconds, expected: [u64; 5]| {
            let m = Minute::of(seconds);
            assert_eq!([m.year, m.month, m.day, m.hour, m.minute], expected);
        };
        check(0, [1970, 1, 1, 0, 0]);
        check(951_782_399, [2000, 2, 28, 23, 59]);
        check(951_782_400, [2000, 2, 29, 0, 0]);
        check(1_709_251_199, [2024, 2, 29, 23, 59]);
        check(1_709_251_200, [2024, 3, 1, 0, 0]);
        check(1_767_225_599, [2025, 12, 31, 23, 59]);
        check(4_107_542_400, [2100, 3, 1, 0, 0]);
    }
}
