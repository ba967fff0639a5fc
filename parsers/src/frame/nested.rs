//! gzip in frames: CloudWatch Logs compresses what it gives to Firehose, and Firehose compresses
//! what it puts into a file.

use super::gzip::Gzip;
use super::{Codec, Frame};

/// How many frames may be within one another.
const MAX_FRAMES: usize = 3;

/// First bytes that tell gzip.
const TELLING_BYTES: usize = 2;

/// Bytes that come out of the outer frame at a time.
const BETWEEN_BYTES: usize = 64 << 10;

/// A frame that may hold gzip.
pub(super) struct Nested {
    outer: Box<dyn Codec>,
    /// The outer frame may hold output that found no room.
    outer_holds: bool,
    inner: Inner,
    /// So may the inner one.
    inner_holds: bool,
    /// How many frames may still be within.
    allowed: usize,
    /// What came out of the outer frame and went no further yet, from `at` on.
    between: Vec<u8>,
    at: usize,
    /// Bytes that came out of the outer frame to go into the inner one.
    passed: u64,
}

enum Inner {
    /// The first bytes do not tell yet.
    Unknown,
    /// What comes out of the outer frame is the object.
    None,
    Frame(Box<dyn Codec>),
}

impl Nested {
    pub(super) fn new(outer: Box<dyn Codec>) -> Self {
        Self::within(outer, MAX_FRAMES - 1)
    }

    fn within(outer: Box<dyn Codec>, allowed: usize) -> Self {
        Self {
            outer,
            outer_holds: false,
            inner: Inner::Unknown,
            inner_holds: false,
            allowed,
            between: Vec::new(),
            at: 0,
            passed: 0,
        }
    }

    /// Looks at the first bytes that came out of the outer frame.
    fn tell(&mut self) {
        let telling = self.between.as_slice();
        if Frame::of(telling) == Frame::Gzip && self.allowed > 0 {
            let inner = Self::within(Box::new(Gzip::default()), self.allowed - 1);
            self.inner = Inner::Frame(Box::new(inner));
        } else if telling.len() >= TELLING_BYTES || !Frame::may_be_gzip(telling) {
            self.inner = Inner::None;
        }
    }

    /// Decodes what stands between the frames.
    fn inner_step(&mut self, output: &mut Vec<u8>, room: usize) -> Result<usize, String> {
        let held = &self.between[self.at..];
        let (read, wrote) = match &mut self.inner {
            Inner::Unknown => return Ok(0),
            Inner::None => {
                let given = held.len().min(room);
                output.extend_from_slice(&held[..given]);
                (given, given)
            }
            Inner::Frame(inner) => {
                if held.is_empty() && !self.inner_holds {
                    return Ok(0);
                }
                let (read, wrote) = inner.step(held, output, room)?;
                if (read, wrote) == (0, 0) && !held.is_empty() {
                    return Err("no progress".to_owned());
                }
                self.inner_holds = wrote > 0 && inner.is_inside();
                self.passed += read as u64;
                (read, wrote)
            }
        };
        self.at += read;
        if self.at == self.between.len() {
            self.between.clear();
            self.at = 0;
        }
        Ok(wrote)
    }

    fn outer_step(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<(usize, usize), String> {
        if input.is_empty() && !self.outer_holds {
            return Ok((0, 0));
        }
        let (read, wrote) = self.outer.step(input, output, room)?;
        self.outer_holds = wrote > 0 && self.outer.is_inside();
        Ok((read, wrote))
    }
}

impl Codec for Nested {
    fn name(&self) -> &'static str {
        self.outer.name()
    }

    fn step(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<(usize, usize), String> {
        let mut used = 0;
        loop {
            let wrote = self.inner_step(output, room)?;
            if wrote > 0 {
                return Ok((used, wrote));
            }
            if !self.between.is_empty() && !matches!(self.inner, Inner::Unknown) {
                continue;
            }
            let rest = &input[used..];
            if let Inner::None = self.inner {
                let (read, wrote) = self.outer_step(rest, output, room)?;
                return Ok((used + read, wrote));
            }
            let mut between = std::mem::take(&mut self.between);
            let room = match self.inner {
                Inner::Unknown => TELLING_BYTES,
                _ => BETWEEN_BYTES,
            };
            let step = self.outer_step(rest, &mut between, room);
            self.between = between;
            let (read, wrote) = step?;
            used += read;
            if (read, wrote) == (0, 0) {
                return Ok((used, 0));
            }
            if let Inner::Unknown = self.inner {
                self.tell();
            }
        }
    }

    fn is_inside(&self) -> bool {
        let within = match &self.inner {
            Inner::Frame(inner) => inner.is_inside(),
            _ => false,
        };
        within || !self.between.is_empty() || self.outer.is_inside()
    }

    fn passed(&self) -> u64 {
        let within = match &self.inner {
            Inner::Frame(inner) => inner.passed(),
            _ => 0,
        };
        self.passed + within
    }
}
