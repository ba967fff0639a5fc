//! Charts as lines of text.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::canvas::{Canvas, Cell};
use super::model::{Bar, BarPanel, Chart, Drawing, LinePanel, Lines, Series};
use super::palette;
use super::scale::Scale;
use super::text::fit;
use super::time_ticks::time_ticks;
use crate::output::Style;

/// The width where no terminal says its own.
const WIDTH: usize = 80;
/// Bars and lines have at least so many columns, whatever the terminal's width.
const MIN_PLOT: usize = 10;
/// Columns that a name in a legend may take.
const NAME_WIDTH: usize = 30;
/// Columns for each mark on the axis of time.
const TICK_WIDTH: usize = 14;
/// The last column of a bar, by eighths.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Draws `chart` in the terminal's width. Without colour every series has a panel of its own.
pub(super) fn draw(chart: &Chart, style: Style, out: &mut impl Write) -> io::Result<()> {
    let page = Page {
        width: style.width.unwrap_or(WIDTH),
        style,
    };
    match &chart.drawing {
        Drawing::Nothing(why) => style.dim(out, &format!("{why}\n"))?,
        Drawing::Bars(panels) => {
            for (index, panel) in panels.iter().enumerate() {
                page.head(index, &panel.title, out)?;
                page.bars(panel, out)?;
            }
        }
        Drawing::Lines(lines) => page.lines(lines, out)?,
    }
    if !chart.notes.is_empty() {
        writeln!(out)?;
    }
    for note in &chart.notes {
        style.dim(out, note)?;
        writeln!(out)?;
    }
    Ok(())
}

/// What is drawn on.
struct Page {
    width: usize,
    style: Style,
}

impl Page {
    /// The title of a panel, below the panel before.
    fn head(&self, index: usize, title: &str, out: &mut impl Write) -> io::Result<()> {
        if index > 0 {
            writeln!(out)?;
        }
        self.style.bold(out, title)?;
        writeln!(out)
    }

    fn bars(&self, panel: &BarPanel, out: &mut impl Write) -> io::Result<()> {
        let most = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
        let labels = most(&mut panel.bars.iter().map(|bar| bar.label.width()));
        let labels = labels.min(self.width * 2 / 5).max(1);
        let values = most(&mut panel.bars.iter().map(|bar| bar.text.width()));
        let room = self
            .width
            .saturating_sub(labels + 2 + 1 + values)
            .max(MIN_PLOT);
        // Zero is where a column begins; what is negative has one at least.
        let zero = panel.scale.place(0.0) * room as f64;
        let zero = (zero.round() as usize).max(usize::from(panel.scale.has_negative()));
        for bar in &panel.bars {
            let label = fit(&bar.label, labels);
            let padding = (labels + 2).saturating_sub(label.width());
            write!(out, "{label}{}", " ".repeat(padding))?;
            self.bar(bar, &panel.scale, room, zero, out)?;
        }
        Ok(())
    }

    /// A bar in `room` columns, to the left or the right of column `zero`, and its value.
    fn bar(
        &self,
        bar: &Bar,
        scale: &Scale,
        room: usize,
        zero: usize,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let length = bar
            .value
            .map_or(0.0, |value| scale.place(value) - scale.place(0.0));
        let columns = length.abs() * room as f64;
        if length < 0.0 {
            // There are no blocks that fill eighths from the right.
            let halves = ((columns * 2.0).round() as usize).clamp(1, zero * 2);
            let blocks = "▐".repeat(halves % 2) + &"█".repeat(halves / 2);
            write!(out, "{}", " ".repeat(zero - halves.div_ceil(2)))?;
            self.style.coloured(out, palette::TERMINAL[1], &blocks)?;
            write!(out, " ")?;
        } else {
            write!(out, "{}", " ".repeat(zero))?;
            if length > 0.0 {
                let eighths = ((columns * 8.0).round() as usize).max(1);
                let blocks = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
                self.style.coloured(out, palette::TERMINAL[0], &blocks)?;
                write!(out, " ")?;
            }
        }
        if bar.value.is_some() {
            writeln!(out, "{}", bar.text)
        } else {
            self.style.dim(out, &bar.text)?;
            writeln!(out)
        }
    }

    fn lines(&self, lines: &Lines, out: &mut impl Write) -> io::Result<()> {
        let drawings: Vec<_> = lines
            .panels
            .iter()
            .flat_map(|panel| self.drawings(panel))
            .collect();
        let rows = match drawings.len() {
            1 => 12,
            2 => 9,
            _ => 6,
        };
        for (index, (panel, series)) in drawings.into_iter().enumerate() {
            match series {
                [one] if !one.name.is_empty() => {
                    self.head(index, &format!("{}: {}", panel.title, one.name), out)?;
                }
                _ => self.head(index, &panel.title, out)?,
            }
            if series.len() > 1 {
                self.legend(series, out)?;
            }
            self.plot(lines, panel, series, rows, out)?;
        }
        self.style.dim(out, &lines.axis)?;
        writeln!(out)
    }

    /// A panel's series as they are drawn together.
    fn drawings<'a>(&self, panel: &'a LinePanel) -> Vec<(&'a LinePanel, &'a [Series])> {
        let together = if self.style.colour {
            panel.series.len()
        } else {
            1
        };
        panel
            .series
            .chunks(together)
            .map(|series| (panel, series))
            .collect()
    }

    fn legend(&self, series: &[Series], out: &mut impl Write) -> io::Result<()> {
        let mut used = 0;
        for one in series {
            let name = fit(&one.name, NAME_WIDTH);
            let width = name.width() + 4;
            if used + width > self.width + 2 && used > 0 {
                writeln!(out)?;
                used = 0;
            }
            let gap = if used > 0 { "  " } else { "" };
            used += width;
            write!(out, "{gap}")?;
            self.style
                .coloured(out, palette::TERMINAL[one.colour], "●")?;
            write!(out, " {name}")?;
        }
        writeln!(out)
    }

    fn plot(
        &self,
        lines: &Lines,
        panel: &LinePanel,
        series: &[Series],
        rows: usize,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let ticks = panel.scale.ticks();
        let margin = lines.tick_width();
        let columns = self.width.saturating_sub(margin + 2).max(MIN_PLOT);
        let mut canvas = Canvas::new(columns, rows);
        // The first series is drawn last, and so above the others.
        for one in series.iter().rev() {
            let mut before = None;
            for &(time, value) in &one.points {
                let dot =
                    value.map(|value| canvas.place(lines.place(time), panel.scale.place(value)));
                if let Some(dot) = dot {
                    canvas.line(
                        before.filter(|_| lines.is_joined).unwrap_or(dot),
                        dot,
                        one.colour,
                    );
                }
                before = dot;
            }
        }
        let mut labels = vec![None; rows];
        let mut below = rows + 1;
        for (value, text) in &ticks {
            let row = canvas.row(panel.scale.place(*value));
            // Marks on neighbouring rows would read as one.
            if row + 1 < below {
                labels[row] = Some(text);
                below = row;
            }
        }
        for (label, cells) in labels.iter().zip(canvas.rows()) {
            match label {
                Some(text) => write!(out, "{text:>margin$} ┤")?,
                None => write!(out, "{:>margin$} │", "")?,
            }
            self.cells(cells, out)?;
            writeln!(out)?;
        }
        let ticks = time_ticks(lines.first, lines.last, &lines.zone, columns / TICK_WIDTH);
        let ticks = ticks
            .iter()
            .map(|(time, text)| (canvas.column(lines.place(*time)), text.as_str()));
        time_axis(margin + 2, columns, ticks, out)
    }

    /// A row of the canvas up to its last dot.
    fn cells(&self, cells: &[Cell], out: &mut impl Write) -> io::Result<()> {
        let end = cells
            .iter()
            .rposition(|cell| cell.pattern() != ' ')
            .map_or(0, |last| last + 1);
        for run in cells[..end].chunk_by(|a, b| a.colour == b.colour) {
            let dots: String = run.iter().map(|cell| cell.pattern()).collect();
            self.style
                .coloured(out, palette::TERMINAL[run[0].colour], &dots)?;
        }
        Ok(())
    }
}

/// The line below a plot, and below it the marks with their text in the middle.
fn time_axis<'a>(
    margin: usize,
    columns: usize,
    ticks: impl Iterator<Item = (usize, &'a str)>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut rule = vec!['─'; columns];
    let mut texts = " ".repeat(margin);
    for (column, text) in ticks {
        let begin = (margin + column)
            .saturating_sub(text.len() / 2)
            .min((margin + columns).saturating_sub(text.len()));
        // Each text has a space before it.
        if begin > texts.len() || texts.trim().is_empty() {
            rule[column] = '┬';
            texts.truncate(begin);
            texts += &" ".repeat(begin.saturating_sub(texts.len()));
            texts += text;
        }
    }
    let rule: String = rule.into_iter().collect();
    writeln!(out, "{}└{rule}\n{texts}", " ".repeat(margin - 1))
}
