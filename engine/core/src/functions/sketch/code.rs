//! The 32 bits of a hash that a sketch looks at.
//!
//! A sketch wants to know which register a hash belongs to, its first bits, and the place of the
//! first one among those that follow. Sparse sketches look at 25 bits first. So a code is those
//! 25 bits, then the rank (the place of the first one among the other 39, from 1; 40 if there is
//! none) in 6 bits, then a one. It takes half of what a hash does, and is all that a sketch of any
//! precision needs.

/// A code. It is never 0.
pub(crate) type Code = u32;

/// Bits that are kept as they are.
pub(super) const INDEX_BITS: u32 = 25;
/// Where the rank ends and the index begins.
pub(super) const RANK_END: u32 = 7;
/// Bits that only the rank is kept of.
const OTHER_BITS: u32 = 64 - INDEX_BITS;

/// The code of a hash.
#[inline]
pub(crate) fn code(hash: u64) -> Code {
    let rank = 1 + (hash << INDEX_BITS).leading_zeros().min(OTHER_BITS);
    let index = hash >> OTHER_BITS;
    let index = index as u32;
    index << RANK_END | rank << 1 | 1
}

/// A hash that has this code.
#[inline]
pub(super) fn hash(code: Code) -> u64 {
    let rank = rank(code);
    let first_one = if rank > OTHER_BITS {
        0
    } else {
        1 << (OTHER_BITS - rank)
    };
    u64::from(code >> RANK_END) << OTHER_BITS | first_one
}

/// Whether these bits are the code of any hash.
pub(super) fn is_code(bits: u32) -> bool {
    bits & 1 == 1 && (1..=OTHER_BITS + 1).contains(&rank(bits))
}

fn rank(code: Code) -> u32 {
    code >> 1 & 0x3f
}
