//! Sketches of sets: how many different values there are, in little memory, to within an error.
//!
//! A sketch takes hashes in the form of codes ([`mod@code`]). It keeps the codes themselves while there
//! are few, so it takes four bytes for each then and is exact (of 256 values two have the same code
//! once in 3,000 sets), and is a `HyperLogLog++` ([`hll`]) beyond. [`GroupSketches`] are those of the groups of a query.
//!
//! What a sketch holds, its estimate and its state depend on the set of values alone: not on their
//! order, on how they were split, or on the order in which the parts were merged.
//!
//! # State
//!
//! States are stored in files, so every version of loglens must read those of the ones before.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version of the format: 1 |
//! | 1 | precision: 4 to 18 |
//! | 1 | kind: 0 codes, 1 sparse, 2 dense |
//! | rest | codes: each 4 bytes, ascending; sparse: the crate's list of codes, ascending, the differences in base 128, lowest digits first, all but the last with the highest bit set; dense: 2^precision registers of 6 bits, five in each word of 4 bytes from its lowest bits on |
//!
//! Words are little endian. There is no checksum: files have their own. What no sketch can hold is
//! refused when a state is read.

mod code;
mod groups;
mod hash;
mod hll;
mod words;

use std::fmt::Display;
use std::ops::RangeInclusive;

use self::hll::{Contents, Hll};
use crate::error::{Error, Owner};

pub(crate) use self::code::{Code, code};
pub(crate) use self::groups::{Group, GroupSketches, codes};
pub(crate) use self::hash::{hash_column, is_portable};

/// Where nothing else is said: a standard error of 0.81 %.
pub(crate) const DEFAULT_PRECISION: u8 = 14;

/// What the crate takes.
const PRECISIONS: RangeInclusive<u8> = 4..=18;
const VERSION: u8 = 1;
const CODES: u8 = 0;
const SPARSE: u8 = 1;
const DENSE: u8 = 2;

/// How many codes are kept as they are. As many take a kilobyte at most, which is what a
/// `HyperLogLog++` of a few values takes, or a quarter of the registers.
fn most_codes(precision: u8) -> usize {
    ((1_usize << precision) / 16).clamp(16, 256)
}

/// A sketch of one set.
#[derive(Debug)]
pub(crate) struct Sketch {
    precision: u8,
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// Ascending, at most [`most_codes`].
    Codes(Vec<Code>),
    Many(Box<Hll>),
}

impl Sketch {
    /// The sketch of nothing.
    pub(crate) fn new(precision: u8) -> Self {
        Self {
            precision,
            held: Held::Codes(Vec::new()),
        }
    }

    /// Whether nothing was inserted.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.held, Held::Codes(codes) if codes.is_empty())
    }

    /// Adds a code, if it is quick to; else it says false.
    #[inline]
    fn insert_quickly(&mut self, code: Code) -> bool {
        match &mut self.held {
            Held::Many(hll) if hll.is_dense() => {
                hll.insert(code);
                true
            }
            _ => false,
        }
    }

    /// Adds codes.
    pub(crate) fn insert(&mut self, new: &[Code]) -> Result<(), Error> {
        match &mut self.held {
            Held::Many(hll) => hll.insert_all(new).map_err(internal),
            Held::Codes(codes) => {
                let limit = most_codes(self.precision);
                // A step at a time, so that they never become many more than are kept.
                for (at, part) in new.chunks(4 * limit).enumerate() {
                    codes.extend_from_slice(part);
                    codes.sort_unstable();
                    codes.dedup();
                    if codes.len() > limit {
                        let mut hll = Hll::new(self.precision).map_err(internal)?;
                        hll.insert_all(codes).map_err(internal)?;
                        let done = (at + 1) * 4 * limit;
                        let rest = new.get(done..).unwrap_or_default();
                        hll.insert_all(rest).map_err(internal)?;
                        self.held = Held::Many(Box::new(hll));
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Adds a state.
    pub(crate) fn merge(&mut self, state: &State<'_>) -> Result<(), Error> {
        same_precision(self.precision, state.precision())?;
        match (state, &mut self.held) {
            (State::Codes { bytes, .. }, _) => {
                let codes: Vec<Code> = codes_of(bytes).collect();
                self.insert(&codes)
            }
            (State::Many(other), Held::Many(hll)) => hll.merge(other).map_err(internal),
            (State::Many(other), Held::Codes(codes)) => {
                let mut hll = Hll::new(self.precision).map_err(internal)?;
                hll.merge(other).map_err(internal)?;
                hll.insert_all(codes).map_err(internal)?;
                self.held = Held::Many(Box::new(hll));
                Ok(())
            }
        }
    }

    /// About how many different values there are.
    pub(crate) fn estimate(&mut self) -> i64 {
        match &mut self.held {
            Held::Codes(codes) => i64::try_from(codes.len()).unwrap_or(i64::MAX),
            Held::Many(hll) => {
                let rounded = hll.estimate().round() as i64;
                rounded.max(0)
            }
        }
    }

    /// Appends its state.
    pub(crate) fn write_state(&mut self, state: &mut Vec<u8>) -> Result<(), Error> {
        match &mut self.held {
            Held::Codes(codes) => write_codes(self.precision, codes.iter().copied(), state),
            Held::Many(hll) => match hll.contents().map_err(internal)? {
                Contents::Sparse(list) => {
                    state.extend([VERSION, self.precision, SPARSE]);
                    state.extend(list);
                }
                Contents::Dense(words) => {
                    state.extend([VERSION, self.precision, DENSE]);
                    state.extend(words.into_iter().flat_map(u32::to_le_bytes));
                }
            },
        }
        Ok(())
    }

    /// Bytes of the list that it is while it is sparse.
    fn list_bytes(&self) -> usize {
        match &self.held {
            Held::Codes(_) => 0,
            Held::Many(hll) => hll.list_bytes(),
        }
    }

    /// Bytes that it takes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
            + match &self.held {
                Held::Codes(codes) => codes.capacity() * size_of::<Code>(),
                Held::Many(hll) => hll.size(),
            }
    }
}

/// Appends the state of few codes, which ascend.
pub(crate) fn write_codes(
    precision: u8,
    codes: impl IntoIterator<Item = Code>,
    state: &mut Vec<u8>,
) {
    state.extend([VERSION, precision, CODES]);
    for code in codes {
        state.extend(code.to_le_bytes());
    }
}

/// A state that was read and found to be one.
#[derive(Debug)]
pub(crate) enum State<'a> {
    /// Few codes: they ascend.
    Codes {
        /// The precision.
        precision: u8,
        /// Four bytes each.
        bytes: &'a [u8],
    },
    /// A `HyperLogLog++`.
    Many(Box<Hll>),
}

impl<'a> State<'a> {
    /// Reads a state.
    pub(crate) fn read(state: &'a [u8]) -> Result<Self, Error> {
        let [version, precision, kind, rest @ ..] = state else {
            return Err(no_sketch(format!(
                "a sketch has 3 bytes at least, and this has {}",
                state.len()
            )));
        };
        if *version != VERSION {
            return Err(no_sketch(format!(
                "its first byte says version {version} of the format, and this loglens knows \
                 version {VERSION}"
            )));
        }
        if !PRECISIONS.contains(precision) {
            return Err(no_sketch(format!(
                "its precision is {precision}, and may be {} to {}",
                PRECISIONS.start(),
                PRECISIONS.end()
            )));
        }
        let contents = match *kind {
            CODES => {
                check_codes(*precision, rest)?;
                return Ok(Self::Codes {
                    precision: *precision,
                    bytes: rest,
                });
            }
            SPARSE => Contents::Sparse(rest.to_vec()),
            DENSE if rest.len().is_multiple_of(4) => Contents::Dense(words_of(rest).collect()),
            DENSE => return Err(no_sketch("its registers have another length")),
            kind => return Err(no_sketch(format!("its kind is {kind}, and may be 0 to 2"))),
        };
        let hll = Hll::from_contents(*precision, &contents);
        let hll = hll.ok_or_else(|| no_sketch("it holds what no sketch does"))?;
        Ok(Self::Many(Box::new(hll)))
    }

    /// The precision.
    pub(crate) fn precision(&self) -> u8 {
        match self {
            Self::Codes { precision, .. } => *precision,
            Self::Many(hll) => hll.precision(),
        }
    }

    /// The sketch that has this state.
    pub(crate) fn into_sketch(self) -> Sketch {
        Sketch {
            precision: self.precision(),
            held: match self {
                Self::Codes { bytes, .. } => Held::Codes(codes_of(bytes).collect()),
                Self::Many(hll) => Held::Many(hll),
            },
        }
    }
}

fn check_codes(precision: u8, bytes: &[u8]) -> Result<(), Error> {
    if !bytes.len().is_multiple_of(size_of::<Code>()) {
        return Err(no_sketch("its codes are cut off"));
    }
    if bytes.len() > most_codes(precision) * size_of::<Code>() {
        return Err(no_sketch("it has more codes than a sketch keeps"));
    }
    if !codes_of(bytes).is_sorted_by(|a, b| a < b) {
        return Err(no_sketch("its codes are not in order"));
    }
    if !codes_of(bytes).all(code::is_code) {
        return Err(no_sketch("it has a code that no value has"));
    }
    Ok(())
}

fn codes_of(bytes: &[u8]) -> impl Iterator<Item = Code> {
    words_of(bytes)
}

fn words_of(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let (words, _) = bytes.as_chunks();
    words.iter().map(|word| u32::from_le_bytes(*word))
}

fn same_precision(ours: u8, others: u8) -> Result<(), Error> {
    if ours == others {
        return Ok(());
    }
    Err(Error::new(
        Owner::Query,
        format!("sketches of precision {ours} and {others} cannot be merged"),
    )
    .hint("make all of them with the same standard error, the second argument of hll_sketch"))
}

fn no_sketch(reason: impl Display) -> Error {
    Error::new(
        Owner::Query,
        format!("this is no sketch, or a damaged one: {reason}"),
    )
    .hint("sketches come from hll_sketch and hll_merge")
}

fn internal(reason: impl Display) -> Error {
    Error::new(Owner::Internal, format!("a sketch failed: {reason}"))
}

#[cfg(test)]
mod tests;
