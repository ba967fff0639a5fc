//! Masks with AVX2: 32 bytes a comparison.

use std::arch::x86_64::{
    __m256i, _mm256_cmpeq_epi8, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_set_epi64x,
    _mm256_set1_epi8, _mm256_sub_epi8,
};

use super::{LANE, Simd, Work};

/// A machine with AVX2 and the instructions on bits that came with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// Some where the machine has all of it.
    pub(super) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        has.then_some(Self(()))
    }

    /// Does the work, compiled for this machine.
    #[allow(unsafe_code)]
    pub(super) fn run<W: Work>(self, work: W) -> W::Output {
        // SAFETY: an `Avx2` is made only where the machine has these instructions.
        unsafe { run(self, work) }
    }
}

impl Simd for Avx2 {
    #[inline(always)]
    #[allow(unsafe_code)]
    fn masks(self, chunk: &[u8; LANE], a: u8, b: u8) -> (u64, u64) {
        // SAFETY: an `Avx2` is made only where the machine has these instructions.
        unsafe { masks(chunk, a, b) }
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn lower_case(self, chunk: &[u8; LANE]) -> u64 {
        // SAFETY: an `Avx2` is made only where the machine has these instructions.
        unsafe { lower_case(chunk) }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn run<W: Work>(simd: Avx2, work: W) -> W::Output {
    work.run(simd)
}

#[inline]
#[target_feature(enable = "avx2")]
fn masks(chunk: &[u8; LANE], a: u8, b: u8) -> (u64, u64) {
    let (a, b) = (
        _mm256_set1_epi8(a.cast_signed()),
        _mm256_set1_epi8(b.cast_signed()),
    );
    let mut masks = (0, 0);
    for (half, bytes) in chunk.as_chunks::<32>().0.iter().enumerate() {
        let lanes = load(bytes);
        masks.0 |= equal(lanes, a) << (half * 32);
        masks.1 |= equal(lanes, b) << (half * 32);
    }
    masks
}

#[inline]
#[target_feature(enable = "avx2")]
fn lower_case(chunk: &[u8; LANE]) -> u64 {
    let all = |byte: u8| _mm256_set1_epi8(byte.cast_signed());
    let mut mask = 0;
    for (half, bytes) in chunk.as_chunks::<32>().0.iter().enumerate() {
        let letter = _mm256_sub_epi8(load(bytes), all(b'a'));
        mask |= equal(letter, _mm256_min_epu8(letter, all(b'z' - b'a'))) << (half * 32);
    }
    mask
}

/// Four 64-bit loads, which the compiler makes one of 256 bits: no pointer, so no raw load.
#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    let words = bytes.as_chunks::<8>().0;
    let word = |at: usize| u64::from_le_bytes(words[at]).cast_signed();
    _mm256_set_epi64x(word(3), word(2), word(1), word(0))
}

#[inline]
#[target_feature(enable = "avx2")]
fn equal(lanes: __m256i, byte: __m256i) -> u64 {
    u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(lanes, byte)).cast_unsigned())
}
