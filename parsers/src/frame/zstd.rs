//! Zstandard (RFC 8878).

use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::Codec;

pub(super) const NAME: &str = "zstd";

/// One frame after the other.
pub(super) struct Zstd {
    decoder: Decoder<'static>,
    inside: bool,
}

impl Zstd {
    pub(super) fn new() -> Result<Self, String> {
        let decoder = Decoder::new().map_err(|error| error.to_string())?;
        Ok(Self {
            decoder,
            inside: false,
        })
    }
}

impl Codec for Zstd {
    fn name(&self) -> &'static str {
        NAME
    }

    fn step(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<(usize, usize), String> {
        output.reserve(room.min(128 << 10));
        let before = output.len();
        let mut source = InBuffer::around(input);
        let mut sink = OutBuffer::around_pos(output, before);
        let hint = self
            .decoder
            .run(&mut source, &mut sink)
            .map_err(|error| error.to_string())?;
        self.inside = hint != 0;
        Ok((source.pos(), output.len() - before))
    }

    fn is_inside(&self) -> bool {
        self.inside
    }
}
