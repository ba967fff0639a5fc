//! Changing the types of a result to those that a format can say.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatchOptions;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;

/// `schema` with each type in it, however deep, replaced as `replace` says, innermost first.
///
/// Dictionaries and runs become the plain values they stand for: they are an encoding of this
/// engine's, which a reader did not ask for.
pub fn map_schema(schema: &Schema, replace: fn(DataType) -> DataType) -> SchemaRef {
    let fields = schema
        .fields()
        .iter()
        .map(|field| map_field(field, replace));
    Arc::new(Schema::new_with_metadata(
        fields.collect::<Vec<_>>(),
        schema.metadata().clone(),
    ))
}

fn map_field(field: &FieldRef, replace: fn(DataType) -> DataType) -> FieldRef {
    let data_type = map_type(field.data_type(), replace);
    Arc::new(Field::clone(field).with_data_type(data_type))
}

/// A type with each type in it replaced, as [`map_schema`] does.
pub(crate) fn map_type(data_type: &DataType, replace: fn(DataType) -> DataType) -> DataType {
    let inner = |field| map_field(field, replace);
    replace(match data_type {
        DataType::List(item) => DataType::List(inner(item)),
        DataType::LargeList(item) => DataType::LargeList(inner(item)),
        DataType::ListView(item) => DataType::ListView(inner(item)),
        DataType::LargeListView(item) => DataType::LargeListView(inner(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(inner(item), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        DataType::Dictionary(_, values) => return map_type(values, replace),
        DataType::RunEndEncoded(_, values) => return map_type(values.data_type(), replace),
        other => other.clone(),
    })
}

/// The columns of `batch`, by position, under the names and types of `schema`.
///
/// # Errors
/// Another number of columns, or a type that cannot become the schema's.
pub fn cast_batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if batch.num_columns() != schema.fields().len() {
        return Err(ArrowError::SchemaError(format!(
            "expected a batch of {} columns, got {}",
            schema.fields().len(),
            batch.num_columns(),
        )));
    }
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns
        .map(|(column, field)| {
            if column.data_type() == field.data_type() {
                Ok(Arc::clone(column))
            } else {
                cast(column, field.data_type())
            }
        })
        .collect::<Result<_, _>>()?;
    // A batch without columns still has a number of rows.
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}
