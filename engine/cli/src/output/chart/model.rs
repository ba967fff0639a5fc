//! What is drawn, whatever the medium: panels of bars or lines, and what there is to say of them.

use super::gathered::Gathered;
use super::lines::lines;
use super::scale::Scale;
use super::zone::Zone;
use crate::output::grouped::grouped;

/// Measures that are drawn.
const MAX_PANELS: usize = 4;
/// Bars in all panels together.
const MAX_BARS: usize = 40;

/// A chart of a result.
pub(super) struct Chart {
    /// `flows, bytes by srcaddr`.
    pub(super) title: String,
    pub(super) drawing: Drawing,
    /// What is not drawn, or not as it came.
    pub(super) notes: Vec<String>,
}

pub(super) enum Drawing {
    /// Why there is nothing.
    Nothing(&'static str),
    Bars(Vec<BarPanel>),
    Lines(Lines),
}

/// The bars of one measure.
pub(super) struct BarPanel {
    pub(super) title: String,
    pub(super) scale: Scale,
    pub(super) bars: Vec<Bar>,
}

/// A row.
pub(super) struct Bar {
    pub(super) label: String,
    /// `None` where there is no bar: NULL, or no finite number.
    pub(super) value: Option<f64>,
    /// The value as it is read.
    pub(super) text: String,
}

/// Lines over time.
pub(super) struct Lines {
    /// In milliseconds since 1970.
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) zone: Zone,
    /// The axis in words: `2026-01-01 00:00 to 2026-01-02 00:00 UTC, each point is 1 hour`.
    pub(super) axis: String,
    /// Whether points that follow each other are joined.
    pub(super) is_joined: bool,
    pub(super) panels: Vec<LinePanel>,
}

/// The lines of one measure.
pub(super) struct LinePanel {
    pub(super) title: String,
    pub(super) scale: Scale,
    pub(super) series: Vec<Series>,
}

/// One line.
pub(super) struct Series {
    /// Empty where there is but one.
    pub(super) name: String,
    /// Which colour of the palette.
    pub(super) colour: usize,
    /// In the order of time; `None` is a gap.
    pub(super) points: Vec<(i64, Option<f64>)>,
}

impl Lines {
    /// The characters of the longest mark on a scale, so that all plots begin below each other.
    pub(super) fn tick_width(&self) -> usize {
        let ticks = self.panels.iter().flat_map(|panel| panel.scale.ticks());
        ticks.map(|(_, text)| text.len()).max().unwrap_or_default()
    }

    /// Where an instant is: 0 at the first, 1 at the last, in the middle where these are one.
    pub(super) fn place(&self, time: i64) -> f64 {
        match self.last - self.first {
            0 => 0.5,
            span => (time - self.first) as f64 / span as f64,
        }
    }
}

impl Chart {
    pub(super) fn of(rows: &Gathered) -> Self {
        let mut notes = Vec::new();
        let is_over_time = rows.is_over_time();
        let drawing = if rows.len() == 0 {
            Drawing::Nothing("no rows")
        } else if is_over_time {
            lines(rows, &mut notes)
        } else {
            Drawing::Bars(bars(rows, &mut notes))
        };
        note_what_is_left_out(rows, is_over_time, &mut notes);
        let drawn = &rows.roles.measures[..panel_count(rows)];
        Self {
            title: titled(rows, is_over_time, &rows.names(drawn).join(", ")),
            drawing,
            notes,
        }
    }
}

pub(super) fn panel_count(rows: &Gathered) -> usize {
    rows.measures.len().min(MAX_PANELS)
}

/// `flows by hour, action`.
pub(super) fn titled(rows: &Gathered, is_over_time: bool, measures: &str) -> String {
    let time = rows.roles.times.iter().take(usize::from(is_over_time));
    let axes: Vec<_> = time.chain(&rows.roles.dimensions).copied().collect();
    if axes.is_empty() {
        measures.to_owned()
    } else {
        format!("{measures} by {}", rows.names(&axes).join(", "))
    }
}

fn note_what_is_left_out(rows: &Gathered, is_over_time: bool, notes: &mut Vec<String>) {
    let times = rows.roles.times.iter().skip(usize::from(is_over_time));
    let measures = rows.roles.measures.iter().skip(MAX_PANELS);
    let columns: Vec<_> = times.chain(measures).copied().collect();
    if !columns.is_empty() {
        notes.push(format!(
            "columns not drawn: {}",
            rows.names(&columns).join(", ")
        ));
    }
    if rows.row_count > rows.len() as u64 {
        notes.push(format!(
            "made of the first {} of {} rows",
            grouped(&rows.len().to_string()),
            grouped(&rows.row_count.to_string()),
        ));
    }
}

/// `1 row`, `1,234 rows`.
pub(super) fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(&count.to_string()))
}

fn bars(rows: &Gathered, notes: &mut Vec<String>) -> Vec<BarPanel> {
    let panels = panel_count(rows);
    let drawn = rows.len().min(MAX_BARS / panels);
    if rows.len() > drawn {
        notes.push(format!(
            "{} not drawn",
            counted(rows.len() - drawn, "more row")
        ));
    }
    let panel = |measure: usize| {
        let column = rows.roles.measures[measure];
        let bars = (0..drawn).map(|row| {
            let text = rows.text[row][column].as_deref();
            Bar {
                label: if rows.roles.dimensions.is_empty() {
                    (row + 1).to_string()
                } else {
                    rows.labels[row].text.clone()
                },
                value: rows.measures[measure][row].filter(|value| value.is_finite()),
                text: text.map_or_else(|| "NULL".to_owned(), grouped),
            }
        });
        let bars: Vec<_> = bars.collect();
        BarPanel {
            title: titled(rows, false, &rows.name(column)),
            scale: Scale::of(bars.iter().filter_map(|bar| bar.value)),
            bars,
        }
    };
    (0..panels).map(panel).collect()
}
