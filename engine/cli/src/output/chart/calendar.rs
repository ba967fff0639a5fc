//! The calendar: days since 1970, and months since January of the year 0.

/// A day in milliseconds.
pub(super) const DAY: i64 = 86_400_000;

/// The month of 1970's first day.
const MONTH_OF_1970: i64 = 1970 * 12;
/// Days from the first of January of the year 1 to that of 1970.
const DAYS_TO_1970: i64 = 719_162;
/// Days before each month in a year that is no leap year.
const DAYS_BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// The first day of a month.
pub(super) fn first_day(month: i64) -> i64 {
    let (year, index) = (month.div_euclid(12), month.rem_euclid(12));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let past = year - 1;
    let leaps = past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400);
    let before = DAYS_BEFORE[usize::try_from(index).unwrap_or_default()];
    past * 365 + leaps - DAYS_TO_1970 + before + i64::from(is_leap && index > 1)
}

/// The month that a day is in.
pub(super) fn month(day: i64) -> i64 {
    // By the mean length of a month, which is never wrong by more than one.
    let mut month = MONTH_OF_1970 + (day * 4_800).div_euclid(146_097);
    while first_day(month) > day {
        month -= 1;
    }
    while first_day(month + 1) <= day {
        month += 1;
    }
    month
}

/// `2026-01-31`.
pub(super) fn date(day: i64) -> String {
    let month = month(day);
    format!(
        "{}-{:02}",
        year_and_month(month),
        day - first_day(month) + 1
    )
}

/// `2026-01`.
pub(super) fn year_and_month(month: i64) -> String {
    let (year, index) = (month.div_euclid(12), month.rem_euclid(12));
    format!("{year:04}-{:02}", index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_the_dates_that_everyone_gives_them() {
        for (day, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (16_000, "2013-10-22"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
            (-719_162, "0001-01-01"),
            (2_932_896, "9999-12-31"),
        ] {
            assert_eq!(date(day), expected);
        }
    }

    #[test]
    fn every_day_is_in_its_month() {
        for day in -200_000..200_000 {
            let month = month(day);
            assert!(
                (first_day(month)..first_day(month + 1)).contains(&day),
                "{day}"
            );
        }
    }
}
