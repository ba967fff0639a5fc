//! The plain nom parser: one line at a time, one field at a time, nothing clever.
//!
//! It is the slow twin of [`crate::record`], [`crate::delimited`] and [`crate::parse`]: the
//! property tests compare the two, and the benches show the distance. It shares the format, the
//! layout, the rule of what a header is and the parsers of times, and nothing of how bytes become
//! columns. The twin of the JSON shape is `serde_json`, in the tests.

use nom::branch::alt;
use nom::bytes::complete::{take_till, take_while};
use nom::character::complete::{anychar, char};
use nom::combinator::{all_consuming, eof, peek, recognize};
use nom::multi::{many_till, separated_list0};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use crate::field::Kind;
use crate::format::{Format, Quoting, Shape};
use crate::layout::{Layout, header_names};
use crate::record::MAX_RECORD_BYTES;

/// What one line is.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A row: its columns in the order of the format, and how many values did not fit.
    Row(Vec<Value>, u64),
    /// A rejected line.
    Reject,
    /// A header or a blank line.
    Skipped,
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// Text.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A number.
    Number(f64),
}

/// The fields of a line in which a separator always separates.
pub fn fields(line: &[u8], separator: u8) -> Vec<&[u8]> {
    let separator = char::from(separator);
    let field = take_till::<_, &[u8], ()>(move |byte| char::from(byte) == separator);
    match all_consuming(separated_list0(char(separator), field)).parse_complete(line) {
        Ok((_, fields)) => fields,
        Err(_) => Vec::new(),
    }
}

/// The fields of a line in which some stand in quotes; None if a quote is not closed.
pub fn quoted_fields(line: &[u8], quoting: Quoting) -> Option<Vec<&[u8]>> {
    let with = |escapes| {
        let separator = char(char::from(quoting.separator));
        let field = |text| quoted_field(text, quoting, escapes);
        let mut list = all_consuming(separated_list0(separator, field));
        Some(list.parse_complete(line).ok()?.1)
    };
    with(true).or_else(|| with(false))
}

fn quoted_field(text: &[u8], quoting: Quoting, escapes: bool) -> IResult<&[u8], &[u8], ()> {
    let separator = char::from(quoting.separator);
    let enclosed = |open: char, close: char| {
        let step = move |text| {
            let escaped = preceded(char('\\'), anychar);
            if escapes {
                alt((escaped, anychar)).parse_complete(text)
            } else {
                anychar(text)
            }
        };
        let end = terminated(char(close), peek(alt((recognize(char(separator)), eof))));
        recognize((char(open), many_till(step, end)))
    };
    match text.first() {
        Some(&byte) if byte == quoting.quote => {
            let quote = char::from(quoting.quote);
            enclosed(quote, quote).parse_complete(text)
        }
        Some(b'[') if quoting.brackets => enclosed('[', ']').parse_complete(text),
        _ => take_till(move |byte| byte == quoting.separator).parse_complete(text),
    }
}

/// Every line of an object.
pub fn records(format: &Format, layout: Layout, bytes: &[u8]) -> Vec<Record> {
    let mut layout = layout;
    let mut header = None;
    let mut begun = false;
    let mut records = Vec::new();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let names = header_names(format, line, !begun);
        let is_header = names.is_some() || header == Some(line);
        if let Some(names) = names {
            layout = Layout::new(format, names);
            header = Some(line);
        }
        begun = begun || !line.is_empty();
        records.push(if is_header && layout.duplicate().is_some() {
            Record::Reject
        } else if is_header || line.is_empty() {
            Record::Skipped
        } else {
            record(format, &layout, line)
        });
    }
    records
}

fn record(format: &Format, layout: &Layout, line: &[u8]) -> Record {
    let (fields, sound) = match &format.shape {
        Shape::Header { separator } => {
            let fields = fields(line, *separator);
            let sound = fields.len() == layout.fields();
            (fields, sound)
        }
        Shape::Quoted {
            quoting,
            least,
            skip,
        } => {
            if skip.iter().any(|text| line.starts_with(text.as_bytes())) {
                return Record::Skipped;
            }
            let fields = quoted_fields(line, *quoting);
            let sound = fields.as_ref().is_some_and(|fields| fields.len() >= *least);
            (fields.unwrap_or_default(), sound)
        }
        Shape::Json { .. } => return Record::Reject,
    };
    if !sound || line.len() > MAX_RECORD_BYTES {
        return Record::Reject;
    }
    let mut misfits = 0;
    let columns = format.columns.iter().enumerate().map(|(index, column)| {
        let Some(field) = layout.position(index).and_then(|at| fields.get(at)) else {
            return Value::Null;
        };
        let field = match column.kind {
            Kind::Raw => field,
            _ => without_enclosure(field, &format.shape),
        };
        if field == format.null.as_bytes() {
            return Value::Null;
        }
        value(column.kind, field).unwrap_or_else(|mended| {
            misfits += 1;
            mended
        })
    });
    let columns = columns.collect();
    Record::Row(columns, misfits)
}

fn without_enclosure<'a>(field: &'a [u8], shape: &Shape) -> &'a [u8] {
    let Shape::Quoted { quoting, .. } = shape else {
        return field;
    };
    let inner = |open: u8, close: u8| {
        let inner = field.strip_prefix(&[open])?;
        inner.strip_suffix(&[close])
    };
    inner(quoting.quote, quoting.quote)
        .or_else(|| quoting.brackets.then(|| inner(b'[', b']'))?)
        .unwrap_or(field)
}

/// The value of a field, or what takes its place if it does not fit.
fn value(kind: Kind, field: &[u8]) -> Result<Value, Value> {
    let lossy = String::from_utf8_lossy(field);
    let text = |field: &[u8]| match std::str::from_utf8(field) {
        Ok(text) => Ok(Value::Text(text.to_owned())),
        Err(_) => Err(Value::Text(String::from_utf8_lossy(field).into_owned())),
    };
    let part = |part: Option<&[u8]>| match part {
        Some(part) if !part.is_empty() && part != b"-" => text(part),
        _ => Ok(Value::Null),
    };
    match kind {
        Kind::Int32 => int32(&lossy),
        Kind::Int64 => Ok(Value::Integer(integer(&lossy)?)),
        Kind::Float64 => match lossy.parse::<f64>() {
            Ok(number) if !lossy.contains(['n', 'N', 'i', 'I']) => Ok(Value::Number(number)),
            _ => Err(Value::Null),
        },
        Kind::UnixSeconds => {
            let value = integer(&lossy)?;
            let seconds = if value > 2_147_483_647 {
                value / 1000
            } else {
                value
            };
            if (-9_223_372_036_854..=9_223_372_036_854).contains(&seconds) {
                Ok(Value::Integer(seconds))
            } else {
                Err(Value::Null)
            }
        }
        Kind::IpOfPair => {
            let (address, _) = pair(field).ok_or(Value::Null)?;
            let inner = address
                .strip_prefix(b"[")
                .and_then(|rest| rest.strip_suffix(b"]"));
            text(inner.unwrap_or(address))
        }
        Kind::PortOfPair => {
            let (_, port) = pair(field).ok_or(Value::Null)?;
            int32(&String::from_utf8_lossy(port))
        }
        Kind::RequestMethod => part(request(field).0),
        Kind::RequestUrl => part(request(field).1),
        Kind::RequestProtocol => part(request(field).2),
        _ => text(field),
    }
}

fn integer(text: &str) -> Result<i64, Value> {
    let digits = take_while::<_, &str, ()>(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
    let (_, text) = all_consuming(digits)
        .parse_complete(text)
        .map_err(|_| Value::Null)?;
    text.parse().map_err(|_| Value::Null)
}

fn int32(text: &str) -> Result<Value, Value> {
    let value = integer(text)?;
    match i32::try_from(value) {
        Ok(_) => Ok(Value::Integer(value)),
        Err(_) => Err(Value::Null),
    }
}

/// The two sides of the last colon, of which the second is a port.
fn pair(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = field.rsplitn(2, |&byte| byte == b':');
    let (port, address) = (parts.next()?, parts.next()?);
    let sound = !address.is_empty() && !port.is_empty() && port.iter().all(u8::is_ascii_digit);
    sound.then_some((address, port))
}

type Request<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, Option<&'a [u8]>);

/// Method, URL and protocol.
fn request(field: &[u8]) -> Request<'_> {
    let mut line = field;
    while let Some(rest) = line.strip_suffix(b" ") {
        line = rest;
    }
    let mut words = line.splitn(2, |&byte| byte == b' ');
    let (Some(method), Some(rest)) = (words.next(), words.next()) else {
        return (None, None, None);
    };
    let mut words = rest.rsplitn(2, |&byte| byte == b' ');
    let (last, before) = (words.next(), words.next());
    match (last, before) {
        (Some(last), Some(before)) if last == b"-" || last.starts_with(b"HTTP/") => {
            (Some(method), Some(before), Some(last))
        }
        _ => (Some(method), Some(rest), None),
    }
}
