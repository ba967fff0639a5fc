//! Byte masks: where two bytes stand in 64 bytes of text, as bits.
//!
//! One implementation for each instruction set behind one function, and a portable twin that the
//! tests compare them with. SSE2 is part of every x86-64, so nothing is detected at run time.

#[cfg(target_arch = "x86_64")]
mod sse2;
mod swar;

/// Bytes that one mask covers.
pub const LANE: usize = 64;

/// The bits of `chunk` that are `a`, and those that are `b`; bit 0 is the first byte.
#[inline(always)]
#[allow(unsafe_code)]
pub fn masks(chunk: &[u8; LANE], a: u8, b: u8) -> (u64, u64) {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: SSE2 is part of x86-64, so every machine that runs this build has it.
        unsafe { sse2::masks(chunk, a, b) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        swar::masks(chunk, a, b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(chunk: &[u8; LANE], byte: u8) -> u64 {
        (0..LANE)
            .filter(|&at| chunk[at] == byte)
            .fold(0, |mask, at| mask | 1 << at)
    }

    proptest! {
        #[test]
        fn every_implementation_equals_the_naive_one(
            chunk in prop::array::uniform32(prop::array::uniform2(prop_oneof![Just(b' '), Just(b'\n'), any::<u8>()])),
            a in any::<u8>(),
        ) {
            let mut bytes = [0; LANE];
            for (at, byte) in chunk.iter().flatten().enumerate() {
                bytes[at] = *byte;
            }
            for (a, b) in [(b' ', b'\n'), (a, bytes[7])] {
                let expected = (naive(&bytes, a), naive(&bytes, b));
                prop_assert_eq!(masks(&bytes, a, b), expected);
                prop_assert_eq!(swar::masks(&bytes, a, b), expected);
            }
        }
    }
}
