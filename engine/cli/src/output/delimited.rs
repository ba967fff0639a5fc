//! CSV and TSV.
//!
//! Not by arrow-csv: it has no nested values, writes NULL and the empty string alike, and drops the
//! kind of an I/O error, by which a closed pipe is told.

use std::io::{self, BufWriter, Write};

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;

use super::json_value::json_schema;
use super::visible::push_visible;
use super::{OutputError, ResultWriter, Style, cell};
use loglens_engine::portable::cast_batch;

/// Records of separated fields, quoted where RFC 4180 says so, each ended by a line feed.
pub(super) struct DelimitedWriter<W: Write> {
    out: BufWriter<W>,
    schema: SchemaRef,
    separator: u8,
    /// A file gets the bytes as they are. A terminal would act on them.
    escape: bool,
    started: bool,
}

impl<W: Write> DelimitedWriter<W> {
    pub(super) fn new(separator: u8, schema: &Schema, out: W, style: Style) -> Self {
        Self {
            out: BufWriter::new(out),
            schema: json_schema(schema),
            separator,
            escape: style.is_terminal(),
            started: false,
        }
    }

    /// Writes the header, once.
    fn start(&mut self) -> io::Result<()> {
        if self.started || self.schema.fields().is_empty() {
            return Ok(());
        }
        self.started = true;
        let schema = SchemaRef::clone(&self.schema);
        for (index, field) in schema.fields().iter().enumerate() {
            self.write_field(index, Some(field.name()))?;
        }
        self.out.write_all(b"\n")
    }

    /// Writes a field and the separator before it; `None` is NULL.
    fn write_field(&mut self, index: usize, value: Option<&str>) -> io::Result<()> {
        if index > 0 {
            self.out.write_all(&[self.separator])?;
        }
        match value {
            Some(text) if self.escape => {
                let mut escaped = String::with_capacity(text.len());
                push_visible(text, &mut escaped);
                self.write_text(&escaped)
            }
            Some(text) => self.write_text(text),
            // The NULL of a single column would be an empty line, which readers skip. Better an
            // empty string than a record less.
            None if self.schema.fields().len() == 1 => self.write_text(""),
            None => Ok(()),
        }
    }

    fn write_text(&mut self, text: &str) -> io::Result<()> {
        if !self.needs_quotes(text) {
            return self.out.write_all(text.as_bytes());
        }
        self.out.write_all(b"\"")?;
        for (index, part) in text.split('"').enumerate() {
            if index > 0 {
                self.out.write_all(b"\"\"")?;
            }
            self.out.write_all(part.as_bytes())?;
        }
        self.out.write_all(b"\"")
    }

    /// The empty string is quoted to tell it from NULL.
    fn needs_quotes(&self, text: &str) -> bool {
        let is_special = |byte| byte == self.separator || matches!(byte, b'"' | b'\n' | b'\r');
        text.is_empty() || text.bytes().any(is_special)
    }
}

impl<W: Write + Send> ResultWriter for DelimitedWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        self.start()?;
        let batch = cast_batch(batch, &self.schema)?;
        let mut columns = cell::columns(&batch)?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            for (index, column) in columns.iter_mut().enumerate() {
                text.clear();
                let is_value = column.push_value(row, &mut text);
                self.write_field(index, is_value.then_some(text.as_str()))?;
            }
            self.out.write_all(b"\n")?;
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
