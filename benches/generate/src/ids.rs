//! Ids as AWS makes them.

use crate::random::Random;

/// The id of a resource: a prefix, a zero and sixteen hexadecimal digits.
pub(crate) fn resource_id(prefix: &str, random: &mut Random) -> String {
    format!("{prefix}-0{:016x}", random.next())
}

/// A random (version 4) UUID of RFC 9562.
pub(crate) fn uuid(random: &mut Random) -> String {
    let mut text = Vec::with_capacity(36);
    push_uuid(&mut text, random);
    String::from_utf8(text).unwrap_or_default()
}

/// Appends a random (version 4) UUID of RFC 9562.
pub(crate) fn push_uuid(out: &mut Vec<u8>, random: &mut Random) {
    const VERSION: u64 = 0x4000;
    const VARIANT: u64 = 0x8000 << 48;
    let (high, low) = (random.next(), random.next());
    let high = high & !0xf000 | VERSION;
    let low = low >> 2 | VARIANT;
    push_hex(out, high >> 32, 8);
    for group in [high >> 16, high, low >> 48] {
        out.push(b'-');
        push_hex(out, group, 4);
    }
    out.push(b'-');
    push_hex(out, low, 12);
}

/// Appends the last so many hexadecimal digits of a number, at most sixteen.
pub(crate) fn push_hex(out: &mut Vec<u8>, number: u64, digits: u32) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for digit in (0..digits).rev() {
        out.push(DIGITS[(number >> (4 * digit) & 0xf) as usize]);
    }
}

/// Appends so many capital letters and digits.
pub(crate) fn push_capitals(out: &mut Vec<u8>, random: &mut Random, count: usize) {
    push_drawn(out, random, count, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
}

/// Appends so many letters and digits.
pub(crate) fn push_letters(out: &mut Vec<u8>, random: &mut Random, count: usize) {
    push_drawn(
        out,
        random,
        count,
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz07",
    );
}

/// An alphabet's length is a power of two, so that a character takes a fixed number of bits.
fn push_drawn<const N: usize>(
    out: &mut Vec<u8>,
    random: &mut Random,
    count: usize,
    alphabet: &[u8; N],
) {
    const { assert!(N.is_power_of_two() && N <= 64) };
    /// As many characters of six bits as a number has.
    const CHARACTERS: usize = 10;
    let mut left = count;
    while left > 0 {
        let mut bits = random.next();
        for _ in 0..left.min(CHARACTERS) {
            out.push(alphabet[bits as usize % N]);
            bits >>= 6;
        }
        left -= left.min(CHARACTERS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Subject;

    #[test]
    fn uuids_are_of_version_4() {
        let mut random = Random::keyed(1, Subject::Events, 0);
        for _ in 0..1_000 {
            let uuid = uuid(&mut random);
            let bytes = uuid.as_bytes();
            assert_eq!(uuid.len(), 36);
            assert_eq!(bytes[14], b'4', "{uuid}");
            assert!(b"89ab".contains(&bytes[19]), "{uuid}");
            for (i, byte) in bytes.iter().enumerate() {
                assert_eq!([8, 13, 18, 23].contains(&i), *byte == b'-', "{uuid}");
            }
        }
    }

    #[test]
    fn hexadecimal_equals_fmt() {
        for number in [0, 0xabc, u64::MAX, 0x0123_4567_89ab_cdef] {
            let mut out = Vec::new();
            push_hex(&mut out, number, 16);
            assert_eq!(out, format!("{number:016x}").into_bytes());
        }
    }

    #[test]
    fn every_character_of_an_alphabet_is_drawn() {
        let mut random = Random::keyed(1, Subject::Events, 0);
        let mut drawn = Vec::new();
        push_capitals(&mut drawn, &mut random, 2_001);
        assert_eq!(drawn.len(), 2_001);
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, b"234567ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    }
}
