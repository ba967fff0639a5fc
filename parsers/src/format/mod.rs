//! Formats: what a description under `formats/` says, checked and indexed.

mod description;

use std::sync::{Arc, OnceLock};

use arrow_schema::{DataType, Field};

use crate::field::Kind;
use crate::key::{Delivery, KeyPattern};
use crate::layout::Layout;

use description::Description;
pub use description::{Partition, PartitionValue, RejectSample, Sample};

/// One log format: the single definition of its table, columns and recognition.
#[derive(Debug)]
pub struct Format {
    /// Name of the SQL table.
    pub table: String,
    /// Other names of the table.
    pub aliases: Vec<String>,
    /// Title for people.
    pub title: String,
    /// What one row is.
    pub about: String,
    /// Where the format is documented.
    pub source: String,
    /// How records are built.
    pub shape: Shape,
    /// The field that stands for NULL.
    pub null: String,
    /// The columns, in the order of the table.
    pub columns: Vec<Column>,
    /// Names of the fields of a record where no header line names them.
    pub default_order: Vec<String>,
    /// Columns that give `event_time`, each as the way to it from the top: the first that a
    /// layout has is used, of a JSON record the first that it has.
    pub event_time: Vec<Vec<usize>>,
    /// Column (index) of the account a record belongs to.
    pub account: Option<usize>,
    /// Column (index) of the Region a record belongs to.
    pub region: Option<usize>,
    /// Columns that come from the object's key.
    pub partitions: Vec<Partition>,
    /// Records that show the format, with values to expect.
    pub samples: Vec<Sample>,
    /// Records that must be rejected.
    pub reject_samples: Vec<RejectSample>,
    /// Key layouts below `AWSLogs/`.
    pub(crate) folders: Vec<KeyPattern>,
    /// File names.
    pub(crate) files: Vec<KeyPattern>,
    /// How far the times in the names of its objects may lie from those of their events.
    pub delivery: Delivery,
    /// What tells a record without a header from other text: a column (index) and the values it may
    /// hold.
    pub(crate) record: Option<(usize, Vec<String>)>,
    /// Members that tell a JSON record of this format from others.
    pub(crate) members: Vec<String>,
    /// Log groups of CloudWatch Logs that hold it: `*` stands for any text, and case does not count.
    pub(crate) log_groups: Vec<String>,
    /// The same of the log streams in them.
    pub(crate) log_streams: Vec<String>,
    /// Wins over formats that fit a header equally well.
    pub(crate) priority: i32,
    /// The layout of records that no header line describes, once somebody has asked for it.
    pub(crate) default_layout: OnceLock<Arc<Layout>>,
}

impl Format {
    /// The layout of records that no header line describes.
    pub fn default_layout(&self) -> &Arc<Layout> {
        self.default_layout
            .get_or_init(|| Arc::new(Layout::default_of(self)))
    }
}

/// How records are built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Lines of fields with one byte between them, named by a header line or in the default order.
    Header {
        /// The byte.
        separator: u8,
    },
    /// Lines of fields in the default order, some of them in quotes. A record may have fewer
    /// fields, as older writers left them, or more, as newer ones do.
    Quoted {
        /// What separates and encloses fields.
        quoting: Quoting,
        /// The fewest fields of a record.
        least: usize,
        /// Beginnings of lines that are no records.
        skip: Vec<String>,
    },
    /// JSON objects, one after the other or in an array, whose members are the columns.
    Json {
        /// Member of an enclosing object that holds the array of records.
        records: Option<String>,
        /// Members that tell an object that is no record.
        skip: Vec<String>,
    },
}

impl Shape {
    /// Bytes that enclose a field and are no part of its value: opening and closing ones.
    pub(crate) fn enclosing(&self) -> &'static [(u8, u8)] {
        const DOUBLE: (u8, u8) = (b'"', b'"');
        const SINGLE: (u8, u8) = (b'\'', b'\'');
        const BRACKETS: (u8, u8) = (b'[', b']');
        match self {
            Self::Quoted { quoting, .. } => match (quoting.quote, quoting.brackets) {
                (b'\'', false) => &[SINGLE],
                (b'\'', true) => &[SINGLE, BRACKETS],
                (_, false) => &[DOUBLE],
                (_, true) => &[DOUBLE, BRACKETS],
            },
            _ => &[],
        }
    }
}

/// A field without what encloses it.
pub(crate) fn inner<'a>(field: &'a [u8], enclosing: &[(u8, u8)]) -> &'a [u8] {
    match field {
        [first, inner @ .., last] if enclosing.contains(&(*first, *last)) => inner,
        _ => field,
    }
}

/// What separates and encloses fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quoting {
    /// The byte between two fields.
    pub separator: u8,
    /// The byte around a field that may hold separators.
    pub quote: u8,
    /// Whether a field may stand in brackets too.
    pub brackets: bool,
}

/// One column of a format.
#[derive(Debug)]
pub struct Column {
    /// Name in SQL.
    pub name: Arc<str>,
    /// Name of the field it comes from; several columns may come from one.
    pub field: Arc<str>,
    /// How its text is parsed, and its type.
    pub kind: Kind,
    /// Unit of its values, where they have one.
    pub unit: Option<String>,
    /// Version of the format it appeared in.
    pub since: Option<u32>,
    /// What it means.
    pub doc: String,
    /// The columns within it, if it is nested.
    pub columns: Vec<Column>,
}

impl Column {
    /// Its Arrow type.
    pub fn data_type(&self) -> DataType {
        let members = || {
            let members = self.columns.iter();
            DataType::Struct(
                members
                    .map(|column| Arc::new(column.arrow_field()))
                    .collect(),
            )
        };
        match self.kind {
            Kind::Struct => members(),
            Kind::List => DataType::List(Arc::new(Field::new("item", members(), true))),
            kind => kind.data_type(),
        }
    }

    /// Its Arrow field.
    pub fn arrow_field(&self) -> Field {
        Field::new(self.name.as_ref(), self.data_type(), true)
    }
}

/// Why a description cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The TOML is malformed or has members that no description has.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A list names a column that is not among the columns.
    #[error("{place} names a column \"{name}\" that the format does not have")]
    UnknownColumn {
        /// The list.
        place: &'static str,
        /// The name.
        name: String,
    },
    /// A column is defined twice.
    #[error("column \"{0}\" is defined twice")]
    DuplicateColumn(String),
    /// A column has the name of one that every table has.
    #[error("column \"{0}\" is one that every table has already")]
    ReservedColumn(String),
    /// A place that needs a column of the table names one within another.
    #[error("{place} names \"{name}\", which is within another column")]
    NestedColumn {
        /// The place.
        place: &'static str,
        /// The name.
        name: String,
    },
    /// `event_time` names a column whose kind gives no time.
    #[error("event_time names \"{0}\", which is no time: unix_seconds, iso_time or clf_time")]
    NotATime(String),
    /// A column comes from a field that the default order does not have.
    #[error("no field \"{0}\" in default_order")]
    NoField(String),
    /// A column of a JSON kind in a format that is not JSON.
    #[error("column \"{0}\" is of a kind that only a JSON format has")]
    JsonColumn(String),
    /// A dotted name whose first part is no nested column before it.
    #[error("\"{0}\" stands within no struct or list that is defined before it")]
    NoParent(String),
    /// A nested column without columns within it.
    #[error("column \"{0}\" is nested, and no columns are within it")]
    NoMembers(String),
    /// A quote that is none.
    #[error("the quote must be \" or ', not {0:?}")]
    Quote(String),
    /// The separator is not one byte, or ends a line.
    #[error("the separator must be one ASCII character that ends no line, not {0:?}")]
    Separator(String),
    /// A key pattern cannot be understood.
    #[error("key pattern \"{pattern}\": {problem}")]
    KeyPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Format {
    /// Reads a description.
    pub fn from_toml(text: &str) -> Result<Self, FormatError> {
        let description: Description = toml::from_str(text)?;
        description.check()
    }

    /// The column of this name, by index. Dashes and underscores are the same, as header lines
    /// write `account-id` and Parquet files `account_id`.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| same_name(&column.name, name))
    }

    /// The folders of its objects below `AWSLogs/`, as AWS lays them out first: with `{account}`,
    /// `{region}`, `{year}` and the like. None where nothing is known of them.
    pub fn folders(&self) -> Option<String> {
        self.folders.first().map(KeyPattern::required)
    }

    /// Whether a log of CloudWatch Logs holds it, by the names of its group and its stream.
    pub(crate) fn is_in_log(&self, group: &str, stream: &str) -> bool {
        let fits = |name: &str, patterns: &[String]| {
            let name = name.to_ascii_lowercase();
            let mut patterns = patterns.iter();
            patterns.any(|pattern| fits_pattern(&name, &pattern.to_ascii_lowercase()))
        };
        fits(group, &self.log_groups) || fits(stream, &self.log_streams)
    }

    /// Whether a column comes from the field of this name.
    pub fn has_field(&self, name: &str) -> bool {
        self.columns
            .iter()
            .any(|column| same_name(&column.field, name))
    }

    /// A column by the way to it from the top.
    pub fn column_at(&self, path: &[usize]) -> Option<&Column> {
        column_at(&self.columns, path)
    }

    /// The text that stands for NULL in columns of text; none in JSON, where NULL is no text.
    pub fn null_marker(&self) -> Option<&str> {
        match self.shape {
            Shape::Json { .. } => None,
            _ => Some(&self.null),
        }
    }

    /// Whether a statement that says `name` means this table.
    pub fn is_called(&self, name: &str) -> bool {
        self.table == name || self.aliases.iter().any(|alias| alias == name)
    }
}

/// Whether a text is as a pattern says, in which `*` stands for any text.
fn fits_pattern(text: &str, pattern: &str) -> bool {
    let Some((first, behind)) = pattern.split_once('*') else {
        return text == pattern;
    };
    let Some(rest) = text.strip_prefix(first) else {
        return false;
    };
    // Between two stars, the first place is as good as any.
    let (middle, last) = behind.rsplit_once('*').unwrap_or(("", behind));
    let rest = middle.split('*').try_fold(rest, |rest, part| {
        let at = rest.find(part)?;
        Some(&rest[at + part.len()..])
    });
    rest.is_some_and(|rest| rest.ends_with(last))
}

fn column_at<'a>(columns: &'a [Column], path: &[usize]) -> Option<&'a Column> {
    let (&first, rest) = path.split_first()?;
    let column = columns.get(first)?;
    if rest.is_empty() {
        Some(column)
    } else {
        column_at(&column.columns, rest)
    }
}

/// The way to the column of a dotted name.
fn column_path(columns: &[Column], name: &str) -> Option<Vec<usize>> {
    let (first, rest) = match name.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (name, None),
    };
    let index = columns
        .iter()
        .position(|column| column.name.as_ref() == first)?;
    let mut path = vec![index];
    if let Some(rest) = rest {
        path.extend(column_path(&columns[index].columns, rest)?);
    }
    Some(path)
}

/// Whether two field names are the same but for dashes, underscores and case.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    let fold = |byte: u8| match byte {
        b'-' => b'_',
        other => other.to_ascii_lowercase(),
    };
    a.len() == b.len() && a.bytes().map(fold).eq(b.bytes().map(fold))
}

/// A field's name as a column name: lower case, underscores.
pub(crate) fn column_name(field: &str) -> String {
    field.to_ascii_lowercase().replace('-', "_")
}

const DESCRIPTIONS: &[&str] = include!(concat!(env!("OUT_DIR"), "/descriptions.rs"));

/// The formats that are built in, by table name.
///
/// # Panics
/// Never in a build that passed its tests: every embedded description is read by one.
pub fn built_in() -> &'static [Arc<Format>] {
    static FORMATS: OnceLock<Vec<Arc<Format>>> = OnceLock::new();
    FORMATS.get_or_init(|| {
        DESCRIPTIONS
            .iter()
            .map(|text| match Format::from_toml(text) {
                Ok(format) => Arc::new(format),
                Err(error) => panic!("built-in description: {error}\n{text}"),
            })
            .collect()
    })
}

/// The built-in format whose table or alias is `name`.
pub fn by_name(name: &str) -> Option<&'static Arc<Format>> {
    built_in().iter().find(|format| format.is_called(name))
}

/// The formats that objects are read as: a user's own, and those that are built in.
#[derive(Debug, Clone)]
pub struct Formats(Vec<Arc<Format>>);

impl Default for Formats {
    fn default() -> Self {
        Self(built_in().to_vec())
    }
}

impl Formats {
    /// The same with another format. It comes first where several fit, and takes the place of
    /// one whose table has the same name.
    #[must_use]
    pub fn with(mut self, format: Format) -> Self {
        self.0.retain(|known| known.table != format.table);
        self.0.insert(0, Arc::new(format));
        self
    }

    /// All of them.
    pub fn all(&self) -> &[Arc<Format>] {
        &self.0
    }

    /// The format whose table or alias is `name`.
    pub fn by_name(&self, name: &str) -> Option<&Arc<Format>> {
        self.0.iter().find(|format| format.is_called(name))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_built_in_description_is_sound() {
        let mut names = HashSet::new();
        assert!(!built_in().is_empty());
        for format in built_in() {
            for name in std::iter::once(&format.table).chain(&format.aliases) {
                assert!(names.insert(name.clone()), "{name} names two tables");
            }
            assert!(
                !format.samples.is_empty(),
                "{} shows no sample",
                format.table
            );
            assert!(
                !format.reject_samples.is_empty(),
                "{} shows no reject",
                format.table
            );
            for column in &format.columns {
                assert!(
                    !column.doc.is_empty(),
                    "{}.{} says nothing",
                    format.table,
                    column.name
                );
                assert_eq!(column.name.as_ref(), column_name(&column.name));
            }
        }
    }

    /// A format's name and a field's name stand in one file: no Rust file outside of tests and
    /// the generator names a column that only a description should know.
    #[test]
    fn no_source_file_names_a_table() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![root];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                for format in built_in() {
                    assert!(
                        !code.contains(&format!("\"{}\"", format.table)),
                        "{} names {}",
                        path.display(),
                        format.table
                    );
                }
            }
        }
    }

    #[test]
    fn patterns_of_log_groups() {
        let rows: &[(&str, &str, bool)] = &[
            ("abc", "abc", true),
            ("abc", "ab", false),
            ("abc", "*", true),
            ("", "*", true),
            ("", "", true),
            ("abc", "a*", true),
            ("abc", "*c", true),
            ("abc", "*b*", true),
            ("abc", "a*c", true),
            ("ab", "ab*b", false),
            ("abab", "a*ab", true),
            ("/aws/vpc/flow-logs", "*vpc*flow*", true),
            ("/aws/flow/vpc", "*vpc*flow*", false),
            ("abcabc", "*a**b*a*", true),
        ];
        for (text, pattern, expected) in rows {
            assert_eq!(
                fits_pattern(text, pattern),
                *expected,
                "{text} as {pattern}"
            );
        }
        let table = |group, stream| {
            let found = built_in().iter();
            let mut found = found.filter(|format| format.is_in_log(group, stream));
            found.next().map(|format| format.table.clone())
        };
        let flows = Some("vpc_flow_logs".to_owned());
        let trail = Some("cloudtrail_logs".to_owned());
        assert_eq!(table("MyVpcFlowLogs", "eni-1"), flows);
        assert_eq!(table("CloudTrail/DefaultLogGroup", ""), trail);
        assert_eq!(table("audit", "123456789012_CloudTrail_us-east-1"), trail);
        assert_eq!(table("audit", "eni-1"), None);
        assert_eq!(table("x", "y"), None);
    }

    #[test]
    fn mistakes_in_a_description_are_named() {
        let error = |text: &str| Format::from_toml(text).unwrap_err().to_string();
        let base = |columns: &str, rest: &str| {
            format!(
                "table=\"t\"\ntitle=\"t\"\nabout=\"t\"\nsource=\"t\"\n\
                 shape={{kind=\"header\",separator=\" \",null=\"-\"}}\ncolumns=[{columns}]\n{rest}"
            )
        };
        let column = "{name=\"a\",kind=\"text\",doc=\"a\"}";
        assert!(Format::from_toml(&base(column, "default_order=[\"a\"]")).is_ok());
        assert_eq!(
            error(&base(column, "default_order=[\"b\"]")),
            "default_order names a column \"b\" that the format does not have"
        );
        assert_eq!(
            error(&base(&format!("{column},{column}"), "")),
            "column \"a\" is defined twice"
        );
        assert_eq!(
            error(&base(&column.replace("\"a\"", "\"Extra\""), "")),
            "column \"Extra\" is one that every table has already"
        );
        assert!(error(&base("{name=\"a\",kind=\"decimal\",doc=\"a\"}", "")).contains("decimal"));
        assert!(error(&base(column, "colour=1")).contains("colour"));
    }
}
