//! The table for reading, in a terminal or after `grep`.
//!
//! The first rows are held back to find the column widths; once these are settled, rows are written
//! as they come, and a longer value only pushes its own row out of line. On a terminal too narrow
//! for the widths found, rows are written as [`Records`] instead.

use std::io::{self, BufWriter, Write};

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;

use super::grid::Grid;
use super::grouped::grouped;
use super::heading::Heading;
use super::json_value::json_schema;
use super::records::Records;
use super::rows::Rows;
use super::{OutputError, ResultWriter, Style, cell};
use loglens_engine::portable::cast_batch;

/// Aligned columns under their names, and the number of rows at the end.
pub(super) struct TableWriter<W: Write> {
    out: BufWriter<W>,
    schema: SchemaRef,
    style: Style,
    headings: Vec<Heading>,
    held: Rows,
    layout: Option<Layout>,
    row_count: u64,
}

enum Layout {
    Grid(Grid),
    Records(Records),
}

impl<W: Write> TableWriter<W> {
    pub(super) fn new(schema: &Schema, out: W, style: Style) -> Self {
        let schema = json_schema(schema);
        let fields = schema.fields().iter();
        Self {
            out: BufWriter::new(out),
            headings: fields.map(|field| Heading::of(field)).collect(),
            held: Rows::new(schema.fields().len()),
            schema,
            style,
            layout: None,
            row_count: 0,
        }
    }

    /// Writes the rows held back, after the headings if these are the first.
    fn write_held(&mut self) -> io::Result<()> {
        let layout = match &mut self.layout {
            Some(layout) => layout,
            none => {
                let layout = Layout::choose(&self.headings, &self.held, self.style);
                layout.write_head(&self.headings, &mut self.out)?;
                none.insert(layout)
            }
        };
        for row in self.held.iter() {
            match layout {
                Layout::Grid(grid) => grid.write_row(row, &mut self.out)?,
                Layout::Records(records) => records.write_row(row, &mut self.out)?,
            }
        }
        self.row_count += self.held.len() as u64;
        self.held.clear();
        Ok(())
    }

    fn write_row_count(&mut self) -> io::Result<()> {
        let rows = match self.row_count {
            1 => "1 row".to_owned(),
            n => format!("{} rows", grouped(&n.to_string())),
        };
        if !self.headings.is_empty() {
            self.out.write_all(b"\n")?;
        }
        self.style.dim(&mut self.out, &rows)?;
        self.out.write_all(b"\n")
    }
}

impl<W: Write + Send> ResultWriter for TableWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let batch = cast_batch(batch, &self.schema)?;
        let mut columns = cell::columns(&batch)?;
        for row in 0..batch.num_rows() {
            self.held.push(&mut columns, row);
            if self.held.is_full() {
                self.write_held()?;
            }
        }
        if self.layout.is_some() {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        // Nothing to show, so nothing to settle the widths by.
        if !self.held.is_empty() {
            self.write_held()?;
        }
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), OutputError> {
        self.write_held()?;
        self.write_row_count()?;
        Ok(self.out.flush()?)
    }
}

impl Layout {
    /// The grid, unless the terminal is too narrow for it and records would be better to read: those
    /// of a single column are no shorter.
    fn choose(headings: &[Heading], rows: &Rows, style: Style) -> Self {
        let grid = Grid::fit(headings, rows, style);
        let is_too_wide = style.width.is_some_and(|width| grid.width() > width);
        let are_better = style.expanded || is_too_wide && headings.len() > 1;
        if are_better && !rows.is_empty() {
            Self::Records(Records::new(headings, style))
        } else {
            Self::Grid(grid)
        }
    }

    fn write_head(&self, headings: &[Heading], out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Grid(grid) if !headings.is_empty() => grid.write_head(headings, out),
            _ => Ok(()),
        }
    }
}
