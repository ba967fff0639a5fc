//! Times of the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use arrow::datatypes::TimestampMicrosecondType;
use arrow::temporal_conversions::as_datetime;

/// Now, in microseconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_micros()).unwrap_or(i64::MAX)
}

/// A time as text, in UTC with milliseconds.
pub(super) fn rfc3339(micros: i64) -> String {
    let time = as_datetime::<TimestampMicrosecondType>(micros);
    time.map_or_else(String::new, |time| {
        time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_in_utc() {
        assert_eq!(
            super::rfc3339(1_769_853_600_123_456),
            "2026-01-31T10:00:00.123Z"
        );
    }
}
