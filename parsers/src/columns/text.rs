//! Columns of text: views into the block's bytes.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::StringViewArray;
use arrow_array::builder::make_view;
use arrow_buffer::{Buffer, NullBufferBuilder, ScalarBuffer};

use super::{Fields, Misfits};
use crate::field::Misfit;
use crate::field::parts::Part;

/// Text that does not stand in the block as it is gets a buffer of its own, the second of the array.
const MENDED: u32 = 1;

/// The text that `part` finds in a field.
pub(crate) fn text(
    fields: &Fields<'_>,
    field: usize,
    misfits: &mut Misfits,
    part: impl Fn(&[u8]) -> Part,
) -> StringViewArray {
    let mut builder = TextBuilder::new(fields.block, fields.utf8, fields.offsets.records());
    for (record, span) in fields.spans(field).enumerate() {
        let bytes = fields.bytes(span);
        let found = match span {
            Some((start, _)) if bytes != fields.null => {
                part(bytes).map(|part| part.map(|part| (start + part.start, start + part.end)))
            }
            _ => Ok(None),
        };
        match found {
            Ok(Some(span)) => builder.append(span, record, misfits),
            Ok(None) => builder.append_null(),
            Err(misfit) => {
                misfits.push((record, misfit));
                builder.append_null();
            }
        }
    }
    builder.finish()
}

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

    #[inline]
    pub(crate) fn append_null(&mut self) {
        self.views.push(0);
        self.nulls.append_null();
    }

    /// Appends bytes of the block; what is not UTF-8 is mended and reported.
    #[inline]
    pub(crate) fn append(
        &mut self,
        (start, end): (usize, usize),
        record: usize,
        misfits: &mut Misfits,
    ) {
        let block = self.block;
        let bytes = &block[start..end];
        if self.utf8 || std::str::from_utf8(bytes).is_ok() {
            self.views.push(make_view(bytes, 0, start as u32));
            self.nulls.append_non_null();
        } else {
            self.append_mended(bytes, record, misfits);
        }
    }

    /// Appends bytes that do not stand in the block; what is not UTF-8 is mended and reported.
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

/// Checking each view again (`StringViewArray::try_new`) makes parsing all columns a third slower
/// and two columns a fifth: benches/results/2026-11-23-foundation.md.
#[allow(unsafe_code)]
fn array(views: Vec<u128>, buffers: Vec<Buffer>, mut nulls: NullBufferBuilder) -> StringViewArray {
    // SAFETY: every view was made by `make_view` from bytes at that offset of that buffer, and
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
