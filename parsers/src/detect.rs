//! Detection: which format an object has.
//!
//! By its key first, which costs no read; then by its first bytes: a header line, or a record
//! that fits a default order.

use std::sync::Arc;

use crate::format::{Format, built_in, column_name};
use crate::key::{self, KeyFacts};
use crate::layout::{Layout, header_names};
use crate::record::lines::{BYTE_ORDER_MARK, trim_line};

/// Inflated bytes that are enough to recognise an object: a header line of every field that AWS
/// documents has about 1,000.
pub const HEAD_BYTES: usize = 64 << 10;

/// What an object is.
#[derive(Debug, Clone)]
pub struct Recognised {
    /// Its format.
    pub format: Arc<Format>,
    /// Names in its header that the format does not have, as column names.
    pub unknown: Vec<String>,
}

/// The formats that a key fits, with what it says; none where the key says nothing.
pub fn by_key(object_key: &str) -> (Vec<Arc<Format>>, KeyFacts) {
    let mut facts = KeyFacts {
        hive: key::hive_segments(object_key),
        ..KeyFacts::default()
    };
    let mut formats = Vec::new();
    for format in built_in() {
        if let Some(found) = key::facts(object_key, &format.folders, &format.files) {
            facts.complete(found);
            formats.push(Arc::clone(format));
        }
    }
    (formats, facts)
}

/// The one among `candidates` that an object with these first bytes has. `given` is the field
/// order that the user gave for records without a header.
pub fn by_head(
    head: &[u8],
    candidates: &[Arc<Format>],
    given: Option<&[String]>,
) -> Option<Recognised> {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let line = head
        .split(|&byte| byte == b'\n')
        .map(trim_line)
        .find(|line| !line.is_empty())?;
    if let Some(found) = by_header(candidates, |format| header_names(format, line, true)) {
        return Some(found);
    }
    if let Some(given) = given {
        let fits = |format: &Format| line.split(|&b| b == format.separator).count() == given.len();
        return by_header(candidates, |format| {
            fits(format).then(|| given.iter().map(String::as_str).collect())
        });
    }
    candidates
        .iter()
        .find(|format| fits_default(format, line))
        .map(|format| Recognised {
            format: Arc::clone(format),
            unknown: Vec::new(),
        })
}

/// The format that knows the most of the names.
fn by_header<'a>(
    candidates: &[Arc<Format>],
    names: impl Fn(&Format) -> Option<Vec<&'a str>>,
) -> Option<Recognised> {
    let scored = candidates.iter().filter_map(|format| {
        let names = names(format)?;
        let known = names
            .iter()
            .filter(|name| format.column(name).is_some())
            .count();
        (known > 0).then_some(((known, format.priority), format, names))
    });
    let (_, format, names) = scored.max_by_key(|(score, _, _)| *score)?;
    let unknown = names
        .into_iter()
        .filter(|name| format.column(name).is_none())
        .map(column_name)
        .collect();
    Some(Recognised {
        format: Arc::clone(format),
        unknown,
    })
}

/// Whether a line is a record of the format's default order.
fn fits_default(format: &Format, line: &[u8]) -> bool {
    let layout = Layout::default_of(format);
    let fields: Vec<&[u8]> = line.split(|&byte| byte == format.separator).collect();
    if layout.fields() == 0 || fields.len() != layout.fields() {
        return false;
    }
    let null = format.null.as_bytes();
    let typed = format
        .columns
        .iter()
        .enumerate()
        .all(|(column, description)| {
            layout.position(column).is_none_or(|position| {
                fields[position] == null || description.kind.fits(fields[position])
            })
        });
    let rule = &format.record;
    let marked = layout.find(&rule.column).is_some_and(|position| {
        rule.values
            .iter()
            .any(|value| value.as_bytes() == fields[position])
    });
    typed && marked
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn table(head: &[u8], given: Option<&str>) -> Option<String> {
        let given: Option<Vec<String>> =
            given.map(|text| text.split(' ').map(str::to_owned).collect());
        by_head(head, built_in(), given.as_deref()).map(|found| found.format.table.clone())
    }

    #[test]
    fn headers_and_records() {
        let rows: &[(&str, Option<&str>)] = &[
            ("version account-id srcaddr\n", Some("vpc_flow_logs")),
            (
                "srcaddr dstaddr start end\r\n1 2 3 4\n",
                Some("vpc_flow_logs"),
            ),
            ("version tgw-id srcaddr\n", Some("tgw_flow_logs")),
            ("brand-new version srcaddr\n", Some("vpc_flow_logs")),
            ("\n\nversion account-id\n", Some("vpc_flow_logs")),
            (
                "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1418530010 1418530070 ACCEPT OK",
                Some("vpc_flow_logs"),
            ),
            (
                "2 1 eni-1 - - - - - - - 1418530010 1418530070 - NODATA\n",
                Some("vpc_flow_logs"),
            ),
            (
                "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1418530010 1418530070 ACCEPT FINE",
                None,
            ),
            (
                "2 1 eni-1 10.0.0.1 10.0.0.2 one 2 6 1 40 1418530010 1418530070 ACCEPT OK",
                None,
            ),
            ("Dear diary,\n", None),
            ("", None),
            ("\n\n", None),
            ("\u{feff}version account-id\n", Some("vpc_flow_logs")),
        ];
        for (head, expected) in rows {
            assert_eq!(table(head.as_bytes(), None).as_deref(), *expected, "{head}");
        }
        assert_eq!(table(b"\xff\xfe\x00\x01", None), None);
    }

    #[test]
    fn a_given_order_serves_records_without_a_header() {
        let given = Some("version interface-id srcaddr dstaddr");
        assert_eq!(
            table(b"2 eni-1 10.0.0.1 10.0.0.2\n", given).as_deref(),
            Some("vpc_flow_logs")
        );
        assert_eq!(table(b"2 eni-1 10.0.0.1\n", given), None);
        assert_eq!(
            table(b"version tgw-id\n", given).as_deref(),
            Some("tgw_flow_logs")
        );
    }

    #[test]
    fn unknown_names_become_columns() {
        let found = by_head(b"version Brand-New srcaddr new-field\n", built_in(), None);
        assert!(found.is_none(), "names are lower case");
        let found = by_head(b"version srcaddr new-field\n", built_in(), None).unwrap();
        assert_eq!(found.unknown, ["new_field"]);
    }

    #[test]
    fn keys_say_what_they_can() {
        let (formats, facts) = by_key("x/AWSLogs/1/vpcflowlogs/us-east-1/2026/01/02/f.log.gz");
        let names: Vec<_> = formats.iter().map(|format| format.table.as_str()).collect();
        assert_eq!(
            names,
            ["tgw_flow_logs", "vpc_flow_logs"],
            "both families lie in one folder"
        );
        assert_eq!(facts.region.as_deref(), Some("us-east-1"));
        let (formats, facts) = by_key("lake/year=2026/x.parquet");
        assert!(formats.is_empty());
        assert_eq!(facts.hive, [("year".to_owned(), "2026".to_owned())]);
    }
}
