//! Whether ranges of hash keys make up another one.

use std::ops::RangeInclusive;

/// Whether `parts`, in any order, take all hash keys of `all`.
pub(crate) fn cover<'a>(
    all: &RangeInclusive<u128>,
    parts: impl Iterator<Item = &'a RangeInclusive<u128>>,
) -> bool {
    let mut parts: Vec<_> = parts.collect();
    parts.sort_by_key(|keys| *keys.start());
    let mut next = Some(*all.start());
    for keys in parts {
        if next.is_some_and(|next| keys.contains(&next)) {
            next = keys.end().checked_add(1);
        }
    }
    next.is_none_or(|next| next > *all.end())
}
