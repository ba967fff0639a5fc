//! The `extra` column: what has no column of its own.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::{ArrayRef, StringViewArray};
use serde_json::{Map, Value};

use super::{Fields, Misfits};
use crate::field::Misfit;

/// A JSON object of text by field name; NULL where there is nothing in it.
pub(crate) fn extra(
    fields: &Fields<'_>,
    without_column: &[(usize, &str)],
    misfits: &mut Misfits,
) -> ArrayRef {
    let records = fields.offsets.records();
    if without_column.is_empty() {
        return Arc::new(StringViewArray::new_null(records));
    }
    let mut objects = vec![Map::new(); records];
    let mut mended = vec![false; records];
    for (index, &(field, name)) in without_column.iter().enumerate() {
        let member = member(field, name, &without_column[..index]);
        for (record, (start, end)) in fields.offsets.field(field).enumerate() {
            let bytes = &fields.block[start..end];
            if bytes != fields.null {
                let text = String::from_utf8_lossy(bytes);
                mended[record] |= matches!(text, Cow::Owned(_));
                objects[record].insert(member.clone(), Value::String(text.into_owned()));
            }
        }
    }
    let mended = (0..records).filter(|&record| mended[record]);
    misfits.extend(mended.map(|record| (record, Misfit::NotUtf8)));
    let mut builder = StringViewBuilder::with_capacity(records);
    for object in objects {
        if object.is_empty() {
            builder.append_null();
        } else {
            builder.append_value(Value::Object(object).to_string());
        }
    }
    Arc::new(builder.finish())
}

/// The name of a field in the object. Where it stands twice, the later ones go by their number.
fn member(field: usize, name: &str, before: &[(usize, &str)]) -> String {
    if before.iter().any(|(_, earlier)| *earlier == name) {
        format!("{name}#{}", field + 1)
    } else {
        name.to_owned()
    }
}
