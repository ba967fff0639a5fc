//! Aggregated records of the Kinesis Producer Library: several user records in one record of a
//! stream.
//!
//! ```text
//! F3 89 9A C2 | AggregatedRecord (protobuf) | MD5 of the protobuf (16 bytes)
//!
//! AggregatedRecord  1 repeated string partition_key_table
//!                   2 repeated string explicit_hash_key_table
//!                   3 repeated Record records
//! Record            1 uint64 partition_key_index   2 optional uint64 explicit_hash_key_index
//!                   3 bytes data                   4 repeated Tag, which nobody reads
//! ```
//!
//! Source: <https://github.com/awslabs/kinesis-aggregation> ("KPL Aggregated Record Format").
//! What is not whole in this sense is one user record as it stands, as for Amazon's own consumers.

use std::sync::Arc;

use bytes::Bytes;
use md5::{Digest, Md5};
use nom::bytes::complete::take;
use nom::error::{Error, ErrorKind};
use nom::{Err, IResult, Parser};

const MAGIC: &[u8] = b"\xf3\x89\x9a\xc2";
const DIGEST_BYTES: usize = 16;

/// Bytes of the longest varint.
const VARINT_BYTES: usize = 10;

/// A record as its producer wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// Its partition key.
    pub partition_key: Arc<str>,
    /// The hash key that its producer chose for it, in decimal digits.
    pub explicit_hash_key: Option<Arc<str>>,
    /// Its bytes: a view into those of the stream's record.
    pub data: Bytes,
    /// Its place in the stream's record, from 0.
    pub sub: u64,
}

/// What a record of a stream was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// One user record.
    Plain,
    /// User records in an aggregate; there may be none.
    Aggregated,
    /// It begins as an aggregate does and is none, so it is one user record; why it is none.
    Broken(&'static str),
}

impl UserRecord {
    /// The hash key that decides which shard it belongs to: the explicit one, or MD5 of the
    /// partition key. An aggregate may reach a shard that some of its records do not belong to any
    /// more, after a split; their producer sends those again.
    pub fn hash_key(&self) -> u128 {
        let explicit = self.explicit_hash_key.as_ref();
        explicit
            .and_then(|key| key.parse().ok())
            .unwrap_or_else(|| hash_of(&self.partition_key))
    }
}

/// The hash key of a partition key.
pub fn hash_of(partition_key: &str) -> u128 {
    u128::from_be_bytes(Md5::digest(partition_key.as_bytes()).into())
}

/// The user records in a record of a stream that has this partition key and these bytes.
pub fn unpack(
    partition_key: &Arc<str>,
    data: &Bytes,
) -> (impl Iterator<Item = UserRecord> + use<>, Packing) {
    let plain = || UserRecord {
        partition_key: Arc::clone(partition_key),
        explicit_hash_key: None,
        data: data.clone(),
        sub: 0,
    };
    // A plain record needs no list.
    let (one, many, packing) = match data.strip_prefix(MAGIC) {
        None => (Some(plain()), Vec::new(), Packing::Plain),
        Some(rest) => match aggregated(data, rest) {
            Ok(records) => (None, records, Packing::Aggregated),
            Err(reason) => (Some(plain()), Vec::new(), Packing::Broken(reason)),
        },
    };
    (one.into_iter().chain(many), packing)
}

/// Packs records, each a partition key, an explicit hash key and bytes, into one.
pub fn pack<'a>(
    records: impl IntoIterator<Item = (&'a str, Option<&'a str>, &'a [u8])>,
) -> Vec<u8> {
    let (mut keys, mut hash_keys) = (Vec::new(), Vec::new());
    let mut packed = Vec::new();
    for (key, hash_key, data) in records {
        let mut record = Vec::with_capacity(data.len() + 16);
        put_number(&mut record, 1, index_in(&mut keys, key));
        if let Some(hash_key) = hash_key {
            put_number(&mut record, 2, index_in(&mut hash_keys, hash_key));
        }
        put_bytes(&mut record, 3, data);
        put_bytes(&mut packed, 3, &record);
    }
    let mut message = Vec::with_capacity(packed.len());
    for (field, table) in [(1, keys), (2, hash_keys)] {
        for key in table {
            put_bytes(&mut message, field, key.as_bytes());
        }
    }
    message.extend(packed);
    let digest = Md5::digest(&message);
    [MAGIC, &message, digest.as_slice()].concat()
}

/// The user records of what stands behind the magic bytes of `whole`.
fn aggregated(whole: &Bytes, rest: &[u8]) -> Result<Vec<UserRecord>, &'static str> {
    let (message, digest) = rest
        .split_last_chunk::<DIGEST_BYTES>()
        .ok_or("shorter than its checksum")?;
    if Md5::digest(message).as_slice() != digest {
        return Err("another checksum");
    }
    let (mut keys, mut hash_keys) = (Vec::new(), Vec::new());
    let mut packed = Vec::new();
    for field in fields(message) {
        match field? {
            (1, Value::Bytes(text)) => keys.push(text_of(text)?),
            (2, Value::Bytes(text)) => hash_keys.push(text_of(text)?),
            (3, Value::Bytes(record)) => packed.push(record),
            _ => {}
        }
    }
    let key_at = |table: &[Arc<str>], index: u64| {
        let key = usize::try_from(index).ok().and_then(|at| table.get(at));
        key.cloned().ok_or("a key that is not in its table")
    };
    let user_record = |(sub, record): (u64, &[u8])| {
        let (mut key, mut hash_key, mut data) = (None, None, None);
        for field in fields(record) {
            match field? {
                (1, Value::Number(index)) => key = Some(index),
                (2, Value::Number(index)) => hash_key = Some(index),
                (3, Value::Bytes(bytes)) => data = Some(bytes),
                _ => {}
            }
        }
        let (Some(key), Some(data)) = (key, data) else {
            return Err("a record without key or data");
        };
        Ok(UserRecord {
            partition_key: key_at(&keys, key)?,
            explicit_hash_key: hash_key
                .map(|index| key_at(&hash_keys, index))
                .transpose()?,
            data: whole.slice_ref(data),
            sub,
        })
    };
    (0..).zip(packed).map(user_record).collect()
}

fn text_of(bytes: &[u8]) -> Result<Arc<str>, &'static str> {
    let text = simdutf8::basic::from_utf8(bytes);
    text.map(Arc::from).map_err(|_| "a key that is not UTF-8")
}

/// The value of a protobuf field, as far as these messages have them.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of a type that only unknown fields have.
    Other,
}

/// The fields of a protobuf message with their numbers; after an error there are no more.
fn fields(message: &[u8]) -> impl Iterator<Item = Result<(u64, Value<'_>), &'static str>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        Some(if let Ok((after, found)) = field(rest) {
            rest = after;
            Ok(found)
        } else {
            rest = &[];
            Err("no protobuf")
        })
    })
}

fn field(input: &[u8]) -> IResult<&[u8], (u64, Value<'_>)> {
    let (rest, tag) = varint(input)?;
    let (rest, value) = match tag & 7 {
        0 => varint.map(Value::Number).parse(rest),
        1 => take(8_usize).map(|_| Value::Other).parse(rest),
        2 => {
            let (rest, length) = varint(rest)?;
            take(length).map(Value::Bytes).parse(rest)
        }
        5 => take(4_usize).map(|_| Value::Other).parse(rest),
        _ => Err(failed(input)),
    }?;
    Ok((rest, (tag >> 3, value)))
}

fn varint(input: &[u8]) -> IResult<&[u8], u64> {
    let mut number = 0;
    for (place, &byte) in input.iter().take(VARINT_BYTES).enumerate() {
        let bits = u64::from(byte & 0x7f);
        let shifted = bits << (7 * place);
        if shifted >> (7 * place) != bits {
            break;
        }
        number |= shifted;
        if byte & 0x80 == 0 {
            return Ok((&input[place + 1..], number));
        }
    }
    Err(failed(input))
}

fn failed(input: &[u8]) -> Err<Error<&[u8]>> {
    Err::Error(Error::new(input, ErrorKind::Fail))
}

/// Where a key stands in a table, to which it is added if it is new.
fn index_in<'a>(table: &mut Vec<&'a str>, key: &'a str) -> u64 {
    let known = table.iter().position(|known| *known == key);
    let index = known.unwrap_or_else(|| {
        table.push(key);
        table.len() - 1
    });
    index as u64
}

fn put_number(out: &mut Vec<u8>, field: u64, number: u64) {
    put_varint(out, field << 3);
    put_varint(out, number);
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_varint(out, field << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
