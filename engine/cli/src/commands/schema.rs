//! `loglens schema TABLE`.

use loglens_engine::Owner;
use loglens_engine::describe::describe;

use super::text_table;
use crate::arguments::Schema;
use crate::descriptions::formats;
use crate::failure::Failure;

pub(crate) fn run(arguments: &Schema) -> Result<(), Failure> {
    let formats = formats(&arguments.format)?;
    let columns = describe(&formats, &arguments.table).map_err(|mut error| {
        // The table is an argument here, not part of a statement.
        error.owner = Owner::Usage;
        error
    })?;
    let rows = columns.into_iter().map(|column| {
        let since = column.since.map(|version| version.to_string());
        [
            Some(column.name),
            Some(column.sql_type),
            column.unit,
            since,
            Some(column.doc),
        ]
    });
    text_table::print(
        arguments.output,
        ["column", "type", "unit", "since", "meaning"],
        rows.collect(),
    )
}
