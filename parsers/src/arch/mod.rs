//! Byte masks: where certain bytes stand in 64 bytes of text, as bits.
//!
//! One implementation for each instruction set, and a portable twin that the tests compare them
//! with. SSE2 is part of every x86-64. AVX2 is looked for at run time, in one place: [`run`]
//! compiles a whole loop once for each instruction set and takes the best that the machine has.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod sse2;
mod swar;

/// Bytes that one mask covers.
pub const LANE: usize = 64;

/// An instruction set that the machine has.
pub trait Simd: Copy {
    /// The bits of `chunk` that are `a`, and those that are `b`; bit 0 is the first byte.
    fn masks(self, chunk: &[u8; LANE], a: u8, b: u8) -> (u64, u64);

    /// Not 0 if a byte of `chunk` is not ASCII.
    fn above_ascii(self, chunk: &[u8; LANE]) -> u64;

    /// The masks of `chunk` for JSON. Those that the caller does not use cost nothing.
    fn json_masks(self, chunk: &[u8; LANE]) -> JsonMasks;

    /// For each bit the parity of the bits up to and with it.
    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        prefix_xor(bits)
    }

    /// The bits of `chunk` that are letters from `a` to `z`.
    fn lower_case(self, chunk: &[u8; LANE]) -> u64;
}

/// The instruction set that every machine has which runs this build.
#[cfg(target_arch = "x86_64")]
pub use sse2::Sse2 as Plain;
#[cfg(not(target_arch = "x86_64"))]
pub use swar::Swar as Plain;

/// A loop over masks, to be compiled for each instruction set. Mark `run` and what it calls for
/// each chunk as `inline(always)`: what is not inlined, closures too, is compiled for the least of
/// them.
pub trait Work {
    /// What comes out.
    type Output;

    /// Does the work.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Does the work with the best instruction set of the machine.
#[inline]
pub fn run<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        match avx2::Avx2::detect() {
            Some(avx2) => avx2.run(work),
            None => work.run(Plain),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        work.run(Plain)
    }
}

/// The last bytes as a chunk that is filled up with zeros, and the bits that are bytes.
#[inline]
pub fn last_chunk(rest: &[u8]) -> ([u8; LANE], u64) {
    let mut chunk = [0; LANE];
    chunk[..rest.len()].copy_from_slice(rest);
    (chunk, (1 << rest.len()) - 1)
}

/// Where the bytes that make up the structure of JSON stand; bit 0 is the first byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JsonMasks {
    /// `"`
    pub quotes: u64,
    /// `\`
    pub backslashes: u64,
    /// `{` and `[`
    pub opens: u64,
    /// `}` and `]`
    pub closes: u64,
    /// `,` and `:`
    pub separators: u64,
    /// Line feeds.
    pub newlines: u64,
    /// White space: every byte up to the space.
    pub blanks: u64,
}

/// For each bit the parity of the bits up to and with it.
#[inline(always)]
pub fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(chunk: &[u8; LANE], is: impl Fn(u8) -> bool) -> u64 {
        (0..LANE)
            .filter(|&at| is(chunk[at]))
            .fold(0, |mask, at| mask | 1 << at)
    }

    fn any_chunk(bytes: impl Strategy<Value = u8>) -> impl Strategy<Value = [u8; LANE]> {
        prop::collection::vec(bytes, LANE).prop_map(|bytes| {
            let mut chunk = [0; LANE];
            chunk.copy_from_slice(&bytes);
            chunk
        })
    }

    proptest! {
        #[test]
        fn every_implementation_equals_the_naive_one(
            chunk in any_chunk(prop_oneof![Just(b' '), Just(b'\n'), any::<u8>()]),
            a in any::<u8>(),
        ) {
            for (a, b) in [(b' ', b'\n'), (a, chunk[7])] {
                let expected = (naive(&chunk, |byte| byte == a), naive(&chunk, |byte| byte == b));
                prop_assert_eq!(swar::Swar.masks(&chunk, a, b), expected);
                #[cfg(target_arch = "x86_64")]
                prop_assert_eq!(sse2::Sse2.masks(&chunk, a, b), expected);
                #[cfg(target_arch = "x86_64")]
                if let Some(avx2) = avx2::Avx2::detect() {
                    prop_assert_eq!(avx2.masks(&chunk, a, b), expected);
                }
            }
        }

        #[test]
        fn every_implementation_tells_ascii(
            chunk in any_chunk(0..0x80_u8),
            place in 0..LANE,
            byte in any::<u8>(),
        ) {
            let mut chunk = chunk;
            chunk[place] = byte;
            prop_assert_eq!(swar::Swar.above_ascii(&chunk) != 0, byte >= 0x80);
            #[cfg(target_arch = "x86_64")]
            prop_assert_eq!(sse2::Sse2.above_ascii(&chunk) != 0, byte >= 0x80);
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = avx2::Avx2::detect() {
                prop_assert_eq!(avx2.above_ascii(&chunk) != 0, byte >= 0x80);
            }
        }

        #[test]
        fn every_implementation_finds_lower_case_letters(
            chunk in any_chunk(prop_oneof![prop::sample::select(&b"`az{AZ\x80\xe1\xfa"[..]), any::<u8>()]),
        ) {
            let expected = naive(&chunk, |byte| byte.is_ascii_lowercase());
            prop_assert_eq!(swar::Swar.lower_case(&chunk), expected);
            #[cfg(target_arch = "x86_64")]
            prop_assert_eq!(sse2::Sse2.lower_case(&chunk), expected);
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = avx2::Avx2::detect() {
                prop_assert_eq!(avx2.lower_case(&chunk), expected);
            }
        }

        #[test]
        fn every_implementation_finds_the_structure_of_json(
            chunk in any_chunk(prop_oneof![any::<u8>(), prop::sample::select(&b"\"\\{}[],:\n \t\x1f!"[..])]),
        ) {
            let expected = JsonMasks {
                quotes: naive(&chunk, |byte| byte == b'"'),
                backslashes: naive(&chunk, |byte| byte == b'\\'),
                opens: naive(&chunk, |byte| b"{[".contains(&byte)),
                closes: naive(&chunk, |byte| b"}]".contains(&byte)),
                separators: naive(&chunk, |byte| b",:".contains(&byte)),
                newlines: naive(&chunk, |byte| byte == b'\n'),
                blanks: naive(&chunk, |byte| byte <= b' '),
            };
            prop_assert_eq!(swar::Swar.json_masks(&chunk), expected);
            #[cfg(target_arch = "x86_64")]
            prop_assert_eq!(sse2::Sse2.json_masks(&chunk), expected);
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = avx2::Avx2::detect() {
                prop_assert_eq!(avx2.json_masks(&chunk), expected);
            }
        }

        #[test]
        fn every_implementation_finds_the_parities(bits in any::<u64>()) {
            let parity = |bit: u32| u64::from((bits << (63 - bit)).count_ones() % 2);
            let expected = (0..64).fold(0, |all, bit| all | parity(bit) << bit);
            prop_assert_eq!(prefix_xor(bits), expected);
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = avx2::Avx2::detect() {
                prop_assert_eq!(avx2.prefix_xor(bits), expected);
            }
        }
    }
}
