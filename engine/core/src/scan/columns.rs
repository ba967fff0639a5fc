//! The columns of a log table: those that parsing gives, and those of the object and its key.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::builder::StringViewBuilder;
use datafusion::arrow::array::{
    ArrayRef, Date32Array, Int64Array, StringViewArray, TimestampMicrosecondArray, new_null_array,
};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion::error::Result;
use loglens_parsers::envelope::OriginPart;
use loglens_parsers::format::PartitionValue;
use loglens_parsers::key::KeyFacts;
use loglens_parsers::table::{ColumnSource, EXTRA, LINE, LOG_GROUP, LOG_STREAM, Table};

use crate::object::Object;

/// Key of the object that a record stands in.
pub(crate) const PATH: &str = "$path";
/// Its size in bytes.
pub(crate) const FILE_SIZE: &str = "$file_size";
/// Its last change.
pub(crate) const FILE_MODIFIED_TIME: &str = "$file_modified_time";
/// Columns that exist only for statements that name them.
pub(crate) const HIDDEN: [&str; 6] = [
    PATH,
    FILE_SIZE,
    FILE_MODIFIED_TIME,
    LINE,
    LOG_GROUP,
    LOG_STREAM,
];

/// Metadata of a column's field: the text that a log writes for NULL.
pub(crate) const NULL_MARKER: &str = "loglens.null";

/// Where a column of a log table comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogColumn {
    /// From the bytes: the index in the parser's [`Table`].
    Parsed(usize),
    /// From the bytes where the layout has this column, else from the key.
    ParsedOrKey(usize, KeyColumn),
    /// From the key.
    Key(KeyColumn),
    /// The key itself.
    Path,
    /// The object's size.
    FileSize,
    /// The object's last change.
    FileModified,
}

/// What of the key a column holds. A Hive-style segment of the column's name comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyColumn {
    name: String,
    value: Option<PartitionValue>,
    /// The index in the parser's [`Table`] of what the record's envelope says of it, for records
    /// of objects whose keys say nothing.
    origin: Option<usize>,
}

/// The columns of a log table: first those that `*` shows, then the hidden ones. Behind them are
/// those within structs, which no statement names so, and which are not in the schema.
#[derive(Debug)]
pub(crate) struct LogColumns {
    columns: Vec<LogColumn>,
    schema: SchemaRef,
    visible: usize,
    /// Each column within a struct: the column that it lies in, the names that lead to it, and
    /// its field.
    members: Vec<(usize, Vec<String>, FieldRef)>,
}

impl LogColumns {
    /// The columns of a table whose keys have these Hive-style segments.
    pub(crate) fn new(table: &Table, hive: &[String]) -> Self {
        let format = &table.format;
        let mut keys: Vec<KeyColumn> = format
            .partitions
            .iter()
            .map(|partition| KeyColumn {
                name: partition.name.clone(),
                value: Some(partition.from),
                origin: match partition.from {
                    PartitionValue::Account => Some(OriginPart::Account),
                    PartitionValue::Region => Some(OriginPart::Region),
                    _ => None,
                }
                .map(|part| table.index_of(ColumnSource::Origin(part))),
            })
            .collect();
        for name in hive {
            let reserved = name == EXTRA || HIDDEN.contains(&name.as_str());
            if !reserved && keys.iter().all(|key| key.name != *name) {
                keys.push(KeyColumn {
                    name: name.clone(),
                    value: None,
                    origin: None,
                });
            }
        }
        let mut by_name: HashMap<&str, &KeyColumn> =
            keys.iter().map(|key| (key.name.as_str(), key)).collect();
        let mut columns = Vec::new();
        let mut fields = Vec::new();
        let mut hidden = Vec::new();
        for source in table.sources() {
            let index = table.index_of(source);
            let field = mark_null(table.field(source), source, format.null_marker());
            if source == ColumnSource::Extra {
                // Columns of the key stand before `extra`.
                for key in keys
                    .iter()
                    .filter(|key| by_name.contains_key(key.name.as_str()))
                {
                    columns.push(LogColumn::Key((*key).clone()));
                    fields.push(Field::new(&key.name, key.data_type(), true));
                }
            }
            let column = match by_name.remove(field.name().as_str()) {
                Some(key) if key.data_type() == *field.data_type() => {
                    LogColumn::ParsedOrKey(index, key.clone())
                }
                _ => LogColumn::Parsed(index),
            };
            if source == ColumnSource::Line {
                hidden.push((column, field));
            } else {
                columns.push(column);
                fields.push(field);
            }
        }
        for part in [OriginPart::LogGroup, OriginPart::LogStream] {
            let source = ColumnSource::Origin(part);
            hidden.push((
                LogColumn::Parsed(table.index_of(source)),
                table.field(source),
            ));
        }
        let visible = columns.len();
        let zone = Some(Arc::clone(&table.zone));
        hidden.splice(
            0..0,
            [
                (LogColumn::Path, Field::new(PATH, DataType::Utf8View, false)),
                (
                    LogColumn::FileSize,
                    Field::new(FILE_SIZE, DataType::Int64, true),
                ),
                (
                    LogColumn::FileModified,
                    Field::new(
                        FILE_MODIFIED_TIME,
                        DataType::Timestamp(TimeUnit::Microsecond, zone),
                        true,
                    ),
                ),
            ],
        );
        for (column, field) in hidden {
            columns.push(column);
            fields.push(field);
        }
        let mut columns = Self {
            columns,
            schema: Arc::new(Schema::new(fields)),
            visible,
            members: Vec::new(),
        };
        columns.add_members(table);
        columns
    }

    fn add_members(&mut self, table: &Table) {
        for source in table.members() {
            let field = Arc::new(table.field(source));
            let mut names = field.name().split('.').map(str::to_owned);
            let top = names.next().and_then(|top| self.schema.index_of(&top).ok());
            let names: Vec<_> = names.collect();
            // A column of the key has no members.
            let Some(top) = top.filter(|&top| matches!(self.columns[top], LogColumn::Parsed(_)))
            else {
                continue;
            };
            self.columns.push(LogColumn::Parsed(table.index_of(source)));
            self.members.push((top, names, field));
        }
    }

    /// The column within a struct that the names lead to.
    pub(crate) fn member(&self, column: usize, names: &[&str]) -> Option<usize> {
        let member = |(top, way, _): &(usize, Vec<String>, FieldRef)| {
            *top == column && way.iter().map(String::as_str).eq(names.iter().copied())
        };
        let place = self.members.iter().position(member)?;
        Some(self.schema.fields().len() + place)
    }

    /// The field of any column.
    pub(crate) fn field(&self, index: usize) -> &FieldRef {
        let named = self.schema.fields();
        match index.checked_sub(named.len()) {
            Some(member) => &self.members[member].2,
            None => &named[index],
        }
    }

    /// Whether a column is a time of the event.
    pub(crate) fn is_time(&self, column: usize, table: &Table) -> bool {
        let LogColumn::Parsed(index) = *self.column(column) else {
            return false;
        };
        match table.sources().nth(index) {
            Some(ColumnSource::EventTime) => true,
            Some(ColumnSource::Format(column)) => {
                table.format.event_time.iter().any(|path| *path == [column])
            }
            _ => false,
        }
    }

    /// The schema with the hidden columns.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The schema that `*` shows.
    pub(crate) fn visible_schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.schema.fields()[..self.visible].to_vec()))
    }

    /// Where a column comes from.
    pub(crate) fn column(&self, index: usize) -> &LogColumn {
        &self.columns[index]
    }
}

fn mark_null(field: Field, source: ColumnSource, null: Option<&str>) -> Field {
    if let Some(null) = null
        && matches!(source, ColumnSource::Format(_) | ColumnSource::Unknown(_))
    {
        field.with_metadata(HashMap::from([(NULL_MARKER.to_owned(), null.to_owned())]))
    } else {
        field
    }
}

impl KeyColumn {
    /// The column's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What it holds, if no Hive-style segment has its name.
    pub(super) fn value(&self) -> Option<PartitionValue> {
        self.value
    }

    /// Where an envelope would say it of a record, if one can.
    pub(super) fn origin(&self) -> Option<usize> {
        self.origin
    }

    fn data_type(&self) -> DataType {
        match self.value {
            Some(PartitionValue::Date) => DataType::Date32,
            _ => DataType::Utf8View,
        }
    }

    /// The column for `rows` records of an object.
    pub(super) fn array(&self, facts: &KeyFacts, rows: usize) -> Result<ArrayRef> {
        let text = self.text(facts);
        if self.value == Some(PartitionValue::Date) {
            return Ok(match text.as_deref().and_then(days) {
                Some(days) => Arc::new(Date32Array::from_value(days, rows)),
                None => new_null_array(&DataType::Date32, rows),
            });
        }
        repeat(text.as_deref(), rows)
    }

    /// What the key says, as text.
    pub(super) fn text(&self, facts: &KeyFacts) -> Option<String> {
        let hive = facts.hive.iter().find(|(name, _)| *name == self.name);
        let hive = hive.map(|(_, value)| value.clone());
        hive.or_else(|| match self.value? {
            PartitionValue::Account => facts.account.clone(),
            PartitionValue::Region => facts.region.clone(),
            PartitionValue::Day => facts.day(),
            PartitionValue::Year => facts.year.clone(),
            PartitionValue::Month => facts.month.clone(),
            PartitionValue::DayOfMonth => facts.day.clone(),
            PartitionValue::Hour => facts.hour.clone(),
            PartitionValue::Date => Some(facts.day()?.replace('/', "-")),
        })
    }
}

/// What the columns of an object's own are made of.
pub(crate) struct ObjectColumns<'a> {
    /// The object.
    pub(crate) object: &'a Object,
    /// What its key says.
    pub(crate) facts: &'a KeyFacts,
    /// Time zone of times.
    pub(crate) zone: &'a Arc<str>,
}

impl ObjectColumns<'_> {
    /// A column that does not come from the bytes.
    pub(crate) fn array(&self, column: &LogColumn, rows: usize) -> Result<ArrayRef> {
        Ok(match column {
            LogColumn::Parsed(_) => new_null_array(&DataType::Null, rows),
            LogColumn::ParsedOrKey(_, key) | LogColumn::Key(key) => key.array(self.facts, rows)?,
            LogColumn::Path => repeat(Some(&self.object.key), rows)?,
            LogColumn::FileSize => {
                let size = self.object.size.and_then(|size| i64::try_from(size).ok());
                Arc::new(Int64Array::from(vec![size; rows]))
            }
            LogColumn::FileModified => {
                let times = TimestampMicrosecondArray::from(vec![self.object.modified; rows]);
                Arc::new(times.with_timezone(Arc::clone(self.zone)))
            }
        })
    }
}

/// Days since 1970-01-01 of `yyyy-MM-dd`.
fn days(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-').map(str::to_owned);
    let date = KeyFacts {
        year: parts.next(),
        month: parts.next(),
        day: parts.next(),
        ..KeyFacts::default()
    };
    date.date()
}

/// The same text in every row, held once.
fn repeat(text: Option<&str>, rows: usize) -> Result<ArrayRef> {
    let Some(text) = text else {
        return Ok(Arc::new(StringViewArray::new_null(rows)));
    };
    let mut builder = StringViewBuilder::with_capacity(rows);
    let block = builder.append_block(text.as_bytes().to_vec().into());
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    for _ in 0..rows {
        builder.try_append_view(block, 0, length)?;
    }
    Ok(Arc::new(builder.finish()))
}
