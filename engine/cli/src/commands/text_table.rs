//! Answers that no query gave: rows of text.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;

use crate::failure::Failure;
use crate::output::{Format, OutputError, Style, writer};
use crate::result_file::Destination;

/// Prints rows of text under these names to standard output, as any result is.
pub(crate) fn print<const N: usize>(
    format: Format,
    names: [&str; N],
    rows: Vec<[Option<String>; N]>,
) -> Result<(), Failure> {
    let mut destination = Destination::open(None)?;
    let style = destination.style();
    write(format, style, &mut destination, names, rows)
}

/// Writes rows of text under these names.
pub(crate) fn write<const N: usize>(
    format: Format,
    style: Style,
    out: impl Write + Send,
    names: [&str; N],
    rows: Vec<[Option<String>; N]>,
) -> Result<(), Failure> {
    let fields: Vec<_> = names
        .iter()
        .map(|name| Field::new(*name, DataType::Utf8, true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); N];
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            // People need no NULL where nothing is to be said; programs do.
            let blank = matches!(format, Format::Table | Format::Markdown);
            column.push(if blank {
                Some(value.unwrap_or_default())
            } else {
                value
            });
        }
    }
    let arrays = columns
        .into_iter()
        .map(|column| Arc::new(StringArray::from(column)) as ArrayRef);
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), arrays.collect()).map_err(OutputError::from)?;
    let mut writer = writer(format, "", &schema, out, style)?;
    writer.write(&batch)?;
    Ok(writer.finish()?)
}
