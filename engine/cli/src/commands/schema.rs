//! `loglens schema TABLE`.

use loglens_engine::Owner;
use loglens_engine::describe::{ColumnDescription, describe};
use loglens_parsers::format::Formats;

use super::text_table;
use crate::arguments::Schema;
use crate::descriptions::formats;
use crate::failure::Failure;

/// What is said of each column.
pub(super) const NAMES: [&str; 5] = ["column", "type", "unit", "since", "meaning"];

pub(crate) fn run(arguments: &Schema) -> Result<(), Failure> {
    let formats = formats(&arguments.format)?;
    text_table::print(arguments.output, NAMES, rows(&formats, &arguments.table)?)
}

/// A row for each column of a table, under [`NAMES`].
pub(super) fn rows(formats: &Formats, table: &str) -> Result<Vec<[Option<String>; 5]>, Failure> {
    let columns = describe(formats, table).map_err(|mut error| {
        // The table is an argument here, not part of a statement.
        error.owner = Owner::Usage;
        error
    })?;
    let row = |column: ColumnDescription| {
        let since = column.since.map(|version| version.to_string());
        [
            Some(column.name),
            Some(column.sql_type),
            column.unit,
            since,
            Some(column.doc),
        ]
    };
    Ok(columns.into_iter().map(row).collect())
}
