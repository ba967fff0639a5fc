//! A `CREATE EXTERNAL TABLE` statement, put together.

use std::fmt::Write;

use super::hive::{name, text};

/// What a statement says.
#[derive(Debug, Default)]
pub(super) struct CreateTable {
    pub(super) table: String,
    /// Names and types.
    pub(super) columns: Vec<(String, String)>,
    /// The same of the columns that the keys give.
    pub(super) partitions: Vec<(String, String)>,
    /// How files are read: from `ROW FORMAT` to `STORED AS`.
    pub(super) format: String,
    pub(super) location: String,
    pub(super) properties: Vec<(String, String)>,
    /// Said behind the statement.
    pub(super) note: Option<String>,
}

impl CreateTable {
    /// Takes properties of the projection of a partition column.
    pub(super) fn project(&mut self, column: &str, properties: &[(&str, &str)]) {
        let properties = properties.iter();
        self.properties.extend(properties.map(|(property, value)| {
            let property = format!("projection.{column}.{property}");
            (property, (*value).to_owned())
        }));
    }

    /// Lets Athena make the partitions up, by where each of them lies.
    pub(super) fn enable_projection(&mut self, template: String) {
        let enabled = ("projection.enabled".to_owned(), "true".to_owned());
        self.properties.insert(0, enabled);
        let template = ("storage.location.template".to_owned(), template);
        self.properties.push(template);
    }

    /// The statement, with a line end.
    pub(super) fn text(&self) -> String {
        let mut sql = format!(
            "CREATE EXTERNAL TABLE {} (\n{})\n",
            name(&self.table),
            lines(&self.columns)
        );
        // Writing to a String cannot fail.
        if !self.partitions.is_empty() {
            let _ = writeln!(sql, "PARTITIONED BY (\n{})", lines(&self.partitions));
        }
        let _ = write!(sql, "{}\nLOCATION {}", self.format, text(&self.location));
        if !self.properties.is_empty() {
            let properties = self.properties.iter();
            let properties = properties
                .map(|(property, value)| format!("  {} = {}", text(property), text(value)));
            let properties: Vec<_> = properties.collect();
            let _ = write!(sql, "\nTBLPROPERTIES (\n{}\n)", properties.join(",\n"));
        }
        sql.push_str(";\n");
        if let Some(note) = &self.note {
            let _ = writeln!(sql, "{note}");
        }
        sql
    }
}

fn lines(columns: &[(String, String)]) -> String {
    let columns = columns.iter();
    let columns = columns.map(|(column, data_type)| format!("  {} {data_type}", name(column)));
    columns.collect::<Vec<_>>().join(",\n") + "\n"
}
