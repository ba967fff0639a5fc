//! A first look at lines: how many there are, and which may be header lines.

use crate::arch::{self, LANE, Simd, Work, last_chunk};

/// What one pass over whole lines says of them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Look {
    /// Line feeds.
    pub newlines: u64,
    /// Starts of lines that begin with a lower-case letter, as every header line does. Records of
    /// the default formats begin with a digit.
    pub letters: Vec<u32>,
}

impl Look {
    /// Looks at bytes that begin with a line.
    pub fn at(bytes: &[u8]) -> Self {
        arch::run(Pass { bytes })
    }
}

struct Pass<'a> {
    bytes: &'a [u8],
}

impl Work for Pass<'_> {
    type Output = Look;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Look {
        let mut look = Look::default();
        // The byte before the first counts as a line's end.
        let mut ended = 1;
        let (chunks, rest) = self.bytes.as_chunks::<LANE>();
        for (index, chunk) in chunks.iter().enumerate() {
            look.chunk(simd, chunk, index * LANE, &mut ended);
        }
        if !rest.is_empty() {
            // What fills the last chunk up is neither a line feed nor a letter.
            let (chunk, _) = last_chunk(rest);
            look.chunk(simd, &chunk, self.bytes.len() - rest.len(), &mut ended);
        }
        look
    }
}

impl Look {
    #[inline(always)]
    fn chunk<S: Simd>(&mut self, simd: S, chunk: &[u8; LANE], base: usize, ended: &mut u64) {
        let (newlines, _) = simd.masks(chunk, b'\n', b'\n');
        self.newlines += u64::from(newlines.count_ones());
        let mut letters = ((newlines << 1) | *ended) & simd.lower_case(chunk);
        *ended = newlines >> (LANE - 1);
        while letters != 0 {
            self.letters
                .push((base + letters.trailing_zeros() as usize) as u32);
            letters &= letters - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_look_equals_going_from_line_to_line(
            text in "(version 2\n|2 eni\n|\n|[a-z0-9 ]{0,90}\n){0,40}[a-z0-9]{0,3}",
        ) {
            let mut expected = Look::default();
            let mut start = 0;
            for line in text.split_inclusive('\n') {
                expected.newlines += u64::from(line.ends_with('\n'));
                if line.starts_with(|first: char| first.is_ascii_lowercase()) {
                    expected.letters.push(start);
                }
                start += line.len() as u32;
            }
            prop_assert_eq!(Look::at(text.as_bytes()), expected);
        }
    }
}
