//! The rows of an INSERT as the columns of its table: by position, cast where nothing is lost.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Owner};
use crate::sql::errors::nearest;

/// The table that rows are inserted into.
#[derive(Debug)]
pub(super) struct Into<'a> {
    /// Its name.
    pub(super) table: &'a str,
    /// Its columns, those that partition it last.
    pub(super) schema: &'a Schema,
    /// How many partition it.
    pub(super) partitions: usize,
    /// The columns that the query gives; none if it gives all.
    pub(super) columns: &'a [String],
}

impl Into<'_> {
    /// The plan of the rows with the names and types of the table's columns.
    pub(super) fn rows(&self, plan: LogicalPlan) -> Result<LogicalPlan, Error> {
        let given = self.given()?;
        let schema = Arc::clone(plan.schema());
        if given.len() != schema.fields().len() {
            return Err(self.wrong(format!(
                "{} columns are expected, and the query gives {}",
                given.len(),
                schema.fields().len()
            )));
        }
        let columns = self.schema.fields().iter().enumerate().map(|(at, field)| {
            let expr = match given.iter().position(|given| *given == at) {
                None => Expr::Literal(ScalarValue::Null, None),
                Some(from) => {
                    let is_partition = at + self.partitions >= self.schema.fields().len();
                    self.check(field, schema.field(from).data_type(), is_partition)?;
                    Expr::from(schema.qualified_field(from))
                }
            };
            Ok(cast(expr, field.data_type().clone()).alias(field.name()))
        });
        let columns = columns.collect::<Result<Vec<_>, Error>>()?;
        let rows = LogicalPlanBuilder::from(plan).project(columns);
        let rows = rows.and_then(LogicalPlanBuilder::build);
        rows.map_err(|error| Error::new(Owner::Internal, error.to_string()))
    }

    /// Where in the table the columns are that the query gives.
    fn given(&self) -> Result<Vec<usize>, Error> {
        let fields = self.schema.fields();
        if self.columns.is_empty() {
            return Ok((0..fields.len()).collect());
        }
        let mut given = Vec::new();
        for column in self.columns {
            let is_called = |field: &FieldRef| field.name().eq_ignore_ascii_case(column);
            match fields.iter().position(is_called) {
                Some(at) if given.contains(&at) => {
                    return Err(self.wrong(format!("column {column} is named twice")));
                }
                Some(at) => given.push(at),
                None => {
                    let names = fields.iter().map(|field| field.name().as_str());
                    let error = self.wrong(format!("it has no column {column}"));
                    return Err(match nearest(column, names) {
                        Some(near) => error.hint(format!("did you mean {near}?")),
                        None => error,
                    });
                }
            }
        }
        Ok(given)
    }

    fn check(&self, field: &FieldRef, from: &DataType, is_partition: bool) -> Result<(), Error> {
        // The value of a partition is the name of a folder.
        let fits = match is_partition {
            true => !from.is_nested(),
            false => fits(from, field.data_type()),
        };
        if fits {
            return Ok(());
        }
        Err(self.wrong(format!(
            "column {} is {}, and the query gives {from}",
            field.name(),
            field.data_type()
        )))
    }

    fn wrong(&self, message: impl AsRef<str>) -> Error {
        let fields = self.schema.fields().iter();
        let columns: Vec<_> = fields.map(|field| field.name().as_str()).collect();
        let message = format!("INSERT INTO {}: {}", self.table, message.as_ref());
        Error::new(Owner::Query, message).hint(format!(
            "its columns are {}; CAST where types differ",
            columns.join(", ")
        ))
    }
}

/// Whether every value of a type is one of another, as Trino casts without being asked.
fn fits(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    match (plain(from), plain(to)) {
        (from, to) if from == to => true,
        (T::Null, _) | (T::Timestamp(..) | T::Date32, T::Timestamp(..)) => true,
        (from, T::Float32 | T::Float64 | T::Decimal128(..)) if from.is_integer() => true,
        (T::Float32, T::Float64) | (T::Decimal128(..), T::Float32 | T::Float64) => true,
        (from, to) if from.is_integer() && to.is_integer() => is_wider(&from, &to),
        (T::List(from) | T::LargeList(from), T::List(to) | T::LargeList(to)) => {
            fits(from.data_type(), to.data_type())
        }
        (T::Struct(from), T::Struct(to)) => {
            from.len() == to.len()
                && from.iter().zip(&to).all(|(from, to)| {
                    from.name() == to.name() && fits(from.data_type(), to.data_type())
                })
        }
        _ => false,
    }
}

/// Whether an integer type holds all values of another.
fn is_wider(from: &DataType, to: &DataType) -> bool {
    let bits = |number: &DataType| number.primitive_width().unwrap_or(0) * 8;
    match (from.is_unsigned_integer(), to.is_unsigned_integer()) {
        (true, true) | (false, false) => bits(to) >= bits(from),
        (true, false) => bits(to) > bits(from),
        (false, true) => false,
    }
}

/// A type without the ways in which Arrow encodes it.
fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::ListView(item) => DataType::List(Arc::clone(item)),
        DataType::LargeListView(item) => DataType::LargeList(Arc::clone(item)),
        DataType::Dictionary(_, values) => plain(values),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::{Field, TimeUnit};

    #[test]
    fn what_is_cast() {
        let list = |item| DataType::List(Arc::new(Field::new("item", item, true)));
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        for (from, to, expected) in [
            (DataType::Utf8View, DataType::Utf8, true),
            (DataType::Int32, DataType::Int64, true),
            (DataType::Int64, DataType::Int32, false),
            (DataType::UInt32, DataType::Int64, true),
            (DataType::UInt64, DataType::Int64, false),
            (DataType::Int64, DataType::Float64, true),
            (DataType::Float64, DataType::Int64, false),
            (DataType::Int64, DataType::Utf8View, false),
            (DataType::Utf8View, DataType::Int64, false),
            (DataType::Null, DataType::Int64, true),
            (DataType::Date32, micros.clone(), true),
            (micros, DataType::Date32, false),
            (list(DataType::Int32), list(DataType::Int64), true),
            (list(DataType::Utf8), list(DataType::Int64), false),
        ] {
            assert_eq!(fits(&from, &to), expected, "{from} to {to}");
        }
    }
}
