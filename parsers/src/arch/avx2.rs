//! Masks with AVX2: 32 bytes a comparison.

use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm256_cmpeq_epi8,
    _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    _mm256_setzero_si256, _mm256_sub_epi8,
};

use super::{JsonMasks, LANE, Simd, Work};

/// A machine with AVX2, the instructions on bits that came with it, and multiplication without
/// carries, which such machines have too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// Some where the machine has all of it.
    pub(super) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("pclmulqdq");
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
    fn above_ascii(self, chunk: &[u8; LANE]) -> u64 {
        // SAFETY: as above.
        unsafe { above_ascii(chunk) }
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn json_masks(self, chunk: &[u8; LANE]) -> JsonMasks {
        // SAFETY: as above.
        unsafe { json_masks(chunk) }
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn prefix_xor(self, bits: u64) -> u64 {
        // SAFETY: as above.
        unsafe { prefix_xor(bits) }
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn lower_case(self, chunk: &[u8; LANE]) -> u64 {
        // SAFETY: as above.
        unsafe { lower_case(chunk) }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
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
fn above_ascii(chunk: &[u8; LANE]) -> u64 {
    let mut all = _mm256_setzero_si256();
    for bytes in chunk.as_chunks::<32>().0 {
        all = _mm256_or_si256(all, load(bytes));
    }
    u64::from(_mm256_movemask_epi8(all).cast_unsigned())
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

#[inline]
#[target_feature(enable = "avx2")]
fn json_masks(chunk: &[u8; LANE]) -> JsonMasks {
    let all = |byte: u8| _mm256_set1_epi8(byte.cast_signed());
    let mut found = JsonMasks::default();
    for (half, bytes) in chunk.as_chunks::<32>().0.iter().enumerate() {
        let lanes = load(bytes);
        // Braces and brackets differ in the bit 0x20.
        let folded = _mm256_or_si256(lanes, all(0x20));
        let shift = half * 32;
        found.quotes |= equal(lanes, all(b'"')) << shift;
        found.backslashes |= equal(lanes, all(b'\\')) << shift;
        found.opens |= equal(folded, all(b'{')) << shift;
        found.closes |= equal(folded, all(b'}')) << shift;
        found.separators |= (equal(lanes, all(b',')) | equal(lanes, all(b':'))) << shift;
        found.newlines |= equal(lanes, all(b'\n')) << shift;
        found.blanks |= equal(lanes, _mm256_min_epu8(lanes, all(b' '))) << shift;
    }
    found
}

/// The product with all ones, without carries: each bit is the sum of those up to it.
#[inline]
#[target_feature(enable = "pclmulqdq")]
fn prefix_xor(bits: u64) -> u64 {
    let (bits, ones) = (_mm_cvtsi64_si128(bits.cast_signed()), _mm_cvtsi64_si128(-1));
    _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(bits, ones)).cast_unsigned()
}

/// A load by pointer: made of safe 64-bit loads, the compiler took the bytes apart where two
/// chunks may be meant, and put them together one by one. Parsing JSON was half as fast.
#[inline]
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the pointer is to 32 bytes that may be read, and no alignment is asked for. The
    // comparison with the naive masks would find other bytes loaded.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn equal(lanes: __m256i, byte: __m256i) -> u64 {
    u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(lanes, byte)).cast_unsigned())
}
