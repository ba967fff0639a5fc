//! The plain nom parser: one line at a time, one field at a time, nothing clever.
//!
//! It is the slow twin of [`crate::record`], [`crate::delimited`] and [`crate::parse`]: the
//! property tests compare the two, and the benches show the distance. It shares the format, the
//! layout and the rule of what a header is, and nothing of how bytes become columns.

use nom::Parser;
use nom::bytes::complete::{take_till, take_while};
use nom::character::complete::char;
use nom::combinator::all_consuming;
use nom::multi::separated_list0;

use crate::field::Kind;
use crate::format::Format;
use crate::layout::{Layout, header_names};
use crate::record::MAX_LINE_BYTES;

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
    /// A number.
    Integer(i64),
}

/// The fields of a line.
pub fn fields(line: &[u8], separator: u8) -> Vec<&[u8]> {
    let separator = char::from(separator);
    let field = take_till::<_, &[u8], ()>(move |byte| char::from(byte) == separator);
    match all_consuming(separated_list0(char(separator), field)).parse_complete(line) {
        Ok((_, fields)) => fields,
        Err(_) => Vec::new(),
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
    let fields = fields(line, format.separator);
    if fields.len() != layout.fields() || line.len() > MAX_LINE_BYTES {
        return Record::Reject;
    }
    let mut misfits = 0;
    let columns = format
        .columns
        .iter()
        .enumerate()
        .map(|(column, description)| {
            let Some(field) = layout.position(column).map(|position| fields[position]) else {
                return Value::Null;
            };
            if field == format.null.as_bytes() {
                return Value::Null;
            }
            value(description.kind, field).unwrap_or_else(|mended| {
                misfits += 1;
                mended
            })
        });
    let columns = columns.collect();
    Record::Row(columns, misfits)
}

/// The value of a field, or what takes its place if it does not fit.
fn value(kind: Kind, field: &[u8]) -> Result<Value, Value> {
    let lossy = String::from_utf8_lossy(field);
    let integer = || {
        let digits =
            take_while::<_, &str, ()>(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
        let (_, text) = all_consuming(digits)
            .parse_complete(lossy.as_ref())
            .map_err(|_| Value::Null)?;
        text.parse::<i64>().map_err(|_| Value::Null)
    };
    match kind {
        Kind::Text | Kind::Ip => match std::str::from_utf8(field) {
            Ok(text) => Ok(Value::Text(text.to_owned())),
            Err(_) => Err(Value::Text(lossy.into_owned())),
        },
        Kind::Int32 => {
            let value = integer()?;
            i32::try_from(value)
                .map(|_| Value::Integer(value))
                .map_err(|_| Value::Null)
        }
        Kind::Int64 => Ok(Value::Integer(integer()?)),
        Kind::UnixSeconds => {
            let value = integer()?;
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
    }
}
