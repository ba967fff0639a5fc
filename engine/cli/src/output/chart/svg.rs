//! Charts as SVG pictures: each is whole in itself, and adapts to a light or a dark page.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::model::{BarPanel, Chart, Drawing, LinePanel, Lines, Series};
use super::number;
use super::palette;
use super::text::{escaped, fit, shortened};
use super::time_ticks::time_ticks;
use crate::output::visible;

/// The picture's width. Everything here is in its units, and a reader may scale them.
const WIDTH: f64 = 960.0;
/// Around the picture.
const MARGIN: f64 = 20.0;
/// A line of text.
const LINE: f64 = 18.0;
/// How wide a character of a label is taken to be, since nothing here measures fonts.
const CHARACTER: f64 = 6.8;
/// A bar, and from one bar to the next.
const BAR: (f64, f64) = (15.0, 21.0);
/// Characters that a bar's label, its value, and a series' name may take.
const LABEL_WIDTH: usize = 44;
const VALUE_WIDTH: usize = 26;
const NAME_WIDTH: usize = 40;
/// Characters of a note.
const NOTE_WIDTH: usize = 140;
/// Characters of the caption, which is there for those who hear the picture.
const CAPTION_CHARS: usize = 2_000;
/// How high a plot of lines is: a single one, and one of several.
const PLOT: (f64, f64) = (280.0, 180.0);
/// The width of each mark on the axis of time.
const TICK_WIDTH: f64 = 110.0;
/// With more points than this a panel has no mark, and no tooltip, for each.
const MAX_MARKS: usize = 400;

/// A page around the picture has these colours too.
pub(super) const COLOURS: &str = ":root{color-scheme:light dark;\
--paper:#ffffff;--ink:#1f2328;--dim:#59636e;--rule:#d8dee4}
@media(prefers-color-scheme:dark){:root{--paper:#14171c;--ink:#e6e9ed;--dim:#9aa4af;--rule:#343b44}}
";

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:var(--ink)}
.head{font-size:14px;font-weight:600}
.dim{fill:var(--dim)}
.end{text-anchor:end}
.mid{text-anchor:middle}
.rule{stroke:var(--rule);fill:none}
.zero{stroke:var(--dim);fill:none}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
.dots{fill:none;stroke-width:4;stroke-linecap:round}
";

/// Draws `chart` as a file of its own.
pub(super) fn draw(chart: &Chart, caption: &str, out: &mut impl Write) -> io::Result<()> {
    let mut body = Body {
        svg: Vec::new(),
        y: MARGIN,
    };
    match &chart.drawing {
        Drawing::Nothing(why) => body.sentence("dim", why)?,
        Drawing::Bars(panels) => {
            for panel in panels {
                body.bars(panel)?;
            }
        }
        Drawing::Lines(lines) => {
            let height = if lines.panels.len() == 1 {
                PLOT.0
            } else {
                PLOT.1
            };
            for panel in &lines.panels {
                body.lines(lines, panel, height)?;
            }
            body.sentence("dim", &lines.axis)?;
        }
    }
    for note in &chart.notes {
        body.sentence("dim", &fit(note, NOTE_WIDTH))?;
    }
    let height = body.y + MARGIN - LINE / 2.0;
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" aria-labelledby=\"chart-title chart-caption\">\n\
         <title id=\"chart-title\">{}</title>\n<desc id=\"chart-caption\">{}</desc>\n\
         <style>\n{COLOURS}{STYLE}{}</style>\n\
         <rect width=\"100%\" height=\"100%\" style=\"fill:var(--paper)\"/>",
        escaped(&chart.title),
        escaped(&shown(caption)),
        series_style(),
    )?;
    out.write_all(&body.svg)?;
    writeln!(out, "</svg>")
}

/// The caption with its lines.
pub(super) fn shown(caption: &str) -> String {
    let caption = shortened(caption, CAPTION_CHARS);
    let lines = caption
        .lines()
        .map(|line| visible(&line.replace('\t', "    ")));
    lines.collect::<Vec<_>>().join("\n")
}

/// `.s0`, `.s1`, ... for what is filled and `.l0`, `.l1`, ... for what is drawn with a pen.
fn series_style() -> String {
    let styles = palette::PAGE.iter().enumerate();
    let styles = styles.map(|(index, colour)| {
        format!(".s{index}{{fill:{colour}}} .l{index}{{stroke:{colour}}}\n")
    });
    styles.collect()
}

/// How wide a text is, about.
fn width(text: &str) -> f64 {
    text.width() as f64 * CHARACTER
}

/// The widest of some texts.
fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> f64 {
    texts.map(width).fold(0.0, f64::max)
}

/// What stands between the tags, written from the top down.
struct Body {
    svg: Vec<u8>,
    /// Where the next thing begins.
    y: f64,
}

impl Body {
    fn text(&mut self, x: f64, y: f64, class: &str, text: &str) -> io::Result<()> {
        let text = escaped(text);
        writeln!(
            self.svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>"
        )
    }

    fn rule(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) -> io::Result<()> {
        let ((x1, y1), (x2, y2)) = (from, to);
        writeln!(
            self.svg,
            "<path class=\"{class}\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>"
        )
    }

    /// A line of text of its own.
    fn sentence(&mut self, class: &str, text: &str) -> io::Result<()> {
        self.y += LINE;
        self.text(MARGIN, self.y - LINE / 3.0, class, text)
    }

    fn bars(&mut self, panel: &BarPanel) -> io::Result<()> {
        self.sentence("head", &fit(&panel.title, NOTE_WIDTH * 4 / 5))?;
        self.y += LINE / 2.0;
        let labels: Vec<_> = panel
            .bars
            .iter()
            .map(|bar| fit(&bar.label, LABEL_WIDTH))
            .collect();
        let values: Vec<_> = panel
            .bars
            .iter()
            .map(|bar| fit(&bar.text, VALUE_WIDTH))
            .collect();
        let left = MARGIN + widest(labels.iter().map(|label| &**label)) + 8.0;
        let right = WIDTH - MARGIN - widest(values.iter().map(|value| &**value)) - 8.0;
        let across = |value: f64| left + panel.scale.place(value) * (right - left);
        let (top, bottom) = (self.y, self.y + panel.bars.len() as f64 * BAR.1);
        for (value, text) in panel.scale.ticks() {
            self.rule("rule", (across(value), top), (across(value), bottom))?;
            self.text(across(value), bottom + LINE, "mid dim", &text)?;
        }
        for ((bar, label), value) in panel.bars.iter().zip(&labels).zip(&values) {
            let baseline = self.y + BAR.0 - 3.0;
            self.text(left - 8.0, baseline, "end", label)?;
            let (begin, end) = (across(0.0), across(bar.value.unwrap_or(0.0)));
            if bar.value.is_some() {
                writeln!(
                    self.svg,
                    "<rect class=\"s{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{}\">\
                     <title>{}: {}</title></rect>",
                    usize::from(end < begin),
                    begin.min(end),
                    self.y,
                    (end - begin).abs(),
                    BAR.0,
                    escaped(&bar.label),
                    escaped(&bar.text),
                )?;
            }
            let class = if bar.value.is_some() { "" } else { "dim" };
            self.text(begin.max(end) + 6.0, baseline, class, value)?;
            self.y += BAR.1;
        }
        self.rule("zero", (across(0.0), top), (across(0.0), bottom))?;
        self.y = bottom + LINE * 2.0;
        Ok(())
    }

    fn lines(&mut self, lines: &Lines, panel: &LinePanel, height: f64) -> io::Result<()> {
        self.sentence("head", &fit(&panel.title, NOTE_WIDTH * 4 / 5))?;
        if panel.series.iter().any(|series| !series.name.is_empty()) {
            self.legend(&panel.series)?;
        }
        self.y += LINE / 2.0;
        let ticks = panel.scale.ticks();
        let left = MARGIN + lines.tick_width() as f64 * CHARACTER + 8.0;
        let frame = Frame {
            lines,
            panel,
            left,
            right: WIDTH - MARGIN,
            top: self.y,
            bottom: self.y + height,
        };
        for (value, text) in &ticks {
            let y = frame.down(*value);
            let class = if *value == 0.0 { "zero" } else { "rule" };
            self.rule(class, (frame.left, y), (frame.right, y))?;
            self.text(frame.left - 8.0, y + 4.0, "end dim", text)?;
        }
        let at_most = ((frame.right - frame.left) / TICK_WIDTH) as usize;
        for (time, text) in time_ticks(lines.first, lines.last, &lines.zone, at_most) {
            let x = frame.across(time);
            self.rule("rule", (x, frame.bottom), (x, frame.bottom + 5.0))?;
            // The last one may stand at the very edge.
            let middle = x.min(WIDTH - 4.0 - width(&text) / 2.0);
            self.text(middle, frame.bottom + LINE, "mid dim", &text)?;
        }
        let points: usize = panel.series.iter().map(|series| series.points.len()).sum();
        // The first series is drawn last, and so above the others.
        for series in panel.series.iter().rev() {
            self.series(&frame, series, points <= MAX_MARKS)?;
        }
        self.y = frame.bottom + LINE * 2.0;
        Ok(())
    }

    fn legend(&mut self, series: &[Series]) -> io::Result<()> {
        self.y += LINE;
        let mut x = MARGIN;
        for one in series {
            let name = fit(&one.name, NAME_WIDTH);
            let needed = width(&name) + 34.0;
            if x > MARGIN && x + needed > WIDTH - MARGIN {
                x = MARGIN;
                self.y += LINE;
            }
            let y = self.y - LINE / 3.0;
            writeln!(
                self.svg,
                "<rect class=\"s{}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" rx=\"2\"/>",
                one.colour,
                y - 9.0
            )?;
            self.text(x + 15.0, y, "", &name)?;
            x += needed;
        }
        Ok(())
    }

    /// A line with a break at each gap, or the points alone.
    fn series(&mut self, frame: &Frame<'_>, series: &Series, has_marks: bool) -> io::Result<()> {
        let is_joined = frame.lines.is_joined;
        let mut is_open = false;
        let mut last = None;
        let class = if is_joined { "line" } else { "dots" };
        write!(self.svg, "<path class=\"{class} l{}\" d=\"", series.colour)?;
        for &(time, value) in &series.points {
            let Some(value) = value else {
                is_open = false;
                continue;
            };
            let at = format!("{:.1} {:.1}", frame.across(time), frame.down(value));
            if is_open && is_joined {
                write!(self.svg, "L{at}")?;
            } else if last.as_ref() != Some(&at) {
                // A line without length is a dot.
                write!(self.svg, "M{at}h0")?;
            }
            (is_open, last) = (true, Some(at));
        }
        writeln!(self.svg, "\"/>")?;
        if has_marks {
            self.marks(frame, series)?;
        }
        Ok(())
    }

    fn marks(&mut self, frame: &Frame<'_>, series: &Series) -> io::Result<()> {
        for &(time, value) in &series.points {
            let Some(value) = value else { continue };
            let name = if series.name.is_empty() {
                String::new()
            } else {
                format!("{}, ", series.name)
            };
            let title = format!(
                "{name}{}: {}",
                frame.lines.zone.stamp(time),
                number::value(value)
            );
            writeln!(
                self.svg,
                "<circle class=\"s{}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\"><title>{}</title></circle>",
                series.colour,
                frame.across(time),
                frame.down(value),
                escaped(&title),
            )?;
        }
        Ok(())
    }
}

/// Where a plot of lines is.
struct Frame<'a> {
    lines: &'a Lines,
    panel: &'a LinePanel,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Frame<'_> {
    fn across(&self, time: i64) -> f64 {
        self.left + self.lines.place(time) * (self.right - self.left)
    }

    fn down(&self, value: f64) -> f64 {
        self.bottom - self.panel.scale.place(value) * (self.bottom - self.top)
    }
}
