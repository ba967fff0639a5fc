//! Column names that can serve as keys.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};

/// `schema` with no name used twice: of `x, x, x` the second becomes `x_1`, the third `x_2`.
///
/// `SELECT a.x, b.x` yields two columns named `x`. JSON readers keep the last of two equal keys, and
/// some readers of Parquet and Arrow refuse the file.
pub fn unique_names(schema: &Schema) -> SchemaRef {
    let fields = schema.fields();
    // A name made up here must not be one that a later column has by right.
    let given: HashSet<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    let mut used = HashSet::new();
    let renamed = fields.iter().map(|field| {
        let name = field.name();
        if used.insert(name.clone()) {
            return Arc::clone(field);
        }
        let mut fresh = name.clone();
        let mut number = 0;
        while given.contains(fresh.as_str()) || !used.insert(fresh.clone()) {
            number += 1;
            fresh = format!("{name}_{number}");
        }
        Arc::new(Field::clone(field).with_name(fresh))
    });
    let renamed: Vec<_> = renamed.collect();
    Arc::new(Schema::new_with_metadata(
        renamed,
        schema.metadata().clone(),
    ))
}
