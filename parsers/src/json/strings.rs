//! The insides of strings, lane by lane.

use crate::arch::{JsonMasks, Simd, last_chunk};

const EVEN: u64 = 0x5555_5555_5555_5555;

/// What one lane leaves to the next: whether it ended inside a string, or on a backslash that
/// escapes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Strings {
    /// All ones or all zeros.
    inside: u64,
    /// One or zero.
    escaped: u64,
}

impl Strings {
    /// Goes on by one lane: the quotes that open and close strings, and the bytes inside of
    /// strings, with the opening quotes and without the closing ones.
    #[inline(always)]
    pub(crate) fn follow<S: Simd>(&mut self, simd: S, found: &JsonMasks) -> (u64, u64) {
        let quotes = found.quotes & !self.escaped(found.backslashes);
        let inside = simd.prefix_xor(quotes) ^ self.inside;
        self.inside = (inside.cast_signed() >> 63).cast_unsigned();
        (quotes, inside)
    }

    /// Takes the inside for the outside from here on.
    pub(crate) fn flip(&mut self) {
        self.inside = !self.inside;
    }

    /// The bytes after runs of backslashes of odd length.
    ///
    /// Adding a run's first bit to the run carries to the byte after it. If the run begins on an
    /// even place, that byte's place is odd when the length is, and the other way round.
    #[inline(always)]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        let first = self.escaped;
        let runs = backslashes & !first;
        let starts = runs & !(runs << 1);
        let (after_odd, leaves) = runs.overflowing_add(starts & !EVEN);
        let after_even = runs.wrapping_add(starts & EVEN);
        self.escaped = u64::from(leaves);
        first | !runs & (after_odd & EVEN | after_even & !EVEN)
    }
}

/// Where strings may begin, lane by lane: after a separator or an opening bracket, and after the
/// white space that follows on it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Starts {
    /// One if a string may begin at the first byte of the next lane that is not white space.
    pending: u64,
}

impl Starts {
    /// Goes on by one lane. As with backslashes, adding a run's first bit finds the byte after it.
    #[inline(always)]
    pub(crate) fn follow(&mut self, found: &JsonMasks) -> u64 {
        let before = found.opens | found.separators;
        let after = before << 1 | self.pending;
        let (after_blanks, leaves) = found.blanks.overflowing_add(after & found.blanks);
        self.pending = before >> 63 | u64::from(leaves);
        (after | after_blanks) & !found.blanks
    }
}

/// The masks of the lane that begins at `at`; bytes beyond the end are zeros.
#[inline(always)]
pub(crate) fn lane_masks<S: Simd>(simd: S, bytes: &[u8], at: usize) -> JsonMasks {
    let rest = &bytes[at..];
    match rest.first_chunk() {
        Some(lane) => simd.json_masks(lane),
        None => simd.json_masks(&last_chunk(rest).0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{LANE, Plain};
    use proptest::prelude::*;

    /// Byte by byte: the quotes, and the bytes inside.
    fn naive(text: &[u8]) -> (Vec<usize>, Vec<usize>) {
        let (mut quotes, mut insides) = (Vec::new(), Vec::new());
        let (mut inside, mut escaped) = (false, false);
        for (at, &byte) in text.iter().enumerate() {
            if byte == b'"' && !escaped {
                inside = !inside;
                quotes.push(at);
            }
            if inside {
                insides.push(at);
            }
            escaped = byte == b'\\' && !escaped;
        }
        (quotes, insides)
    }

    proptest! {
        #[test]
        fn starts_equal_the_naive_ones(text in "[{,: \nx]{0,300}|[,x] {100,150}x.*") {
            let text = text.as_bytes();
            let mut starts = Starts::default();
            let mut may = false;
            for (base, lane) in text.chunks(LANE).enumerate() {
                let found = starts.follow(&lane_masks(Plain, text, base * LANE));
                for (bit, &byte) in lane.iter().enumerate() {
                    prop_assert_eq!(found >> bit & 1 == 1, may && byte > b' ');
                    may = b"{[,:".contains(&byte) || may && byte <= b' ';
                }
            }
        }

        #[test]
        fn quotes_and_insides_equal_the_naive_ones(text in "[\"\\\\x]{0,300}|\\\\{50,150}\".*") {
            let text = text.as_bytes();
            let (mut quotes, mut insides) = (Vec::new(), Vec::new());
            let mut strings = Strings::default();
            for base in (0..text.len()).step_by(LANE) {
                let found = strings.follow(Plain, &lane_masks(Plain, text, base));
                let places = |mask: u64| {
                    (0..LANE.min(text.len() - base))
                        .filter(move |&bit| mask >> bit & 1 == 1)
                        .map(move |bit| base + bit)
                };
                quotes.extend(places(found.0));
                insides.extend(places(found.1));
            }
            prop_assert_eq!((quotes, insides), naive(text));
        }
    }
}
