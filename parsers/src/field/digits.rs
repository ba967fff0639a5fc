//! Decimal digits, eight at a time.
//!
//! Digit after digit, each multiplication waits for the one before it. Eight digits in one word
//! take three multiplications: pairs, fours, all of them (Lemire, "Quickly parsing eight digits",
//! 2018).

/// The integer `block[start..end]`, if it is nothing but digits, at most 16 of them, and the
/// block has eight bytes to load where they are.
#[inline(always)]
pub(super) fn at(block: &[u8], start: usize, end: usize) -> Option<i64> {
    let length = end.wrapping_sub(start);
    let first = u64::from_le_bytes(*block.get(start..)?.first_chunk()?);
    let value = match length {
        1..=8 => eight(first, 8 - length)?,
        9..=16 => {
            let last = u64::from_le_bytes(*block[..end].last_chunk()?);
            eight(first, 16 - length)? * 100_000_000 + eight(last, 0)?
        }
        _ => return None,
    };
    Some(value.cast_signed())
}

/// The number that the first bytes of a word are, all but the last `beyond`.
#[inline(always)]
fn eight(word: u64, beyond: usize) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The bytes beyond fall off; the zeros that come in are leading ones.
    let digits = (word ^ ZEROS) << (8 * beyond);
    // A byte above 9 has its high bit set, or gets it.
    let above = digits.wrapping_add(0x7676_7676_7676_7676) | digits;
    if above & HIGH != 0 {
        return None;
    }
    const PAIRS: u64 = 0x0000_00ff_0000_00ff;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let odd = (pairs & PAIRS).wrapping_mul(100 + (1_000_000 << 32));
    let even = ((pairs >> 16) & PAIRS).wrapping_mul(1 + (10_000 << 32));
    Some(odd.wrapping_add(even) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn digits_equal_parsing_one_by_one(
            before in "[0-9 a]{0,9}",
            field in "[0-9]{0,18}|[0-9]{0,7}[^0-9]{1,2}[0-9]{0,7}|[+-][0-9]{1,9}",
            after in "[0-9 a]{0,9}",
        ) {
            let block = format!("{before}{field}{after}");
            let (start, end) = (before.len(), before.len() + field.len());
            let is_number = field.bytes().all(|byte| byte.is_ascii_digit());
            let expected = field.parse().ok().filter(|_| is_number && field.len() <= 16);
            let found = at(block.as_bytes(), start, end);
            if start + 8 <= block.len() {
                prop_assert_eq!(found, expected);
            } else {
                prop_assert!(found.is_none() || found == expected);
            }
        }
    }
}
