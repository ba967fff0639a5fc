//! The TOML of a format description, as it stands in the file.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde::Deserialize;

use super::{Column, Format, FormatError, column_name};
use crate::field::Kind;
use crate::key::KeyPattern;
use crate::table::{EVENT_TIME, EXTRA, LINE};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    table: String,
    #[serde(default)]
    aliases: Vec<String>,
    title: String,
    about: String,
    source: String,
    shape: Shape,
    #[serde(default)]
    default_order: Vec<String>,
    #[serde(default)]
    event_time: Vec<String>,
    account: Option<String>,
    region: Option<String>,
    columns: Vec<ColumnEntry>,
    #[serde(default)]
    partitions: Vec<Partition>,
    #[serde(default)]
    recognise: Recognise,
    #[serde(default)]
    samples: Vec<Sample>,
    #[serde(default)]
    rejects: Vec<RejectSample>,
}

/// How records are built. Later families add shapes (delimited with quotes, JSON).
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Shape {
    /// Lines of separated fields, named by a header line or in the default order.
    Header { separator: String, null: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnEntry {
    name: String,
    kind: Kind,
    unit: Option<String>,
    since: Option<u32>,
    doc: String,
}

/// A column that comes from the object's key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// Name in SQL.
    pub name: String,
    /// What it holds.
    pub from: PartitionValue,
    /// What it means.
    pub doc: String,
}

/// What a partition column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartitionValue {
    /// The account, as text.
    Account,
    /// The Region, as text.
    Region,
    /// The day as `yyyy/MM/dd`.
    Day,
    /// The day as a date.
    Date,
    /// The hour as two digits.
    Hour,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recognise {
    #[serde(default)]
    priority: i32,
    #[serde(default)]
    folders: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    record: RecordRule,
}

/// What tells a record without a header from other text: a column that holds one of some values.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordRule {
    /// The column.
    pub column: String,
    /// The values it may hold.
    pub values: Vec<String>,
}

/// A record in the default order and some of its values, as text; `""` is NULL.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The record.
    pub line: String,
    /// Values by column.
    pub row: BTreeMap<String, String>,
}

/// A record in the default order that must be rejected.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectSample {
    /// The record.
    pub line: String,
    /// The reason as it is shown.
    pub reason: String,
}

impl Description {
    pub(super) fn check(self) -> Result<Format, FormatError> {
        let Shape::Header { separator, null } = self.shape;
        let &[separator] = separator.as_bytes() else {
            return Err(FormatError::Separator(separator));
        };
        if b"\r\n".contains(&separator) {
            return Err(FormatError::Separator(char::from(separator).to_string()));
        }
        let columns = columns(self.columns)?;
        let find = |place, name: &String| {
            columns
                .iter()
                .position(|c| c.name.as_ref() == name)
                .ok_or_else(|| FormatError::UnknownColumn {
                    place,
                    name: name.clone(),
                })
        };
        let all = |place, names: &[String]| -> Result<Vec<usize>, FormatError> {
            names.iter().map(|name| find(place, name)).collect()
        };
        let default_order = all("default_order", &self.default_order)?;
        let event_time = all("event_time", &self.event_time)?;
        let account = self
            .account
            .as_ref()
            .map(|name| find("account", name))
            .transpose()?;
        let region = self
            .region
            .as_ref()
            .map(|name| find("region", name))
            .transpose()?;
        if !self.recognise.record.column.is_empty() {
            find("recognise.record", &self.recognise.record.column)?;
        }
        for sample in &self.samples {
            all("samples", &sample.row.keys().cloned().collect::<Vec<_>>())?;
        }
        Ok(Format {
            table: self.table,
            aliases: self.aliases,
            title: self.title,
            about: self.about,
            source: self.source,
            separator,
            null,
            columns,
            default_order,
            event_time,
            account,
            region,
            partitions: self.partitions,
            samples: self.samples,
            reject_samples: self.rejects,
            folders: patterns(&self.recognise.folders)?,
            files: patterns(&self.recognise.files)?,
            record: self.recognise.record,
            priority: self.recognise.priority,
        })
    }
}

fn columns(entries: Vec<ColumnEntry>) -> Result<Vec<Column>, FormatError> {
    let mut seen = HashSet::new();
    entries
        .into_iter()
        .map(|entry| {
            let name = column_name(&entry.name);
            if [EVENT_TIME, EXTRA, LINE].contains(&name.as_str()) {
                return Err(FormatError::ReservedColumn(entry.name));
            }
            if !seen.insert(name) {
                return Err(FormatError::DuplicateColumn(entry.name));
            }
            Ok(Column {
                name: Arc::from(entry.name),
                kind: entry.kind,
                unit: entry.unit,
                since: entry.since,
                doc: entry.doc,
            })
        })
        .collect()
}

fn patterns(texts: &[String]) -> Result<Vec<KeyPattern>, FormatError> {
    texts
        .iter()
        .map(|text| {
            KeyPattern::parse(text).map_err(|problem| FormatError::KeyPattern {
                pattern: text.clone(),
                problem,
            })
        })
        .collect()
}
