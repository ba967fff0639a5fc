//! `loglens formats`.

use super::text_table;
use crate::arguments::Formats;
use crate::descriptions::formats;
use crate::failure::Failure;

pub(crate) fn run(arguments: &Formats) -> Result<(), Failure> {
    let formats = formats(&arguments.format)?;
    let rows = formats.all().iter().map(|format| {
        [
            Some(format.table.clone()),
            Some(format.title.clone()),
            Some(format.aliases.join(", ")),
            Some(format.columns.len().to_string()),
            Some(format.source.clone()),
        ]
    });
    text_table::print(
        arguments.output,
        ["table", "title", "aliases", "columns", "documented_at"],
        rows.collect(),
    )
}
