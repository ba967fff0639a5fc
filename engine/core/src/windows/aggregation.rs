//! What is computed for each window and key, and how rows look on their way there.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, StructArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::GroupsAccumulator;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::{GroupsAccumulatorAdapter, PhysicalExpr};

use super::count_distinct::CountDistinct;
use super::spec::Windows;
use super::top::Top;

/// The column of partial rows that says which pane they are of.
const PANE: &str = "$pane";

/// The first and the last time of a partial row, in microseconds: sessions need them.
const TIMES: [&str; 2] = ["$first", "$last"];

/// One aggregate function over rows of the input.
#[derive(Debug, Clone)]
pub(crate) struct Aggregate {
    function: Arc<AggregateFunctionExpr>,
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    /// FILTER (WHERE ...)
    filter: Option<Arc<dyn PhysicalExpr>>,
}

impl Aggregate {
    pub(crate) fn new(
        function: Arc<AggregateFunctionExpr>,
        filter: Option<Arc<dyn PhysicalExpr>>,
    ) -> Self {
        let mut arguments = function.expressions();
        let orders = function.order_bys().iter();
        arguments.extend(orders.map(|order| Arc::clone(&order.expr)));
        Self {
            function,
            arguments,
            filter,
        }
    }

    pub(crate) fn accumulator(&self) -> Result<Box<dyn GroupsAccumulator>> {
        if let Some(count) = CountDistinct::of(&self.function)? {
            return Ok(Box::new(count));
        }
        if self.function.groups_accumulator_supported() {
            return self.function.create_groups_accumulator();
        }
        let function = Arc::clone(&self.function);
        let one = move || function.create_accumulator();
        Ok(Box::new(GroupsAccumulatorAdapter::new(one)))
    }

    /// The type of its one state, if what a row adds to it can be taken away again: counts, and sums of
    /// integers.
    pub(crate) fn running_type(&self) -> Option<DataType> {
        let name = self.function.fun().name();
        if !matches!(name, "count" | "sum") || self.function.is_distinct() {
            return None;
        }
        let states = self.function.state_fields().ok()?;
        let [state] = states.as_slice() else {
            return None;
        };
        let kind = state.data_type().clone();
        matches!(kind, DataType::Int64 | DataType::UInt64).then_some(kind)
    }

    /// Takes in rows of the input.
    pub(crate) fn update(
        &self,
        accumulator: &mut dyn GroupsAccumulator,
        rows: &RecordBatch,
        groups: &[usize],
        total: usize,
    ) -> Result<()> {
        let values = columns(&self.arguments, rows)?;
        let filter = match &self.filter {
            Some(filter) => Some(filter.evaluate(rows)?.into_array(rows.num_rows())?),
            None => None,
        };
        let filter = filter.as_ref().map(AsArray::as_boolean);
        accumulator.update_batch(&values, groups, filter, total)
    }
}

/// The values of expressions for all rows.
pub(crate) fn columns(
    exprs: &[Arc<dyn PhysicalExpr>],
    rows: &RecordBatch,
) -> Result<Vec<ArrayRef>> {
    let values = exprs
        .iter()
        .map(|expr| expr.evaluate(rows)?.into_array(rows.num_rows()));
    values.collect()
}

/// What is computed for each window and key.
#[derive(Debug, Clone)]
pub(crate) struct Aggregation {
    pub(crate) windows: Windows,
    time: Arc<dyn PhysicalExpr>,
    /// Where the window stands among the columns of the result.
    pub(crate) place: usize,
    /// The rows of each window that are wanted; None is all.
    pub(crate) top: Option<Top>,
    pub(crate) keys: Vec<Arc<dyn PhysicalExpr>>,
    pub(crate) key_schema: SchemaRef,
    pub(crate) aggregates: Vec<Aggregate>,
    /// The states of each aggregate among the states of all.
    pub(crate) states: Vec<Range<usize>>,
    /// Pane, times if they are needed, keys, states.
    pub(crate) partial_schema: SchemaRef,
    /// The result.
    pub(crate) schema: SchemaRef,
    time_type: DataType,
}

impl Aggregation {
    /// `schema` is that of the result: keys, among which the window stands at `place`, and
    /// aggregates.
    pub(crate) fn new(
        windows: Windows,
        time: Arc<dyn PhysicalExpr>,
        place: usize,
        keys: Vec<Arc<dyn PhysicalExpr>>,
        aggregates: Vec<Aggregate>,
        schema: SchemaRef,
    ) -> Result<Self> {
        let DataType::Struct(members) = schema.field(place).data_type() else {
            return internal_err!("a window is a struct");
        };
        let time_type = members[0].data_type().clone();
        let fields = schema.fields().iter().take(keys.len() + 1).enumerate();
        let key_fields: Vec<FieldRef> = fields
            .filter(|(at, _)| *at != place)
            .map(|(_, field)| Arc::clone(field))
            .collect();
        let (mut states, mut state_fields) = (Vec::new(), Vec::new());
        for (at, aggregate) in aggregates.iter().enumerate() {
            let begin = state_fields.len();
            // Two aggregates may call their states the same.
            let fields = aggregate.function.state_fields()?.into_iter();
            state_fields.extend(fields.map(|field| {
                let name = format!("{at}:{}", field.name());
                Arc::new(field.as_ref().clone().with_name(name))
            }));
            states.push(begin..state_fields.len());
        }
        let number = |name| Arc::new(Field::new(name, DataType::Int64, false));
        let mut fields = vec![number(PANE)];
        if matches!(windows, Windows::Session { .. }) {
            fields.extend(TIMES.map(number));
        }
        fields.extend(key_fields.iter().cloned());
        fields.extend(state_fields);
        Ok(Self {
            windows,
            time,
            place,
            top: None,
            keys,
            key_schema: Arc::new(Schema::new(key_fields)),
            aggregates,
            states,
            partial_schema: Arc::new(Schema::new(fields)),
            schema,
            time_type,
        })
    }

    /// All expressions over rows of the input.
    pub(crate) fn expressions(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        let of_aggregates = self.aggregates.iter();
        let of_aggregates =
            of_aggregates.flat_map(|aggregate| aggregate.arguments.iter().chain(&aggregate.filter));
        let time = std::iter::once(&self.time);
        let all = time.chain(&self.keys).chain(of_aggregates);
        all.cloned().collect()
    }

    /// The times of rows, in microseconds since 1970-01-01 UTC.
    pub(crate) fn times(&self, rows: &RecordBatch) -> Result<TimestampMicrosecondArray> {
        let times = self.time.evaluate(rows)?.into_array(rows.num_rows())?;
        let micros = DataType::Timestamp(TimeUnit::Microsecond, self.zone());
        let times = cast(&times, &micros)?;
        Ok(times.as_primitive::<TimestampMicrosecondType>().clone())
    }

    fn zone(&self) -> Option<Arc<str>> {
        match &self.time_type {
            DataType::Timestamp(_, zone) => zone.clone(),
            _ => None,
        }
    }

    /// Where the columns of keys begin in partial rows.
    pub(crate) fn first_key(&self) -> usize {
        self.partial_schema.fields().len() - self.keys.len() - self.state_count()
    }

    /// The columns of keys and of states of partial rows.
    pub(crate) fn keys_and_states<'a>(
        &self,
        rows: &'a RecordBatch,
    ) -> (&'a [ArrayRef], &'a [ArrayRef]) {
        rows.columns()[self.first_key()..].split_at(self.keys.len())
    }

    /// Columns of states.
    pub(crate) fn state_count(&self) -> usize {
        self.states.last().map_or(0, |last| last.end)
    }

    pub(crate) fn accumulators(&self) -> Result<Vec<Box<dyn GroupsAccumulator>>> {
        self.aggregates.iter().map(Aggregate::accumulator).collect()
    }

    /// Rows of the result, from the bounds of their windows, keys and values.
    pub(crate) fn result(
        &self,
        starts: Vec<i64>,
        ends: Vec<i64>,
        keys: Vec<ArrayRef>,
        values: Vec<ArrayRef>,
    ) -> Result<RecordBatch> {
        let DataType::Struct(members) = self.schema.field(self.place).data_type() else {
            return internal_err!("a window is a struct");
        };
        let bounds = [starts, ends].map(|micros| {
            let times = TimestampMicrosecondArray::from(micros).with_timezone_opt(self.zone());
            cast(&times, &self.time_type)
        });
        let [starts, ends] = bounds;
        let window = StructArray::try_new(members.clone(), vec![starts?, ends?], None)?;
        let mut columns = keys;
        columns.insert(self.place, Arc::new(window));
        columns.extend(values);
        // What an accumulator gives may differ from its field in names within a list.
        for (column, field) in columns.iter_mut().zip(self.schema.fields()) {
            if column.data_type() != field.data_type() {
                *column = cast(column, field.data_type())?;
            }
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}
