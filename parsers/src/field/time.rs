//! Times as text.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::character::complete::{char, one_of};
use nom::combinator::{all_consuming, map_opt, opt, value};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use super::Misfit;

const MICROS: i64 = 1_000_000;

/// Bytes of the shortest ISO 8601 time that is read.
const SHORTEST_ISO_TIME: usize = "20260131T100000".len();

/// Microseconds since 1970 of an ISO 8601 time: `2026-01-31T10:00:00`, with a fraction of any
/// length, `Z` or an offset; a blank in the place of the `T`; or the basic form
/// `20260131T100000Z`. Without a zone it is UTC, as network load balancers write it.
pub fn iso_time(field: &[u8]) -> Result<i64, Misfit> {
    // Where formats are tried on a line, most of what is no time ends here.
    if field.len() < SHORTEST_ISO_TIME {
        return Err(Misfit::NotATime);
    }
    // The one form that load balancers and CloudTrail write, without going through the grammar.
    if let Some(micros) = common_iso_time(field) {
        return Ok(micros);
    }
    finish(all_consuming(iso).parse_complete(field))
}

/// Microseconds since 1970 of a time of the Common Log Format: `31/Jan/2026:10:00:00 +0000`.
pub fn clf_time(field: &[u8]) -> Result<i64, Misfit> {
    finish(all_consuming(clf).parse_complete(field))
}

fn finish(parsed: IResult<&[u8], i64, ()>) -> Result<i64, Misfit> {
    parsed
        .map(|(_, micros)| micros)
        .map_err(|_| Misfit::NotATime)
}

/// `yyyy-MM-ddTHH:mm:ss[.ffffff]Z`.
fn common_iso_time(field: &[u8]) -> Option<i64> {
    let (head, rest) = field.split_first_chunk::<19>()?;
    let two = |at: usize| -> Option<u32> {
        let (tens, ones) = (head[at].wrapping_sub(b'0'), head[at + 1].wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
    };
    let marks = head[4] == b'-'
        && head[7] == b'-'
        && head[10] == b'T'
        && head[13] == b':'
        && head[16] == b':';
    if !marks {
        return None;
    }
    let micros = match rest {
        [b'Z'] => 0,
        [b'.', digits @ .., b'Z'] if digits.len() == 6 => {
            digits.iter().try_fold(0, |all, digit| {
                let digit = digit.wrapping_sub(b'0');
                (digit < 10).then(|| all * 10 + i64::from(digit))
            })?
        }
        _ => return None,
    };
    let date = (two(0)? * 100 + two(2)?, two(5)?, two(8)?);
    let seconds = seconds(date, (two(11)?, two(14)?, two(17)?))?;
    Some(seconds * MICROS + micros)
}

fn iso(text: &[u8]) -> IResult<&[u8], i64, ()> {
    let date = alt((
        (
            digits(4),
            preceded(char('-'), digits(2)),
            preceded(char('-'), digits(2)),
        ),
        (digits(4), digits(2), digits(2)),
    ));
    let clock = alt((
        (
            digits(2),
            preceded(char(':'), digits(2)),
            preceded(char(':'), digits(2)),
        ),
        (digits(2), digits(2), digits(2)),
    ));
    let parts = (date, one_of("T "), clock, opt(fraction), opt(zone));
    map_opt(parts, |(date, _, clock, fraction, zone)| {
        let seconds = seconds(date, clock)?.checked_sub(zone.unwrap_or(0))?;
        Some(seconds * MICROS + fraction.unwrap_or(0))
    })
    .parse_complete(text)
}

fn clf(text: &[u8]) -> IResult<&[u8], i64, ()> {
    let month = map_opt(
        take_while_m_n(3, 3, |byte: u8| byte.is_ascii_alphabetic()),
        month_number,
    );
    let date = (digits(2), delimited(char('/'), month, char('/')), digits(4));
    let clock = (
        digits(2),
        preceded(char(':'), digits(2)),
        preceded(char(':'), digits(2)),
    );
    map_opt(
        (date, char(':'), clock, char(' '), zone),
        |((day, month, year), _, clock, _, zone)| {
            seconds((year, month, day), clock)?
                .checked_sub(zone)?
                .checked_mul(MICROS)
        },
    )
    .parse_complete(text)
}

/// A number of so many digits.
fn digits<'a>(count: usize) -> impl Parser<&'a [u8], Output = u32, Error = ()> {
    let digits = take_while_m_n(count, count, |byte: u8| byte.is_ascii_digit());
    digits.map(|digits: &[u8]| {
        digits
            .iter()
            .fold(0, |all, digit| all * 10 + u32::from(digit - b'0'))
    })
}

/// Microseconds of `.` and digits; what is finer is cut off.
fn fraction(text: &[u8]) -> IResult<&[u8], i64, ()> {
    let digits = take_while1(|byte: u8| byte.is_ascii_digit());
    preceded(one_of(".,"), digits)
        .map(|digits: &[u8]| {
            let six = digits.iter().chain(std::iter::repeat(&b'0')).take(6);
            six.fold(0, |all, digit| all * 10 + i64::from(digit - b'0'))
        })
        .parse_complete(text)
}

/// Seconds east of UTC.
fn zone(text: &[u8]) -> IResult<&[u8], i64, ()> {
    let offset = (one_of("+-"), digits(2), preceded(opt(char(':')), digits(2)));
    let offset = map_opt(offset, |(sign, hours, minutes)| {
        let seconds = i64::from(hours * 3600 + minutes * 60);
        (hours < 24 && minutes < 60).then_some(if sign == '-' { -seconds } else { seconds })
    });
    alt((value(0, tag("Z")), offset)).parse_complete(text)
}

fn month_number(name: &[u8]) -> Option<u32> {
    const NAMES: [&[u8]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    let index = NAMES
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))?;
    u32::try_from(index + 1).ok()
}

/// Seconds since 1970; a leap second counts as the one after it.
fn seconds(
    (year, month, day): (u32, u32, u32),
    (hour, minute, second): (u32, u32, u32),
) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days_from_civil(i32::try_from(year).ok()?, month, day)?;
    Some(i64::from(days) * 86_400 + i64::from(hour * 3600 + minute * 60 + second))
}

/// Days since 1970-01-01 of a date of the Gregorian calendar; None if there is no such date.
/// Algorithm: `days_from_civil` of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
pub(crate) fn days_from_civil(year: i32, month: u32, day: u32) -> Option<i32> {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(0..=9999).contains(&year) || day == 0 || day > longest {
        return None;
    }
    let (month, day) = (i32::try_from(month).ok()?, i32::try_from(day).ok()?);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Year, month and day of a number of days since 1970-01-01: the inverse of [`days_from_civil`],
/// after `civil_from_days` of the same author.
pub(crate) fn civil_from_days(days: i32) -> (i64, i64, i64) {
    let days = i64::from(days) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_times() {
        let rows: &[(&str, Option<i64>)] = &[
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2014-12-14T04:06:50Z", Some(1_418_530_010_000_000)),
            ("2014-12-14T04:06:50.123456Z", Some(1_418_530_010_123_456)),
            ("2014-12-14T04:06:50.1Z", Some(1_418_530_010_100_000)),
            (
                "2014-12-14T04:06:50.123456789Z",
                Some(1_418_530_010_123_456),
            ),
            ("2014-12-14T04:06:50", Some(1_418_530_010_000_000)),
            ("2014-12-14 04:06:50", Some(1_418_530_010_000_000)),
            ("20141214T040650Z", Some(1_418_530_010_000_000)),
            ("20141214T040650", Some(1_418_530_010_000_000)),
            ("20141214T04065", None),
            ("2014-12-14T06:06:50+02:00", Some(1_418_530_010_000_000)),
            (
                "2014-12-13T20:06:50.000000-0800",
                Some(1_418_530_010_000_000),
            ),
            ("2016-12-31T23:59:60Z", Some(1_483_228_800_000_000)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800_000_000)),
            ("2023-02-29T00:00:00Z", None),
            ("2014-12-14T24:06:50Z", None),
            ("2014-12-14T04:06:50.Z", None),
            ("2014-12-14T04:06Z", None),
            ("2014-12-14", None),
            ("2014-12-14T04:06:50Zulu", None),
            ("foo", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(iso_time(text.as_bytes()).ok(), *expected, "{text}");
        }
    }

    #[test]
    fn the_quick_way_agrees_with_the_grammar() {
        for text in [
            "2014-12-14T04:06:50Z",
            "2014-12-14T04:06:50.123456Z",
            "9999-12-31T23:59:59.999999Z",
        ] {
            let slow = all_consuming(iso)
                .parse_complete(text.as_bytes())
                .map(|(_, micros)| micros);
            assert_eq!(common_iso_time(text.as_bytes()), slow.ok(), "{text}");
        }
        for text in [
            "2014-12-14T04:06:5xZ",
            "2014-13-14T04:06:50Z",
            "2014-12-14T04:06:50.12345xZ",
        ] {
            assert_eq!(common_iso_time(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn clf_times() {
        let rows: &[(&str, Option<i64>)] = &[
            ("14/Dec/2014:04:06:50 +0000", Some(1_418_530_010_000_000)),
            ("14/dec/2014:06:06:50 +0200", Some(1_418_530_010_000_000)),
            ("14/Dez/2014:04:06:50 +0000", None),
            ("14/Dec/2014 04:06:50 +0000", None),
            ("[14/Dec/2014:04:06:50 +0000]", None),
        ];
        for (text, expected) in rows {
            assert_eq!(clf_time(text.as_bytes()).ok(), *expected, "{text}");
        }
    }

    #[test]
    fn days() {
        assert_eq!(days_from_civil(1970, 1, 1), Some(0));
        assert_eq!(days_from_civil(2000, 3, 1), Some(11_017));
        assert_eq!(days_from_civil(2023, 2, 29), None);
        assert_eq!(days_from_civil(2023, 0, 1), None);
        for days in (-719_000..2_900_000).step_by(61) {
            let (year, month, day) = civil_from_days(days);
            let unsigned = |number| u32::try_from(number).unwrap_or(0);
            let year = i32::try_from(year).unwrap_or(-1);
            let back = days_from_civil(year, unsigned(month), unsigned(day));
            assert_eq!(back, Some(days));
        }
    }
}
