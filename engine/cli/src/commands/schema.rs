//! `loglens schema TABLE`.

use loglens_engine::describe::describe;

use super::text_table;
use crate::arguments::Schema;
use crate::failure::Failure;

pub(crate) fn run(arguments: &Schema) -> Result<(), Failure> {
    let columns = describe(&arguments.table)?;
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
