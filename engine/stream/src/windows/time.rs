//! Times in names and notices.

use loglens_engine::arrow::datatypes::TimestampMicrosecondType;
use loglens_engine::arrow::temporal_conversions::as_datetime;

/// Such as `2026-11-29T06:45:00Z`; `micros` is since 1970. With a fraction only where there is one.
pub(super) fn rfc3339(micros: i64) -> String {
    let time = as_datetime::<TimestampMicrosecondType>(micros);
    time.map_or_else(
        || micros.to_string(),
        |time| time.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string(),
    )
}

/// The day, such as `2026-11-29`.
pub(super) fn day(micros: i64) -> String {
    rfc3339(micros)
        .split('T')
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// As it may stand in the name of a file, such as `20261129T064500Z`.
pub(super) fn compact(micros: i64) -> String {
    rfc3339(micros).replace(['-', ':'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_read_them() {
        let time = 1_764_398_700_000_000;
        assert_eq!(rfc3339(time), "2025-11-29T06:45:00Z");
        assert_eq!(rfc3339(time + 1), "2025-11-29T06:45:00.000001Z");
        assert_eq!(day(time), "2025-11-29");
        assert_eq!(compact(time), "20251129T064500Z");
        assert_eq!(rfc3339(i64::MAX), i64::MAX.to_string());
    }
}
