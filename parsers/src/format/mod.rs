//! Formats: what a description under `formats/` says, checked and indexed.

mod description;

use std::sync::{Arc, OnceLock};

use crate::field::Kind;
use crate::key::KeyPattern;

use description::Description;
pub use description::{Partition, PartitionValue, RecordRule, RejectSample, Sample};

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
    /// The bytes between two fields.
    pub separator: u8,
    /// The field that stands for NULL.
    pub null: String,
    /// The columns, in the order of the table.
    pub columns: Vec<Column>,
    /// Columns (indexes) of a record where no header line names them.
    pub default_order: Vec<usize>,
    /// Columns (indexes) that give `event_time`; the first that a layout has is used.
    pub event_time: Vec<usize>,
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
    /// What tells a record without a header from other text.
    pub(crate) record: RecordRule,
    /// Wins over formats that fit a header equally well.
    pub(crate) priority: i32,
}

/// One column of a format.
#[derive(Debug)]
pub struct Column {
    /// Name in SQL.
    pub name: Arc<str>,
    /// How its text is parsed, and its type.
    pub kind: Kind,
    /// Unit of its values, where they have one.
    pub unit: Option<String>,
    /// Version of the format it appeared in.
    pub since: Option<u32>,
    /// What it means.
    pub doc: String,
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

    /// Whether a statement that says `name` means this table.
    pub fn is_called(&self, name: &str) -> bool {
        self.table == name || self.aliases.iter().any(|alias| alias == name)
    }
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
