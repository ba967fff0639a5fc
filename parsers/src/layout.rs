//! Layouts: which field of a record is which column.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use nom::bytes::complete::{take_till1, take_while};
use nom::character::complete::char;
use nom::combinator::{all_consuming, opt};
use nom::multi::separated_list1;
use nom::sequence::delimited;
use nom::{IResult, Parser};

use crate::format::{Column, Format, Shape, column_name, same_name};
use crate::record::lines::{BYTE_ORDER_MARK, lines};

/// The longest line that is taken for a header: one with every field that AWS documents has about
/// 1,000 bytes. The work for a layout may thus grow faster than the number of its names.
pub const MAX_HEADER_BYTES: usize = 16 << 10;

/// The fields of a record, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    names: Vec<String>,
    /// For each column of the format, its field.
    positions: Vec<Option<usize>>,
    /// The fields that columns of the format come from, in their order, each with the column.
    in_order: Vec<(usize, usize)>,
    /// Fields that are no column of the format.
    unknown: Vec<usize>,
    duplicate: Option<String>,
}

impl Layout {
    /// The layout of records with these field names. Where a name stands twice its first field is
    /// the column, and the others go to `extra`.
    pub fn new<S: Into<String>>(format: &Format, names: impl IntoIterator<Item = S>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let mut first = HashMap::new();
        let mut unknown = Vec::new();
        let mut duplicate = None;
        for (field, name) in names.iter().enumerate() {
            match first.entry(column_name(name)) {
                Entry::Occupied(_) => {
                    duplicate.get_or_insert_with(|| name.clone());
                    unknown.push(field);
                }
                Entry::Vacant(entry) => {
                    entry.insert(field);
                    if !format.has_field(name) {
                        unknown.push(field);
                    }
                }
            }
        }
        let position = |column: &Column| first.get(&column_name(&column.field)).copied();
        let positions: Vec<_> = format.columns.iter().map(position).collect();
        let fields = (0..).zip(&positions);
        let mut in_order: Vec<_> = fields
            .filter_map(|(column, field)| Some(((*field)?, column)))
            .collect();
        in_order.sort_unstable();
        Self {
            names,
            positions,
            in_order,
            unknown,
            duplicate,
        }
    }

    /// The layout of records that no header line describes. Of JSON, whose members come in any
    /// order, every column is a field.
    pub fn default_of(format: &Format) -> Self {
        match format.shape {
            Shape::Json { .. } => {
                let fields = format.columns.iter().map(|column| column.field.as_ref());
                Self::new(format, fields)
            }
            _ => Self::new(format, format.default_order.iter().map(String::as_str)),
        }
    }

    /// The layout of records whose fields the user named, if that can be meant of this format:
    /// half of the names are its fields. Else it is the default.
    pub fn given(format: &Format, names: &[String]) -> Self {
        if Self::may_be_given(format, names) {
            Self::new(format, names.iter().map(String::as_str))
        } else {
            Self::default_of(format)
        }
    }

    /// Whether field names that the user gave can be meant of this format.
    pub(crate) fn may_be_given(format: &Format, names: &[String]) -> bool {
        let known = names.iter().filter(|name| format.has_field(name)).count();
        known * 2 >= names.len()
    }

    /// How many fields a record has.
    pub fn fields(&self) -> usize {
        self.names.len()
    }

    /// The field that holds a column of the format.
    pub fn position(&self, column: usize) -> Option<usize> {
        self.positions.get(column).copied().flatten()
    }

    /// The fields that columns of the format come from, in their order, each with the column.
    pub(crate) fn in_order(&self) -> &[(usize, usize)] {
        &self.in_order
    }

    /// The first field of this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| same_name(n, name))
    }

    /// Fields that are no column of the format, with their names.
    pub fn unknown(&self) -> impl Iterator<Item = (usize, &str)> {
        self.unknown
            .iter()
            .map(|&field| (field, self.names[field].as_str()))
    }

    /// The first name that stands twice.
    pub fn duplicate(&self) -> Option<&str> {
        self.duplicate.as_deref()
    }
}

/// The names of a header line of `format`, if `line` is one.
///
/// A header's first name is a field of the format. At the beginning of an object (`first_line`)
/// a line counts too when half of its names, and at least two, are: the first may be a field
/// that is newer than this program.
pub fn header_names<'a>(format: &Format, line: &'a [u8], first_line: bool) -> Option<Vec<&'a str>> {
    let Shape::Header { separator } = format.shape else {
        return None;
    };
    // Most lines end here: names begin with a letter.
    if line.len() > MAX_HEADER_BYTES || !line.first().is_some_and(u8::is_ascii_lowercase) {
        return None;
    }
    let line = std::str::from_utf8(line).ok()?;
    let (_, names) = names(char::from(separator), line).ok()?;
    let known = names.iter().filter(|name| format.has_field(name)).count();
    let starts_known = names.first().is_some_and(|name| format.has_field(name));
    let mostly_known = first_line && known >= 2 && known * 2 >= names.len();
    (starts_known || mostly_known).then_some(names)
}

/// Whether some whole lines, from the beginning of an object on, have a header among them, which says
/// how those behind it are read.
pub fn has_header(format: &Format, text: &[u8]) -> bool {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    lines(text).enumerate().any(|(number, line)| {
        let is_first = number == 0;
        header_names(format, line, is_first).is_some()
    })
}

/// A line of nothing but field names.
fn names(separator: char, line: &str) -> IResult<&str, Vec<&str>, ()> {
    all_consuming(separated_list1(char(separator), name)).parse_complete(line)
}

/// A field's name: a lower-case letter, then letters, digits, dashes and underscores.
fn name(text: &str) -> IResult<&str, &str, ()> {
    let (_, _) =
        nom::character::complete::satisfy(|c| c.is_ascii_lowercase()).parse_complete(text)?;
    take_while(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
        .parse_complete(text)
}

/// The field names of a log format string: `version account-id ...`, also with commas, and as AWS
/// writes it, `${version} ${account-id} ...`.
pub fn field_list(text: &str) -> Option<Vec<&str>> {
    let gap = |c: char| c.is_whitespace() || c == ',';
    let plain = take_till1(move |c: char| gap(c) || "${}".contains(c));
    let wrapped = (
        opt(char::<&str, ()>('$')),
        delimited(char('{'), take_till1(|c| c == '}'), char('}')),
    );
    let entry = nom::branch::alt((plain, nom::combinator::map(wrapped, |(_, name)| name)));
    let mut list = all_consuming(separated_list1(
        nom::bytes::complete::take_while1(gap),
        entry,
    ));
    list.parse_complete(text.trim_matches(gap))
        .ok()
        .map(|(_, names)| names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::format::by_name;

    #[test]
    fn header_lines() {
        let format = by_name("vpc_flow_logs").unwrap();
        let names =
            |line: &str, first| header_names(format, line.as_bytes(), first).map(|n| n.len());
        assert_eq!(names("version account-id", false), Some(2));
        assert_eq!(names("account_id version", false), Some(2));
        assert_eq!(names("instance-id", false), Some(1));
        assert_eq!(names("brand-new version account-id", true), Some(3));
        assert_eq!(names("brand-new version account-id", false), None);
        assert_eq!(names("brand-new other version", true), None);
        assert_eq!(names("version  account-id", true), None, "two spaces");
        assert_eq!(names("2 123456789010 eni-1", true), None);
        assert_eq!(names("action ACCEPT", false), None, "a value is no name");
        assert_eq!(names("", true), None);
    }

    #[test]
    fn positions_unknown_and_duplicates() {
        let format = by_name("vpc_flow_logs").unwrap();
        let layout = Layout::new(format, ["srcaddr", "brand-new", "version", "srcaddr"]);
        assert_eq!(layout.fields(), 4);
        assert_eq!(layout.position(format.column("srcaddr").unwrap()), Some(0));
        assert_eq!(layout.position(format.column("dstaddr").unwrap()), None);
        assert_eq!(
            layout.unknown().collect::<Vec<_>>(),
            [(1, "brand-new"), (3, "srcaddr")]
        );
        assert_eq!(layout.duplicate(), Some("srcaddr"));
        assert_eq!(Layout::default_of(format).fields(), 14);
    }

    #[test]
    fn log_format_strings() {
        for text in [
            "version account-id srcaddr",
            "${version} ${account-id} ${srcaddr}",
            " version,account-id , srcaddr ",
        ] {
            assert_eq!(
                field_list(text).unwrap(),
                ["version", "account-id", "srcaddr"],
                "{text}"
            );
        }
        for text in ["", "  ", "${version", "$version}", "a${b}"] {
            assert_eq!(field_list(text), None, "{text}");
        }
    }
}
