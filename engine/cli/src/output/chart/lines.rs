//! Rows as lines over time: which series each belongs to, and what its values are there.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use super::bins::Bins;
use super::gathered::Gathered;
use super::model::{Drawing, LinePanel, Lines, Series, counted, panel_count, titled};
use super::palette::SERIES;
use super::scale::Scale;
use super::zone::Zone;
use crate::output::grouped::grouped;

/// What becomes of several values at one time, and of none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Combine {
    /// Counts and sums: they are added up, and none is zero.
    Add,
    /// Averages, extremes, percentiles: the last one counts, and none is a gap.
    Keep,
}

impl Combine {
    /// What the name of a measure says.
    fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let word = name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        let is_percentile = word
            .strip_prefix('p')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
        let is_kept = matches!(
            word,
            "avg" | "mean" | "median" | "min" | "max" | "percentile" | "stddev" | "var"
        ) || name.starts_with("approx_percentile")
            || name.starts_with("approx_median")
            || is_percentile;
        if is_kept { Self::Keep } else { Self::Add }
    }
}

/// The lines of the rows, or why there are none.
pub(super) fn lines(rows: &Gathered, notes: &mut Vec<String>) -> Drawing {
    let times: BTreeSet<i64> = rows.times.iter().flatten().copied().collect();
    let without = rows.times.iter().filter(|time| time.is_none()).count();
    if without > 0 {
        notes.push(format!(
            "{} without a time not drawn",
            counted(without, "row")
        ));
    }
    let (Some(&first), Some(&last)) = (times.first(), times.last()) else {
        return Drawing::Nothing("no row has a time");
    };
    let groups = Groups::of(rows);
    let bins = Bins::of(&times, &rows.zone);
    let plot = Plot {
        rows,
        groups: &groups,
        bins: &bins,
    };
    let panels = (0..panel_count(rows))
        .map(|measure| plot.panel(measure, notes))
        .collect();
    plot.note_bins(notes);
    Drawing::Lines(Lines {
        axis: axis(first, last, &bins, &rows.zone),
        first,
        last,
        zone: rows.zone.clone(),
        is_joined: bins.is_filled,
        panels,
    })
}

fn axis(first: i64, last: i64, bins: &Bins, zone: &Zone) -> String {
    let mut axis = zone.stamp(first);
    if first != last {
        axis += &format!(" to {}", zone.stamp(last));
    }
    if let Some(name) = zone.name() {
        axis += &format!(" {name}");
    }
    match bins.width() {
        Some(width) if bins.is_filled => axis + &format!(", each point is {width}"),
        _ => axis,
    }
}

/// The series that rows belong to.
struct Groups {
    /// For each row its series. The first are drawn as they are, and any after them as one.
    of_rows: Vec<usize>,
    /// Of the series that are drawn as they are, in the order of their totals.
    names: Vec<String>,
    /// How many are drawn as one.
    rest: usize,
}

impl Groups {
    fn of(rows: &Gathered) -> Self {
        // In the order of their first rows, ...
        let mut found = HashMap::new();
        let mut series: Vec<(&str, f64)> = Vec::new();
        let mut of_rows = Vec::with_capacity(rows.len());
        for (label, value) in rows.labels.iter().zip(&rows.measures[0]) {
            let index = *found.entry(label.identity).or_insert(series.len());
            if index == series.len() {
                series.push((&label.text, 0.0));
            }
            series[index].1 += value.filter(|value| value.is_finite()).unwrap_or(0.0);
            of_rows.push(index);
        }
        // ... and then in that of their totals.
        let mut order: Vec<_> = (0..series.len()).collect();
        order.sort_by(|&a, &b| {
            series[b]
                .1
                .total_cmp(&series[a].1)
                .then(series[a].0.cmp(series[b].0))
        });
        let mut ranks = vec![0; series.len()];
        for (rank, &index) in order.iter().enumerate() {
            ranks[index] = rank.min(SERIES);
        }
        order.truncate(SERIES);
        Self {
            of_rows: of_rows.into_iter().map(|index| ranks[index]).collect(),
            names: order
                .into_iter()
                .map(|index| series[index].0.to_owned())
                .collect(),
            rest: series.len().saturating_sub(SERIES),
        }
    }
}

/// The rows with their places: series and bins.
struct Plot<'a> {
    rows: &'a Gathered,
    groups: &'a Groups,
    bins: &'a Bins,
}

impl Plot<'_> {
    fn combine(&self, measure: usize) -> Combine {
        Combine::of(self.rows.fields()[self.rows.roles.measures[measure]].name())
    }

    fn panel(&self, measure: usize, notes: &mut Vec<String>) -> LinePanel {
        let name = self.rows.name(self.rows.roles.measures[measure]);
        let combine = self.combine(measure);
        let values = self.values(measure, combine, &name, notes);
        let mut names = self.groups.names.clone();
        match (self.groups.rest, combine) {
            (0, _) => {}
            (rest, Combine::Add) => names.push(format!("other ({})", grouped(&rest.to_string()))),
            (rest, Combine::Keep) => notes.push(format!(
                "{name}: {} more series not drawn",
                grouped(&rest.to_string())
            )),
        }
        let series = names.into_iter().enumerate().map(|(colour, name)| Series {
            name,
            colour,
            points: self.points(colour, combine, &values),
        });
        let series: Vec<_> = series.collect();
        let drawn = series.iter().flat_map(|series| &series.points);
        LinePanel {
            title: titled(self.rows, true, &name),
            scale: Scale::of(drawn.filter_map(|(_, value)| *value)).rounded(),
            series,
        }
    }

    /// The values of each series and time that has a row; `None` where all are NULL.
    fn values(
        &self,
        measure: usize,
        combine: Combine,
        name: &str,
        notes: &mut Vec<String>,
    ) -> Values {
        let (mut infinite, mut repeats) = (0, false);
        let mut values = Values::new();
        let rows = self
            .groups
            .of_rows
            .iter()
            .zip(&self.rows.times)
            .zip(&self.rows.measures[measure]);
        for ((&series, &time), &value) in rows {
            let Some(time) = time else { continue };
            infinite += usize::from(value.is_some_and(|value| !value.is_finite()));
            let value = value.filter(|value| value.is_finite());
            match values.entry((series, time)) {
                Entry::Vacant(entry) => _ = entry.insert(value),
                Entry::Occupied(mut entry) => {
                    repeats |= series < SERIES;
                    let before = *entry.get();
                    entry.insert(match (before, value, combine) {
                        (Some(before), Some(value), Combine::Add) => Some(before + value),
                        (before, value, _) => value.or(before),
                    });
                }
            }
        }
        if infinite > 0 {
            notes.push(format!(
                "{name}: {} NaN or infinite, not drawn",
                counted(infinite, "value")
            ));
        }
        if repeats {
            notes.push(match combine {
                Combine::Add => format!("{name}: rows of one time are added up"),
                Combine::Keep => format!("{name}: of several rows of one time the last is drawn"),
            });
        }
        values
    }

    fn points(&self, series: usize, combine: Combine, values: &Values) -> Vec<(i64, Option<f64>)> {
        let missing = (combine == Combine::Add).then_some(0.0);
        let points = self
            .bins
            .times
            .iter()
            .filter_map(|&time| match values.get(&(series, time)) {
                Some(&value) => Some((time, value)),
                None => self.bins.is_filled.then_some((time, missing)),
            });
        points.collect()
    }

    fn note_bins(&self, notes: &mut Vec<String>) {
        if !self.bins.is_filled {
            notes.push(
                "more than 10,000 points from the first time to the last: only the rows are drawn"
                    .to_owned(),
            );
        }
        if self.bins.missing > 0 {
            let kinds: Vec<_> = (0..panel_count(self.rows))
                .map(|measure| self.combine(measure))
                .collect();
            let drawn = match (
                kinds.contains(&Combine::Add),
                kinds.contains(&Combine::Keep),
            ) {
                (true, false) => "as 0",
                (false, _) => "as gaps",
                (true, true) => "as 0, or as gaps where the measure is no count or sum",
            };
            notes.push(format!(
                "points without a row, drawn {drawn}: {} of {}",
                grouped(&self.bins.missing.to_string()),
                grouped(&self.bins.times.len().to_string()),
            ));
        }
    }
}

/// By series and time.
type Values = HashMap<(usize, i64), Option<f64>>;
