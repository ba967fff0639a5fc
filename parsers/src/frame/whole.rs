//! gzip that is there as a whole.
//!
//! One that inflates all of it at once (libdeflate) is faster than one that can stop anywhere. It
//! takes what is plainly one whole member; everything else is the affair of [`super::Decoder`].

use libdeflater::Decompressor;
use memchr::memmem;

use super::{ExpansionLimit, Frame};

/// The most bytes that are inflated at once: the caller holds them all.
const MOST_BYTES: usize = 16 << 20;

/// Header and trailer of a member without anything between (RFC 1952, 2.3).
const LEAST_MEMBER_BYTES: usize = 18;

/// How every member begins: its magic, and the only method that there is.
const MEMBER: &[u8] = b"\x1f\x8b\x08";

/// Flags of a member that have no meaning; they are not set.
const RESERVED_FLAGS: u8 = 0xe0;

/// Inflates a whole object, if it is one member of gzip, undamaged, and within the limit, and holds
/// no further gzip. Appends what is in it, or nothing and says false.
pub fn inflate_whole(object: &[u8], limit: ExpansionLimit, output: &mut Vec<u8>) -> bool {
    let before = output.len();
    let Some(size) = size_of_single(object, limit) else {
        return false;
    };
    output.resize(before + size, 0);
    let inflated = Decompressor::new().gzip_decompress(object, &mut output[before..]);
    let whole = inflated == Ok(size) && Frame::of(&output[before..]) != Frame::Gzip;
    if !whole {
        output.truncate(before);
    }
    whole
}

/// The size that an object says it has inflated, if it may be a single member.
fn size_of_single(object: &[u8], limit: ExpansionLimit) -> Option<usize> {
    if object.len() < LEAST_MEMBER_BYTES || !object.starts_with(MEMBER) {
        return None;
    }
    let size = u32::from_le_bytes(*object.last_chunk()?);
    let allowed = limit.allowed(object.len() as u64);
    let size = usize::try_from(size)
        .ok()
        .filter(|&size| size <= MOST_BYTES);
    let size = size.filter(|&size| size as u64 <= allowed)?;
    let behind = &object[1..];
    let mut others = memmem::find_iter(behind, MEMBER);
    let others = others.any(|at| match behind.get(at + MEMBER.len()) {
        Some(flags) => flags & RESERVED_FLAGS == 0,
        None => false,
    });
    (!others).then_some(size)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::{decode, gzip};
    use super::*;

    fn text(lines: u32) -> Vec<u8> {
        let lines = (0..lines).map(|n| format!("{n} {}\n", n.wrapping_mul(2_654_435_761)));
        lines.collect::<String>().into_bytes()
    }

    #[test]
    fn a_single_member_is_what_the_decoder_makes_of_it() {
        for lines in [0, 1, 100, 40_000] {
            let object = gzip(&text(lines));
            let mut whole = b"before".to_vec();
            assert!(inflate_whole(
                &object,
                ExpansionLimit::default(),
                &mut whole
            ));
            let (decoded, end) = decode(&object, 4096, 1 << 20);
            assert_eq!(end, Ok(()));
            assert_eq!(whole, [&b"before"[..], &decoded].concat());
        }
    }

    #[test]
    fn anything_else_is_left_to_the_decoder() {
        let one = gzip(&text(100));
        let mut broken = one.clone();
        let middle = broken.len() / 2;
        broken[middle] ^= 1;
        let mut checksum = one.clone();
        let at = checksum.len() - 8;
        checksum[at] ^= 1;
        let objects = [
            ("plain", text(100)),
            ("two members", [gzip(b"a"), one.clone()].concat()),
            ("the same member twice", [one.clone(), one.clone()].concat()),
            ("padding", [one.clone(), vec![0; 100]].concat()),
            (
                "garbage behind it",
                [one.clone(), b"garbage!".to_vec()].concat(),
            ),
            ("truncated", one[..one.len() - 1].to_vec()),
            ("broken", broken),
            ("checksum", checksum),
            ("gzip in gzip", gzip(&one)),
            ("empty", Vec::new()),
            ("too large", gzip(&vec![b'a'; MOST_BYTES + 1])),
        ];
        for (name, object) in objects {
            let mut output = b"before".to_vec();
            assert!(
                !inflate_whole(&object, ExpansionLimit::default(), &mut output),
                "{name}"
            );
            assert_eq!(output, b"before", "{name}");
        }
        let limit = ExpansionLimit {
            free_bytes: 100,
            ratio: 1,
        };
        assert!(
            !inflate_whole(&one, limit, &mut Vec::new()),
            "beyond the limit"
        );
    }
}
