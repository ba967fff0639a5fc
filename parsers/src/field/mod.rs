//! Field kinds: how the text of one field becomes a value.
//!
//! A description names a kind; the parser dispatches on it once per column and block, never per
//! field. The numbers are read by nom parsers over the field's bytes.

use arrow_schema::DataType;
use nom::character::complete::i64 as decimal;
use nom::combinator::all_consuming;
use nom::{IResult, Parser};
use serde::Deserialize;

/// How the text of a field is parsed, and the type of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Any text.
    Text,
    /// An IPv4 or IPv6 address as text. Not checked: logs are shared with masked addresses.
    Ip,
    /// A decimal integer of 32 bits.
    Int32,
    /// A decimal integer of 64 bits.
    Int64,
    /// Seconds since 1970 as an integer of 64 bits. Values above 2147483647 are taken for
    /// milliseconds, which third-party writers leave in such fields, and divided by 1000. Times
    /// that do not fit into microseconds are out of range.
    UnixSeconds,
}

impl Kind {
    /// The Arrow type of a column of this kind.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text | Self::Ip => DataType::Utf8View,
            Self::Int32 => DataType::Int32,
            Self::Int64 | Self::UnixSeconds => DataType::Int64,
        }
    }

    /// The type as SQL and people call it.
    pub fn sql_type(self) -> &'static str {
        match self {
            Self::Text | Self::Ip => "varchar",
            Self::Int32 => "integer",
            Self::Int64 | Self::UnixSeconds => "bigint",
        }
    }

    /// Whether `field` fits a column of this kind.
    pub fn fits(self, field: &[u8]) -> bool {
        match self {
            Self::Text | Self::Ip => std::str::from_utf8(field).is_ok(),
            Self::Int32 => int32(field).is_ok(),
            Self::Int64 => int64(field).is_ok(),
            Self::UnixSeconds => unix_seconds(field).is_ok(),
        }
    }
}

/// Why a field does not fit its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// Not a decimal integer.
    NotAnInteger,
    /// An integer that its type cannot hold.
    OutOfRange,
    /// Not UTF-8; the value is kept with U+FFFD in the place of what is not.
    NotUtf8,
}

/// A decimal integer of 64 bits.
#[inline]
pub fn int64(field: &[u8]) -> Result<i64, Misfit> {
    let parsed: IResult<&[u8], i64, ()> = all_consuming(decimal).parse_complete(field);
    match parsed {
        Ok((_, value)) => Ok(value),
        Err(_) => Err(integer_misfit(field)),
    }
}

/// A decimal integer of 32 bits.
#[inline]
pub fn int32(field: &[u8]) -> Result<i32, Misfit> {
    i32::try_from(int64(field)?).map_err(|_| Misfit::OutOfRange)
}

/// The most seconds that a column of microseconds can hold.
pub(crate) const MAX_UNIX_SECONDS: i64 = i64::MAX / 1_000_000;

/// Seconds since 1970; see [`Kind::UnixSeconds`].
#[inline]
pub fn unix_seconds(field: &[u8]) -> Result<i64, Misfit> {
    let value = int64(field)?;
    let seconds = if value > i64::from(i32::MAX) {
        value / 1000
    } else {
        value
    };
    // So that event_time, in microseconds, has a value wherever the field has one.
    if seconds.unsigned_abs() > MAX_UNIX_SECONDS.unsigned_abs() {
        return Err(Misfit::OutOfRange);
    }
    Ok(seconds)
}

#[cold]
fn integer_misfit(field: &[u8]) -> Misfit {
    let digits = field
        .strip_prefix(b"-")
        .or(field.strip_prefix(b"+"))
        .unwrap_or(field);
    if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
        Misfit::OutOfRange
    } else {
        Misfit::NotAnInteger
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        let rows: &[(&str, Result<i64, Misfit>)] = &[
            ("0", Ok(0)),
            ("007", Ok(7)),
            ("-1", Ok(-1)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("9223372036854775808", Err(Misfit::OutOfRange)),
            ("99999999999999999999999999", Err(Misfit::OutOfRange)),
            ("", Err(Misfit::NotAnInteger)),
            ("-", Err(Misfit::NotAnInteger)),
            ("1.5", Err(Misfit::NotAnInteger)),
            ("12a", Err(Misfit::NotAnInteger)),
            (" 1", Err(Misfit::NotAnInteger)),
        ];
        for (text, expected) in rows {
            assert_eq!(int64(text.as_bytes()), *expected, "{text}");
        }
        assert_eq!(int32(b"2147483648"), Err(Misfit::OutOfRange));
        assert_eq!(int32(b"-2147483648"), Ok(i32::MIN));
    }

    #[test]
    fn milliseconds_are_taken_for_what_they_are() {
        assert_eq!(unix_seconds(b"1418530070"), Ok(1_418_530_070));
        assert_eq!(unix_seconds(b"2147483647"), Ok(2_147_483_647));
        assert_eq!(unix_seconds(b"1418530070123"), Ok(1_418_530_070));
        assert_eq!(
            unix_seconds(b"9223372036854775807"),
            Err(Misfit::OutOfRange)
        );
        assert_eq!(unix_seconds(b"-9223372036855"), Err(Misfit::OutOfRange));
    }
}
