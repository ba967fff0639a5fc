//! A table for GitHub and other Markdown readers.

use std::io::{self, BufWriter, Write};

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;

use super::json_value::json_schema;
use super::visible::push_visible;
use super::{OutputError, ResultWriter, cell};
use loglens_engine::portable::cast_batch;

/// Rows between bars. Nothing is padded: the reader lays the table out.
pub(super) struct MarkdownWriter<W: Write> {
    out: BufWriter<W>,
    schema: SchemaRef,
    started: bool,
}

impl<W: Write> MarkdownWriter<W> {
    pub(super) fn new(schema: &Schema, out: W) -> Self {
        Self {
            out: BufWriter::new(out),
            schema: json_schema(schema),
            started: false,
        }
    }

    /// Writes the header, once.
    fn start(&mut self) -> io::Result<()> {
        if self.started || self.schema.fields().is_empty() {
            return Ok(());
        }
        self.started = true;
        for field in self.schema.fields() {
            write!(self.out, "| {} ", escaped(field.name()))?;
        }
        self.out.write_all(b"|\n")?;
        for field in self.schema.fields() {
            let right = cell::is_right_aligned(field.data_type());
            self.out
                .write_all(if right { b"| ---: " } else { b"| --- " })?;
        }
        self.out.write_all(b"|\n")
    }
}

impl<W: Write + Send> ResultWriter for MarkdownWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        self.start()?;
        let batch = cast_batch(batch, &self.schema)?;
        let mut columns = cell::columns(&batch)?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            for column in &mut columns {
                text.clear();
                if column.push_value(row, &mut text) {
                    write!(self.out, "| {} ", escaped(&text))?;
                } else {
                    self.out.write_all(b"| NULL ")?;
                }
            }
            self.out.write_all(b"|\n")?;
        }
        Ok(self.out.flush()?)
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        self.start()?;
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), OutputError> {
        self.flush()
    }
}

/// `text` with what would end the cell, hide text or load something escaped.
///
/// Not every active character: a page with `\_` and `\&` all over is hard to read as text, and
/// backslashes break the URLs that logs are full of.
fn escaped(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    push_visible(text, &mut visible);
    let mut out = String::with_capacity(visible.len());
    let mut chars = visible.chars().peekable();
    while let Some(c) = chars.next() {
        let is_active = match c {
            '|' | '<' | '`' | '*' => true,
            // Only `](` makes a link or an image; brackets of lists may stay.
            ']' => chars.peek() == Some(&'('),
            '\\' => chars.peek().is_none_or(char::is_ascii_punctuation),
            _ => false,
        };
        if is_active {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
