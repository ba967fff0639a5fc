//! Rows as records, one column per line, for a terminal narrower than the table.

use std::io::{self, Write};

use super::Style;
use super::grid::MAX_PADDING;
use super::heading::Heading;
use super::rows::Shown;

/// How far the line between records reaches, unless the terminal is narrower.
const SEPARATOR_WIDTH: usize = 72;

/// Records under running numbers.
pub(super) struct Records {
    /// The column names, padded to the width of the longest.
    names: Vec<String>,
    written: u64,
    style: Style,
}

impl Records {
    pub(super) fn new(headings: &[Heading], style: Style) -> Self {
        let longest = headings.iter().map(|heading| heading.width).max();
        let width = longest.unwrap_or(0).min(MAX_PADDING);
        let padded = |heading: &Heading| {
            let padding = width.saturating_sub(heading.width);
            heading.name.clone() + &" ".repeat(padding)
        };
        Self {
            names: headings.iter().map(padded).collect(),
            written: 0,
            style,
        }
    }

    pub(super) fn write_row<'a>(
        &mut self,
        row: impl Iterator<Item = Shown<'a>>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        self.written += 1;
        self.write_separator(out)?;
        for (name, cell) in self.names.iter().zip(row) {
            if cell.text.is_empty() {
                self.style.bold(out, name.trim_end())?;
            } else {
                self.style.bold(out, name)?;
                out.write_all(b"  ")?;
                cell.write(self.style, out)?;
            }
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn write_separator(&self, out: &mut impl Write) -> io::Result<()> {
        let label = format!("-[ record {} ]", self.written);
        let width = self.style.width.unwrap_or(usize::MAX).min(SEPARATOR_WIDTH);
        self.style.dim(out, &format!("{label:-<width$}"))?;
        out.write_all(b"\n")
    }
}
