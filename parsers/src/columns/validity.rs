//! Which values of a column are NULL.

use arrow_buffer::{NullBuffer, NullBufferBuilder};

/// Takes down the NULLs only: they are rare, and what lies between two of them is counted at once.
pub(super) struct Validity {
    nulls: NullBufferBuilder,
    /// How many values it knows of.
    known: usize,
}

impl Validity {
    /// Of a column of so many values.
    pub(super) fn new(values: usize) -> Self {
        Self {
            nulls: NullBufferBuilder::new(values),
            known: 0,
        }
    }

    /// The value of this place is NULL. Places come in their order.
    #[inline(never)]
    pub(super) fn null(&mut self, place: usize) {
        self.nulls.append_n_non_nulls(place - self.known);
        self.nulls.append_null();
        self.known = place + 1;
    }

    /// None where no value is NULL.
    pub(super) fn finish(mut self, values: usize) -> Option<NullBuffer> {
        self.nulls.append_n_non_nulls(values - self.known);
        self.nulls.finish()
    }
}
