//! Which column is what in a chart.

use std::error::Error;
use std::fmt;

use arrow::datatypes::{DataType, Schema};

use crate::output::OutputError;

/// Columns by what they are in a chart, as their places in the schema.
pub(super) struct Roles {
    pub(super) measures: Vec<usize>,
    pub(super) dimensions: Vec<usize>,
    pub(super) times: Vec<usize>,
}

impl Roles {
    /// Fails where there is nothing to measure.
    pub(super) fn of(schema: &Schema) -> Result<Self, OutputError> {
        let mut roles = Self {
            measures: Vec::new(),
            dimensions: Vec::new(),
            times: Vec::new(),
        };
        for (column, field) in schema.fields().iter().enumerate() {
            match plain(field.data_type()) {
                number if number.is_numeric() => roles.measures.push(column),
                DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
                    roles.times.push(column);
                }
                _ => roles.dimensions.push(column),
            }
        }
        let has_no_axis = roles.times.is_empty() && roles.dimensions.is_empty();
        let first_is_integer = || plain(schema.field(0).data_type()).is_integer();
        if has_no_axis && roles.measures.len() > 1 && first_is_integer() {
            roles.dimensions.push(roles.measures.remove(0));
        }
        if roles.measures.is_empty() {
            return Err(NothingToDraw.into());
        }
        Ok(roles)
    }

    /// Whether the first time stands before all dimensions.
    pub(super) fn time_leads(&self) -> bool {
        let dimension = self.dimensions.first().unwrap_or(&usize::MAX);
        self.times.first().is_some_and(|time| time < dimension)
    }
}

/// The type of the values, whatever their encoding.
fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain(values),
        DataType::RunEndEncoded(_, values) => plain(values.data_type()),
        other => other,
    }
}

/// A result has no column of numbers.
#[derive(Debug)]
pub(crate) struct NothingToDraw;

impl NothingToDraw {
    /// What to do about it.
    pub(crate) const HINT: &str = "SELECT a dimension and a number: \
        SELECT srcaddr, count(*) AS flows FROM vpc_flow_logs GROUP BY srcaddr";
}

impl fmt::Display for NothingToDraw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a chart needs a column of numbers, and this result has none")
    }
}

impl Error for NothingToDraw {}
