//! Columns of JSON values: scalars, JSON text, and structs and lists of them.

use std::borrow::Cow::{Borrowed, Owned};
use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, ArrowPrimitiveType, ListArray, PrimitiveArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields as ArrowFields};

use super::{MISSING, MemberMatcher, ValueKind, compact, elements, is_valid, kind_of, string};
use crate::arch::{self, Simd, Work};
use crate::columns::{Fields, Misfits, TextBuilder};
use crate::field::{self, Kind, Misfit};
use crate::format::Column;

/// A value of a column: its record, and where it stands; None is NULL.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// The record, for what does not fit.
    pub(super) record: usize,
    /// Start and end in the block.
    pub(super) span: Option<(usize, usize)>,
}

/// The array of a column.
pub(super) fn build(
    column: &Column,
    items: &[Item],
    fields: &Fields<'_>,
    misfits: &mut Misfits,
) -> ArrayRef {
    match column.kind {
        Kind::Int32 => number::<Int32Type>(items, fields, misfits, field::int32),
        Kind::Int64 => number::<Int64Type>(items, fields, misfits, field::int64),
        Kind::UnixSeconds => number::<Int64Type>(items, fields, misfits, field::unix_seconds),
        Kind::Float64 => number::<Float64Type>(items, fields, misfits, field::float64),
        Kind::Struct => Arc::new(structs(&column.columns, items, fields, misfits)),
        Kind::List => list(column, items, fields, misfits),
        Kind::Json => text(items, fields, misfits, false),
        _ => text(items, fields, misfits, true),
    }
}

/// A scalar without the quotes of a string.
pub(super) fn scalar(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}

fn number<T: ArrowPrimitiveType>(
    items: &[Item],
    fields: &Fields<'_>,
    misfits: &mut Misfits,
    parse: impl Fn(&[u8]) -> Result<T::Native, Misfit>,
) -> ArrayRef {
    let values = items.iter().map(|item| {
        let (start, end) = item.span?;
        match parse(scalar(&fields.block[start..end])) {
            Ok(value) => Some(value),
            Err(misfit) => {
                misfits.push((item.record, misfit));
                None
            }
        }
    });
    Arc::new(PrimitiveArray::<T>::from_iter(values))
}

/// Strings as their text if `plain`; all else as JSON text.
fn text(items: &[Item], fields: &Fields<'_>, misfits: &mut Misfits, plain: bool) -> ArrayRef {
    let mut builder = TextBuilder::new(fields.block, fields.utf8, items.len());
    for item in items {
        let Some((start, end)) = item.span else {
            builder.append_null();
            continue;
        };
        let value = &fields.block[start..end];
        if plain && kind_of(value) == ValueKind::String {
            let found = string(value);
            if found.mended {
                misfits.push((item.record, Misfit::BadEscape));
            }
            match found.bytes {
                Borrowed(_) => builder.append((start + 1, end - 1), item.record, misfits),
                Owned(bytes) => builder.append_mended(&bytes, item.record, misfits),
            }
        } else if is_valid(value) {
            match compact(value) {
                Borrowed(_) => builder.append((start, end), item.record, misfits),
                Owned(bytes) => builder.append_mended(&bytes, item.record, misfits),
            }
        } else {
            misfits.push((item.record, Misfit::NotJson));
            builder.append_null();
        }
    }
    Arc::new(builder.finish())
}

/// Objects as structs of columns.
fn structs(
    columns: &[Column],
    items: &[Item],
    fields: &Fields<'_>,
    misfits: &mut Misfits,
) -> StructArray {
    let all: Vec<usize> = (0..columns.len()).collect();
    let inner = inner_items(columns, &all, items, fields, misfits);
    let arrow: ArrowFields = columns.iter().map(Column::arrow_field).collect();
    let arrays = columns
        .iter()
        .zip(&inner.members)
        .map(|(column, items)| build(column, items, fields, misfits));
    let arrays: Vec<_> = arrays.collect();
    let nulls = Some(NullBuffer::from(inner.valid)).filter(|nulls| nulls.null_count() > 0);
    StructArray::new(arrow, arrays, nulls)
}

/// The arrays of some of the columns within objects, each by the way to it. All others are jumped
/// over.
pub(super) fn within(
    columns: &[Column],
    ways: &[&[usize]],
    items: &[Item],
    fields: &Fields<'_>,
    misfits: &mut Misfits,
) -> Vec<ArrayRef> {
    let mut steps: Vec<usize> = ways.iter().map(|way| way[0]).collect();
    steps.sort_unstable();
    steps.dedup();
    let inner = inner_items(columns, &steps, items, fields, misfits);
    let mut arrays: Vec<Option<ArrayRef>> = vec![None; ways.len()];
    for (&step, items) in steps.iter().zip(&inner.members) {
        let column = &columns[step];
        let (mut places, mut deeper) = (Vec::new(), Vec::new());
        for (place, way) in ways.iter().enumerate().filter(|(_, way)| way[0] == step) {
            if way.len() == 1 {
                arrays[place] = Some(build(column, items, fields, misfits));
            } else {
                places.push(place);
                deeper.push(&way[1..]);
            }
        }
        if !deeper.is_empty() {
            let built = within(&column.columns, &deeper, items, fields, misfits);
            for (place, array) in places.into_iter().zip(built) {
                arrays[place] = Some(array);
            }
        }
    }
    arrays.into_iter().flatten().collect()
}

/// One member of every object.
pub(super) fn member_of(items: &[Item], column: &Column, fields: &Fields<'_>) -> Vec<Item> {
    let columns = std::slice::from_ref(column);
    let mut inner = inner_items(columns, &[0], items, fields, &mut Misfits::new());
    inner.members.pop().unwrap_or_default()
}

/// What lies within items.
struct Inner {
    /// Which of the items are objects.
    valid: Vec<bool>,
    /// Of each column that was looked for, the values.
    members: Vec<Vec<Item>>,
}

/// Finds the members of every item that these columns are.
fn inner_items(
    columns: &[Column],
    wanted: &[usize],
    items: &[Item],
    fields: &Fields<'_>,
    misfits: &mut Misfits,
) -> Inner {
    let names = wanted.iter().map(|&column| columns[column].field.as_ref());
    let names: Vec<&str> = names.collect();
    let members = vec![Vec::with_capacity(items.len()); names.len()];
    let valid = Vec::with_capacity(items.len());
    arch::run(Find {
        matcher: MemberMatcher::new(&names),
        items,
        fields,
        misfits,
        inner: Inner { valid, members },
    })
}

/// Finding members, for each instruction set.
struct Find<'a> {
    matcher: MemberMatcher,
    items: &'a [Item],
    fields: &'a Fields<'a>,
    misfits: &'a mut Misfits,
    inner: Inner,
}

impl Work for Find<'_> {
    type Output = Inner;

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) -> Inner {
        let block = self.fields.block.as_slice();
        let mut found = vec![MISSING; self.inner.members.len()];
        for item in self.items {
            let mut object = false;
            if let Some((start, end)) = item.span {
                object = block[start] == b'{'
                    && self
                        .matcher
                        .find_with(simd, block, start..end, &mut found)
                        .is_ok();
                if !object {
                    self.misfits.push((item.record, Misfit::NotJson));
                }
            }
            self.inner.valid.push(object);
            for (items, &span) in self.inner.members.iter_mut().zip(&found) {
                items.push(Item {
                    record: item.record,
                    span: if object {
                        value_at(span, self.fields)
                    } else {
                        None
                    },
                });
            }
        }
        self.inner
    }
}

#[inline(always)]
fn value_at((start, end): (u32, u32), fields: &Fields<'_>) -> Option<(usize, usize)> {
    let (start, end) = (start as usize, end as usize);
    (start < end && &fields.block[start..end] != fields.null).then_some((start, end))
}

/// Arrays of objects as lists of structs.
fn list(column: &Column, items: &[Item], fields: &Fields<'_>, misfits: &mut Misfits) -> ArrayRef {
    let mut inner = Vec::new();
    let mut lengths = Vec::with_capacity(items.len());
    let mut valid = Vec::with_capacity(items.len());
    for item in items {
        let before = inner.len();
        let array = item.span.is_some_and(|(start, end)| {
            let array = kind_of(&fields.block[start..end]) == ValueKind::Array
                && elements(fields.block, start..end).all(|element| {
                    let span = element.ok().map(|range| (range.start, range.end));
                    inner.push(Item {
                        record: item.record,
                        span: span.filter(|&(start, end)| &fields.block[start..end] != fields.null),
                    });
                    span.is_some()
                });
            if !array {
                misfits.push((item.record, Misfit::NotJson));
                inner.truncate(before);
            }
            array
        });
        valid.push(array);
        lengths.push(inner.len() - before);
    }
    let values = structs(&column.columns, &inner, fields, misfits);
    let element = match column.data_type() {
        DataType::List(element) => element,
        other => Arc::new(Field::new("item", other, true)),
    };
    let nulls = Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
    Arc::new(ListArray::new(
        element,
        OffsetBuffer::from_lengths(lengths),
        Arc::new(values),
        nulls,
    ))
}
