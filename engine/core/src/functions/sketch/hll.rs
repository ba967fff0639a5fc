//! `HyperLogLog++` from the crate `hyperloglogplus`, and nothing else knows that crate.
//!
//! The crate begins sparse, with a compressed list of what was inserted, and becomes dense, with
//! 2^precision registers, when the list is as long as they are. What is in a sketch depends on the
//! set of inserted codes alone, not on their order or on how they came to be merged: the list of a
//! larger set is never shorter, so a sketch is dense at last if any part of it was.

use std::hash::{BuildHasher, Hasher};

use hyperloglogplus::{HyperLogLog, HyperLogLogPlus};
use serde::{Deserialize, Serialize};

use super::code::{self, Code};
use super::words::{put_together, take_apart};

/// Precision of the sparse list's indexes: the crate's `PRIME_PRECISION`.
const SPARSE_BITS: u32 = code::INDEX_BITS;
/// Registers in a word of 32 bits.
const REGISTERS_OF_WORD: usize = 5;
/// Bits of a register.
const REGISTER_BITS: usize = 6;

/// A slot of a hash table, of which half or more are free, for its number and its byte of control.
const BUFFER_BYTES_OF_CODE: usize = 12;

/// Values are hashes already.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Prehashed;

#[derive(Debug, Default)]
pub(super) struct TheHash(u64);

impl BuildHasher for Prehashed {
    type Hasher = TheHash;

    fn build_hasher(&self) -> TheHash {
        TheHash::default()
    }
}

impl Hasher for TheHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only hashes are inserted, and those come as `write_u64`.
        for &byte in bytes {
            self.0 = self.0 << 8 | u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// What a sketch holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Contents {
    /// Ascending codes of the crate, as differences in variable length.
    Sparse(Vec<u8>),
    /// Registers, five to a word.
    Dense(Vec<u32>),
}

/// A sketch of the crate.
#[derive(Debug)]
pub(crate) struct Hll {
    inner: HyperLogLogPlus<u64, Prehashed>,
    precision: u8,
    /// Bytes of the sparse list when it was last looked at; None when the sketch is dense.
    sparse_bytes: Option<usize>,
    /// Codes that were inserted since.
    inserted: usize,
}

impl Hll {
    /// An empty sketch.
    pub(super) fn new(precision: u8) -> Result<Self, String> {
        Ok(Self {
            inner: HyperLogLogPlus::new(precision, Prehashed).map_err(|error| error.to_string())?,
            precision,
            sparse_bytes: Some(0),
            inserted: 0,
        })
    }

    pub(super) fn precision(&self) -> u8 {
        self.precision
    }

    /// Whether it has become dense; it says so a little late.
    pub(super) fn is_dense(&self) -> bool {
        self.sparse_bytes.is_none()
    }

    /// Bytes of its list when it was last looked at; 0 when it is dense.
    pub(super) fn list_bytes(&self) -> usize {
        self.sparse_bytes.unwrap_or(0)
    }

    /// Adds a code. Quick if it is dense; else many at once are much quicker.
    #[inline]
    pub(super) fn insert(&mut self, code: Code) {
        self.inner.insert(&code::hash(code));
        self.inserted += 1;
    }

    /// Adds codes.
    pub(super) fn insert_all(&mut self, codes: &[Code]) -> Result<(), String> {
        let dense = dense_bytes(self.precision);
        // The crate writes its list anew each time that it has a hundredth of this in its buffer.
        // A sketch of the codes that is merged goes through the buffer at once.
        if self.is_dense() || codes.len() <= dense / 100 {
            codes.iter().for_each(|code| self.insert(*code));
            return self.look();
        }
        for part in codes.chunks((dense / 5).max(1)) {
            let list = list_of(self.precision, part);
            let part = Self::from_contents(self.precision, &Contents::Sparse(list));
            self.merge(&part.ok_or("the codes are of no sketch")?)?;
        }
        Ok(())
    }

    /// Adds what another sketch of the same precision holds.
    pub(super) fn merge(&mut self, other: &Self) -> Result<(), String> {
        let merged = self.inner.merge(&other.inner);
        merged.map_err(|error| error.to_string())?;
        // A code takes a byte at least.
        self.inserted += match other.sparse_bytes {
            Some(bytes) => bytes + other.inserted,
            None => dense_bytes(self.precision),
        };
        self.look()
    }

    #[cfg(test)]
    pub(super) fn inner(&self) -> &HyperLogLogPlus<u64, Prehashed> {
        &self.inner
    }

    /// How many different codes were inserted.
    pub(super) fn estimate(&mut self) -> f64 {
        self.inner.count()
    }

    /// What it holds: the same for the same set of codes.
    pub(super) fn contents(&mut self) -> Result<Contents, String> {
        // Empties the crate's buffer of what was inserted last, which has no order.
        self.inner.count();
        let words = take_apart(&self.inner).map_err(|error| error.to_string())?;
        let contents = Fields::read(&words).and_then(Fields::contents);
        contents.ok_or_else(|| "the sketch has other fields than expected".to_owned())
    }

    /// The sketch that holds this; None if no sketch does.
    pub(super) fn from_contents(precision: u8, contents: &Contents) -> Option<Self> {
        let count = register_count(precision);
        let mut words = vec![
            u64::from(precision),
            count as u64,
            1 << (SPARSE_BITS - 1),
            dense_bytes(precision) as u64,
            0,
        ];
        let sparse_bytes = match contents {
            Contents::Sparse(list) => {
                let (codes, last) = check_list(precision, list)?;
                words.extend([codes, u64::from(last), list.len() as u64]);
                words.extend(list.iter().copied().map(u64::from));
                words.push(0);
                Some(list.len())
            }
            Contents::Dense(registers) => {
                let zeros = check_registers(precision, registers)?;
                words.extend([0, 0, 0, 1, registers.len() as u64]);
                words.extend(registers.iter().copied().map(u64::from));
                words.extend([count as u64, zeros as u64]);
                None
            }
        };
        Some(Self {
            inner: put_together(&words).ok()?,
            precision,
            sparse_bytes,
            inserted: 0,
        })
    }

    /// Bytes that it takes. The crate does not say, so this is what it takes at most.
    pub(super) fn size(&self) -> usize {
        let dense = dense_bytes(self.precision);
        let held = match self.sparse_bytes {
            None => dense,
            Some(list) if self.inserted == 0 => list,
            Some(list) => {
                // The list grows by doubling, and so many codes are three bytes apart. Where it
                // has become dense since, the crate keeps the list as well.
                let list = (2 * (list + 3 * self.inserted)).min(3 * dense);
                // The buffer is a hash table, and emptied at a hundredth of the registers.
                let buffer = (dense / 100 + 2).min(self.inserted);
                list + BUFFER_BYTES_OF_CODE * buffer + 64
            }
        };
        size_of::<Self>() + held
    }

    /// Looks from time to time whether it has become dense, and gives back the memory that the
    /// crate keeps from when it was not.
    fn look(&mut self) -> Result<(), String> {
        let Some(list) = self.sparse_bytes else {
            self.inserted = 0;
            return Ok(());
        };
        // Looking reads the whole list, and inserting has done so more than once by then.
        let may_be_dense =
            self.inserted > 128 && list + 3 * self.inserted > dense_bytes(self.precision);
        if may_be_dense || self.inserted > 256.max(list / 4) {
            let contents = self.contents()?;
            *self = Self::from_contents(self.precision, &contents)
                .ok_or_else(|| "the sketch holds what no sketch does".to_owned())?;
        }
        Ok(())
    }
}

/// The crate's fields, as serde shows them.
#[derive(Debug)]
struct Fields<'a> {
    list: &'a [u64],
    registers: Option<&'a [u64]>,
}

impl<'a> Fields<'a> {
    fn read(words: &'a [u64]) -> Option<Self> {
        // precision, three counts, the length of the buffer; count, last, length of the list
        let [_, _, _, _, 0, _, _, length, rest @ ..] = words else {
            return None;
        };
        let (list, rest) = rest.split_at_checked(usize::try_from(*length).ok()?)?;
        let registers = match rest {
            [0] => None,
            [1, length, registers @ .., _, _] if registers.len() as u64 == *length => {
                Some(registers)
            }
            _ => return None,
        };
        Some(Self { list, registers })
    }

    fn contents(self) -> Option<Contents> {
        Some(match self.registers {
            Some(registers) => Contents::Dense(narrowed(registers)?),
            None => Contents::Sparse(narrowed(self.list)?),
        })
    }
}

fn narrowed<T: TryFrom<u64>>(words: &[u64]) -> Option<Vec<T>> {
    words.iter().map(|&word| T::try_from(word).ok()).collect()
}

fn register_count(precision: u8) -> usize {
    1 << precision
}

/// Bytes of the registers as the crate counts them: the longest that a sparse list gets.
fn dense_bytes(precision: u8) -> usize {
    4 * register_count(precision) / REGISTERS_OF_WORD
}

/// The crate's list of codes of ours.
fn list_of(precision: u8, codes: &[Code]) -> Vec<u8> {
    let below = below(precision);
    let mut codes: Vec<u32> = codes
        .iter()
        .map(|code| {
            let index = code >> code::RANK_END;
            if index & below == 0 {
                *code
            } else {
                index << 1
            }
        })
        .collect();
    codes.sort_unstable();
    codes.dedup();
    let mut list = Vec::with_capacity(3 * codes.len());
    let mut last = 0;
    for code in codes {
        let mut difference = code - last;
        while difference > 0x7f {
            list.push(difference as u8 | 0x80);
            difference >>= 7;
        }
        list.push(difference as u8);
        last = code;
    }
    list
}

/// The bits of an index below those that pick the register. When they are all zero, the rank stands
/// in the crate's code.
fn below(precision: u8) -> u32 {
    (1 << (SPARSE_BITS - u32::from(precision))) - 1
}

/// How many codes a list has, and the last one; None if the crate would not have made it.
fn check_list(precision: u8, list: &[u8]) -> Option<(u64, u32)> {
    if list.len() > dense_bytes(precision) {
        return None;
    }
    let (mut count, mut last, mut rest) = (0_u64, 0_u32, list);
    while !rest.is_empty() {
        let length = 1 + rest.iter().position(|byte| byte & 0x80 == 0)?;
        let (digits, after) = rest.split_at(length);
        let difference = digits.iter().rev().try_fold(0_u32, |sum, digit| {
            // Five digits hold 35 bits.
            (sum >> 25 == 0).then_some(sum << 7 | u32::from(digit & 0x7f))
        })?;
        let is_shortest = length == 1 || digits[length - 1] != 0;
        if !is_shortest || (difference == 0 && count > 0) {
            return None;
        }
        last = last.checked_add(difference)?;
        is_of_list(precision, last).then_some(())?;
        count += 1;
        rest = after;
    }
    Some((count, last))
}

/// Whether the crate's sparse list can have this code.
fn is_of_list(precision: u8, code: u32) -> bool {
    let below = below(precision);
    if code & 1 == 1 {
        code::is_code(code) && (code >> code::RANK_END) & below == 0
    } else {
        code >> (SPARSE_BITS + 1) == 0 && (code >> 1) & below != 0
    }
}

/// How many registers are zero; None if the crate would not have made them.
fn check_registers(precision: u8, words: &[u32]) -> Option<usize> {
    let count = register_count(precision);
    if words.len() != count.div_ceil(REGISTERS_OF_WORD) {
        return None;
    }
    let highest = 65 - u32::from(precision);
    let mut zeros = 0;
    for (at, word) in words.iter().enumerate() {
        let registers = REGISTERS_OF_WORD.min(count - at * REGISTERS_OF_WORD);
        if word >> (registers * REGISTER_BITS) != 0 {
            return None;
        }
        for register in 0..registers {
            let rank = word >> (register * REGISTER_BITS) & 0x3f;
            if rank > highest {
                return None;
            }
            zeros += usize::from(rank == 0);
        }
    }
    Some(zeros)
}
