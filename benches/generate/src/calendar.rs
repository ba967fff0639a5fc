//! Dates in object keys.

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

#[cfg(test)]
mod tests {
    use super::Minute;

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
