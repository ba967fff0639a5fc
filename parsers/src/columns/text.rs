//! Columns of text: views into the block's bytes.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::StringViewArray;
use arrow_array::builder::make_view;
use arrow_buffer::{Buffer, NullBuffer, ScalarBuffer};

use super::validity::Validity;
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
    validity: Validity,
    mended: Vec<u8>,
}

impl<'a> TextBuilder<'a> {
    /// A builder for so many values; `utf8` says that all bytes of the block are UTF-8.
    pub(crate) fn new(block: &'a Buffer, utf8: bool, values: usize) -> Self {
        Self {
            block,
            utf8,
            views: Vec::with_capacity(values),
            validity: Validity::new(values),
            mended: Vec::new(),
        }
    }

    /// Appends the text that `part` finds in these fields.
    #[inline(always)]
    pub(super) fn append_fields(
        &mut self,
        fields: &Fields<'_>,
        spans: &[(u32, u32)],
        misfits: &mut Misfits,
        part: impl Fn(&[u8]) -> Part,
    ) {
        // A copy, which the compiler knows that nothing writes to.
        let fields = *fields;
        let (block, utf8) = (self.block.as_slice(), self.utf8);
        let Self {
            views,
            validity,
            mended,
            ..
        } = self;
        let first = views.len();
        // `extend` knows how many come, and makes room once.
        views.extend(spans.iter().enumerate().map(
            #[inline(always)]
            |(index, &(start, end))| {
                let (start, end) = (start as usize, end as usize);
                let bytes = block.get(start..end);
                let found = match bytes.filter(|bytes| !fields.is_null(bytes)) {
                    Some(bytes) => part(bytes),
                    None => Ok(None),
                };
                match found {
                    Ok(Some(part)) => {
                        let (start, end) = (start + part.start, start + part.end);
                        return if utf8 {
                            view(block, start, end)
                        } else {
                            view_or_mend(block, (start, end), mended, first + index, misfits)
                        };
                    }
                    Ok(None) => {}
                    Err(misfit) => misfits.push((first + index, misfit)),
                }
                validity.null(first + index);
                0
            },
        ));
    }

    #[inline]
    pub(crate) fn append_null(&mut self) {
        self.validity.null(self.views.len());
        self.views.push(0);
    }

    /// Appends bytes of the block; what is not UTF-8 is mended and reported.
    #[inline(always)]
    pub(crate) fn append(
        &mut self,
        (start, end): (usize, usize),
        record: usize,
        misfits: &mut Misfits,
    ) {
        let view = if self.utf8 {
            view(self.block, start, end)
        } else {
            view_or_mend(self.block, (start, end), &mut self.mended, record, misfits)
        };
        self.views.push(view);
    }

    /// Appends bytes that do not stand in the block; what is not UTF-8 is mended and reported.
    #[cold]
    pub(crate) fn append_mended(&mut self, bytes: &[u8], record: usize, misfits: &mut Misfits) {
        self.views
            .push(mend(bytes, &mut self.mended, record, misfits));
    }

    pub(crate) fn finish(self) -> StringViewArray {
        let mut buffers = vec![self.block.clone()];
        if !self.mended.is_empty() {
            buffers.push(Buffer::from_vec(self.mended));
        }
        let nulls = self.validity.finish(self.views.len());
        array(self.views, buffers, nulls)
    }
}

/// The view of `block[start..end]`, of a block that is not UTF-8 as a whole.
#[cold]
fn view_or_mend(
    block: &[u8],
    (start, end): (usize, usize),
    mended: &mut Vec<u8>,
    record: usize,
    misfits: &mut Misfits,
) -> u128 {
    let bytes = &block[start..end];
    if std::str::from_utf8(bytes).is_ok() {
        view(block, start, end)
    } else {
        mend(bytes, mended, record, misfits)
    }
}

/// The view of a text that gets a place in the buffer of what is mended.
#[cold]
fn mend(bytes: &[u8], mended: &mut Vec<u8>, record: usize, misfits: &mut Misfits) -> u128 {
    let text = String::from_utf8_lossy(bytes);
    if matches!(text, Cow::Owned(_)) {
        misfits.push((record, Misfit::NotUtf8));
    }
    let at = mended.len() as u32;
    mended.extend_from_slice(text.as_bytes());
    make_view(&mended[at as usize..], MENDED, at)
}

/// The longest text that stands in its view.
const INLINE: usize = 12;

/// What a view keeps of the bytes of a text of so many bytes, which follow four others (where the
/// length comes): all of a short one, the first four of any longer one.
const KEPT: [u128; INLINE + 2] = {
    let mut kept = [0; INLINE + 2];
    let mut length = 0;
    while length <= INLINE {
        kept[length] = ((1 << (8 * length)) - 1) << 32;
        length += 1;
    }
    kept[INLINE + 1] = kept[4];
    kept
};

/// The view of `block[start..end]`, the first buffer of its array.
///
/// The same as [`make_view`], whose copy of so many bytes as a text has is a call: here the text
/// is loaded with the four bytes before it, whatever they are, which puts it in its place.
#[inline(always)]
fn view(block: &[u8], start: usize, end: usize) -> u128 {
    let length = block[start..end].len();
    let loaded = start
        .checked_sub(4)
        .and_then(|at| block[at..].first_chunk::<16>());
    let Some(loaded) = loaded else {
        return make_view(&block[start..end], 0, start as u32);
    };
    let kept = u128::from_le_bytes(*loaded) & KEPT[length.min(INLINE + 1)];
    let place = if length > INLINE { start } else { 0 };
    kept | u128::from(length as u32) | (place as u128) << 96
}

/// Checking each view again (`StringViewArray::try_new`) makes parsing all columns a third slower
/// and two columns a fifth: benches/results/2026-11-23-foundation.md.
#[allow(unsafe_code)]
fn array(views: Vec<u128>, buffers: Vec<Buffer>, nulls: Option<NullBuffer>) -> StringViewArray {
    // SAFETY: every view was made by `view` or `make_view` from bytes at that offset of that buffer,
    // and those bytes were found to be UTF-8: the whole block at once, by the pass that found its
    // lines or by a check (a field begins and ends at an ASCII byte or at an end of the block, so
    // never inside a character), or the field by itself, or they are those of a `str`. A null's
    // view is 0, the empty string. The property tests build the same array with `try_new`, which
    // checks all of this.
    unsafe { StringViewArray::new_unchecked(ScalarBuffer::from(views), Arc::from(buffers), nulls) }
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
