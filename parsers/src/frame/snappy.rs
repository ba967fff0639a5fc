//! Snappy in its framing format: chunks of at most 64 KiB of text, each with a checksum.
//! <https://github.com/google/snappy/blob/main/framing_format.txt>

use std::io::Read;

use snap::read::FrameDecoder;

use super::Codec;

/// The chunk that a stream begins with.
pub(super) const IDENTIFIER: &[u8] = b"\xff\x06\x00\x00sNaPpY";

/// Type and length of a chunk.
const HEADER_BYTES: usize = 4;

/// No chunk of text is longer: 64 KiB that did not get smaller, with some bytes around them.
const MAX_CHUNK_BYTES: usize = 80 << 10;

/// One chunk after the other.
#[derive(Default)]
pub(super) struct Snappy {
    /// A chunk as far as it came.
    chunk: Vec<u8>,
    /// Text of the last chunk, from `given` on not given yet.
    text: Vec<u8>,
    given: usize,
}

impl Codec for Snappy {
    fn name(&self) -> &'static str {
        "snappy"
    }

    fn step(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<(usize, usize), String> {
        let mut used = 0;
        if self.given == self.text.len() {
            used = self.take(input)?;
        }
        let wrote = room.min(self.text.len() - self.given);
        output.extend_from_slice(&self.text[self.given..self.given + wrote]);
        self.given += wrote;
        Ok((used, wrote))
    }

    fn is_inside(&self) -> bool {
        !self.chunk.is_empty() || self.given < self.text.len()
    }
}

impl Snappy {
    /// Takes bytes of the chunk, and its text once it is complete.
    fn take(&mut self, input: &[u8]) -> Result<usize, String> {
        let header = HEADER_BYTES
            .saturating_sub(self.chunk.len())
            .min(input.len());
        self.chunk.extend_from_slice(&input[..header]);
        let &[kind, low, middle, high, ref data @ ..] = self.chunk.as_slice() else {
            return Ok(header);
        };
        let length = u32::from_le_bytes([low, middle, high, 0]) as usize;
        if kind < 0x80 && length > MAX_CHUNK_BYTES {
            return Err(format!("a chunk of {length} bytes"));
        }
        let body = (length - data.len()).min(input.len() - header);
        self.chunk.extend_from_slice(&input[header..header + body]);
        if self.chunk.len() == HEADER_BYTES + length {
            self.text.clear();
            self.given = 0;
            // The decoder of a whole stream, given a stream of one chunk, checks its checksum.
            FrameDecoder::new(IDENTIFIER.chain(self.chunk.as_slice()))
                .read_to_end(&mut self.text)
                .map_err(|error| error.to_string())?;
            self.chunk.clear();
        }
        Ok(header + body)
    }
}
