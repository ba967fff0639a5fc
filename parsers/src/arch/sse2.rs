//! Masks with SSE2: 16 bytes a comparison.

use std::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
    _mm_set1_epi8, _mm_setzero_si128, _mm_sub_epi8,
};

use super::{JsonMasks, LANE, Simd};

/// Any x86-64.
#[derive(Debug, Clone, Copy)]
pub struct Sse2;

impl Simd for Sse2 {
    #[inline(always)]
    #[allow(unsafe_code)]
    fn masks(self, chunk: &[u8; LANE], a: u8, b: u8) -> (u64, u64) {
        // SAFETY: SSE2 is part of x86-64, so every machine that runs this build has it.
        unsafe { masks(chunk, a, b) }
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn above_ascii(self, chunk: &[u8; LANE]) -> u64 {
        // SAFETY: SSE2 is part of x86-64, so every machine that runs this build has it.
        unsafe { above_ascii(chunk) }
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn json_masks(self, chunk: &[u8; LANE]) -> JsonMasks {
        // SAFETY: SSE2 is part of x86-64, so every machine that runs this build has it.
        unsafe { json_masks(chunk) }
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn lower_case(self, chunk: &[u8; LANE]) -> u64 {
        // SAFETY: SSE2 is part of x86-64, so every machine that runs this build has it.
        unsafe { lower_case(chunk) }
    }
}

#[inline]
#[target_feature(enable = "sse2")]
fn masks(chunk: &[u8; LANE], a: u8, b: u8) -> (u64, u64) {
    let (a, b) = (
        _mm_set1_epi8(a.cast_signed()),
        _mm_set1_epi8(b.cast_signed()),
    );
    let mut masks = (0, 0);
    for (quarter, bytes) in chunk.as_chunks::<16>().0.iter().enumerate() {
        let lanes = load(bytes);
        masks.0 |= equal(lanes, a) << (quarter * 16);
        masks.1 |= equal(lanes, b) << (quarter * 16);
    }
    masks
}

#[inline]
#[target_feature(enable = "sse2")]
fn above_ascii(chunk: &[u8; LANE]) -> u64 {
    let mut all = _mm_setzero_si128();
    for bytes in chunk.as_chunks::<16>().0 {
        all = _mm_or_si128(all, load(bytes));
    }
    u64::from(_mm_movemask_epi8(all).cast_unsigned())
}

#[inline]
#[target_feature(enable = "sse2")]
fn lower_case(chunk: &[u8; LANE]) -> u64 {
    let all = |byte: u8| _mm_set1_epi8(byte.cast_signed());
    let mut mask = 0;
    for (quarter, bytes) in chunk.as_chunks::<16>().0.iter().enumerate() {
        let letter = _mm_sub_epi8(load(bytes), all(b'a'));
        mask |= equal(letter, _mm_min_epu8(letter, all(b'z' - b'a'))) << (quarter * 16);
    }
    mask
}

#[inline]
#[target_feature(enable = "sse2")]
fn json_masks(chunk: &[u8; LANE]) -> JsonMasks {
    let all = |byte: u8| _mm_set1_epi8(byte.cast_signed());
    let mut found = JsonMasks::default();
    for (quarter, bytes) in chunk.as_chunks::<16>().0.iter().enumerate() {
        let lanes = load(bytes);
        // Braces and brackets differ in the bit 0x20.
        let folded = _mm_or_si128(lanes, all(0x20));
        let shift = quarter * 16;
        found.quotes |= equal(lanes, all(b'"')) << shift;
        found.backslashes |= equal(lanes, all(b'\\')) << shift;
        found.opens |= equal(folded, all(b'{')) << shift;
        found.closes |= equal(folded, all(b'}')) << shift;
        found.separators |= (equal(lanes, all(b',')) | equal(lanes, all(b':'))) << shift;
        found.newlines |= equal(lanes, all(b'\n')) << shift;
        found.blanks |= equal(lanes, _mm_min_epu8(lanes, all(b' '))) << shift;
    }
    found
}

/// A load by pointer, as with AVX2.
#[inline]
#[target_feature(enable = "sse2")]
#[allow(unsafe_code)]
fn load(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the pointer is to 16 bytes that may be read, and no alignment is asked for. The
    // comparison with the naive masks would find other bytes loaded.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "sse2")]
fn equal(lanes: __m128i, byte: __m128i) -> u64 {
    u64::from(_mm_movemask_epi8(_mm_cmpeq_epi8(lanes, byte)).cast_unsigned())
}
