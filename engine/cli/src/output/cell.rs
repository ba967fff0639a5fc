//! The text of single values, the same for every text format.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;
use arrow::json::writer::NullableEncoder;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::{OutputError, json_value, visible};
use loglens_engine::portable::cast_batch;

/// Arrow's own forms: RFC 3339 with as many groups of three fractional digits as the value needs,
/// shortest floats, hexadecimal binary. A value out of its type's range shows the error in its
/// place, so that one such value does not end the output.
pub(super) const DISPLAY: FormatOptions<'static> = FormatOptions::new().with_display_error(true);

/// One column of a batch, to be read as text.
pub(super) struct Column<'a> {
    nulls: Option<NullBuffer>,
    values: Values<'a>,
}

enum Values<'a> {
    Plain(ArrayFormatter<'a>),
    Json {
        encoder: NullableEncoder<'a>,
        scratch: Vec<u8>,
    },
}

/// The columns of `batch`, whose types are those of a [`json_schema`](json_value::json_schema).
pub(super) fn columns(batch: &RecordBatch) -> Result<Vec<Column<'_>>, ArrowError> {
    let fields = batch.schema_ref().fields().iter();
    fields
        .zip(batch.columns())
        .map(|(field, array)| Column::try_new(field, array))
        .collect()
}

/// The texts of all values, column by column, as people may see them; NULL is a dash.
pub(crate) fn texts(batch: &RecordBatch) -> Result<Vec<Vec<String>>, OutputError> {
    let batch = cast_batch(batch, &json_value::json_schema(batch.schema_ref()))?;
    let mut columns = columns(&batch)?;
    let texts = columns.iter_mut().map(|column| {
        let text = |row| {
            let mut text = String::new();
            match column.push_value(row, &mut text) {
                true => visible(&text),
                false => "-".to_owned(),
            }
        };
        (0..batch.num_rows()).map(text).collect()
    });
    Ok(texts.collect())
}

impl<'a> Column<'a> {
    fn try_new(field: &'a FieldRef, array: &'a ArrayRef) -> Result<Self, ArrowError> {
        let data_type = array.data_type();
        let values = if data_type.is_nested() && !matches!(data_type, DataType::Union(..)) {
            Values::Json {
                encoder: json_value::encoder(field, array)?,
                scratch: Vec::new(),
            }
        } else {
            Values::Plain(ArrayFormatter::try_new(array, &DISPLAY)?)
        };
        Ok(Self {
            nulls: array.logical_nulls(),
            values,
        })
    }

    /// Appends the text of the value in `row` to `text`, or returns false for NULL.
    pub(super) fn push_value(&mut self, row: usize, text: &mut String) -> bool {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return false;
        }
        match &mut self.values {
            Values::Plain(formatter) => {
                // Neither fails: errors are shown (`DISPLAY`), and a String takes anything.
                _ = write!(text, "{}", formatter.value(row));
            }
            Values::Json { encoder, scratch } => {
                scratch.clear();
                encoder.encode(row, scratch);
                text.push_str(&String::from_utf8_lossy(scratch));
            }
        }
        true
    }
}

/// Whether values of this type are read from their last digit.
pub(super) fn is_right_aligned(data_type: &DataType) -> bool {
    data_type.is_numeric()
}
