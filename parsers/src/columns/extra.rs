//! The `extra` column: what has no column of its own.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::{ArrayRef, StringViewArray};

use super::Fields;

/// A JSON object of text by field name; NULL where there is nothing in it.
pub(crate) fn extra(fields: &Fields<'_>, without_column: &[(usize, &str)]) -> ArrayRef {
    let records = fields.offsets.records();
    if without_column.is_empty() {
        return Arc::new(StringViewArray::new_null(records));
    }
    let mut objects = vec![serde_json::Map::new(); records];
    for &(field, name) in without_column {
        for (object, (start, end)) in objects.iter_mut().zip(fields.offsets.field(field)) {
            let bytes = &fields.block[start..end];
            if bytes != fields.null {
                // A name that stands twice keeps its later fields apart by their number.
                let name = if object.contains_key(name) { format!("{name}#{}", field + 1) } else { name.to_owned() };
                object.insert(name, String::from_utf8_lossy(bytes).into_owned().into());
            }
        }
    }
    let mut builder = StringViewBuilder::with_capacity(records);
    for object in objects {
        if object.is_empty() {
            builder.append_null();
        } else {
            builder.append_value(serde_json::Value::Object(object).to_string());
        }
    }
    Arc::new(builder.finish())
}
