//! gzip (RFC 1952).

use flate2::{Decompress, FlushDecompress, Status};

use super::Codec;

/// A window of 2^15 bytes is the largest that gzip has.
const WINDOW_BITS: u8 = 15;

/// One member after the other.
#[derive(Default)]
pub(super) struct Gzip {
    member: Option<Decompress>,
}

impl Codec for Gzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn step(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<(usize, usize), String> {
        if self.member.is_none() {
            // Zeros between and after members are padding (tapes, block devices).
            let padding = input.iter().take_while(|&&byte| byte == 0).count();
            if padding > 0 {
                return Ok((padding, 0));
            }
        }
        let member = self
            .member
            .get_or_insert_with(|| Decompress::new_gzip(WINDOW_BITS));
        // `decompress_vec` fills the spare capacity, which may be more than asked for.
        output.reserve(room.min(64 << 10));
        let (read, wrote) = (member.total_in(), member.total_out());
        let status = member
            .decompress_vec(input, output, FlushDecompress::None)
            .map_err(|error| error.to_string())?;
        let read = member.total_in() - read;
        let wrote = member.total_out() - wrote;
        if status == Status::StreamEnd {
            self.member = None;
        }
        Ok((read as usize, wrote as usize))
    }

    fn is_inside(&self) -> bool {
        self.member.is_some()
    }
}
