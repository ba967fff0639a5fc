//! Bodies of fuzz targets, fed by proptest with noise and with damaged logs.
//!
//! Each says what must hold for any input at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use loglens_parsers::detect::{by_head, by_key};
use loglens_parsers::format::{Format, Formats, built_in};
use loglens_parsers::frame::{Frame, head};
use loglens_parsers::key::{KeyPattern, hive_segments};
use loglens_parsers::layout::{Layout, field_list, header_names};
use loglens_parsers::reject::RejectKind;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::envelopes::data;
use crate::reader::{Reader, gzip, zstd};
use crate::samples::log_files;

/// The whole way of an object, whatever it holds, for every format.
fn fuzz_object(object: &[u8]) {
    for format in built_in() {
        let found = Reader::new(format).examining_everything().read(object);
        assert!(found.counts.add_up());
        assert_eq!(
            found.counts.rejects,
            found.rejects_of(RejectKind::Record).len() as u64
        );
        assert_eq!(
            found.counts.values,
            found.rejects_of(RejectKind::Value).len() as u64
        );
        if Frame::of(object) == Frame::Plain {
            assert_eq!(found.damage, None);
        }
    }
}

/// Recognising an object by its first bytes, in its frame or out of it.
fn fuzz_detect(start: &[u8]) {
    let inflated = head(start, 1000);
    assert!(inflated.len() <= 1000);
    for bytes in [start, &inflated] {
        if let Some(found) = by_head(bytes, built_in(), None) {
            assert!(
                found
                    .unknown
                    .iter()
                    .all(|name| found.format.column(name).is_none())
            );
        }
        by_head(
            bytes,
            built_in(),
            Some(&["version".to_owned(), "srcaddr".to_owned()]),
        );
        for format in built_in() {
            if let Some(names) = header_names(format, bytes, true) {
                assert_eq!(
                    Layout::new(format, names.iter().copied()).fields(),
                    names.len()
                );
            }
        }
    }
}

/// What a key says.
fn fuzz_key(key: &str) {
    let (formats, facts) = by_key(&Formats::default(), key);
    assert_eq!(facts.hive, hive_segments(key));
    if formats.is_empty() {
        assert_eq!(facts.account, None);
    }
    facts.date();
    facts.day();
}

/// The field names that a user gives.
fn fuzz_field_list(text: &str) {
    if let Some(names) = field_list(text) {
        assert!(!names.is_empty());
        assert!(names.iter().all(|name| !name.is_empty()));
    }
}

/// The description that a user gives, and then a log of it.
fn fuzz_description(text: &str) {
    let Ok(format) = Format::from_toml(text) else {
        return;
    };
    let mut log = b"a b c\r\n\r\n1 2\rversion account-id\n2 3\n".to_vec();
    for sample in &format.samples {
        log.extend(sample.line.bytes());
        log.push(b'\n');
    }
    let found = Reader::new(&format.into()).read_plain(&log);
    assert!(found.counts.add_up());
}

proptest! {
    #[test]
    fn objects_of_noise(noise in vec(any::<u8>(), 0..2000), magic in any_magic()) {
        let object = [magic, &noise].concat();
        fuzz_object(&object);
        fuzz_detect(&object);
    }

    #[test]
    fn damaged_logs(log in select(LOGS.as_slice()), damages in vec(any_damage(), 1..12)) {
        let log = damaged(&log, &damages);
        fuzz_object(&log);
        fuzz_detect(&log);
    }

    #[test]
    fn damaged_frames(log in select(LOGS.as_slice()), frame in any_frame(), damages in vec(any_damage(), 1..4)) {
        let object = damaged(&frame(&log), &damages);
        fuzz_object(&object);
        fuzz_detect(&object);
    }

    #[test]
    fn damaged_logs_in_sound_frames(
        log in select(LOGS.as_slice()),
        frame in any_frame(),
        damages in vec(any_damage(), 1..12),
    ) {
        let object = frame(&damaged(&log, &damages));
        fuzz_object(&object);
        fuzz_detect(&object);
    }

    #[test]
    fn keys(noise in ".{0,80}", damages in vec(any_damage(), 0..6)) {
        fuzz_key(&noise);
        for key in KEYS {
            fuzz_key(&damaged_text(key, &damages));
        }
    }

    #[test]
    fn key_patterns(pattern in "[a/{}*=_\\[\\]-]{0,40}") {
        // A pattern is good or is not; neither is a panic.
        let _ = KeyPattern::parse(&pattern);
    }

    #[test]
    fn field_lists(noise in ".{0,80}", list in "[a-c${}, \t-]{0,40}") {
        fuzz_field_list(&noise);
        fuzz_field_list(&list);
    }

    #[test]
    fn descriptions(
        noise in ".{0,200}",
        description in select(DESCRIPTIONS.as_slice()),
        damages in vec(any_damage(), 0..4),
        separator in select(&[" ", "\\t", "\\r", "\\n", "\\u0000", "a", "-", "", ",,", "é"][..]),
    ) {
        fuzz_description(&noise);
        fuzz_description(&damaged_text(&description, &damages));
        let separated = description.replace("separator = \" \"", &format!("separator = \"{separator}\""));
        fuzz_description(&separated);
    }
}

const KEYS: &[&str] = &[
    "p//AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/01/02/123456789012_vpcflowlogs_us-east-1_fl-1_20260102T0305Z_a.log.gz",
    "AWSLogs/aws-account-id=1/aws-service=vpcflowlogs/aws-region=r/year=2026/month=01/day=02/hour=03/x.log",
];

static LOGS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    log_files()
        .into_iter()
        .map(|path| fs::read(path).unwrap())
        .collect()
});

static DESCRIPTIONS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("formats");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
});

/// The beginnings of frames, so that noise gets past their first check.
fn any_magic() -> impl Strategy<Value = &'static [u8]> {
    const MAGIC: &[&[u8]] = &[
        b"",
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
        b"\x28\xb5\x2f\xfd",
        b"PAR1",
        b"\xef\xbb\xbf",
    ];
    select(MAGIC)
}

fn any_frame() -> impl Strategy<Value = fn(&[u8]) -> Vec<u8>> {
    select(vec![gzip as fn(&[u8]) -> Vec<u8>, zstd, enveloped])
}

/// The lines of a log as messages of CloudWatch Logs.
fn enveloped(log: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(log);
    let lines: Vec<_> = text.lines().collect();
    let messages = lines.chunks(3).map(|lines| data("x", lines));
    messages.collect::<String>().into_bytes()
}

#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Delete(Index, usize),
    /// Copies some bytes to another place.
    Repeat(Index, usize, Index),
    Truncate(Index),
}

fn any_damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<Index>(), 1..=255_u8).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        2 => (any::<Index>(), vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        2 => (any::<Index>(), 1..50_usize).prop_map(|(at, length)| Damage::Delete(at, length)),
        2 => (any::<Index>(), 1..200_usize, any::<Index>())
            .prop_map(|(from, length, to)| Damage::Repeat(from, length, to)),
        1 => any::<Index>().prop_map(Damage::Truncate),
    ]
}

fn damaged(bytes: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for damage in damages {
        let length = bytes.len();
        let at = |index: &Index| index.index(length + 1);
        let to = |start: usize, count: &usize| (start + count).min(length);
        match damage {
            Damage::Flip(index, bits) => {
                if let Some(byte) = bytes.get_mut(at(index)) {
                    *byte ^= bits;
                }
            }
            Damage::Insert(index, more) => {
                drop(bytes.splice(at(index)..at(index), more.iter().copied()));
            }
            Damage::Delete(index, count) => drop(bytes.drain(at(index)..to(at(index), count))),
            Damage::Repeat(from, count, place) => {
                let copy = bytes[at(from)..to(at(from), count)].to_vec();
                bytes.splice(at(place)..at(place), copy);
            }
            Damage::Truncate(index) => bytes.truncate(at(index)),
        }
    }
    bytes
}

fn damaged_text(text: &str, damages: &[Damage]) -> String {
    String::from_utf8_lossy(&damaged(text.as_bytes(), damages)).into_owned()
}
