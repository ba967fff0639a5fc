//! Instants, in milliseconds since 1970, as a clock in their column's zone shows them.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::datatypes::{DataType, TimestampMillisecondType};
use arrow::temporal_conversions::as_datetime_with_timezone;

use super::calendar::{DAY, date, first_day};

/// The zone of a column of times; none for dates and for timestamps without one.
#[derive(Clone, Default)]
pub(super) struct Zone {
    zone: Option<(Tz, Arc<str>)>,
}

impl Zone {
    pub(super) fn of(data_type: &DataType) -> Self {
        let DataType::Timestamp(_, Some(name)) = data_type else {
            return Self::default();
        };
        let zone = name.parse().ok().map(|zone| (zone, Arc::clone(name)));
        Self { zone }
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.zone.as_ref().map(|(_, name)| &**name)
    }

    /// What the clock shows, counted as if it were UTC.
    pub(super) fn local(&self, instant: i64) -> i64 {
        let Some((zone, _)) = self.zone else {
            return instant;
        };
        as_datetime_with_timezone::<TimestampMillisecondType>(instant, zone)
            .map_or(instant, |time| {
                time.naive_local().and_utc().timestamp_millis()
            })
    }

    /// When the clock shows this; near it where the clock leaps over it.
    pub(super) fn instant(&self, local: i64) -> i64 {
        let near = local - self.offset(local);
        local - self.offset(near)
    }

    /// How far the clock is ahead of UTC.
    pub(super) fn offset(&self, instant: i64) -> i64 {
        self.local(instant) - instant
    }

    /// `2026-01-31 10:00`, with seconds where there are some.
    pub(super) fn stamp(&self, instant: i64) -> String {
        let local = self.local(instant);
        format!("{} {}", date(local.div_euclid(DAY)), clock(local))
    }
}

/// The time of day: `10:00`, `10:00:05`, `10:00:05.250`.
pub(super) fn clock(local: i64) -> String {
    let millis = local.rem_euclid(DAY);
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, fraction) = (millis / 1_000 % 60, millis % 1_000);
    match (seconds, fraction) {
        (0, 0) => format!("{hours:02}:{minutes:02}"),
        (_, 0) => format!("{hours:02}:{minutes:02}:{seconds:02}"),
        _ => format!("{hours:02}:{minutes:02}:{seconds:02}.{fraction:03}"),
    }
}

/// Whether the year has four digits at most. Others come of milliseconds taken for seconds.
pub(super) fn is_in_range(instant: i64) -> bool {
    (first_day(12) * DAY..first_day(12 * 10_000) * DAY).contains(&instant)
}
