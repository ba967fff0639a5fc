//! Rows as lines of aligned columns.

use std::io::{self, Read, Write};

use super::Style;
use super::heading::Heading;
use super::rows::{Rows, Shown};

/// Between columns: two spaces, so that values with single spaces in them stay apart.
const GAP: usize = 2;

/// No column is padded wider than this. A longer value pushes its own row out of line, where
/// padding to it would bury all other rows in spaces.
pub(super) const MAX_PADDING: usize = 256;

/// Columns with their widths settled.
pub(super) struct Grid {
    columns: Vec<GridColumn>,
    style: Style,
}

struct GridColumn {
    width: usize,
    right_aligned: bool,
}

impl Grid {
    /// A grid in which `headings` and `rows` fit.
    pub(super) fn fit(headings: &[Heading], rows: &Rows, style: Style) -> Self {
        let mut columns: Vec<GridColumn> = headings
            .iter()
            .map(|heading| GridColumn {
                width: heading.width,
                right_aligned: heading.right_aligned,
            })
            .collect();
        for row in rows.iter() {
            for (column, cell) in columns.iter_mut().zip(row) {
                column.width = column.width.max(cell.width);
            }
        }
        Self { columns, style }
    }

    /// Columns of the terminal that the longest line takes.
    pub(super) fn width(&self) -> usize {
        let widths: usize = self.columns.iter().map(|column| column.width).sum();
        widths + GAP * self.columns.len().saturating_sub(1)
    }

    pub(super) fn write_head(&self, headings: &[Heading], out: &mut impl Write) -> io::Result<()> {
        let style = self.style;
        let names = headings.iter().map(|heading| Shown {
            text: &heading.name,
            width: heading.width,
            is_null: false,
        });
        self.write_line(names, out, |out, name| style.bold(out, name.text))?;
        let rules: Vec<String> = self.columns.iter().map(GridColumn::rule).collect();
        let rules = rules.iter().map(|rule| Shown {
            text: rule,
            width: rule.len(),
            is_null: false,
        });
        self.write_line(rules, out, |out, rule| style.dim(out, rule.text))
    }

    pub(super) fn write_row<'a>(
        &self,
        row: impl Iterator<Item = Shown<'a>>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        self.write_line(row, out, |out, cell| cell.write(self.style, out))
    }

    fn write_line<'a, W: Write>(
        &self,
        cells: impl Iterator<Item = Shown<'a>>,
        out: &mut W,
        mut write_cell: impl FnMut(&mut W, Shown<'a>) -> io::Result<()>,
    ) -> io::Result<()> {
        // Spaces are written when something follows them: no line ends in padding.
        let mut spaces = 0;
        for (column, cell) in self.columns.iter().zip(cells) {
            let padding = column.padded_width().saturating_sub(cell.width);
            let (left, right) = if column.right_aligned {
                (padding, 0)
            } else {
                (0, padding)
            };
            spaces += left;
            if !cell.text.is_empty() {
                write_spaces(out, spaces)?;
                spaces = 0;
                write_cell(out, cell)?;
            }
            spaces += right + GAP;
        }
        out.write_all(b"\n")
    }
}

impl GridColumn {
    fn padded_width(&self) -> usize {
        self.width.min(MAX_PADDING)
    }

    fn rule(&self) -> String {
        "-".repeat(self.padded_width())
    }
}

/// A format string cannot: its widths end at 65,535, which many empty columns can exceed.
fn write_spaces(out: &mut impl Write, count: usize) -> io::Result<()> {
    io::copy(&mut io::repeat(b' ').take(count as u64), out).map(drop)
}
