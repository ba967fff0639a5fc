//! The hash keys of a shard.

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The hash keys of a shard, first and last, in decimal digits: they have more bits than a number of
/// JSON is safe with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashKeys(Arc<str>, Arc<str>);

impl HashKeys {
    /// Those of a range.
    pub fn new(range: &RangeInclusive<u128>) -> Self {
        let digits = |key: &u128| Arc::from(key.to_string());
        Self(digits(range.start()), digits(range.end()))
    }

    /// The range; all keys, if these are none.
    pub fn range(&self) -> RangeInclusive<u128> {
        let first = self.0.parse().unwrap_or(0);
        first..=self.1.parse().unwrap_or(u128::MAX)
    }
}
