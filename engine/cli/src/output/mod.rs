//! Query results as bytes: one [`ResultWriter`] for each output [`Format`].
//!
//! A writer is given the schema first and then batches, one at a time and perhaps without end, so
//! no format keeps more than a bounded part of the result in memory.
//!
//! Three kinds of formats:
//!
//! * For people: `table` and `markdown`. Values come from logs and so from whoever sent the traffic:
//!   control characters and the invisible ones are shown escaped ([`mod@visible`]), never acted on.
//! * For programs: the others. They carry each value as it is. In them a name is a key, so of two
//!   columns named `x` the second becomes `x_1` (`loglens_engine::portable`); CSV and TSV keep their headers as the
//!   query wrote them.
//! * Pictures: `chart`, `svg`, `html` ([`mod@chart`]). What comes from logs is escaped in them too.
//!
//! Values read alike in every text format: timestamps as RFC 3339 (with the zone, where the type
//! has one), floats in the shortest form that reads back, binary as hexadecimal, nested values as
//! JSON on one line ([`cell`]).

mod arrow_stream;
mod cell;
mod chart;
mod delimited;
mod error;
mod grid;
mod grouped;
mod heading;
mod json;
mod json_value;
mod markdown;
mod parquet_file;
mod records;
mod rows;
mod style;
mod table;
#[cfg(test)]
mod tests;
mod visible;

use std::io;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use clap::ValueEnum;

pub(crate) use cell::texts;
pub(crate) use chart::NothingToDraw;
use chart::{ChartWriter, Medium};
pub(crate) use error::OutputError;
pub(crate) use json::json_rows;
pub(crate) use style::Style;
pub(crate) use visible::{is_unseen, visible};

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Format {
    /// Columns aligned for reading; one column per line where the terminal is too narrow
    Table,
    /// Comma-separated values with a header line (RFC 4180); NULL is empty, the empty string is ""
    Csv,
    /// As csv, separated by tabs
    Tsv,
    /// One JSON array of objects
    Json,
    /// One JSON object per line
    #[value(alias = "jsonl")]
    Ndjson,
    /// A table for GitHub and other Markdown readers
    #[value(alias = "md")]
    Markdown,
    /// Arrow IPC stream
    Arrow,
    /// Parquet file, compressed with zstd
    Parquet,
    /// Bars in the terminal, or a line over time where the result has a column of times
    Chart,
    /// The chart as a picture
    Svg,
    /// The chart and the rows as a page that opens offline
    Html,
}

impl Format {
    /// Whether a file of it holds the result of one statement only.
    pub(crate) fn is_of_one_result(self) -> bool {
        matches!(self, Self::Arrow | Self::Parquet | Self::Svg | Self::Html)
    }

    /// Whether it is no text.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Self::Arrow | Self::Parquet)
    }
}

/// Takes the batches of one result and writes them in one format.
///
/// A writer that is dropped before [`finish`](Self::finish) leaves its output incomplete.
pub(crate) trait ResultWriter: Send {
    /// Writes the rows of `batch`, whose columns are those of the schema the writer was made with.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError>;

    /// Makes visible what was written so far, for a reader who is waiting: a table stops looking
    /// for the best column widths. Parquet goes on collecting its row group.
    fn flush(&mut self) -> Result<(), OutputError>;

    /// Writes what must come last, and flushes.
    fn finish(self: Box<Self>) -> Result<(), OutputError>;
}

/// Makes the writer for `format` over `out`, which needs no buffer of its own. `caption` says what
/// the result is of, in the formats that have a place for it: the SQL.
pub(crate) fn writer<'a, W: io::Write + Send + 'a>(
    format: Format,
    caption: &str,
    schema: &Schema,
    out: W,
    style: Style,
) -> Result<Box<dyn ResultWriter + 'a>, OutputError> {
    let chart = |medium, out| ChartWriter::try_new(medium, caption, schema, out);
    Ok(match format {
        Format::Table => Box::new(table::TableWriter::new(schema, out, style)),
        Format::Csv => Box::new(delimited::DelimitedWriter::new(b',', schema, out, style)),
        Format::Tsv => Box::new(delimited::DelimitedWriter::new(b'\t', schema, out, style)),
        Format::Json => Box::new(json::JsonWriter::new(json::Framing::Array, schema, out)),
        Format::Ndjson => Box::new(json::JsonWriter::new(json::Framing::Lines, schema, out)),
        Format::Markdown => Box::new(markdown::MarkdownWriter::new(schema, out)),
        Format::Arrow => Box::new(arrow_stream::ArrowStreamWriter::try_new(schema, out)?),
        Format::Parquet => Box::new(parquet_file::ParquetFileWriter::try_new(schema, out)?),
        Format::Chart => Box::new(chart(Medium::Terminal(style), out)?),
        Format::Svg => Box::new(chart(Medium::Svg, out)?),
        Format::Html => Box::new(chart(Medium::Html, out)?),
    })
}
