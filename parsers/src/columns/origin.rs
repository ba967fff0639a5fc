//! Columns of what envelopes say of their records.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::StringViewArray;
use arrow_array::builder::StringViewBuilder;

use crate::envelope::{Origin, OriginPart};

/// A part of the origins of records. Each text is held once.
pub(crate) fn origin<'a>(
    part: OriginPart,
    origins: impl Iterator<Item = Option<&'a Arc<Origin>>>,
) -> StringViewArray {
    let mut texts = Vec::new();
    let mut known = HashMap::new();
    let mut place_of = |origin| {
        let text = part.of(origin)?;
        Some(*known.entry(text).or_insert_with(|| {
            let start = texts.len() as u32;
            texts.extend_from_slice(text.as_bytes());
            (start, text.len() as u32)
        }))
    };
    // Most records are in the envelope of the one before.
    let mut last: Option<(&Arc<Origin>, _)> = None;
    let places: Vec<_> = origins
        .map(|origin| {
            let origin = origin?;
            let place = match last {
                Some((before, place)) if Arc::ptr_eq(before, origin) => place,
                _ => place_of(origin),
            };
            last = Some((origin, place));
            place
        })
        .collect();
    let mut builder = StringViewBuilder::with_capacity(places.len());
    let block = builder.append_block(texts.into());
    for place in places {
        // A text of the block is one of its texts.
        let view = place.map(|(start, length)| builder.try_append_view(block, start, length));
        if !matches!(view, Some(Ok(()))) {
            builder.append_null();
        }
    }
    builder.finish()
}
