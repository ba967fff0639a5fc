//! Masks with 64-bit arithmetic (SIMD within a register), for every other machine.

use super::LANE;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

#[cfg_attr(
    target_arch = "x86_64",
    allow(dead_code, reason = "the twin of SSE2 in the tests")
)]
#[inline(always)]
pub(super) fn masks(chunk: &[u8; LANE], a: u8, b: u8) -> (u64, u64) {
    let (a, b) = (LOW * u64::from(a), LOW * u64::from(b));
    let mut masks = (0, 0);
    for (eighth, bytes) in chunk.as_chunks::<8>().0.iter().enumerate() {
        let word = u64::from_le_bytes(*bytes);
        masks.0 |= gather(zero_bytes(word ^ a)) << (eighth * 8);
        masks.1 |= gather(zero_bytes(word ^ b)) << (eighth * 8);
    }
    masks
}

/// The high bit of each byte that is zero. Exact, unlike the shorter form with a borrow.
#[inline(always)]
fn zero_bytes(word: u64) -> u64 {
    !(((word & !HIGH) + !HIGH) | word | !HIGH)
}

/// The high bits of eight bytes as one byte.
#[inline(always)]
fn gather(high_bits: u64) -> u64 {
    (high_bits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}
