//! What the columns of a table mean, for people.

use loglens_parsers::format::{Column, Format, Formats, PartitionValue};
use loglens_parsers::table::{EVENT_TIME, EXTRA, LINE, LOG_GROUP, LOG_STREAM};

use crate::error::Error;
use crate::scan::columns::{FILE_MODIFIED_TIME, FILE_SIZE, PATH};
use crate::tables::rejects::{self, REJECTS};
use crate::tables::schema::LogSchema;

/// A column as people want to know it.
#[derive(Debug)]
pub struct ColumnDescription {
    /// Name in SQL.
    pub name: String,
    /// Type as SQL calls it.
    pub sql_type: String,
    /// Unit of its values.
    pub unit: Option<String>,
    /// Version of the format that it appeared in.
    pub since: Option<u32>,
    /// What it means.
    pub doc: String,
}

/// The columns of a table, by its name or an alias; hidden ones last. Columns within others
/// follow them, with dotted names.
pub fn describe(formats: &Formats, table: &str) -> Result<Vec<ColumnDescription>, Error> {
    if table == REJECTS {
        let columns = rejects::COLUMNS.iter();
        return Ok(columns
            .map(|(name, data_type, doc)| {
                column(
                    name,
                    if data_type.is_integer() {
                        "bigint"
                    } else {
                        "varchar"
                    },
                    doc,
                )
            })
            .collect());
    }
    let format = formats
        .by_name(table)
        .ok_or_else(|| LogSchema::new(formats.clone()).unknown_table(table))?;
    let mut columns = Vec::new();
    describe_all(&format.columns, "", &mut columns);
    columns.push(column(
        EVENT_TIME,
        "timestamp",
        &format!("time of the record, UTC: {}", event_time(format)),
    ));
    for partition in &format.partitions {
        let sql_type = if partition.from == PartitionValue::Date {
            "date"
        } else {
            "varchar"
        };
        match columns
            .iter_mut()
            .find(|described| described.name == partition.name)
        {
            Some(described) => described.doc.push_str(&format!(
                "; where the log does not have it, {}",
                partition.doc
            )),
            None => columns.push(column(&partition.name, sql_type, &partition.doc)),
        }
    }
    columns.push(column(
        EXTRA,
        "varchar",
        "fields that have no column, as a JSON object",
    ));
    columns.push(column(PATH, "varchar", "hidden: key of the object"));
    columns.push(ColumnDescription {
        unit: Some("bytes".to_owned()),
        ..column(FILE_SIZE, "bigint", "hidden: size of the object")
    });
    columns.push(column(
        FILE_MODIFIED_TIME,
        "timestamp",
        "hidden: last change of the object",
    ));
    columns.push(column(
        LINE,
        "bigint",
        "hidden: line of the record in its object, from 1",
    ));
    columns.push(column(
        LOG_GROUP,
        "varchar",
        "hidden: log group, of records from CloudWatch Logs",
    ));
    columns.push(column(LOG_STREAM, "varchar", "hidden: log stream in it"));
    Ok(columns)
}

fn describe_all(columns: &[Column], within: &str, out: &mut Vec<ColumnDescription>) {
    for described in columns {
        let name = format!("{within}{}", described.name);
        out.push(ColumnDescription {
            unit: described.unit.clone(),
            since: described.since,
            ..column(&name, described.kind.sql_type(), &described.doc)
        });
        describe_all(&described.columns, &format!("{name}."), out);
    }
}

/// The columns that give a format's `event_time`.
fn event_time(format: &Format) -> String {
    let names = format.event_time.iter().map(|path| {
        let columns = (1..=path.len()).filter_map(|depth| format.column_at(&path[..depth]));
        let names: Vec<_> = columns.map(|column| column.name.as_ref()).collect();
        names.join(".")
    });
    let names: Vec<_> = names.collect();
    match names.as_slice() {
        [] => "always NULL".to_owned(),
        [name] => name.clone(),
        several => format!("{}, the first that the log has", several.join(", ")),
    }
}

fn column(name: &str, sql_type: &str, doc: &str) -> ColumnDescription {
    ColumnDescription {
        name: name.to_owned(),
        sql_type: sql_type.to_owned(),
        unit: None,
        since: None,
        doc: doc.to_owned(),
    }
}
