//! Detection: which format an object has.
//!
//! By its key first, which costs no read; then by its first bytes: a header line, or a record
//! that fits a default order. Of records in envelopes, by the log group, or by the record.

use std::cell::Cell;
use std::sync::Arc;

use memchr::memchr_iter;

use crate::delimited::quoted;
use crate::envelope::{Begun, Kind, Origin, kind_by_head};
use crate::format::{Format, Formats, Shape, built_in, column_name, inner};
use crate::json::detect as json;
use crate::key::{self, KeyFacts};
use crate::layout::{Layout, header_names};
use crate::record::lines::{BYTE_ORDER_MARK, lines};

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

/// The formats that a key fits, with what it says; none where the key says nothing. A file's name
/// says more than its folder.
pub fn by_key(formats: &Formats, object_key: &str) -> (Vec<Arc<Format>>, KeyFacts) {
    let mut facts = KeyFacts {
        hive: key::hive_segments(object_key),
        ..KeyFacts::default()
    };
    let mut named = Vec::new();
    let mut placed = Vec::new();
    for format in formats.all() {
        if let Some(found) = key::facts(object_key, &format.folders, &format.files) {
            facts.complete(found.facts);
            let fits = if found.named { &mut named } else { &mut placed };
            fits.push(Arc::clone(format));
        }
    }
    (if named.is_empty() { placed } else { named }, facts)
}

/// The first of [`all_by_head`].
pub fn by_head(
    head: &[u8],
    candidates: &[Arc<Format>],
    given: Option<&[String]>,
) -> Option<Recognised> {
    all_by_head(head, candidates, given).into_iter().next()
}

/// Those among `candidates` that an object with these first bytes has: one, or none, or where its
/// records are in envelopes as many as the first of these hold. `given` is the field order that the
/// user gave for records without a header.
pub fn all_by_head(
    head: &[u8],
    candidates: &[Arc<Format>],
    given: Option<&[String]>,
) -> Vec<Recognised> {
    let kind = kind_by_head(head);
    if kind != Some(Kind::CloudWatch)
        && let Some(found) = as_it_stands(head, candidates, given)
    {
        return vec![found];
    }
    if !matches!(kind, Some(Kind::CloudWatch | Kind::Message)) {
        return Vec::new();
    }
    let mut all: Vec<Recognised> = Vec::new();
    for begun in candidates
        .first()
        .map_or(Vec::new(), |any| Begun::all(head, any))
    {
        let mut formats = candidates.iter();
        let by_log = formats.find(|format| begun.log.is_of(format));
        let by_log = by_log.map(|format| Recognised {
            format: Arc::clone(format),
            unknown: Vec::new(),
        });
        let by_record = || as_it_stands(begun.message.as_deref()?, candidates, given);
        let Some(found) = by_log.or_else(by_record) else {
            continue;
        };
        if all
            .iter()
            .all(|known| known.format.table != found.format.table)
        {
            all.push(found);
        }
    }
    all
}

/// Whether what a log holds is of another format: its name says so, and so does its first record.
pub(crate) fn is_of_another(format: &Arc<Format>, log: &Origin, first: &[u8]) -> bool {
    !log.is_of(format)
        && built_in().iter().any(|other| log.is_of(other))
        && as_it_stands(first, std::slice::from_ref(format), None).is_none()
}

/// The format of records that are in no envelope.
fn as_it_stands(
    head: &[u8],
    candidates: &[Arc<Format>],
    given: Option<&[String]>,
) -> Option<Recognised> {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let first = Line::new(lines(head).next()?);
    if let Some(found) = by_header(candidates, |format| header_names(format, first.text, true)) {
        return Some(found);
    }
    if let Some(given) = given {
        let names = |format: &Format| {
            let fits = split(format, first.text)?.len() == given.len()
                && Layout::may_be_given(format, given);
            fits.then(|| given.iter().map(String::as_str).collect())
        };
        if let Some(found) = by_header(candidates, names) {
            return Some(found);
        }
    }
    let fits = |format: &&Arc<Format>| match &format.shape {
        Shape::Json { records, skip } => json::fits(format, head, records.as_deref(), skip),
        _ => fits_line(format, &first, head),
    };
    let format = candidates.iter().find(fits)?;
    Some(Recognised {
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
        let known = names.iter().filter(|name| format.has_field(name)).count();
        (known > 0).then_some(((known, format.priority), format, names))
    });
    let (_, format, names) = scored.max_by_key(|(score, _, _)| *score)?;
    let unknown = names
        .into_iter()
        .filter(|name| !format.has_field(name))
        .map(column_name)
        .collect();
    Some(Recognised {
        format: Arc::clone(format),
        unknown,
    })
}

/// A line that many formats are asked about.
struct Line<'a> {
    text: &'a [u8],
    /// The separator that was counted last, and how many there are.
    counted: Cell<Option<(u8, usize)>>,
}

impl<'a> Line<'a> {
    fn new(text: &'a [u8]) -> Self {
        let counted = Cell::new(None);
        Self { text, counted }
    }

    fn count(&self, separator: u8) -> usize {
        if let Some((_, count)) = self.counted.get().filter(|(of, _)| *of == separator) {
            return count;
        }
        let separators = self.text.iter().filter(|byte| **byte == separator);
        let count = separators.count();
        self.counted.set(Some((separator, count)));
        count
    }
}

/// Whether the first line is a record of the format's default order, or one of its control lines.
fn fits_line(format: &Format, first: &Line<'_>, head: &[u8]) -> bool {
    let skip: &[String] = match &format.shape {
        Shape::Quoted { skip, .. } => skip,
        _ => &[],
    };
    let control = |line: &[u8]| skip.iter().any(|text| line.starts_with(text.as_bytes()));
    if !control(first.text) {
        return fits_record(format, first);
    }
    match lines(head).find(|line| !control(line)) {
        Some(line) => fits_record(format, &Line::new(line)),
        // Nothing but control lines: the object that AWS writes to test its permissions.
        None => true,
    }
}

/// Whether a line is a record of the format's default order.
fn fits_record(format: &Format, line: &Line<'_>) -> bool {
    let fields = format.default_layout().fields();
    let (separator, least) = match &format.shape {
        Shape::Header { separator } => (*separator, fields),
        Shape::Quoted { quoting, least, .. } => (quoting.separator, *least),
        Shape::Json { .. } => return false,
    };
    // Separators within quotes are none.
    let most = line.count(separator) + 1;
    let line = line.text;
    let is_quoted = matches!(format.shape, Shape::Quoted { .. });
    if most < least || !is_quoted && most != fields {
        return false;
    }
    // Most formats end here, before quotes are looked for.
    let enclosing = format.shape.enclosing();
    let is_plain = |field: &&[u8]| {
        let mut enclosing = enclosing.iter();
        !enclosing.any(|(open, _)| field.first() == Some(open))
    };
    let mut plain = separated(line, separator).take_while(is_plain);
    let found = fit(format, &mut plain);
    let found = match is_quoted && found.is_some() {
        true => split(format, line).and_then(|fields| fit(format, &mut fields.into_iter())),
        false => found,
    };
    found.is_some_and(|(fields, marked)| fields >= least && marked)
}

/// How many fields there are, if all fit their columns in the format's default order, and whether the
/// one that tells its records from other text is among them.
fn fit(format: &Format, fields: &mut dyn Iterator<Item = &[u8]>) -> Option<(usize, bool)> {
    let null = format.null.as_bytes();
    let rule = format.record.as_ref();
    let mut marked = rule.is_none() && matches!(format.shape, Shape::Quoted { .. });
    let mut columns = format.default_layout().in_order();
    let mut count = 0;
    for text in fields {
        while let [(field, column), behind @ ..] = columns
            && *field == count
        {
            columns = behind;
            if text != null && !format.columns[*column].kind.fits(text) {
                return None;
            }
            if let Some((_, values)) = rule.filter(|(marking, _)| marking == column) {
                marked = values.iter().any(|value| value.as_bytes() == text);
                if !marked {
                    return None;
                }
            }
        }
        count += 1;
    }
    Some((count, marked))
}

/// What stands between the separators of a line.
fn separated(line: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    let ends = memchr_iter(separator, line).chain([line.len()]);
    ends.map(move |end| &line[std::mem::replace(&mut start, end + 1)..end])
}

/// The fields of a line, without what encloses them; None if it has none of the format's.
fn split<'a>(format: &Format, line: &'a [u8]) -> Option<Vec<&'a [u8]>> {
    match &format.shape {
        Shape::Header { separator } => Some(separated(line, *separator).collect()),
        Shape::Quoted { quoting, .. } => {
            let fields = quoted::fields(line, *quoting)?;
            let enclosing = format.shape.enclosing();
            Some(fields.map(|field| inner(field, enclosing)).collect())
        }
        Shape::Json { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::format::built_in;

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
    fn a_first_field_may_stand_in_what_its_format_encloses_fields_with() {
        let description = |quote: &str| {
            format!(
                r#"
                table = "door_log"
                title = "Doors"
                about = "One row for each time that a door was opened."
                source = "https://example.com/doors"
                shape = {{ kind = "quoted", separator = " ", null = "-", quote = "{quote}", least = 2 }}
                default_order = ["opened_at", "badge", "door"]
                columns = [
                    {{ name = "opened_at", kind = "iso_time", doc = "when it was opened" }},
                    {{ name = "badge", kind = "int32", doc = "badge that opened it" }},
                    {{ name = "door", kind = "text", doc = "name of the door" }},
                ]
                "#
            )
        };
        let single = "'2026-11-29T12:00:00Z' 7 'front door'";
        let double = single.replace('\'', "\"");
        let plain = "2026-11-29T12:00:00Z 7 door";
        let rows = [
            ("'", single, true),
            ("'", &double, false),
            ("\\\"", &double, true),
            ("\\\"", single, false),
            ("'", plain, true),
            ("'", "2026-11-29T12:00:00Z 7", true),
            ("'", "2026-11-29T12:00:00Z '7'", true),
            ("'", "2026-11-29T12:00:00Z 'seven'", false),
            ("'", "'2026-11-29T12:00:00Z", false),
            ("'", "'2026-11-29T12:00:00Z 7'", false),
        ];
        for (quote, line, expected) in rows {
            let format = Arc::new(Format::from_toml(&description(quote)).unwrap());
            let found = by_head(line.as_bytes(), &[format], None);
            assert_eq!(found.is_some(), expected, "{quote}: {line}");
        }
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
        let (formats, facts) = by_key(
            &Formats::default(),
            "x/AWSLogs/1/vpcflowlogs/us-east-1/2026/01/02/f.log.gz",
        );
        let names: Vec<_> = formats.iter().map(|format| format.table.as_str()).collect();
        assert_eq!(
            names,
            ["tgw_flow_logs", "vpc_flow_logs"],
            "both families lie in one folder"
        );
        assert_eq!(facts.region.as_deref(), Some("us-east-1"));
        let (formats, facts) = by_key(&Formats::default(), "lake/year=2026/x.parquet");
        assert!(formats.is_empty());
        assert_eq!(facts.hive, [("year".to_owned(), "2026".to_owned())]);
    }
}
