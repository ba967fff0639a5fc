//! `approx_distinct(x[, e])`, and the sketches it counts with: `hll_sketch(x[, e])`,
//! `hll_merge(sketch)` and `hll_count(sketch)`.
//!
//! As in Trino: NULLs are not counted, there are 0 values where there is none, `e` is the standard
//! error wanted (0.0040625 to 0.26), and sketches are VARBINARY that can be stored and merged later.
//! Trino's names of those functions (`approx_set`, `merge`, `cardinality`) are known too. Where we
//! differ: without `e` the standard error is 0.81 %, as DataFusion has it, and not 2.3 %; up to 256
//! values are counted exactly (fewer with an `e` of 0.023 and more); and a sketch is plain VARBINARY, without
//! a type of its own.

mod accumulator;
mod count;
mod groups;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BinaryBuilder, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, GroupsAccumulator, ScalarUDF,
    Signature, Volatility,
};

use self::accumulator::SketchAccumulator;
use self::groups::SketchGroupsAccumulator;
use super::sketch::{DEFAULT_PRECISION, is_portable};
use crate::error::{Error, Owner};

/// The standard errors that Trino takes.
const LEAST_ERROR: f64 = 0.004_062_5;
const MOST_ERROR: f64 = 0.26;

/// The aggregates.
pub(super) fn aggregates() -> impl Iterator<Item = AggregateUDF> {
    [Aggregate::Count, Aggregate::Sketch, Aggregate::Merge]
        .into_iter()
        .map(|aggregate| AggregateUDF::new_from_impl(SketchAggregate::new(aggregate)))
}

/// The functions of one sketch.
pub(super) fn scalars() -> impl Iterator<Item = ScalarUDF> {
    [count::hll_count(), count::cardinality()].into_iter()
}

/// What is read, and what is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Aggregate {
    /// Of values, how many.
    Count,
    /// Of values, a sketch.
    Sketch,
    /// Of sketches, one sketch.
    Merge,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SketchAggregate {
    aggregate: Aggregate,
    aliases: Vec<String>,
    signature: Signature,
}

impl SketchAggregate {
    fn new(aggregate: Aggregate) -> Self {
        let aliases: &[&str] = match aggregate {
            Aggregate::Count => &[],
            Aggregate::Sketch => &["approx_set"],
            Aggregate::Merge => &["merge"],
        };
        Self {
            aggregate,
            aliases: aliases.iter().map(ToString::to_string).collect(),
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    /// The precision that is asked for; None where the sketches themselves say it.
    fn precision(&self, args: &AccumulatorArgs<'_>) -> Result<Option<u8>> {
        if self.aggregate == Aggregate::Merge {
            return Ok(None);
        }
        let Some(expression) = args.exprs.get(1) else {
            return Ok(Some(DEFAULT_PRECISION));
        };
        // What depends on no column has a value over no columns.
        let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
        match expression.evaluate(&nothing) {
            Ok(ColumnarValue::Scalar(ScalarValue::Float64(Some(error)))) => {
                precision_of(self.name(), error).map(Some)
            }
            _ => Err(Error::new(
                Owner::Query,
                format!(
                    "the standard error, the second argument of {}, must be a constant number",
                    self.name()
                ),
            )
            .into()),
        }
    }
}

/// The least precision with this standard error or a lesser one.
fn precision_of(function: &str, error: f64) -> Result<u8> {
    if !(LEAST_ERROR..=MOST_ERROR).contains(&error) {
        return Err(Error::new(
            Owner::Query,
            format!(
                "the standard error, the second argument of {function}, may be {LEAST_ERROR} to \
                 {MOST_ERROR}, and is {error}"
            ),
        )
        .hint("0.01 is an error of one percent; more than three times as much is rare")
        .into());
    }
    // The standard error is 1.04 / sqrt(2^precision). A bound just missed by rounding is kept.
    let registers = (1.04 / error).powi(2);
    Ok((registers.log2() - 1e-9).ceil() as u8)
}

impl AggregateUDFImpl for SketchAggregate {
    fn name(&self) -> &'static str {
        match self.aggregate {
            Aggregate::Count => "approx_distinct",
            Aggregate::Sketch => "hll_sketch",
            Aggregate::Merge => "hll_merge",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match (self.aggregate, types) {
            (Aggregate::Merge, [sketch]) if is_sketch(sketch) => Ok(vec![DataType::Binary]),
            (Aggregate::Merge, _) => Err(wrong_types(self.name(), "a sketch", types)),
            (Aggregate::Sketch, [x, ..]) if !is_portable(x) => Err(wrong_types(
                self.name(),
                "numbers, times, text or bytes, for sketches are stored",
                types,
            )),
            (_, [x]) => Ok(vec![x.clone()]),
            (_, [x, error]) if error.is_numeric() => Ok(vec![x.clone(), DataType::Float64]),
            _ => Err(wrong_types(
                self.name(),
                "a value, and the standard error as a number if it is not to be 0.0081",
                types,
            )),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.aggregate {
            Aggregate::Count => DataType::Int64,
            Aggregate::Sketch | Aggregate::Merge => DataType::Binary,
        })
    }

    fn is_nullable(&self) -> bool {
        self.aggregate != Aggregate::Count
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        match self.aggregate {
            Aggregate::Count => Ok(ScalarValue::Int64(Some(0))),
            Aggregate::Sketch | Aggregate::Merge => ScalarValue::try_from(data_type),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, "sketch");
        Ok(vec![Arc::new(Field::new(name, DataType::Binary, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let precision = self.precision(&args)?;
        Ok(Box::new(SketchAccumulator::new(self.aggregate, precision)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let precision = self.precision(&args)?;
        let groups = SketchGroupsAccumulator::new(self.aggregate, precision);
        Ok(Box::new(groups))
    }
}

/// Whether a column of this type may hold sketches.
fn is_sketch(data_type: &DataType) -> bool {
    data_type.is_null()
        || matches!(
            data_type,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView
        )
}

fn wrong_types(
    function: &str,
    takes: &str,
    types: &[DataType],
) -> datafusion::error::DataFusionError {
    let found: Vec<_> = types.iter().map(ToString::to_string).collect();
    Error::new(
        Owner::Query,
        format!("{function} takes {takes}, and got ({})", found.join(", ")),
    )
    .into()
}

/// Sketches of groups, one after the other.
struct States {
    builder: BinaryBuilder,
    bytes: usize,
}

impl States {
    fn with_capacity(groups: usize) -> Self {
        Self {
            builder: BinaryBuilder::with_capacity(groups, 0),
            bytes: 0,
        }
    }

    /// Adds one; an empty one is NULL.
    fn push(&mut self, state: &[u8]) -> Result<(), Error> {
        if state.is_empty() {
            self.builder.append_null();
            return Ok(());
        }
        self.bytes += state.len();
        // Where an array's bytes end. Beyond, arrow panics.
        if i32::try_from(self.bytes).is_err() {
            return Err(Error::new(
                Owner::Query,
                "the sketches of all groups together are larger than 2 GiB",
            )
            .hint(
                "allow a larger standard error, such as 0.02, or set a memory limit, so that \
                 groups are written out bit by bit",
            ));
        }
        self.builder.append_value(state);
        Ok(())
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

#[cfg(test)]
mod tests;
