//! The TOML of a format description, as it stands in the file.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::{
    Column, Format, FormatError, Quoting, Shape, column_at, column_name, column_path, same_name,
};
use crate::field::Kind;
use crate::key::{Delivery, KeyPattern};
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
    shape: ShapeEntry,
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

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum ShapeEntry {
    Header {
        separator: String,
        null: String,
    },
    Quoted {
        separator: String,
        null: String,
        quote: String,
        #[serde(default)]
        brackets: bool,
        least: Option<usize>,
        #[serde(default)]
        skip: Vec<String>,
    },
    Json {
        records: Option<String>,
        #[serde(default)]
        skip: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnEntry {
    name: String,
    field: Option<String>,
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
    /// The year as four digits.
    Year,
    /// The month as two digits.
    Month,
    /// The day of the month as two digits.
    DayOfMonth,
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
    delivery: Option<DeliveryEntry>,
    record: Option<RecordEntry>,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    log_groups: Vec<String>,
    #[serde(default)]
    log_streams: Vec<String>,
}

/// How far the time in an object's name may lie from those of its events.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliveryEntry {
    late_minutes: u32,
    early_minutes: u32,
    disorder_minutes: Option<u32>,
}

/// What tells a record without a header from other text: a column that holds one of some values.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordEntry {
    column: String,
    values: Vec<String>,
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
        let (shape, null) = shape(self.shape)?;
        let columns = columns(self.columns, matches!(shape, Shape::Json { .. }))?;
        let find = |place, name: &String| {
            column_path(&columns, name).ok_or_else(|| FormatError::UnknownColumn {
                place,
                name: name.clone(),
            })
        };
        let find_top = |place, name: &Option<String>| {
            let Some(name) = name else {
                return Ok(None);
            };
            match find(place, name)?.as_slice() {
                &[column] => Ok(Some(column)),
                _ => Err(FormatError::NestedColumn {
                    place,
                    name: name.clone(),
                }),
            }
        };
        check_fields(&shape, &columns, &self.default_order)?;
        let event_time = self.event_time.iter().map(|name| {
            let path = find("event_time", name)?;
            let column = column_at(&columns, &path);
            if column.is_some_and(|column| column.kind.is_time()) {
                Ok(path)
            } else {
                Err(FormatError::NotATime(name.clone()))
            }
        });
        let event_time = event_time.collect::<Result<_, _>>()?;
        let account = find_top("account", &self.account)?;
        let region = find_top("region", &self.region)?;
        let record = match self.recognise.record {
            Some(RecordEntry { column, values }) => {
                find_top("recognise.record", &Some(column))?.map(|column| (column, values))
            }
            None => None,
        };
        for name in self.samples.iter().flat_map(|sample| sample.row.keys()) {
            find("samples", name)?;
        }
        Ok(Format {
            table: self.table,
            aliases: self.aliases,
            title: self.title,
            about: self.about,
            source: self.source,
            shape,
            null,
            columns,
            default_order: self.default_order,
            event_time,
            account,
            region,
            partitions: self.partitions,
            samples: self.samples,
            reject_samples: self.rejects,
            folders: patterns(&self.recognise.folders)?,
            files: patterns(&self.recognise.files)?,
            delivery: self
                .recognise
                .delivery
                .map_or_else(Delivery::default, |entry| {
                    let delivery = Delivery::minutes(entry.late_minutes, entry.early_minutes);
                    match entry.disorder_minutes {
                        Some(minutes) => delivery.with_disorder(minutes),
                        None => delivery,
                    }
                }),
            record,
            members: self.recognise.members,
            log_groups: self.recognise.log_groups,
            log_streams: self.recognise.log_streams,
            priority: self.recognise.priority,
            default_layout: OnceLock::new(),
        })
    }
}

/// The shape, and the text that stands for NULL in it.
fn shape(entry: ShapeEntry) -> Result<(Shape, String), FormatError> {
    Ok(match entry {
        ShapeEntry::Header { separator, null } => {
            let separator = one_byte(&separator)?;
            (Shape::Header { separator }, null)
        }
        ShapeEntry::Quoted {
            separator,
            null,
            quote,
            brackets,
            least,
            skip,
        } => {
            let quoting = Quoting {
                separator: one_byte(&separator)?,
                quote: match quote.as_bytes() {
                    &[byte @ (b'"' | b'\'')] => byte,
                    _ => return Err(FormatError::Quote(quote)),
                },
                brackets,
            };
            let shape = Shape::Quoted {
                quoting,
                least: least.unwrap_or(1).max(1),
                skip,
            };
            (shape, null)
        }
        ShapeEntry::Json { records, skip } => (Shape::Json { records, skip }, "null".to_owned()),
    })
}

fn one_byte(separator: &str) -> Result<u8, FormatError> {
    match separator.as_bytes() {
        &[byte] if !b"\r\n".contains(&byte) => Ok(byte),
        _ => Err(FormatError::Separator(separator.to_owned())),
    }
}

/// The columns as a tree: `a.b` stands in `a`, which comes before it.
fn columns(entries: Vec<ColumnEntry>, json: bool) -> Result<Vec<Column>, FormatError> {
    let mut columns: Vec<Column> = Vec::new();
    for entry in entries {
        let (parent, name) = match entry.name.rsplit_once('.') {
            Some((parent, name)) => (Some(parent), name),
            None => (None, entry.name.as_str()),
        };
        if parent.is_none() && [EVENT_TIME, EXTRA, LINE].contains(&column_name(name).as_str()) {
            return Err(FormatError::ReservedColumn(entry.name));
        }
        if !json && (entry.kind.is_nested() || entry.kind == Kind::Json) {
            return Err(FormatError::JsonColumn(entry.name));
        }
        let siblings = match parent {
            None => &mut columns,
            Some(parent) => nested_in(&mut columns, parent)
                .ok_or_else(|| FormatError::NoParent(entry.name.clone()))?,
        };
        if siblings.iter().any(|column| same_name(&column.name, name)) {
            return Err(FormatError::DuplicateColumn(entry.name));
        }
        siblings.push(Column {
            field: Arc::from(entry.field.as_deref().unwrap_or(name)),
            name: Arc::from(name),
            kind: entry.kind,
            unit: entry.unit,
            since: entry.since,
            doc: entry.doc,
            columns: Vec::new(),
        });
    }
    match first_without_members(&columns) {
        Some(name) => Err(FormatError::NoMembers(name.to_string())),
        None => Ok(columns),
    }
}

/// Where the columns within the one of this dotted name go.
fn nested_in<'a>(columns: &'a mut Vec<Column>, parent: &str) -> Option<&'a mut Vec<Column>> {
    let mut found = columns;
    for name in parent.split('.') {
        let column = found
            .iter_mut()
            .find(|column| column.name.as_ref() == name)?;
        if !column.kind.is_nested() {
            return None;
        }
        found = &mut column.columns;
    }
    Some(found)
}

fn first_without_members(columns: &[Column]) -> Option<&Arc<str>> {
    columns.iter().find_map(|column| {
        if column.kind.is_nested() && column.columns.is_empty() {
            return Some(&column.name);
        }
        first_without_members(&column.columns)
    })
}

/// Records without a header need an order of their fields, which every column comes from.
fn check_fields(shape: &Shape, columns: &[Column], order: &[String]) -> Result<(), FormatError> {
    let known = |field: &String| columns.iter().any(|column| same_name(&column.field, field));
    let missing = match shape {
        Shape::Header { .. } => order.iter().find(|field| !known(field)).cloned(),
        Shape::Json { .. } => None,
        Shape::Quoted { .. } => columns
            .iter()
            .map(|column| column.field.to_string())
            .find(|field| !order.iter().any(|known| same_name(known, field))),
    };
    match (shape, missing) {
        (_, None) => Ok(()),
        (Shape::Quoted { .. }, Some(field)) => Err(FormatError::NoField(field)),
        (_, Some(name)) => Err(FormatError::UnknownColumn {
            place: "default_order",
            name,
        }),
    }
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
