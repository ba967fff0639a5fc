//! Aggregates of the Kinesis Producer Library.

use std::sync::Arc;

use bytes::Bytes;
use loglens_parsers::envelope::kpl::{Packing, UserRecord, hash_of, pack, unpack};
use md5::{Digest, Md5};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

/// Made with `aws_kinesis_agg` 1.2.3 (PyPI): the records of [`records`].
const AGGREGATE: &str = "f3899ac20a04706b2d310a04706b2d32122733343032383233363639323039333834363334\
    36333337343630373433313736383231313435351201371a1f08001a1b322031323334353637383930313020656e69\
    2d31204143434550541a06080110001a001a09080010011a03c3a90a4b196a143699fd071dc8082720b17767";

/// The same of one record: the key `a` and three zero bytes.
const SMALL: &str = "f3899ac20a01611a0708001a03000000fa11ec4fdea72e91824f18f21bdd9ec9";

/// Written by the Kinesis Producer Library: `kpl_generated_rec_no_ehks` of
/// awslabs/kinesis-aggregation, `python/test/test_deagg.py`, commit c2774b1ab29b (Apache-2.0).
const FROM_KPL: &str = "f3899ac20a2437386665623132612d646261302d343563612d613931652d6262316632663138313962340a2463\
    326137353738372d343639622d343331302d383430642d6434383664636137656235650a243635306539333632\
    2d353732622d343432372d623366632d3133353439643765356165350a2431643864393630302d303062372d34\
    3666332d613938332d6465383334373735343063300a2466326537313861302d333839622d343934612d623739\
    362d3333353562303735363963630a2439363562386461342d613662642d343735352d383163392d6537313831\
    616237646339610a2464363933633566302d353737322d343663392d386438362d303863373035356264623735\
    0a2438643932343736622d656238392d346538312d393966622d6332626136336164366439301a2408001a2052\
    45434f524420313820696b6c727073767968786e65726f646665686572750a1a2408011a205245434f52442031\
    39206c6e6d6e756479687670766367726f6b666d7a64680a1a2408021a205245434f524420323020706a717263\
    66627861667a646e647a6d6267616e650a1a2408031a205245434f524420323120616166726579726e74777577\
    786c6979676b62686b0a1a2408041a205245434f5244203232207173616164686273676d767167646966677579\
    6f750a1a2408051a205245434f524420323320776a6f6b6f6977767a7a686c66746c7a6871666a6b0a1a240806\
    1a205245434f5244203234207a6f70636173637274686262706e6a697775686a620a1a2408071a205245434f52\
    442032352074786262766e6f7a727773626f78756f6d71626f710abd5d6bacb754f92cb6bfcc64819e5868";

type Given = (&'static str, Option<&'static str>, &'static [u8]);

fn records() -> [Given; 3] {
    [
        ("pk-1", None, b"2 123456789010 eni-1 ACCEPT"),
        ("pk-2", Some("340282366920938463463374607431768211455"), b""),
        ("pk-1", Some("7"), "é\n".as_bytes()),
    ]
}

fn bytes_of(hex: &str) -> Bytes {
    let digits: Vec<u8> = hex
        .bytes()
        .map(|digit| char::from(digit).to_digit(16).unwrap() as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn unpacked(data: &Bytes) -> (Vec<UserRecord>, Packing) {
    let (users, packing) = unpack(&Arc::from("outer"), data);
    (users.collect(), packing)
}

#[test]
fn what_others_pack_is_unpacked_and_the_other_way_round() {
    let data = bytes_of(AGGREGATE);
    let (found, packing) = unpacked(&data);
    assert_eq!(packing, Packing::Aggregated);
    for ((index, record), (key, hash_key, bytes)) in found.iter().enumerate().zip(records()) {
        assert_eq!(&*record.partition_key, key);
        assert_eq!(record.explicit_hash_key.as_deref(), hash_key);
        assert_eq!(record.data, bytes);
        assert_eq!(record.sub, index as u64);
    }
    assert_eq!(found.len(), 3);
    assert_eq!(pack(records()), data);
    let one: Given = ("a", None, &[0; 3]);
    assert_eq!(pack([one]), bytes_of(SMALL));
    // No copy was made.
    let inside = data.as_ptr_range().contains(&found[0].data.as_ptr());
    assert!(inside);
}

#[test]
fn what_the_library_itself_writes() {
    let (found, packing) = unpacked(&bytes_of(FROM_KPL));
    assert_eq!(packing, Packing::Aggregated);
    let texts: Vec<_> = found
        .iter()
        .map(|record| String::from_utf8_lossy(&record.data))
        .collect();
    assert_eq!(texts[0], "RECORD 18 iklrpsvyhxnerodfeheru\n");
    assert_eq!(texts[7], "RECORD 25 txbbvnozrwsboxuomqboq\n");
    assert_eq!(found.len(), 8);
    assert_eq!(
        &*found[7].partition_key,
        "8d92476b-eb89-4e81-99fb-c2ba63ad6d90"
    );
}

#[test]
fn hash_keys_are_explicit_or_the_md5_of_the_partition_key() {
    let (found, _) = unpacked(&bytes_of(AGGREGATE));
    // `printf pk-1 | md5sum`
    let of_key = 0xce13_95af_c30b_98e6_746a_8236_d642_0049;
    assert_eq!(found[0].hash_key(), of_key);
    assert_eq!(found[1].hash_key(), u128::MAX);
    assert_eq!(found[2].hash_key(), 7);
    assert_eq!(hash_of(""), 0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e);
    let odd = UserRecord {
        explicit_hash_key: Some(Arc::from("seven")),
        ..found[0].clone()
    };
    assert_eq!(odd.hash_key(), of_key);
}

/// A message with magic bytes and checksum.
fn sealed(message: &[u8]) -> Bytes {
    let empty = pack([]);
    let magic = &empty[..4];
    Bytes::from([magic, message, &Md5::digest(message)[..]].concat())
}

#[test]
fn what_is_no_aggregate_is_one_record() {
    let whole = bytes_of(AGGREGATE);
    let cut = whole.slice(..whole.len() - 1);
    let long_varint = [&[0x08][..], &[0xff; 10], &[1]].concat();
    let large_varint = [&[0x08][..], &[0xff; 9], &[2]].concat();
    let rows: &[(Bytes, Packing)] = &[
        (Bytes::new(), Packing::Plain),
        (Bytes::from_static(b"\xf3\x89\x9a"), Packing::Plain),
        (Bytes::from_static(b"a line\n"), Packing::Plain),
        (
            whole.slice(..4),
            Packing::Broken("shorter than its checksum"),
        ),
        (
            whole.slice(..19),
            Packing::Broken("shorter than its checksum"),
        ),
        (cut, Packing::Broken("another checksum")),
        (sealed(b"\x0a\x05pk"), Packing::Broken("no protobuf")),
        (sealed(b"\x0a"), Packing::Broken("no protobuf")),
        (sealed(b"\x0b"), Packing::Broken("no protobuf")),
        (sealed(&long_varint), Packing::Broken("no protobuf")),
        (sealed(&large_varint), Packing::Broken("no protobuf")),
        (
            sealed(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            Packing::Broken("no protobuf"),
        ),
        (
            sealed(b"\x0a\x01\xff"),
            Packing::Broken("a key that is not UTF-8"),
        ),
        (
            sealed(b"\x0a\x01a\x1a\x02\x08\x00"),
            Packing::Broken("a record without key or data"),
        ),
        (
            sealed(b"\x0a\x01a\x1a\x02\x1a\x00"),
            Packing::Broken("a record without key or data"),
        ),
        (
            sealed(b"\x0a\x01a\x1a\x04\x08\x01\x1a\x00"),
            Packing::Broken("a key that is not in its table"),
        ),
        (
            sealed(b"\x0a\x01a\x1a\x06\x08\x00\x10\x00\x1a\x00"),
            Packing::Broken("a key that is not in its table"),
        ),
    ];
    for (data, expected) in rows {
        let (found, packing) = unpacked(data);
        assert_eq!(packing, *expected, "{data:x?}");
        assert_eq!(found.len(), 1, "{data:x?}");
        assert_eq!(found[0].data, *data);
        assert_eq!(&*found[0].partition_key, "outer");
    }
}

#[test]
fn fields_come_in_any_order_and_unknown_ones_are_skipped() {
    // A record with a tag, data twice (the last counts) and unknown fields of every type; then
    // the table.
    let record =
        b"\x22\x03\x0a\x01t\x1a\x01x\x38\x05\x41eightbyt\x4dfour\x52\x01z\x1a\x01y\x08\x00";
    let message = [
        &[0x1a, record.len() as u8][..],
        record,
        b"\x20\x07\x0a\x01k",
    ]
    .concat();
    let (found, packing) = unpacked(&sealed(&message));
    assert_eq!(packing, Packing::Aggregated);
    assert_eq!(
        (&*found[0].partition_key, &found[0].data[..]),
        ("k", &b"y"[..])
    );
    let (none, packing) = unpacked(&sealed(b""));
    assert_eq!((none.len(), packing), (0, Packing::Aggregated));
}

proptest! {
    #[test]
    fn packing_and_unpacking_are_inverse(
        given in vec(("[a-z]{0,3}", option::of("[0-9]{1,3}"), vec(any::<u8>(), 0..300)), 0..40),
    ) {
        let records = given
            .iter()
            .map(|(key, hash_key, data)| (key.as_str(), hash_key.as_deref(), data.as_slice()));
        let (found, packing) = unpacked(&pack(records).into());
        prop_assert_eq!(packing, Packing::Aggregated);
        prop_assert_eq!(found.len(), given.len());
        for (record, (key, hash_key, data)) in found.iter().zip(&given) {
            prop_assert_eq!(&*record.partition_key, key);
            prop_assert_eq!(record.explicit_hash_key.as_deref(), hash_key.as_deref());
            prop_assert_eq!(&record.data, data);
        }
    }

    /// Whatever stands between magic bytes and checksum.
    #[test]
    fn messages_of_noise(noise in vec(any::<u8>(), 0..200), at in any::<Index>(), bits in 1..=255_u8) {
        let (found, packing) = unpacked(&sealed(&noise));
        prop_assert!(packing == Packing::Aggregated || found.len() == 1);
        let mut message = bytes_of(AGGREGATE).to_vec();
        message.drain(..4);
        message.truncate(message.len() - 16);
        let at = at.index(message.len());
        message[at] ^= bits;
        let (found, packing) = unpacked(&sealed(&message));
        prop_assert!(packing == Packing::Aggregated || found.len() == 1);
    }
}
