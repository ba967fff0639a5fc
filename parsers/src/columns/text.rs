//! Columns of text: views into the block's bytes.

use std::sync::Arc;

use arrow_array::builder::make_view;
use arrow_array::{ArrayRef, StringViewArray};
use arrow_buffer::{Buffer, NullBufferBuilder, ScalarBuffer};

use super::{Fields, Misfits};
use crate::field::Misfit;

/// Text that was not UTF-8 is mended into a buffer of its own, the second of the array.
const MENDED: u32 = 1;

pub(crate) fn text(fields: &Fields<'_>, field: usize, misfits: &mut Misfits) -> ArrayRef {
    let records = fields.offsets.records();
    let mut views = Vec::with_capacity(records);
    let mut nulls = NullBufferBuilder::new(records);
    let mut mended = Vec::new();
    for (record, (start, end)) in fields.offsets.field(field).enumerate() {
        let bytes = &fields.block[start..end];
        if bytes == fields.null {
            views.push(0);
            nulls.append_null();
            continue;
        }
        nulls.append_non_null();
        if fields.utf8 || std::str::from_utf8(bytes).is_ok() {
            views.push(make_view(bytes, 0, start as u32));
        } else {
            misfits.push((record, Misfit::NotUtf8));
            let at = mended.len() as u32;
            mended.extend_from_slice(String::from_utf8_lossy(bytes).as_bytes());
            views.push(make_view(&mended[at as usize..], MENDED, at));
        }
    }
    let mut buffers = vec![fields.block.clone()];
    if !mended.is_empty() {
        buffers.push(Buffer::from_vec(mended));
    }
    Arc::new(array(views, buffers, nulls))
}

/// Checking each view again (`StringViewArray::try_new`) makes parsing all columns a third slower
/// and two columns a fifth: benches/results/2026-11-23-foundation.md.
#[allow(unsafe_code)]
fn array(views: Vec<u128>, buffers: Vec<Buffer>, mut nulls: NullBufferBuilder) -> StringViewArray {
    // SAFETY: every view was made by `make_view` from bytes at that offset of that buffer, and
    // those bytes were found to be UTF-8: the whole block at once (a field begins and ends at an
    // ASCII byte or at an end of the block, so never inside a character), or the field by itself,
    // or as the result of `from_utf8_lossy`. A null's view is 0, the empty string. The property
    // tests build the same array with `try_new`, which checks all of this.
    unsafe {
        StringViewArray::new_unchecked(
            ScalarBuffer::from(views),
            Arc::from(buffers),
            nulls.finish(),
        )
    }
}
