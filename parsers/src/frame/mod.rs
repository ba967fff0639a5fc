//! Frames: what the bytes of an object are wrapped in.
//!
//! The frame is told by the first bytes, never by the name: `.gz` files come inflated and plain
//! names hide gzip. Decoding is pushed along by the caller, so that neither input nor output is
//! ever held whole; an object may be several such frames one after the other, and what comes out of
//! a frame may be gzip again.

mod bzip2;
mod gzip;
mod nested;
mod snappy;
mod whole;
mod zstd;

use std::fmt;

use self::bzip2::Bzip2;
use self::gzip::Gzip;
use self::nested::Nested;
use self::snappy::Snappy;
use self::zstd::Zstd;

pub use self::whole::inflate_whole;

/// What the bytes of an object are wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// Nothing.
    Plain,
    /// One or more gzip members (RFC 1952).
    Gzip,
    /// One or more Zstandard frames (RFC 8878).
    Zstd,
    /// One or more bzip2 streams.
    Bzip2,
    /// One or more Snappy streams in the framing format of `framing_format.txt`.
    Snappy,
    /// Something that is not read; its name.
    Unsupported(&'static str),
}

/// Bytes that [`decode_all`] makes room for at a time.
const ALL_BYTES: usize = 256 << 10;

/// The most bytes that [`Frame::of`] looks at.
pub const MAGIC_BYTES: usize = 10;

/// First bytes, and what they announce.
const MAGIC: &[(&[u8], Frame)] = &[
    (b"\x1f\x8b", Frame::Gzip),
    (b"\x28\xb5\x2f\xfd", Frame::Zstd),
    (b"PAR1", Frame::PARQUET),
    (b"BZh", Frame::Bzip2),
    (b"PK\x03\x04", Frame::Unsupported("zip")),
    (b"\xfd7zXZ\x00", Frame::Unsupported("xz")),
    (snappy::IDENTIFIER, Frame::Snappy),
    (b"\x04\x22\x4d\x18", Frame::Unsupported("lz4")),
    (b"ARROW1", Frame::Unsupported("Arrow")),
    (b"Obj\x01", Frame::Unsupported("Avro")),
    (b"ORC", Frame::Unsupported("ORC")),
];

impl Frame {
    /// What is no log but a table by itself.
    pub const PARQUET: Self = Self::Unsupported("Parquet");

    /// The frame that an object with these first bytes has.
    pub fn of(start: &[u8]) -> Self {
        MAGIC
            .iter()
            .find(|(magic, _)| start.starts_with(magic))
            .map_or(Self::Plain, |(_, frame)| *frame)
    }

    /// Whether these bytes, with others behind them, may announce gzip.
    fn may_be_gzip(start: &[u8]) -> bool {
        let mut gzip = MAGIC.iter().filter(|(_, frame)| *frame == Self::Gzip);
        gzip.any(|(magic, _)| magic.starts_with(start))
    }
}

/// How far an object may expand.
///
/// A gzip bomb reaches 1:1029 and a zstd bomb far more, where logs rarely pass 1:50. Small
/// objects may expand freely.
#[derive(Debug, Clone, Copy)]
pub struct ExpansionLimit {
    /// Inflated bytes that are always allowed.
    pub free_bytes: u64,
    /// Inflated bytes allowed beyond that, for each byte of input.
    pub ratio: u64,
}

impl ExpansionLimit {
    /// The most bytes that may come out of `consumed`.
    fn allowed(&self, consumed: u64) -> u64 {
        let expanded = self.ratio.saturating_mul(consumed);
        self.free_bytes.saturating_add(expanded)
    }
}

impl Default for ExpansionLimit {
    fn default() -> Self {
        Self {
            free_bytes: 64 << 20,
            ratio: 250,
        }
    }
}

/// Why an object cannot be decoded to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameError {
    /// The object ends inside the frame.
    Truncated(&'static str),
    /// The frame is damaged.
    Corrupt {
        /// The frame's name.
        frame: &'static str,
        /// What the decoder said.
        detail: String,
    },
    /// It expands beyond the limit.
    Expansion {
        /// The limit's ratio.
        ratio: u64,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated(frame) => write!(f, "truncated {frame}"),
            Self::Corrupt { frame, detail } => write!(f, "damaged {frame}: {detail}"),
            Self::Expansion { ratio } => {
                write!(
                    f,
                    "expands to more than {ratio} times its size; read no further"
                )
            }
        }
    }
}

/// Takes an object's bytes out of their frame, piece by piece.
pub struct Decoder {
    /// None passes bytes through as they are.
    codec: Option<Box<dyn Codec>>,
    limit: ExpansionLimit,
    consumed: u64,
    produced: u64,
    /// The decoder may hold output that found no room.
    pending: bool,
}

/// One way to compress.
trait Codec: Send {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Decodes some of `input` and appends some output, about `room` bytes at most: how many
    /// bytes were used, and how many appended. Without input, gives what it holds.
    fn step(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<(usize, usize), String>;

    /// Whether a member, frame or stream was begun and not ended.
    fn is_inside(&self) -> bool;

    /// Bytes that came out of a frame only to go into another.
    fn passed(&self) -> u64 {
        0
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("consumed", &self.consumed)
            .field("produced", &self.produced)
            .finish()
    }
}

impl Decoder {
    /// A decoder for an object in `frame`; an unsupported one passes through as it is.
    pub fn new(frame: Frame, limit: ExpansionLimit) -> Result<Self, FrameError> {
        let codec = codec_of(frame).map_err(|detail| FrameError::Corrupt {
            frame: zstd::NAME,
            detail,
        })?;
        Ok(Self {
            codec: codec.map(|codec| Box::new(Nested::new(codec)) as _),
            limit,
            consumed: 0,
            produced: 0,
            pending: false,
        })
    }

    /// Whether bytes come out as they went in.
    pub fn is_plain(&self) -> bool {
        self.codec.is_none()
    }

    /// Decodes from `input` and appends to `output`, up to `room` bytes, or as many as it has
    /// capacity for.
    ///
    /// Returns how many bytes of `input` were used; fewer than all when `output` got its `room`.
    /// After the last input, call it with an empty one until nothing is appended. What was
    /// appended before an error is good.
    pub fn decode(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<usize, FrameError> {
        let mut used = 0;
        let before = output.len();
        while (used < input.len() || self.pending) && output.len() - before < room {
            let left = room - (output.len() - before);
            let (read, wrote) = self.step(&input[used..], output, left)?;
            used += read;
            self.consumed += read as u64;
            self.produced += wrote as u64;
            self.pending = wrote > 0 && self.is_inside();
            let allowed = self.limit.allowed(self.consumed);
            let passed = self.codec.as_ref().map_or(0, |codec| codec.passed());
            if self.produced + passed > allowed {
                return Err(FrameError::Expansion {
                    ratio: self.limit.ratio,
                });
            }
        }
        Ok(used)
    }

    fn step(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<(usize, usize), FrameError> {
        let Some(codec) = &mut self.codec else {
            let length = input.len().min(room);
            output.extend_from_slice(&input[..length]);
            return Ok((length, length));
        };
        let step = match codec.step(input, output, room) {
            Ok((0, 0)) if !input.is_empty() => Err("no progress".to_owned()),
            step => step,
        };
        step.map_err(|detail| FrameError::Corrupt {
            frame: codec.name(),
            detail,
        })
    }

    fn is_inside(&self) -> bool {
        self.codec.as_ref().is_some_and(|codec| codec.is_inside())
    }

    /// Says whether the object may end here.
    pub fn finish(&self) -> Result<(), FrameError> {
        match &self.codec {
            Some(codec) if codec.is_inside() => Err(FrameError::Truncated(codec.name())),
            _ => Ok(()),
        }
    }
}

/// What decodes a frame; none where bytes are taken as they are. The error is that of zstd, the
/// only one that is asked for memory.
fn codec_of(frame: Frame) -> Result<Option<Box<dyn Codec>>, String> {
    Ok(match frame {
        Frame::Plain | Frame::Unsupported(_) => None,
        Frame::Gzip => Some(Box::new(Gzip::default())),
        Frame::Zstd => Some(Box::new(Zstd::new()?)),
        Frame::Bzip2 => Some(Box::new(Bzip2::default())),
        Frame::Snappy => Some(Box::new(Snappy::default())),
    })
}

/// All of some bytes that are there as a whole, out of their frame; as they are where they are in
/// none. What came out before an error is in `output`.
pub fn decode_all(
    input: &[u8],
    limit: ExpansionLimit,
    output: &mut Vec<u8>,
) -> Result<(), FrameError> {
    if inflate_whole(input, limit, output) {
        return Ok(());
    }
    let mut decoder = Decoder::new(Frame::of(input), limit)?;
    let mut rest = input;
    loop {
        let before = output.len();
        let used = decoder.decode(rest, output, ALL_BYTES)?;
        rest = &rest[used..];
        if rest.is_empty() && output.len() == before {
            return decoder.finish();
        }
    }
}

/// The beginning of an object, out of its frame: up to `room` bytes from `start`, its first bytes.
///
/// Damage is not reported here: reading the object does that.
pub fn head(start: &[u8], room: usize) -> Vec<u8> {
    let mut output = Vec::new();
    if let Ok(mut decoder) = Decoder::new(Frame::of(start), ExpansionLimit::default()) {
        // An error ends the head where the damage is.
        let _ = decoder.decode(start, &mut output, room);
    }
    output.truncate(room);
    output
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write;

    pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ::zstd::stream::encode_all(bytes, 3).unwrap()
    }

    fn bzip2(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn snappy(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = snap::write::FrameEncoder::new(Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.into_inner().unwrap()
    }

    /// Decodes with pieces of `chunk` bytes of input and `room` of output.
    pub(super) fn decode(
        bytes: &[u8],
        chunk: usize,
        room: usize,
    ) -> (Vec<u8>, Result<(), FrameError>) {
        let mut decoder = Decoder::new(Frame::of(bytes), ExpansionLimit::default()).unwrap();
        let mut output = Vec::new();
        for piece in bytes.chunks(chunk).chain(std::iter::once(&[][..])) {
            let mut piece = piece;
            loop {
                let before = output.len();
                match decoder.decode(piece, &mut output, room) {
                    Ok(used) => piece = &piece[used..],
                    Err(error) => return (output, Err(error)),
                }
                if piece.is_empty() && output.len() == before {
                    break;
                }
            }
        }
        (output, decoder.finish())
    }

    fn text() -> Vec<u8> {
        (0..20_000)
            .flat_map(|n: u32| format!("{n} {}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
            .collect()
    }

    #[test]
    fn members_frames_and_any_split_give_the_same_bytes() {
        let text = text();
        let (one, two) = text.split_at(text.len() / 3);
        let members = [gzip(one), gzip(b""), gzip(two)].concat();
        let padded = [members.clone(), vec![0; 700]].concat();
        let frames = [zstd(one), zstd(two)].concat();
        let streams = [bzip2(one), bzip2(b""), bzip2(two)].concat();
        let snappies = [snappy(one), snappy(two)].concat();
        let twice = gzip(&[gzip(one), gzip(two)].concat());
        let inner = gzip(&text);
        let both = [gzip(&inner[..20]), gzip(&inner[20..])].concat();
        for object in [
            text.clone(),
            gzip(&text),
            twice,
            gzip(&gzip(&gzip(&text))),
            both,
            zstd(&gzip(&text)),
            members,
            padded,
            zstd(&text),
            frames,
            bzip2(&text),
            streams,
            snappy(&text),
            snappies,
        ] {
            for (chunk, room) in [
                (1 << 20, 1 << 20),
                (1 << 20, 1000),
                (7, 1 << 20),
                (1, 1),
                (4096, 100),
            ] {
                let (output, end) = decode(&object, chunk, room);
                assert_eq!(end, Ok(()));
                assert!(
                    output == text,
                    "{:?} in pieces of {chunk}, room {room}",
                    Frame::of(&object)
                );
            }
        }
    }

    #[test]
    fn truncation_gives_what_was_there() {
        let text = text();
        for object in [gzip(&text), zstd(&text), bzip2(&text), snappy(&text)] {
            for length in [12, object.len() / 2, object.len() - 1] {
                let (output, end) = decode(&object[..length], 4096, 1 << 20);
                assert!(text.starts_with(&output));
                assert!(
                    matches!(end, Err(FrameError::Truncated(_))),
                    "{length}: {end:?}"
                );
            }
        }
    }

    #[test]
    fn truncation_gives_the_same_whatever_the_room() {
        // Long matches, so that an inflated byte is often waiting for room after its input is used.
        let text = b"2 123456789010 eni-1 ACCEPT OK\n".repeat(100);
        for object in [gzip(&text), zstd(&text), bzip2(&text), snappy(&text)] {
            for length in MAGIC_BYTES..object.len() {
                let (whole, _) = decode(&object[..length], usize::MAX, usize::MAX);
                let mut decoder =
                    Decoder::new(Frame::of(&object), ExpansionLimit::default()).unwrap();
                let mut output = Vec::new();
                let mut rest = &object[..length];
                loop {
                    let mut piece = Vec::with_capacity(8);
                    let used = decoder.decode(rest, &mut piece, 1).unwrap();
                    rest = &rest[used..];
                    output.extend_from_slice(&piece);
                    if rest.is_empty() && piece.is_empty() {
                        break;
                    }
                }
                assert!(
                    output == whole,
                    "{length}: {} of {}",
                    output.len(),
                    whole.len()
                );
            }
        }
    }

    #[test]
    fn damage_is_an_error_and_keeps_what_came_before() {
        let text = text();
        for mut object in [gzip(&text), snappy(&text), bzip2(&text)] {
            let middle = object.len() / 2;
            for byte in &mut object[middle..middle + 64] {
                *byte ^= 0x5a;
            }
            let (output, end) = decode(&object, 4096, 1 << 20);
            assert!(matches!(end, Err(FrameError::Corrupt { .. })), "{end:?}");
            assert!(!output.is_empty());
            // What snappy gives was checked before; the others check a block or member at its end.
            assert!(Frame::of(&object) != Frame::Snappy || text.starts_with(&output));
        }
        let garbage = [gzip(&text), b"not gzip".to_vec()].concat();
        let (output, end) = decode(&garbage, 1 << 20, 1 << 20);
        assert!(matches!(end, Err(FrameError::Corrupt { .. })), "{end:?}");
        assert!(output == text);
    }

    #[test]
    fn a_bomb_is_cut_off() {
        let zeros = vec![0; 100 << 20];
        for object in [gzip(&zeros), zstd(&zeros), bzip2(&zeros)] {
            let limit = ExpansionLimit {
                free_bytes: 1 << 20,
                ratio: 100,
            };
            let mut decoder = Decoder::new(Frame::of(&object), limit).unwrap();
            let mut output = Vec::new();
            let end = decoder.decode(&object, &mut output, usize::MAX);
            assert_eq!(end, Err(FrameError::Expansion { ratio: 100 }));
            assert!(output.len() < 12 << 20, "{}", output.len());
        }
    }

    #[test]
    fn what_is_not_read_is_named() {
        assert_eq!(Frame::of(b"PAR1...."), Frame::Unsupported("Parquet"));
        assert_eq!(Frame::of(b"PK\x03\x04\x14"), Frame::Unsupported("zip"));
        assert_eq!(Frame::of(b""), Frame::Plain);
        assert_eq!(Frame::of(b"\x1f"), Frame::Plain);
    }

    #[test]
    fn head_is_bounded() {
        assert_eq!(head(&gzip(&text()), 10).len(), 10);
        assert_eq!(head(b"abc", 10), b"abc");
        assert_eq!(head(b"\x1f\x8bgarbage", 10), b"");
    }
}
