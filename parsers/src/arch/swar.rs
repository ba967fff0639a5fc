//! Masks with 64-bit arithmetic (SIMD within a register), for every other machine.

use super::{JsonMasks, LANE, Simd};

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Any machine.
#[cfg_attr(
    target_arch = "x86_64",
    allow(dead_code, unreachable_pub, reason = "the twin of SSE2 in the tests")
)]
#[derive(Debug, Clone, Copy)]
pub struct Swar;

impl Simd for Swar {
    #[inline(always)]
    fn masks(self, chunk: &[u8; LANE], a: u8, b: u8) -> (u64, u64) {
        let (a, b) = (LOW * u64::from(a), LOW * u64::from(b));
        let mut masks = (0, 0);
        for (eighth, bytes) in chunk.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*bytes);
            masks.0 |= gather(zero_bytes(word ^ a)) << (eighth * 8);
            masks.1 |= gather(zero_bytes(word ^ b)) << (eighth * 8);
        }
        masks
    }

    #[inline(always)]
    fn above_ascii(self, chunk: &[u8; LANE]) -> u64 {
        let words = chunk.as_chunks::<8>().0.iter();
        words.fold(0, |all, word| all | u64::from_le_bytes(*word)) & HIGH
    }

    #[inline(always)]
    fn lower_case(self, chunk: &[u8; LANE]) -> u64 {
        let mut mask = 0;
        for (eighth, bytes) in chunk.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*bytes);
            let at_least = |byte: u8| (word & !HIGH) + LOW * u64::from(0x80 - byte);
            let letters = at_least(b'a') & !at_least(b'z' + 1) & !word & HIGH;
            mask |= gather(letters) << (eighth * 8);
        }
        mask
    }

    #[inline(always)]
    fn json_masks(self, chunk: &[u8; LANE]) -> JsonMasks {
        let mut found = JsonMasks::default();
        for (eighth, bytes) in chunk.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*bytes);
            // Braces and brackets differ in the bit 0x20.
            let folded = word | (LOW * 0x20);
            let equal = |word: u64, byte: u8| {
                gather(zero_bytes(word ^ (LOW * u64::from(byte)))) << (eighth * 8)
            };
            found.quotes |= equal(word, b'"');
            found.backslashes |= equal(word, b'\\');
            found.opens |= equal(folded, b'{');
            found.closes |= equal(folded, b'}');
            found.separators |= equal(word, b',') | equal(word, b':');
            found.newlines |= equal(word, b'\n');
            found.blanks |= gather(blank_bytes(word)) << (eighth * 8);
        }
        found
    }
}

/// The high bit of each byte up to the space.
#[inline(always)]
fn blank_bytes(word: u64) -> u64 {
    let above = (word & !HIGH) + LOW * u64::from(0x7f - b' ');
    !(above | word) & HIGH
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
