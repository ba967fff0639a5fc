//! bzip2.

use bzip2::{Decompress, Status};

use super::Codec;

/// One stream after the other.
#[derive(Default)]
pub(super) struct Bzip2 {
    stream: Option<Decompress>,
}

impl Codec for Bzip2 {
    fn name(&self) -> &'static str {
        "bzip2"
    }

    fn step(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<(usize, usize), String> {
        let stream = self.stream.get_or_insert_with(|| Decompress::new(false));
        // `decompress_vec` fills the spare capacity, which may be more than asked for.
        output.reserve(room.min(64 << 10));
        let (read, wrote) = (stream.total_in(), stream.total_out());
        let status = stream
            .decompress_vec(input, output)
            .map_err(|error| error.to_string())?;
        let read = stream.total_in() - read;
        let wrote = stream.total_out() - wrote;
        if status == Status::StreamEnd {
            self.stream = None;
        }
        Ok((read as usize, wrote as usize))
    }

    fn is_inside(&self) -> bool {
        self.stream.is_some()
    }
}
