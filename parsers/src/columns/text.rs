//! Columns of text: views into the block's bytes.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::StringViewArray;
use arrow_array::builder::make_view;
use arrow_buffer::{Buffer, NullBufferBuilder, ScalarBuffer};

use super::{Fields, Misfits};
use crate::field::Misfit;
use crate::field::parts::Part;

/// Text that does not stand in the block as it is gets a buffer of its own, the second of the array.
const MENDED: u32 = 1;

/// Builds a column of text over the bytes of a block.
pub(crate) struct TextBuilder<'a> {
    block: &'a Buffer,
    utf8: bool,
    views: Vec<u128>,
    nulls: NullBufferBuilder,
    mended: Vec<u8>,
}

impl<'a> TextBuilder<'a> {
    /// A builder for so many values; `utf8` says that all bytes of the block are UTF-8.
    pub(crate) fn new(block: &'a Buffer, utf8: bool, values: usize) -> Self {
        Self {
            block,
            utf8,
            views: Vec::with_capacity(values),
            nulls: NullBufferBuilder::new(values),
            mended: Vec::new(),
        }
    }

    /// Appends the text that `part` finds in a field of some records.
    #[inline(always)]
    pub(super) fn append_fields(
        &mut self,
        fields: &Fields<'_>,
        field: usize,
        records: Range<usize>,
        misfits: &mut Misfits,
        part: impl Fn(&[u8]) -> Part,
    ) {
        let first = records.start;
        for (index, place) in fields.offsets.field_of(field, records).enumerate() {
            // Not in a closure, which the compiler makes a call of.
            let (record, span) = (first + index, fields.span(place));
            let bytes = fields.bytes(span);
            let found = match span {
                Some((start, _)) if !fields.is_null(bytes) => {
                    part(bytes).map(|part| part.map(|part| (start + part.start, start + part.end)))
                }
                _ => Ok(None),
            };
            match found {
                Ok(Some(span)) => self.append(span, record, misfits),
                Ok(None) => self.append_null(),
                Err(misfit) => {
                    misfits.push((record, misfit));
                    self.append_null();
                }
            }
        }
    }

    #[inline]
    pub(crate) fn append_null(&mut self) {
        self.views.push(0);
        self.nulls.append_null();
    }

    /// Appends bytes of the block; what is not UTF-8 is mended and reported.
    #[inline(always)]
    pub(crate) fn append(
        &mut self,
        (start, end): (usize, usize),
        record: usize,
        misfits: &mut Misfits,
    ) {
        let block = self.block;
        let bytes = &block[start..end];
        if self.utf8 || std::str::from_utf8(bytes).is_ok() {
            self.views.push(view(block, start, end));
            self.nulls.append_non_null();
        } else {
            self.append_mended(bytes, record, misfits);
        }
    }

    /// Appends bytes that do not stand in the block; what is not UTF-8 is mended and reported.
    #[cold]
    pub(crate) fn append_mended(&mut self, bytes: &[u8], record: usize, misfits: &mut Misfits) {
        let text = String::from_utf8_lossy(bytes);
        if matches!(text, Cow::Owned(_)) {
            misfits.push((record, Misfit::NotUtf8));
        }
        let at = self.mended.len() as u32;
        self.mended.extend_from_slice(text.as_bytes());
        self.views
            .push(make_view(&self.mended[at as usize..], MENDED, at));
        self.nulls.append_non_null();
    }

    pub(crate) fn finish(self) -> StringViewArray {
        let mut buffers = vec![self.block.clone()];
        if !self.mended.is_empty() {
            buffers.push(Buffer::from_vec(self.mended));
        }
        array(self.views, buffers, self.nulls)
    }
}

/// The view of `block[start..end]`, the first buffer of its array.
///
/// The same as [`make_view`], whose copy of so many bytes as a text has is a call: here 16 bytes
/// are loaded, whatever they are, and cut to the length.
#[inline]
fn view(block: &[u8], start: usize, end: usize) -> u128 {
    let length = end - start;
    let Some(bytes) = block[start..].first_chunk::<16>() else {
        return make_view(&block[start..end], 0, start as u32);
    };
    let bytes = u128::from_le_bytes(*bytes);
    let rest = if length <= 12 {
        // The text itself.
        bytes & ((1 << (8 * length)) - 1)
    } else {
        // Its first four bytes, the buffer (0), and the place there.
        u128::from(bytes as u32) | (start as u128) << 64
    };
    rest << 32 | length as u128
}

/// Checking each view again (`StringViewArray::try_new`) makes parsing all columns a third slower
/// and two columns a fifth: benches/results/2026-11-23-foundation.md.
#[allow(unsafe_code)]
fn array(views: Vec<u128>, buffers: Vec<Buffer>, mut nulls: NullBufferBuilder) -> StringViewArray {
    // SAFETY: every view was made by `view` or `make_view` from bytes at that offset of that buffer, and
    // those bytes were found to be UTF-8: the whole block at once (a field begins and ends at an
    // ASCII byte or at an end of the block, so never inside a character), or the field by itself,
    // or they are those of a `str`. A null's view is 0, the empty string. The property tests
    // build the same array with `try_new`, which checks all of this.
    unsafe {
        StringViewArray::new_unchecked(
            ScalarBuffer::from(views),
            Arc::from(buffers),
            nulls.finish(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_view_is_what_arrow_makes(
            block in prop::collection::vec(any::<u8>(), 0..80),
            place in any::<[prop::sample::Index; 2]>(),
        ) {
            let [one, other] = place.map(|index| index.index(block.len() + 1));
            let (start, end) = (one.min(other), one.max(other));
            prop_assert_eq!(view(&block, start, end), make_view(&block[start..end], 0, start as u32));
        }
    }
}
