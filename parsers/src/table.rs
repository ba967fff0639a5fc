//! Tables: the columns that SQL sees of one format, as far as they come from the bytes.

use std::sync::Arc;

use arrow_schema::{DataType, Field, TimeUnit};

use crate::envelope::OriginPart;
use crate::field::Kind;
use crate::format::{Column, Format, column_name};

/// The time that every table has: microseconds since 1970, UTC.
pub const EVENT_TIME: &str = "event_time";
/// Fields that have no column, as a JSON object of text by name.
pub const EXTRA: &str = "extra";
/// Line of the record in its object, from 1.
pub const LINE: &str = "$line";

/// Log group of a record that comes from CloudWatch Logs.
pub const LOG_GROUP: &str = "$log_group";
/// Log stream of such a record.
pub const LOG_STREAM: &str = "$log_stream";

/// The columns that parsing can give of one format.
///
/// In this order: the format's columns; columns for field names that headers had and the format
/// does not; [`EVENT_TIME`]; [`EXTRA`]; [`LINE`]. Behind them, and not among [`Table::sources`],
/// are what envelopes say of their records, and the columns that lie within structs, for who wants
/// some of a struct only.
#[derive(Debug, Clone)]
pub struct Table {
    /// The format.
    pub format: Arc<Format>,
    /// Field names beyond those of the format, as column names.
    pub unknown: Vec<String>,
    /// Time zone that `event_time` is labelled with; its values are UTC always.
    pub zone: Arc<str>,
    /// The way from the top to each column that lies within structs.
    members: Vec<Vec<usize>>,
}

/// Where a column of a [`Table`] comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnSource {
    /// A column of the format.
    Format(usize),
    /// A field name beyond those of the format.
    Unknown(usize),
    /// The event's time.
    EventTime,
    /// Fields without a column.
    Extra,
    /// The record's line.
    Line,
    /// What the record's envelope says of it, if it came in one.
    Origin(OriginPart),
    /// A column of the format that lies within structs.
    Member(usize),
}

impl Table {
    /// The table of a format with columns for further field names.
    pub fn new(format: Arc<Format>, unknown: impl IntoIterator<Item = String>) -> Self {
        let mut columns: Vec<String> = Vec::new();
        for name in unknown {
            let name = column_name(&name);
            let taken = format.column(&name).is_some()
                || [EVENT_TIME, EXTRA].contains(&name.as_str())
                || format
                    .partitions
                    .iter()
                    .any(|partition| partition.name == name)
                || columns.contains(&name);
            if !taken {
                columns.push(name);
            }
        }
        let mut members = Vec::new();
        ways(&format.columns, &[], &mut members);
        Self {
            format,
            members,
            unknown: columns,
            zone: Arc::from("UTC"),
        }
    }

    /// The same with `event_time` labelled with another time zone.
    pub fn with_zone(mut self, zone: Arc<str>) -> Self {
        self.zone = zone;
        self
    }

    /// Where each column comes from, in order.
    pub fn sources(&self) -> impl Iterator<Item = ColumnSource> {
        (0..self.format.columns.len())
            .map(ColumnSource::Format)
            .chain((0..self.unknown.len()).map(ColumnSource::Unknown))
            .chain([
                ColumnSource::EventTime,
                ColumnSource::Extra,
                ColumnSource::Line,
            ])
    }

    /// The columns within structs, in their order.
    pub fn members(&self) -> impl Iterator<Item = ColumnSource> {
        (0..self.members.len()).map(ColumnSource::Member)
    }

    /// Where every column comes from: those behind [`Table::sources`] too.
    pub fn all_sources(&self) -> impl Iterator<Item = ColumnSource> {
        let origin = OriginPart::ALL.map(ColumnSource::Origin);
        self.sources().chain(origin).chain(self.members())
    }

    /// Where the column of this index comes from.
    pub fn source(&self, index: usize) -> Option<ColumnSource> {
        self.all_sources().nth(index)
    }

    /// The column that the names lead to from a column of the format.
    pub fn member(&self, column: usize, names: &[&str]) -> Option<ColumnSource> {
        let mut way = vec![column];
        let mut columns = &self.format.columns.get(column)?.columns;
        for name in names {
            let index = columns.iter().position(|inner| *inner.name == **name)?;
            way.push(index);
            columns = &columns[index].columns;
        }
        let member = self.members.iter().position(|known| *known == way)?;
        Some(ColumnSource::Member(member))
    }

    /// The way from the top to a column within structs.
    pub(crate) fn way(&self, member: usize) -> &[usize] {
        &self.members[member]
    }

    /// The format's column that this one is, if it is one.
    pub fn column(&self, source: ColumnSource) -> Option<&Column> {
        match source {
            ColumnSource::Format(index) => self.format.columns.get(index),
            ColumnSource::Member(member) => self.format.column_at(self.members.get(member)?),
            _ => None,
        }
    }

    /// The index of a column.
    pub fn index_of(&self, source: ColumnSource) -> usize {
        let (known, unknown) = (self.format.columns.len(), self.unknown.len());
        match source {
            ColumnSource::Format(index) => index,
            ColumnSource::Unknown(index) => known + index,
            ColumnSource::EventTime => known + unknown,
            ColumnSource::Extra => known + unknown + 1,
            ColumnSource::Line => known + unknown + 2,
            ColumnSource::Origin(part) => known + unknown + 3 + part as usize,
            ColumnSource::Member(member) => known + unknown + 3 + OriginPart::ALL.len() + member,
        }
    }

    /// The Arrow field of a column.
    pub fn field(&self, source: ColumnSource) -> Field {
        match source {
            ColumnSource::Format(index) => {
                let column = &self.format.columns[index];
                column.arrow_field()
            }
            ColumnSource::Unknown(index) => {
                Field::new(&self.unknown[index], DataType::Utf8View, true)
            }
            ColumnSource::EventTime => {
                let zone = Some(Arc::clone(&self.zone));
                Field::new(
                    EVENT_TIME,
                    DataType::Timestamp(TimeUnit::Microsecond, zone),
                    true,
                )
            }
            ColumnSource::Extra => Field::new(EXTRA, DataType::Utf8View, true),
            ColumnSource::Line => Field::new(LINE, DataType::Int64, false),
            ColumnSource::Origin(part) => {
                let name = match part {
                    OriginPart::Account => "$account",
                    OriginPart::Region => "$region",
                    OriginPart::LogGroup => LOG_GROUP,
                    OriginPart::LogStream => LOG_STREAM,
                };
                Field::new(name, DataType::Utf8View, true)
            }
            ColumnSource::Member(member) => self.member_field(&self.members[member]),
        }
    }

    /// Named by the dotted way to it.
    fn member_field(&self, way: &[usize]) -> Field {
        let steps = (1..=way.len()).filter_map(|length| self.format.column_at(&way[..length]));
        let names: Vec<&str> = steps.map(|column| column.name.as_ref()).collect();
        let column = self.format.column_at(way);
        let data_type = column.map_or(DataType::Null, Column::data_type);
        Field::new(names.join("."), data_type, true)
    }
}

/// The ways to all columns within structs. What lies within a list has no value of its own in a
/// record.
fn ways(columns: &[Column], before: &[usize], out: &mut Vec<Vec<usize>>) {
    for (index, column) in columns.iter().enumerate() {
        let way = [before, &[index]].concat();
        if !before.is_empty() {
            out.push(way.clone());
        }
        if column.kind == Kind::Struct {
            ways(&column.columns, &way, out);
        }
    }
}
