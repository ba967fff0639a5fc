//! `--last`, `--since` and `--until`.

use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::timezone::Tz;
use arrow::compute::kernels::cast_utils::string_to_datetime;

use crate::failure::Failure;
use crate::units::parse_duration;

/// From and until, in microseconds since 1970.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeRange {
    pub(crate) since: Option<i64>,
    pub(crate) until: Option<i64>,
}

/// The range that the options say, with times without a zone in `zone`.
pub(crate) fn time_range(
    last: Option<&str>,
    since: Option<&str>,
    until: Option<&str>,
    zone: &str,
) -> Result<TimeRange, Failure> {
    let now = now_micros();
    if let Some(last) = last {
        // Arguments cannot say both; a configuration can.
        if since.is_some() || until.is_some() {
            return Err(Failure::usage(
                "last stands beside since or until",
                "say one or the other",
            ));
        }
        let Some(since) = ago(last, now) else {
            return Err(Failure::usage(
                format!("--last {last}: not a duration"),
                "write one like 90s, 30m, 1h, 7d or 2w",
            ));
        };
        return Ok(TimeRange {
            since: Some(since),
            until: None,
        });
    }
    let parse = |option: &str, text: Option<&str>| {
        text.map(|text| time(option, text, zone, now)).transpose()
    };
    let range = TimeRange {
        since: parse("--since", since)?,
        until: parse("--until", until)?,
    };
    if let (Some(since), Some(until)) = (range.since, range.until)
        && since >= until
    {
        return Err(Failure::usage("--since is not before --until", "swap them"));
    }
    Ok(range)
}

/// Checks a time zone's name.
pub(crate) fn check_zone(zone: &str) -> Result<(), Failure> {
    match zone.parse::<Tz>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure::usage(
            format!("--tz {zone}: no such time zone"),
            "write a name like Europe/Berlin, an offset like +02:00, or UTC",
        )),
    }
}

/// A time as the options say it, in microseconds since 1970.
pub(crate) fn parse_time(text: &str, zone: &str) -> Option<i64> {
    point(text, zone, now_micros())
}

/// A time that says its zone, in microseconds since 1970: `2026-01-31T10:00:00Z`.
pub(crate) fn parse_instant(text: &str) -> Option<i64> {
    // One without a zone would be another time in each zone.
    let [one, other] = ["+00:00", "+01:00"].map(|zone| {
        let zone = zone.parse::<Tz>().ok()?;
        string_to_datetime(&zone, text).ok()
    });
    let (one, other) = (one?.timestamp_micros(), other?.timestamp_micros());
    (one == other).then_some(one)
}

fn point(text: &str, zone: &str, now: i64) -> Option<i64> {
    ago(text, now).or_else(|| {
        let zone = zone.parse::<Tz>().ok()?;
        let time = string_to_datetime(&zone, &with_seconds(text)).ok()?;
        Some(time.timestamp_micros())
    })
}

/// The same time with seconds, if it has none: `2026-01-31T10:00Z`.
fn with_seconds(text: &str) -> String {
    const UP_TO_MINUTES: usize = "2026-01-31T10:00".len();
    match text.split_at_checked(UP_TO_MINUTES) {
        Some((minutes, rest)) if minutes.as_bytes()[13] == b':' && !rest.starts_with(':') => {
            format!("{minutes}:00{rest}")
        }
        _ => text.to_owned(),
    }
}

fn time(option: &str, text: &str, zone: &str, now: i64) -> Result<i64, Failure> {
    point(text, zone, now).ok_or_else(|| {
        Failure::usage(
            format!("{option} {text}: not a time"),
            "write one like 2026-01-31, 2026-01-31T10:00:00, 2026-01-31T10:00:00Z, or 2h for two hours ago",
        )
    })
}

fn ago(text: &str, now: i64) -> Option<i64> {
    let micros = i64::try_from(parse_duration(text)?.as_micros()).ok()?;
    now.checked_sub(micros)
}

fn now_micros() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_in_their_zone() {
        let rows: &[(&str, &str, i64)] = &[
            ("2026-01-31", "UTC", 1_769_817_600),
            ("2026-01-31", "Europe/Berlin", 1_769_814_000),
            ("2026-01-31T10:00:00Z", "Europe/Berlin", 1_769_853_600),
            ("2026-01-31 10:00:00", "+02:00", 1_769_846_400),
            ("2026-01-31T10:00", "UTC", 1_769_853_600),
            ("2026-01-31 10:00Z", "Europe/Berlin", 1_769_853_600),
            ("2026-01-31T10:00+02:00", "UTC", 1_769_846_400),
            ("2h", "UTC", -7_200),
        ];
        for (text, zone, seconds) in rows {
            assert_eq!(
                time("--since", text, zone, 0).unwrap(),
                seconds * 1_000_000,
                "{text} {zone}"
            );
        }
        for text in [
            "yesterday",
            "2026-01-31T10:0",
            "2026-01-31 ünï:00",
            "2026-01-31T10:00x",
        ] {
            assert!(time("--since", text, "UTC", 0).is_err(), "{text}");
        }
        assert!(check_zone("Europe/Atlantis").is_err());
        let instant = 1_769_853_600_000_000;
        assert_eq!(parse_instant("2026-01-31T10:00:00Z"), Some(instant));
        assert_eq!(parse_instant("2026-01-31T11:00:00+01:00"), Some(instant));
        for text in ["2026-01-31T10:00:00", "2026-01-31", "2h", "latest"] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
        assert!(time_range(None, Some("2026-02-01"), Some("2026-01-01"), "UTC").is_err());
    }
}
