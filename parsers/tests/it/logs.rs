//! Made-up logs: mostly sound, with everything that goes wrong in real ones.

use std::sync::Arc;

use loglens_parsers::field::Kind;
use loglens_parsers::format::{Format, Shape, built_in};
use loglens_parsers::layout::header_names;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An object's bytes and the format that wrote them.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) format: Arc<Format>,
    pub(crate) bytes: Vec<u8>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} \"{}\"", self.format.table, self.bytes.escape_ascii())
    }
}

/// What a line is, before it is known how many fields the last header gave it.
#[derive(Debug, Clone)]
enum Line {
    Header(Header),
    /// The last header again.
    SameHeader,
    Row {
        cells: Vec<Cell>,
        fields: FieldCount,
    },
    Blank,
    Junk(Vec<u8>),
}

#[derive(Debug, Clone)]
struct Header {
    /// Indexes of columns, some of which the format may not have.
    columns: Vec<usize>,
    dashes: bool,
    /// A name to put in, and before which column.
    more: Option<(usize, &'static str)>,
}

#[derive(Debug, Clone)]
enum FieldCount {
    Right,
    OneLess,
    OneMore,
}

/// A field, before it is known of which column.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// What the column's kind expects.
    Sound(u32),
    /// These bytes, whatever the kind.
    Bytes(Vec<u8>),
}

impl Cell {
    pub(crate) fn render(&self, kind: Kind) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Sound(number) => match kind {
                Kind::Int32 => (number >> 1).to_string(),
                Kind::Int64 => (u64::from(*number) * 1001).to_string(),
                Kind::Float64 => format!("{}.{:03}", number >> 10, number & 0x1ff),
                Kind::UnixSeconds => (1_400_000_000 + number % 700_000_000).to_string(),
                Kind::IsoTime => format!(
                    "2026-11-{:02}T{:02}:00:00.{number:06.6}Z",
                    1 + number % 30,
                    number % 24
                ),
                Kind::ClfTime => format!("{:02}/Nov/2026:06:25:24 +0100", 1 + number % 30),
                Kind::IpOfPair | Kind::PortOfPair => match number % 3 {
                    0 => format!("192.0.2.{}:{}", number % 256, number % 65_536),
                    1 => format!("[2001:db8::{number:x}]:{}", number % 65_536),
                    _ => format!("2001:db8::{:x}:{}", number % 65_536, number % 65_536),
                },
                Kind::RequestMethod | Kind::RequestUrl | Kind::RequestProtocol => {
                    match number % 4 {
                        0 => format!("GET /a/{number} HTTP/1.1"),
                        1 => format!("GET /a b/{number}"),
                        2 => "- http://example.com:80- -".to_owned(),
                        _ => "- - - ".to_owned(),
                    }
                }
                Kind::Ip => format!("2001:db8::{:x}:{:x}", number >> 16, number & 0xffff),
                Kind::Text | Kind::Raw => format!("eni-{number}"),
                Kind::Json | Kind::Struct | Kind::List => panic!("no line holds {kind:?}"),
            }
            .into_bytes(),
        }
    }
}

impl Header {
    fn names(&self, format: &Format) -> Vec<String> {
        let mut names: Vec<String> = self
            .columns
            .iter()
            .filter_map(|&column| format.columns.get(column))
            .map(|column| written(&column.name, self.dashes))
            .collect();
        if let Some((place, name)) = self.more {
            names.insert(place.min(names.len()), name.to_owned());
        }
        names
    }
}

/// A column's name as header lines write it.
fn written(name: &str, dashes: bool) -> String {
    if dashes {
        name.replace('_', "-")
    } else {
        name.to_owned()
    }
}

/// The kind of a field by its name; text where the format does not have it.
pub(crate) fn kind_of(format: &Format, name: &str) -> Kind {
    format
        .column(name)
        .map_or(Kind::Text, |column| format.columns[column].kind)
}

/// Any built-in format whose records a header line describes.
pub(crate) fn any_format() -> impl Strategy<Value = Arc<Format>> {
    select(formats(|shape| matches!(shape, Shape::Header { .. })))
}

fn formats(of: impl Fn(&Shape) -> bool) -> Vec<Arc<Format>> {
    let formats = built_in().iter().filter(|format| of(&format.shape));
    formats.cloned().collect()
}

/// A log of any built-in format whose records are lines.
pub(crate) fn any_log() -> impl Strategy<Value = Log> {
    prop_oneof![any_described_log(), any_quoted_log()]
}

/// A log in which some fields stand in quotes.
fn any_quoted_log() -> impl Strategy<Value = Log> {
    let format = select(formats(|shape| matches!(shape, Shape::Quoted { .. })));
    let ending = prop_oneof![9 => Just(&b"\n"[..]), 1 => Just(&b"\r\n"[..])];
    let cell = (any_cell(), prop::bool::weighted(0.3));
    // Records of every generation, and shorter ones, and longer.
    let row = (
        vec(cell, 1..12),
        prop_oneof![9 => 8..45_usize, 1 => 1..8_usize],
    );
    let line = prop_oneof![
        20 => row.prop_map(|(cells, width)| QuotedLine::Row(cells, width)),
        1 => Just(QuotedLine::Bytes(Vec::new())),
        1 => Just(QuotedLine::Bytes(b"Enable AccessLog for ELB: x at 2026-11-23".to_vec())),
        1 => r#"[a-c "\\]{0,80}"#.prop_map(|text| QuotedLine::Bytes(text.into_bytes())),
        1 => vec(any::<u8>().prop_filter("one line", |&byte| byte != b'\n'), 0..60).prop_map(QuotedLine::Bytes),
    ];
    let lines = vec((line, ending), 0..30);
    (format, lines, any::<bool>()).prop_map(|(format, lines, last_newline)| {
        let mut bytes = Vec::new();
        for (line, ending) in &lines {
            match line {
                QuotedLine::Row(cells, width) => bytes.extend(quoted_row(&format, cells, *width)),
                QuotedLine::Bytes(line) => bytes.extend(line),
            }
            bytes.extend(*ending);
        }
        if !last_newline && bytes.ends_with(b"\n") {
            bytes.pop();
        }
        Log { format, bytes }
    })
}

#[derive(Debug, Clone)]
enum QuotedLine {
    /// Fields, whether each stands in quotes, and how many of them there are.
    Row(Vec<(Cell, bool)>, usize),
    Bytes(Vec<u8>),
}

fn quoted_row(format: &Format, cells: &[(Cell, bool)], width: usize) -> Vec<u8> {
    let fields = (0..width)
        .zip(cells.iter().cycle())
        .map(|(at, (cell, quote))| {
            let name = format.default_order.get(at);
            let column =
                name.and_then(|name| format.columns.iter().find(|column| *column.field == **name));
            let field = cell.render(column.map_or(Kind::Text, |column| column.kind));
            if *quote || field.contains(&b' ') {
                [b"\"", &field[..], b"\""].concat()
            } else {
                field
            }
        });
    fields.collect::<Vec<_>>().join(&b' ')
}

/// A log of any format with header lines.
fn any_described_log() -> impl Strategy<Value = Log> {
    let ending = prop_oneof![9 => Just(&b"\n"[..]), 1 => Just(&b"\r\n"[..])];
    let lines = vec((any_line(), ending), 0..40);
    let first = prop_oneof![
        4 => any_header().prop_map(|header| vec![Line::Header(header)]),
        1 => any_header().prop_map(|header| vec![Line::Blank, Line::Blank, Line::Header(header)]),
        2 => Just(Vec::new()),
    ];
    (
        any_format(),
        any::<bool>(),
        first,
        lines,
        any::<bool>(),
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |(format, carriage_return, first, mut lines, last_newline, byte_order_mark)| {
                let ending: &[u8] = if carriage_return { b"\r\n" } else { b"\n" };
                lines.splice(..0, first.into_iter().map(|line| (line, ending)));
                let mut bytes = render(&format, &lines);
                if !last_newline && bytes.ends_with(b"\n") {
                    bytes.pop();
                }
                if byte_order_mark {
                    bytes.splice(..0, BYTE_ORDER_MARK.iter().copied());
                }
                Log { format, bytes }
            },
        )
}

fn render(format: &Format, lines: &[(Line, &[u8])]) -> Vec<u8> {
    let mut names = format.default_order.clone();
    let mut bytes = Vec::new();
    for (line, ending) in lines {
        match line {
            Line::Header(header) => {
                let header = header.names(format);
                let line = header.join(" ").into_bytes();
                let first_line = bytes.iter().all(|byte| b"\r\n".contains(byte));
                if header_names(format, &line, first_line).is_some() {
                    names = header;
                }
                bytes.extend(line);
            }
            Line::SameHeader => bytes.extend(names.join(" ").into_bytes()),
            Line::Row { cells, fields } => bytes.extend(row(format, &names, cells, fields)),
            Line::Blank => {}
            Line::Junk(junk) => bytes.extend(junk),
        }
        bytes.extend(*ending);
    }
    bytes
}

fn row(format: &Format, names: &[String], cells: &[Cell], fields: &FieldCount) -> Vec<u8> {
    let mut row: Vec<Vec<u8>> = names
        .iter()
        .zip(cells.iter().cycle())
        .map(|(name, cell)| cell.render(kind_of(format, name)))
        .collect();
    match fields {
        FieldCount::Right => {}
        FieldCount::OneLess => {
            row.pop();
        }
        FieldCount::OneMore => row.push(b"more".to_vec()),
    }
    row.join(&b' ')
}

fn any_line() -> impl Strategy<Value = Line> {
    let fields = prop_oneof![
        10 => Just(FieldCount::Right),
        1 => Just(FieldCount::OneLess),
        1 => Just(FieldCount::OneMore),
    ];
    let row =
        (vec(any_cell(), 1..20), fields).prop_map(|(cells, fields)| Line::Row { cells, fields });
    prop_oneof![
        20 => row,
        1 => any_header().prop_map(Line::Header),
        2 => Just(Line::SameHeader),
        1 => Just(Line::Blank),
        1 => vec(any::<u8>().prop_filter("one line", |&byte| byte != b'\n'), 0..60).prop_map(Line::Junk),
    ]
}

fn any_header() -> impl Strategy<Value = Header> {
    let name = select(
        &[
            "brand-new",
            "brand-newer",
            "zone",
            "start",
            "srcaddr",
            "extra",
            "x_1",
        ][..],
    );
    let more = prop_oneof![
        3 => Just(None),
        1 => (select(&[0, 0, 1, 5, 20][..]), name).prop_map(Some),
    ];
    // More indexes than any format has columns, so that every column has its turn.
    let columns = Just((0..64).collect::<Vec<_>>()).prop_shuffle();
    (columns, 1..64_usize, any::<bool>(), more).prop_map(|(mut columns, width, dashes, more)| {
        columns.truncate(width);
        Header {
            columns,
            dashes,
            more,
        }
    })
}

pub(crate) fn any_cell() -> impl Strategy<Value = Cell> {
    let peculiar = select(
        &[
            "",
            "+5",
            "+-5",
            "-0",
            "007",
            "1.5",
            "12a",
            "\r",
            "\0",
            "--",
            "ü",
            "grüße-aus-München-😀",
            "\u{feff}",
            "2147483647",
            "2147483648",
            "-2147483649",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "1418530070123",
            "9300000000000000",
            "twelve-bytes",
            "thirteen-byte",
            "version",
        ][..],
    );
    let junk = vec(
        any::<u8>().prop_filter("one field", |byte| !b" \n".contains(byte)),
        1..30,
    );
    prop_oneof![
        12 => any::<u32>().prop_map(Cell::Sound),
        3 => Just(Cell::Bytes(b"-".to_vec())),
        2 => peculiar.prop_map(|text| Cell::Bytes(text.into())),
        1 => junk.prop_map(Cell::Bytes),
    ]
}
