//! Rows whose text is ready to be shown.

use std::io;

use unicode_width::UnicodeWidthStr;

use super::Style;
use super::cell::Column;
use super::visible::push_visible;

/// Rows kept back while the widths of a table are found: at most this many, ...
const MAX_ROWS: usize = 1_000;
/// ... and at most about this many bytes of text.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// NULL is named, since an empty cell is the empty string.
const NULL: &str = "NULL";

/// Rows as text, with one allocation for the text of them all.
#[derive(Default)]
pub(super) struct Rows {
    text: String,
    cells: Vec<Cell>,
    columns: usize,
    count: usize,
    scratch: String,
}

/// One cell: its place in the text and its width in terminal columns.
struct Cell {
    start: usize,
    end: usize,
    width: usize,
    is_null: bool,
}

/// What a cell shows.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) text: &'a str,
    pub(super) width: usize,
    pub(super) is_null: bool,
}

impl Rows {
    pub(super) fn new(columns: usize) -> Self {
        Self {
            columns,
            ..Self::default()
        }
    }

    pub(super) fn push(&mut self, columns: &mut [Column<'_>], row: usize) {
        for column in columns {
            let start = self.text.len();
            self.scratch.clear();
            let is_null = !column.push_value(row, &mut self.scratch);
            push_visible(if is_null { NULL } else { &self.scratch }, &mut self.text);
            self.cells.push(Cell {
                start,
                end: self.text.len(),
                width: self.text[start..].width(),
                is_null,
            });
        }
        self.count += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.count >= MAX_ROWS || self.text.len() >= MAX_TEXT_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The cells of each row, from the first column to the last.
    pub(super) fn iter(&self) -> impl Iterator<Item = impl Iterator<Item = Shown<'_>>> {
        // Without columns there are no cells, and so no chunks, whatever their size.
        self.cells
            .chunks(self.columns.max(1))
            .map(|row| row.iter().map(|cell| self.shown(cell)))
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.cells.clear();
        self.count = 0;
    }

    fn shown(&self, cell: &Cell) -> Shown<'_> {
        Shown {
            text: &self.text[cell.start..cell.end],
            width: cell.width,
            is_null: cell.is_null,
        }
    }
}

impl Shown<'_> {
    /// Writes the text, NULL set apart from a string that says so where colour allows.
    pub(super) fn write(self, style: Style, out: &mut impl io::Write) -> io::Result<()> {
        if self.is_null {
            style.dim(out, self.text)
        } else {
            out.write_all(self.text.as_bytes())
        }
    }
}
