//! JSON, as one array or as lines.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;

use super::visible::{is_plain, is_unseen};
use super::{OutputError, ResultWriter, json_value};
use loglens_engine::portable::cast_batch;
use loglens_engine::portable::unique_names;

/// What stands around and between the objects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// One array, with each object on its own line.
    Array,
    /// Each object on its own line, and nothing else.
    Lines,
}

/// One object per row, NULLs included.
pub(super) struct JsonWriter<W: Write> {
    out: BufWriter<W>,
    schema: SchemaRef,
    framing: Framing,
    has_rows: bool,
}

impl<W: Write> JsonWriter<W> {
    pub(super) fn new(framing: Framing, schema: &Schema, out: W) -> Self {
        Self {
            out: BufWriter::new(out),
            schema: unique_names(&json_value::json_schema(schema)),
            framing,
            has_rows: false,
        }
    }

    fn write_object(&mut self, object: &[u8]) -> io::Result<()> {
        let before: &[u8] = match (self.framing, self.has_rows) {
            (Framing::Array, false) => b"[\n",
            (Framing::Array, true) => b",\n",
            (Framing::Lines, _) => b"",
        };
        self.has_rows = true;
        self.out.write_all(before)?;
        write_without_unseen(object, &mut self.out)?;
        match self.framing {
            // A comma may have to follow.
            Framing::Array => Ok(()),
            Framing::Lines => self.out.write_all(b"\n"),
        }
    }
}

impl<W: Write + Send> ResultWriter for JsonWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let rows = batch.num_rows();
        let array: ArrayRef = Arc::new(StructArray::from(cast_batch(batch, &self.schema)?));
        let field = Arc::new(Field::new("", array.data_type().clone(), false));
        let mut encoder = json_value::encoder(&field, &array)?;
        let mut object = Vec::new();
        for row in 0..rows {
            object.clear();
            encoder.encode(row, &mut object);
            self.write_object(&object)?;
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), OutputError> {
        match (self.framing, self.has_rows) {
            (Framing::Array, false) => self.out.write_all(b"[]\n")?,
            (Framing::Array, true) => self.out.write_all(b"\n]\n")?,
            (Framing::Lines, _) => {}
        }
        self.flush()
    }
}

/// Each row as an object, NULLs included.
pub(crate) fn json_rows(rows: &RecordBatch) -> Result<Vec<String>, OutputError> {
    let mut text = Vec::new();
    let mut writer = JsonWriter::new(Framing::Lines, &rows.schema(), &mut text);
    writer.write(rows)?;
    drop(writer);
    let text = String::from_utf8_lossy(&text);
    Ok(text.lines().map(str::to_owned).collect())
}

/// Writes JSON with the characters that a terminal acts on as `\u` escapes, which any reader turns
/// back into the same string.
///
/// JSON itself only asks for this below U+0020. Outside of strings there are no such characters.
/// Tags (U+E0000 and on) stay: they do nothing to a terminal, and would take a surrogate pair, which
/// arrow-json 59 reads wrong in every second plane.
fn write_without_unseen(json: &[u8], out: &mut impl Write) -> io::Result<()> {
    if is_plain(json) {
        return out.write_all(json);
    }
    for c in String::from_utf8_lossy(json).chars() {
        match u16::try_from(c) {
            Ok(unit) if is_unseen(c) => write!(out, "\\u{unit:04x}")?,
            _ => out.write_all(c.encode_utf8(&mut [0; 4]).as_bytes())?,
        }
    }
    Ok(())
}
