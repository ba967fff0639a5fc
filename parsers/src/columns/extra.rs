//! The `extra` column: what has no column of its own.

use std::borrow::Cow;

use arrow_array::StringViewArray;
use arrow_array::builder::StringViewBuilder;
use serde_json::{Map, Value};

use super::{Fields, Misfits};
use crate::delimited::quoted;
use crate::field::Misfit;
use crate::format::{Quoting, inner};

/// A JSON object of text by field name; NULL where there is nothing in it. `tail` says that what
/// follows the known fields is the field of this index.
pub(crate) fn extra(
    fields: &Fields<'_>,
    without_column: &[(usize, &str)],
    tail: Option<(usize, Quoting)>,
    misfits: &mut Misfits,
) -> StringViewArray {
    let records = fields.offsets.records();
    if without_column.is_empty() && tail.is_none() {
        return StringViewArray::new_null(records);
    }
    let mut objects = vec![Map::new(); records];
    let mut mended = vec![false; records];
    let mut put = |record: usize, name: String, bytes: &[u8]| {
        if !fields.is_null(bytes) {
            let text = String::from_utf8_lossy(bytes);
            mended[record] |= matches!(text, Cow::Owned(_));
            objects[record].insert(name, Value::String(text.into_owned()));
        }
    };
    for (index, &(field, name)) in without_column.iter().enumerate() {
        let member = member(field, name, &without_column[..index]);
        for (record, span) in fields.spans(field).enumerate() {
            put(record, member.clone(), fields.bytes(span));
        }
    }
    if let Some((field, quoting)) = tail {
        for (record, (start, end)) in fields.offsets.field(field).enumerate() {
            // The tail of most records is missing.
            let Some(tail) = fields.block.get(start..end) else {
                continue;
            };
            for (index, text) in quoted::fields(tail, quoting)
                .into_iter()
                .flatten()
                .enumerate()
            {
                put(
                    record,
                    tail_name(field + index),
                    inner(text, fields.enclosing),
                );
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
    builder.finish()
}

/// The name of a field that came after all that the format knows, by its place from 0.
fn tail_name(field: usize) -> String {
    format!("field_{}", field + 1)
}

/// The name of a field in the object. Where it stands twice, the later ones go by their number.
fn member(field: usize, name: &str, before: &[(usize, &str)]) -> String {
    if before.iter().any(|(_, earlier)| *earlier == name) {
        format!("{name}#{}", field + 1)
    } else {
        name.to_owned()
    }
}
