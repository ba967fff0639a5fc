//! Charts of a result: in the terminal, as an SVG picture, as an HTML page.
//!
//! What is drawn follows from the columns ([`Roles`]):
//!
//! * **Measures** are the columns of numbers. Each of the first four has a panel of its own.
//! * **Times** are timestamps and dates.
//! * **Dimensions** are all other columns. Several make one label, `a · b`. Where there is neither
//!   a time nor a dimension, the first of several columns is the dimension if it holds integers:
//!   `dstport, flows`. Where nothing is left for it, rows have numbers.
//!
//! **A line over time**, if there is a time, and either no dimension before it or one whose values
//! come again: then it is an axis, and not something known of each row (`srcaddr, first_seen, flows`).
//! Each value of the dimension is a series: the six with the largest totals of the first measure,
//! and the others added up as `other`. Rows come in any order.
//!
//! The greatest step that all times are apart by is the width of a bin ([`mod@bins`]), and all bins
//! from the first to the last are drawn. A bin without a row is 0, since a count or a sum has no row
//! where nothing happened. It is a gap where the measure's name begins as an average, an extreme or
//! a percentile does ([`Combine`](lines::Combine)): `avg`, `min`, `max`, `p99`, `approx_percentile`.
//! Such values are not added up either. A NULL is always a gap. Beyond 10,000 bins the rows are
//! drawn as points.
//!
//! **Bars**, one for each row in the order of the rows, in all other cases: at most 40 in all panels
//! together.
//!
//! A chart is made of at most 100,000 rows; the table of an HTML page shows at most 1,000. What is
//! left out is said below the chart, always.
//!
//! The three media share the model ([`Chart`]) with its scales and bins, and only place and write.

mod bins;
mod calendar;
mod canvas;
mod gathered;
mod html;
mod lines;
mod model;
mod number;
mod palette;
mod roles;
mod scale;
mod svg;
mod terminal;
mod text;
mod time_ticks;
mod zone;

use std::io::{BufWriter, Write};

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;

use super::{OutputError, ResultWriter, Style};
use gathered::Gathered;
use model::Chart;
pub(crate) use roles::NothingToDraw;
use roles::Roles;

/// Where a chart is shown.
pub(super) enum Medium {
    Terminal(Style),
    Svg,
    Html,
}

/// Collects a result, and draws it when it is complete.
pub(super) struct ChartWriter<W: Write> {
    out: BufWriter<W>,
    medium: Medium,
    caption: String,
    gathered: Gathered,
}

impl<W: Write> ChartWriter<W> {
    /// `caption` says what the result is of: the SQL, whose front matter says more than a
    /// picture wants.
    pub(super) fn try_new(
        medium: Medium,
        caption: &str,
        schema: &Schema,
        out: W,
    ) -> Result<Self, OutputError> {
        Ok(Self {
            out: BufWriter::new(out),
            medium,
            caption: without_front_matter(caption),
            gathered: Gathered::new(schema, Roles::of(schema)?),
        })
    }
}

/// SQL without the comments that it begins with.
fn without_front_matter(sql: &str) -> String {
    let lines = sql.lines().skip_while(|line| line.starts_with("--"));
    lines.collect::<Vec<_>>().join("\n")
}

impl<W: Write + Send> ResultWriter for ChartWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        self.gathered.add(batch)
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        // There is no chart of a part: its scales would be others.
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), OutputError> {
        let chart = Chart::of(&self.gathered);
        let out = &mut self.out;
        match self.medium {
            Medium::Terminal(style) => terminal::draw(&chart, style, out)?,
            Medium::Svg => svg::draw(&chart, &self.caption, out)?,
            Medium::Html => html::draw(&chart, &self.caption, &self.gathered, out)?,
        }
        Ok(out.flush()?)
    }
}
