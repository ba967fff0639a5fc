//! Rows to partial rows: one for each pane and key, with the states of all aggregates.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use datafusion::arrow::compute::{filter_record_batch, is_not_null, sort_to_indices, take};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use super::aggregation::{Aggregation, columns};
use super::spec::Windows;

/// Rows that are grouped by pane and keys.
pub(crate) struct Partial {
    aggregation: Arc<Aggregation>,
    groups: Box<dyn GroupValues>,
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    /// First and last time of each group, if they are needed.
    times: Option<[Vec<i64>; 2]>,
    /// The group of each row of the last batch.
    of_rows: Vec<usize>,
    /// The greatest time of a row so far.
    latest: Option<i64>,
    /// Rows that have no time, and so lie in no window.
    without_time: u64,
    /// Rows of earlier times are too late.
    open_from: i64,
    /// Rows that were too late, as they came.
    late: Vec<RecordBatch>,
    /// How many rows each pane has, if it is asked for.
    of_panes: Option<BTreeMap<i64, u64>>,
}

impl Partial {
    pub(crate) fn new(aggregation: Arc<Aggregation>) -> Result<Self> {
        let pane = Arc::new(Field::new("$pane", DataType::Int64, false));
        let keys = aggregation.key_schema.fields().iter().cloned();
        let fields: Vec<_> = std::iter::once(pane).chain(keys).collect();
        let schema = Arc::new(Schema::new(fields));
        Ok(Self {
            groups: new_group_values(schema, &GroupOrdering::None)?,
            accumulators: aggregation.accumulators()?,
            times: matches!(aggregation.windows, Windows::Session { .. }).then(Default::default),
            of_rows: Vec::new(),
            latest: None,
            without_time: 0,
            open_from: i64::MIN,
            late: Vec::new(),
            of_panes: None,
            aggregation,
        })
    }

    /// Takes in rows of the input.
    pub(crate) fn push(&mut self, rows: &RecordBatch) -> Result<()> {
        let times = self.aggregation.times(rows)?;
        if times.null_count() > 0 {
            self.without_time += times.null_count() as u64;
            let rows = filter_record_batch(rows, &is_not_null(&times)?)?;
            let times = self.aggregation.times(&rows)?;
            return self.push_timed(&rows, times.values());
        }
        self.push_timed(rows, times.values())
    }

    fn push_timed(&mut self, rows: &RecordBatch, times: &[i64]) -> Result<()> {
        if times.iter().any(|&time| time < self.open_from) {
            let of_time = |late: bool| {
                let picks = times.iter().map(|&time| (time < self.open_from) == late);
                filter_record_batch(rows, &picks.map(Some).collect())
            };
            let (late, rows) = (of_time(true)?, of_time(false)?);
            self.late.push(late);
            let times: Vec<_> = times
                .iter()
                .copied()
                .filter(|&time| time >= self.open_from)
                .collect();
            return self.push_timed(&rows, &times);
        }
        if rows.num_rows() == 0 {
            return Ok(());
        }
        self.latest = self.latest.max(times.iter().max().copied());
        let panes = panes(times, self.aggregation.windows.pane_width());
        if let Some(of_panes) = &mut self.of_panes {
            for same in panes.values().chunk_by(|one, next| one == next) {
                *of_panes.entry(same[0]).or_default() += same.len() as u64;
            }
        }
        let mut keys: Vec<ArrayRef> = vec![Arc::new(panes)];
        keys.extend(columns(&self.aggregation.keys, rows)?);
        self.groups.intern(&keys, &mut self.of_rows)?;
        let total = self.groups.len();
        if let Some([first, last]) = &mut self.times {
            first.resize(total, i64::MAX);
            last.resize(total, i64::MIN);
            for (&group, &time) in self.of_rows.iter().zip(times) {
                first[group] = first[group].min(time);
                last[group] = last[group].max(time);
            }
        }
        let aggregates = self.aggregation.aggregates.iter();
        for (aggregate, accumulator) in aggregates.zip(&mut self.accumulators) {
            aggregate.update(&mut **accumulator, rows, &self.of_rows, total)?;
        }
        Ok(())
    }

    /// The same, which counts the rows of each pane.
    pub(crate) fn counting(self) -> Self {
        Self {
            of_panes: Some(BTreeMap::new()),
            ..self
        }
    }

    /// How many rows each pane has so far, if they are counted.
    pub(crate) fn of_panes(&self) -> Option<&BTreeMap<i64, u64>> {
        self.of_panes.as_ref()
    }

    /// Groups that are held.
    pub(crate) fn len(&self) -> usize {
        self.groups.len()
    }

    /// Bytes that are held.
    pub(crate) fn size(&self) -> usize {
        let states = self
            .accumulators
            .iter()
            .map(|accumulator| accumulator.size());
        self.groups.size() + states.sum::<usize>()
    }

    /// The greatest time of a row so far.
    pub(crate) fn latest(&self) -> Option<i64> {
        self.latest
    }

    /// From now on rows of earlier times are too late.
    pub(crate) fn open_from(&mut self, time: i64) {
        self.open_from = time;
    }

    /// Gives away the rows that were too late.
    pub(crate) fn take_late(&mut self) -> Vec<RecordBatch> {
        std::mem::take(&mut self.late)
    }

    /// Rows that have no time, since it was asked last.
    pub(crate) fn take_without_time(&mut self) -> u64 {
        std::mem::take(&mut self.without_time)
    }

    /// Gives all groups away as partial rows, in the order of their panes.
    pub(crate) fn emit(&mut self) -> Result<RecordBatch> {
        let mut keys = self.groups.emit(EmitTo::All)?.into_iter();
        // Some forms keep their hash table.
        self.groups.clear_shrink(0);
        let mut columns: Vec<ArrayRef> = keys.next().into_iter().collect();
        if let Some(times) = &mut self.times {
            let times = times.iter_mut().map(std::mem::take);
            columns.extend(times.map(|times| Arc::new(Int64Array::from(times)) as ArrayRef));
        }
        columns.extend(keys);
        for accumulator in &mut self.accumulators {
            columns.extend(accumulator.state(EmitTo::All)?);
        }
        let panes = columns[0].as_primitive::<Int64Type>();
        if !panes.values().is_sorted() {
            let order = sort_to_indices(panes, None, None)?;
            columns = columns
                .iter()
                .map(|column| take(column, &order, None))
                .collect::<std::result::Result<_, _>>()?;
        }
        let schema = Arc::clone(&self.aggregation.partial_schema);
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

/// The pane of each time. Neighbours are mostly in the same.
fn panes(times: &[i64], width: i64) -> Int64Array {
    let (mut pane, mut begin, mut end) = (0, 0, 0);
    let of_each = times.iter().map(|&time| {
        if !(begin..end).contains(&time) {
            pane = time.div_euclid(width);
            begin = pane.saturating_mul(width);
            end = begin.saturating_add(width);
        }
        pane
    });
    Int64Array::from_iter_values(of_each)
}
