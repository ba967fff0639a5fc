//! Field kinds: how the text of one field becomes a value.
//!
//! A description names a kind; the parser dispatches on it once per column and block, never per
//! field. Fields are read by nom parsers over their bytes.

mod digits;
pub(crate) mod parts;
pub(crate) mod time;

use arrow_schema::DataType;
use nom::character::complete::i64 as decimal;
use nom::combinator::all_consuming;
use nom::{IResult, Parser};
use serde::Deserialize;

pub use parts::{ip_of_pair, port_of_pair, request_method, request_protocol, request_url};
pub use time::{clf_time, iso_time};

/// How the text of a field is parsed, and the type of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Any text.
    Text,
    /// Any text, with the quotes it stands in.
    Raw,
    /// An IPv4 or IPv6 address as text. Not checked: logs are shared with masked addresses.
    Ip,
    /// A decimal integer of 32 bits.
    Int32,
    /// A decimal integer of 64 bits.
    Int64,
    /// A decimal number, as the nearest of 64 bits.
    Float64,
    /// Seconds since 1970 as an integer of 64 bits. Values above 2147483647 are taken for
    /// milliseconds, which third-party writers leave in such fields, and divided by 1000. Times
    /// that do not fit into microseconds are out of range.
    UnixSeconds,
    /// An ISO 8601 time, kept as text; see [`iso_time`].
    IsoTime,
    /// A time of the Common Log Format, kept as text; see [`clf_time`].
    ClfTime,
    /// The address of `ip:port`, as text.
    IpOfPair,
    /// The port of `ip:port`, as an integer of 32 bits.
    PortOfPair,
    /// The method of a request line.
    RequestMethod,
    /// The URL of a request line.
    RequestUrl,
    /// The protocol of a request line.
    RequestProtocol,
    /// Any JSON value, as JSON text without blanks between its parts.
    Json,
    /// A JSON object whose members are columns within this one.
    Struct,
    /// A JSON array of such objects.
    List,
}

impl Kind {
    /// The Arrow type of a value of this kind; that of a nested one depends on its members.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Int32 | Self::PortOfPair => DataType::Int32,
            Self::Int64 | Self::UnixSeconds => DataType::Int64,
            Self::Float64 => DataType::Float64,
            _ => DataType::Utf8View,
        }
    }

    /// The type as SQL and people call it.
    pub fn sql_type(self) -> &'static str {
        match self {
            Self::Int32 | Self::PortOfPair => "integer",
            Self::Int64 | Self::UnixSeconds => "bigint",
            Self::Float64 => "double",
            Self::Struct => "struct",
            Self::List => "array(struct)",
            _ => "varchar",
        }
    }

    /// Whether a value of this kind has members.
    pub fn is_nested(self) -> bool {
        matches!(self, Self::Struct | Self::List)
    }

    /// Whether a value of this kind gives a time.
    pub fn is_time(self) -> bool {
        matches!(self, Self::UnixSeconds | Self::IsoTime | Self::ClfTime)
    }

    /// Whether `field` fits a column of this kind.
    pub fn fits(self, field: &[u8]) -> bool {
        match self {
            Self::Int32 => int32(field).is_ok(),
            Self::Int64 => int64(field).is_ok(),
            Self::Float64 => float64(field).is_ok(),
            Self::UnixSeconds | Self::IsoTime | Self::ClfTime => self.micros(field).is_ok(),
            Self::IpOfPair | Self::PortOfPair => pair_port(field).is_ok(),
            _ => std::str::from_utf8(field).is_ok(),
        }
    }

    /// What finds the text of a column of this kind in its field, enclosing quotes taken off.
    pub(crate) fn text_part(self) -> fn(&[u8]) -> parts::Part {
        match self {
            Self::IpOfPair => ip_of_pair,
            Self::RequestMethod => request_method,
            Self::RequestUrl => request_url,
            Self::RequestProtocol => request_protocol,
            _ => parts::whole,
        }
    }

    /// Microseconds since 1970 of a field of a kind that gives a time.
    #[inline]
    pub fn micros(self, field: &[u8]) -> Result<i64, Misfit> {
        match self {
            Self::UnixSeconds => unix_seconds(field).map(|seconds| seconds * 1_000_000),
            Self::IsoTime => iso_time(field),
            Self::ClfTime => clf_time(field),
            _ => Err(Misfit::NotATime),
        }
    }
}

impl Kind {
    /// The same of the field `block[start..end]`.
    #[inline(always)]
    pub(crate) fn micros_at(self, block: &[u8], start: usize, end: usize) -> Result<i64, Misfit> {
        match self {
            Self::UnixSeconds => {
                unix_seconds_at(block, start, end).map(|seconds| seconds * 1_000_000)
            }
            _ => self.micros(&block[start..end]),
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
    /// Not a decimal number.
    NotANumber,
    /// Not a time of the form that the column has.
    NotATime,
    /// Not `ip:port`.
    NotAPair,
    /// Not JSON, or not of the JSON type that the column has.
    NotJson,
    /// A JSON string with an escape that stands for no character; U+FFFD is in its place.
    BadEscape,
    /// Not UTF-8; the value is kept with U+FFFD in the place of what is not.
    NotUtf8,
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotAnInteger => "not an integer",
            Self::OutOfRange => "integer out of range",
            Self::NotANumber => "not a number",
            Self::NotATime => "not a time",
            Self::NotAPair => "not ip:port",
            Self::NotJson => "not the JSON that the column holds",
            Self::BadEscape => "an escape that stands for no character",
            Self::NotUtf8 => "not UTF-8",
        })
    }
}

/// A decimal integer of 64 bits.
#[inline]
pub fn int64(field: &[u8]) -> Result<i64, Misfit> {
    if let Some(value) = digits(field) {
        return Ok(value);
    }
    let parsed: IResult<&[u8], i64, ()> = all_consuming(decimal).parse_complete(field);
    match parsed {
        Ok((_, value)) => Ok(value),
        Err(_) => Err(integer_misfit(field)),
    }
}

/// The integer `block[start..end]`, if it is nothing but digits, and few.
#[inline(always)]
pub(crate) fn short_int64_at(block: &[u8], start: usize, end: usize) -> Option<i64> {
    digits::at(block, start, end)
}

/// The same of 32 bits.
#[inline(always)]
pub(crate) fn short_int32_at(block: &[u8], start: usize, end: usize) -> Option<i32> {
    digits::at(block, start, end)?.try_into().ok()
}

/// The same of seconds since 1970.
#[inline(always)]
pub(crate) fn short_unix_seconds_at(block: &[u8], start: usize, end: usize) -> Option<i64> {
    digits::at(block, start, end).filter(|&value| value <= i64::from(i32::MAX))
}

/// The integer `block[start..end]`.
#[inline(always)]
pub(crate) fn int64_at(block: &[u8], start: usize, end: usize) -> Result<i64, Misfit> {
    match digits::at(block, start, end) {
        Some(value) => Ok(value),
        None => int64(&block[start..end]),
    }
}

/// The same of 32 bits.
#[inline(always)]
pub(crate) fn int32_at(block: &[u8], start: usize, end: usize) -> Result<i32, Misfit> {
    i32::try_from(int64_at(block, start, end)?).map_err(|_| Misfit::OutOfRange)
}

/// What nearly every integer is: nothing but digits, and too few to be out of range.
#[inline]
fn digits(field: &[u8]) -> Option<i64> {
    const MOST_DIGITS: usize = 18;
    if field.is_empty() || field.len() > MOST_DIGITS {
        return None;
    }
    let (mut value, mut sound) = (0_i64, true);
    for &byte in field {
        let digit = byte.wrapping_sub(b'0');
        sound &= digit < 10;
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
    }
    sound.then_some(value)
}

/// A decimal integer of 32 bits.
#[inline]
pub fn int32(field: &[u8]) -> Result<i32, Misfit> {
    i32::try_from(int64(field)?).map_err(|_| Misfit::OutOfRange)
}

/// The port of `ip:port`.
#[inline]
pub fn pair_port(field: &[u8]) -> Result<i32, Misfit> {
    int32(port_of_pair(field)?)
}

/// A decimal number: digits with an optional sign, point and exponent. Unlike in Rust, words
/// such as `inf` are none.
#[inline]
pub fn float64(field: &[u8]) -> Result<f64, Misfit> {
    match short_float64(field) {
        Some(value) => Ok(value),
        None => any_float64(field),
    }
}

/// A number of up to 15 digits with a point between two of them, as times in seconds are written.
/// Both its digits and the power of ten are exact as `f64`, so their quotient is the nearest.
#[inline]
fn short_float64(field: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ];
    if field.len() > 16 {
        return None;
    }
    let (mut digits, mut point) = (0_u64, None);
    for (at, &byte) in field.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits = digits * 10 + u64::from(byte - b'0'),
            b'.' if at > 0 && point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let behind = point? + 1;
    let decimals = field.len() - behind;
    (decimals > 0).then(|| digits as f64 / POWERS[decimals])
}

fn any_float64(field: &[u8]) -> Result<f64, Misfit> {
    let number = nom::number::complete::recognize_float::<&[u8], ()>;
    let (_, text) = all_consuming(number)
        .parse_complete(field)
        .map_err(|_| Misfit::NotANumber)?;
    let text = std::str::from_utf8(text).map_err(|_| Misfit::NotANumber)?;
    text.parse().map_err(|_| Misfit::NotANumber)
}

/// The most seconds that a column of microseconds can hold.
pub(crate) const MAX_UNIX_SECONDS: i64 = i64::MAX / 1_000_000;

/// Seconds since 1970; see [`Kind::UnixSeconds`].
#[inline]
pub fn unix_seconds(field: &[u8]) -> Result<i64, Misfit> {
    seconds(int64(field)?)
}

/// The same of the field `block[start..end]`.
#[inline(always)]
pub(crate) fn unix_seconds_at(block: &[u8], start: usize, end: usize) -> Result<i64, Misfit> {
    seconds(int64_at(block, start, end)?)
}

#[inline(always)]
fn seconds(value: i64) -> Result<i64, Misfit> {
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

    proptest::proptest! {
        #[test]
        fn digits_are_read_as_nom_reads_them(text in "[+-]?[0-9]{0,20}|[0-9a/:]{0,6}") {
            let plain: IResult<&[u8], i64, ()> = all_consuming(decimal).parse_complete(text.as_bytes());
            proptest::prop_assert_eq!(int64(text.as_bytes()).ok(), plain.ok().map(|(_, value)| value));
        }

        #[test]
        fn short_numbers_are_read_as_any(text in "[0-9]{0,9}[.]?[0-9]{0,9}|[0-9.eE+-]{0,6}") {
            let bits = |number: Result<f64, Misfit>| number.map(f64::to_bits);
            let (short, any) = (float64(text.as_bytes()), any_float64(text.as_bytes()));
            proptest::prop_assert_eq!(bits(short), bits(any), "{}", text);
        }
    }

    #[test]
    fn numbers() {
        let rows: &[(&str, Option<f64>)] = &[
            ("0.001", Some(0.001)),
            ("-1", Some(-1.0)),
            ("9.8E-5", Some(9.8e-5)),
            ("12", Some(12.0)),
            ("", None),
            ("-", None),
            ("inf", None),
            ("NaN", None),
            ("1,5", None),
            ("1.5s", None),
        ];
        for (text, expected) in rows {
            assert_eq!(float64(text.as_bytes()).ok(), *expected, "{text}");
        }
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
