//! The windows of a stream as a table that is redrawn in place.
//!
//! It shows the rows of the last window, and for each of them the last windows' values of its first
//! number as a sparkline. Rows are told apart by their columns that are neither numbers nor times.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema};
use arrow::temporal_conversions::timestamp_us_to_datetime;

use crate::output::{OutputError, texts};

/// Windows that a sparkline shows.
const WINDOWS: usize = 24;

/// Rows of which the last values are kept.
const ROWS: usize = 10_000;

/// Lines that are taken for the screen where it does not say.
const LINES: usize = 24;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A table that is redrawn in place.
pub(super) struct LiveTable {
    names: Vec<String>,
    /// Columns that tell rows apart.
    keys: Vec<usize>,
    /// The column that sparklines show.
    number: Option<usize>,
    /// The last values of rows, by their keys; the newest last.
    values: HashMap<Vec<String>, VecDeque<f64>>,
    /// Lines that are on the screen.
    drawn: usize,
}

impl LiveTable {
    pub(super) fn new(schema: &Schema) -> Self {
        let fields = schema.fields();
        let of = |is: fn(&DataType) -> bool| {
            let columns = fields.iter().enumerate();
            columns
                .filter(move |(_, field)| is(field.data_type()))
                .map(|(at, _)| at)
        };
        Self {
            names: fields.iter().map(|field| field.name().clone()).collect(),
            keys: of(|kind| !kind.is_numeric() && !kind.is_temporal()).collect(),
            number: of(DataType::is_numeric).next(),
            values: HashMap::new(),
            drawn: 0,
        }
    }

    /// Shows the rows of a window in the place of those before.
    pub(super) fn show(&mut self, rows: &RecordBatch, watermark: i64) -> Result<(), OutputError> {
        let cells = texts(rows)?;
        let sparks = self.take_in(rows, &cells)?;
        let (width, height) = match terminal_size::terminal_size() {
            Some((width, height)) => (width.0.into(), height.0.into()),
            None => (80, LINES),
        };
        let frame = self.frame(&cells, &sparks, watermark, width, height);
        let mut out = io::stdout().lock();
        if self.drawn > 0 {
            // Up to where it began, and everything below away.
            write!(out, "\x1b[{}A\x1b[J", self.drawn)?;
        }
        for line in &frame {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
        self.drawn = frame.len();
        Ok(())
    }

    /// Leaves what is on the screen.
    pub(super) fn end(&mut self) -> Result<(), OutputError> {
        self.drawn = 0;
        Ok(io::stdout().flush()?)
    }

    /// Takes down the numbers of a window; gives the sparkline of each of its rows.
    fn take_in(
        &mut self,
        rows: &RecordBatch,
        cells: &[Vec<String>],
    ) -> Result<Vec<String>, OutputError> {
        let Some(number) = self.number else {
            return Ok(vec![String::new(); rows.num_rows()]);
        };
        let numbers = cast(rows.column(number), &DataType::Float64)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        let key = |row: usize| -> Vec<String> {
            self.keys
                .iter()
                .map(|&column| cells[column][row].clone())
                .collect()
        };
        let mut now: HashMap<_, _> = (0..rows.num_rows())
            .map(|row| {
                (
                    key(row),
                    if numbers.is_valid(row) {
                        numbers.value(row)
                    } else {
                        0.0
                    },
                )
            })
            .collect();
        let keys: Vec<_> = (0..rows.num_rows()).map(key).collect();
        // Whoever is not in this window had nothing in it.
        for (key, values) in &mut self.values {
            values.push_back(now.remove(key).unwrap_or(0.0));
            if values.len() > WINDOWS {
                values.pop_front();
            }
        }
        for (key, value) in now {
            if self.values.len() < ROWS {
                self.values.insert(key, VecDeque::from([value]));
            }
        }
        self.values
            .retain(|_, values| values.iter().any(|&value| value != 0.0));
        let spark = |key| self.values.get(key).map(sparkline).unwrap_or_default();
        Ok(keys.iter().map(spark).collect())
    }

    fn frame(
        &self,
        cells: &[Vec<String>],
        sparks: &[String],
        watermark: i64,
        width: usize,
        height: usize,
    ) -> Vec<String> {
        let rows = sparks.len().min(height.saturating_sub(4).max(1));
        let widths: Vec<_> = self
            .names
            .iter()
            .zip(cells)
            .map(|(name, cells)| {
                let longest = cells[..rows].iter().map(|cell| cell.chars().count()).max();
                longest.unwrap_or(0).max(name.chars().count())
            })
            .collect();
        let line = |text: &dyn Fn(usize) -> String, spark: &str| {
            let padded = widths
                .iter()
                .enumerate()
                .map(|(column, &width)| format!("{:width$}", text(column)));
            let line = padded
                .chain([spark.to_owned()])
                .collect::<Vec<_>>()
                .join("  ");
            line.trim_end().chars().take(width).collect::<String>()
        };
        let mut frame = vec![line(&|column| self.names[column].clone(), "")];
        frame.extend((0..rows).map(|row| line(&|column| cells[column][row].clone(), &sparks[row])));
        let hidden = sparks.len() - rows;
        let more = if hidden > 0 {
            format!("{hidden} more rows; ")
        } else {
            String::new()
        };
        let time = timestamp_us_to_datetime(watermark).filter(|_| watermark < i64::MAX);
        let time = time.map_or_else(
            || "the end".to_owned(),
            |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        );
        frame.push(
            format!("{more}watermark {time}")
                .chars()
                .take(width)
                .collect(),
        );
        frame
    }
}

/// Values as bars, of which the greatest is full.
fn sparkline(values: &VecDeque<f64>) -> String {
    let greatest = values.iter().copied().fold(0.0, f64::max);
    let bar = |&value: &f64| {
        let share = if greatest > 0.0 {
            value.max(0.0) / greatest
        } else {
            0.0
        };
        BARS[((share * 7.0).round() as usize).min(7)]
    };
    values.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::Field;

    use super::*;

    fn window(rows: &[(&str, i64)]) -> RecordBatch {
        let schema = Schema::new(vec![
            Field::new("srcaddr", DataType::Utf8, true),
            Field::new("flows", DataType::Int64, false),
        ]);
        let names = rows.iter().map(|(name, _)| *name);
        let numbers = rows.iter().map(|(_, number)| *number);
        RecordBatch::try_new(
            Arc::new(schema),
            vec![
                Arc::new(StringArray::from_iter_values(names)),
                Arc::new(Int64Array::from_iter_values(numbers)),
            ],
        )
        .unwrap()
    }

    #[test]
    fn rows_carry_their_last_windows() {
        let first = window(&[("10.0.0.1", 8), ("10.0.0.2", 1)]);
        let mut table = LiveTable::new(&first.schema());
        let mut show = |rows: &RecordBatch| {
            let cells = texts(rows).unwrap();
            let sparks = table.take_in(rows, &cells).unwrap();
            table.frame(&cells, &sparks, 0, 60, 24)
        };
        show(&first);
        show(&window(&[("10.0.0.1", 4)]));
        let frame = show(&window(&[("10.0.0.3", 5), ("10.0.0.1", 2)]));
        assert_eq!(
            frame,
            [
                "srcaddr   flows",
                "10.0.0.3  5      █",
                "10.0.0.1  2      █▅▃",
                "watermark 1970-01-01 00:00:00 UTC",
            ]
        );
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let rows: Vec<_> = (0..30).map(|row| ("10.0.0.1 and more", row)).collect();
        let rows = window(&rows);
        let table = LiveTable::new(&rows.schema());
        let frame = table.frame(&texts(&rows).unwrap(), &vec![String::new(); 30], 0, 12, 10);
        assert_eq!(frame.len(), 8);
        assert_eq!(frame[1], "10.0.0.1 and");
        assert_eq!(frame[7], "24 more rows");
    }
}
