//! The members that a table has.

use std::ops::Range;

use super::JsonError;
use super::text::unescape;
use super::walk::members_with;
use crate::arch::{Plain, Simd};
use crate::format::same_name;

/// The place of a value that is not there.
pub const MISSING: (u32, u32) = (1, 0);

/// Names that are remembered. Records of one kind have about a hundred at most; names that are
/// data, and differ from record to record, must not fill the memory.
const MAX_KEYS: usize = 256;

/// Finds members by their names, for record after record.
///
/// Records mostly have the same members in the same order. So each name is remembered as it was
/// written, together with the name that came after it the last time: mostly one comparison tells
/// which member it is.
#[derive(Debug)]
pub struct MemberMatcher {
    names: Vec<String>,
    keys: Vec<Key>,
}

/// A name as it stands in the data.
#[derive(Debug)]
struct Key {
    text: Vec<u8>,
    /// Which of the wanted names it is.
    slot: Option<usize>,
    /// The key that came after it the last time.
    next: usize,
}

impl MemberMatcher {
    /// A matcher of these names. Case does not count, nor whether it is a dash or an underscore.
    pub fn new<S: AsRef<str>>(names: &[S]) -> Self {
        Self {
            names: names.iter().map(|name| name.as_ref().to_owned()).collect(),
            // What stands before a record's first key.
            keys: vec![Key {
                text: Vec::new(),
                slot: None,
                next: 0,
            }],
        }
    }

    /// Puts the place of each name's value into `out`: its start and end in `bytes`, or
    /// [`MISSING`]. The last of several members of one name counts.
    ///
    /// # Errors
    /// The record's members are not well-formed; see [`members`].
    ///
    /// # Panics
    /// If `out` has fewer places than there are names.
    pub fn find(
        &mut self,
        bytes: &[u8],
        record: Range<usize>,
        out: &mut [(u32, u32)],
    ) -> Result<(), JsonError> {
        self.find_with(Plain, bytes, record, out)
    }

    /// The same within a loop that is compiled for an instruction set.
    #[inline(always)]
    pub(super) fn find_with<S: Simd>(
        &mut self,
        simd: S,
        bytes: &[u8],
        record: Range<usize>,
        out: &mut [(u32, u32)],
    ) -> Result<(), JsonError> {
        out.fill(MISSING);
        let mut last = 0;
        for member in members_with(simd, bytes, record) {
            let member = member?;
            if let Some(slot) = self.slot(&mut last, &bytes[member.key]) {
                out[slot] = (member.value.start as u32, member.value.end as u32);
            }
        }
        Ok(())
    }

    /// Which of the names the key is that follows on `last`, which becomes this key.
    #[inline(always)]
    fn slot(&mut self, last: &mut usize, key: &[u8]) -> Option<usize> {
        let next = self.keys[*last].next;
        let expected = &self.keys[next];
        if !same(&expected.text, key) {
            return self.learn(last, key);
        }
        *last = next;
        expected.slot
    }

    #[cold]
    fn learn(&mut self, last: &mut usize, key: &[u8]) -> Option<usize> {
        let known = self.keys.iter().position(|known| known.text == key);
        if known.is_none() {
            let slot = self.wanted(key);
            if self.keys.len() == MAX_KEYS {
                return slot;
            }
            self.keys.push(Key {
                text: key.to_vec(),
                slot,
                next: 0,
            });
        }
        let index = known.unwrap_or(self.keys.len() - 1);
        self.keys[*last].next = index;
        *last = index;
        self.keys[index].slot
    }

    fn wanted(&self, key: &[u8]) -> Option<usize> {
        let text = unescape(key).bytes;
        let text = std::str::from_utf8(&text).ok()?;
        self.names.iter().position(|name| same_name(name, text))
    }
}

/// Whether two texts are the same. Names are short: comparing them by a call takes longer.
#[inline(always)]
fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let ((words_a, rest_a), (words_b, rest_b)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut differ = 0;
    for (a, b) in words_a.iter().zip(words_b) {
        differ |= u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
    }
    for (a, b) in rest_a.iter().zip(rest_b) {
        differ |= u64::from(a ^ b);
    }
    differ == 0
}
