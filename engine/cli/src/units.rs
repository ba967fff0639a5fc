//! Sizes and durations as people write and read them.

use std::time::Duration;

const BINARY: [(&str, u64); 4] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];
const DECIMAL: [(&str, u64); 5] = [
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// Bytes from `512MB`, `2GiB`, `2g`, `1048576`.
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let unit = unit.trim();
    let factor = if unit.is_empty() {
        1
    } else {
        let named = BINARY
            .iter()
            .chain(&DECIMAL)
            .find(|(name, _)| name.eq_ignore_ascii_case(unit));
        let short = || {
            DECIMAL
                .iter()
                .find(|(name, _)| name.len() == 2 && name[..1].eq_ignore_ascii_case(unit))
        };
        named.or_else(short)?.1
    };
    let bytes = number * factor as f64;
    (bytes.is_finite() && bytes < u64::MAX as f64).then_some(bytes as u64)
}

/// A duration from `90s`, `30m`, `1h`, `7d`, `2w`, or several of them: `1h30m`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut seconds: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes()[digits] {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    Some(Duration::from_secs(seconds))
}

/// Bytes with a decimal unit: `12.3 MB`.
pub(crate) fn bytes(count: u64) -> String {
    let unit = DECIMAL[..4]
        .iter()
        .rev()
        .find(|(_, factor)| count >= *factor);
    match unit {
        Some((name, factor)) => format!("{:.1} {name}", count as f64 / *factor as f64),
        None => format!("{count} B"),
    }
}

/// A number with thousands apart: `12,345`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 object`, `2 objects`.
pub(crate) fn things(number: u64, name: &str) -> String {
    format!(
        "{} {name}{}",
        count(number),
        if number == 1 { "" } else { "s" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let rows: &[(&str, Option<u64>)] = &[
            ("1048576", Some(1 << 20)),
            ("512MB", Some(512_000_000)),
            ("512mb", Some(512_000_000)),
            ("2GiB", Some(2 << 30)),
            ("1.5g", Some(1_500_000_000)),
            ("10 B", Some(10)),
            ("", None),
            ("MB", None),
            ("5 apples", None),
            ("1e9", None),
        ];
        for (text, expected) in rows {
            assert_eq!(parse_bytes(text), *expected, "{text}");
        }
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_234_567), "1.2 MB");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(things(1, "row"), "1 row");
    }

    #[test]
    fn durations() {
        let rows: &[(&str, Option<u64>)] = &[
            ("90s", Some(90)),
            ("1h30m", Some(5_400)),
            ("2w", Some(1_209_600)),
            ("", None),
            ("5", None),
            ("h", None),
            ("1y", None),
            ("99999999999999999999d", None),
            ("1µ", None),
        ];
        for (text, expected) in rows {
            assert_eq!(
                parse_duration(text).map(|d| d.as_secs()),
                *expected,
                "{text}"
            );
        }
    }
}
