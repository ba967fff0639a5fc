//! Objects that are damaged, meant to harm, or nothing at all.

use std::time::{Duration, Instant};

use loglens_parsers::format::Format;
use loglens_parsers::frame::{ExpansionLimit, FrameError};
use loglens_parsers::key::KeyPattern;
use loglens_parsers::record::MAX_LINE_BYTES;
use loglens_parsers::reject::{Counts, EXCERPT_BYTES, Reason, RejectKind};

use crate::reader::{Reader, Reading, gzip, zstd};
use crate::vpc;

const ROW: &str =
    "2 123456789010 eni-1 10.0.0.1 10.0.0.2 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK\n";
const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes \
    start end action log-status\n";

fn read(object: &[u8]) -> Reading {
    Reader::new(&vpc()).read(object)
}

fn rows(count: usize) -> Vec<u8> {
    ROW.repeat(count).into_bytes()
}

#[test]
fn nothing() {
    assert_eq!(read(b"").counts, Counts::default());
    assert_eq!(read(b"\xef\xbb\xbf").counts, Counts::default());
    assert_eq!(read(&gzip(b"")).counts, Counts::default());
    for blank in ["\n\r\n\n", "\n\r\n\r"] {
        let found = read(blank.as_bytes());
        assert_eq!(
            found.counts,
            Counts {
                records: 3,
                skipped: 3,
                ..Counts::default()
            }
        );
        assert_eq!(found.reasons(), [""; 0]);
    }
}

#[test]
fn a_lone_header() {
    for header in [
        HEADER,
        HEADER.trim_end(),
        "version\r\n",
        "\u{feff}version",
        "brand-new version end\n",
    ] {
        let found = read(header.as_bytes());
        assert_eq!(
            found.counts,
            Counts {
                records: 1,
                skipped: 1,
                ..Counts::default()
            },
            "{header}"
        );
        assert_eq!(found.batch().num_rows(), 0);
    }
}

#[test]
fn a_header_with_a_name_twice() {
    let found =
        read(b"srcaddr version srcaddr\n10.0.0.1 2 10.0.0.2\nsrcaddr version srcaddr\n- 3 -\n");
    let reason = "the header names \"srcaddr\" twice";
    assert_eq!(
        found.reasons(),
        [format!("1: {reason}"), format!("3: {reason}")]
    );
    assert_eq!(
        found.counts,
        Counts {
            records: 4,
            rows: 2,
            rejects: 2,
            ..Counts::default()
        }
    );
    assert_eq!(found.column("srcaddr"), [Some("10.0.0.1".to_owned()), None]);
    assert_eq!(
        found.column("extra"),
        [Some(r#"{"srcaddr":"10.0.0.2"}"#.to_owned()), None]
    );
}

#[test]
fn an_unknown_name_twice_has_the_same_members_in_every_row() {
    let found = read(b"version new new\n2 a b\n2 - b\n");
    let extra = [r#"{"new":"a","new#3":"b"}"#, r#"{"new#3":"b"}"#];
    assert_eq!(
        found.column("extra"),
        extra.map(|text| Some(text.to_owned()))
    );
}

#[test]
fn a_header_again_that_begins_with_an_unknown_name() {
    let found = read(b"zone version srcaddr\nz 2 10.0.0.1\nzone version srcaddr\nz 2 10.0.0.2\n");
    assert_eq!(
        found.counts,
        Counts {
            records: 4,
            rows: 2,
            skipped: 2,
            ..Counts::default()
        }
    );
}

#[test]
fn a_header_of_very_many_names() {
    let names: Vec<String> = (0..500_000).map(|number| format!("n{number}")).collect();
    let log = format!("version {}\n{ROW}", names.join(" "));
    let start = Instant::now();
    let found = read(log.as_bytes());
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "took {:?}",
        start.elapsed()
    );
    assert_eq!(found.reasons(), ["1: expected 14 fields, found 500001"]);
    assert_eq!(found.counts.rows, 1);
}

#[test]
fn a_line_of_a_million_bytes_is_a_record() {
    let long = "x".repeat(1_000_000);
    let line = ROW.replace("eni-1", &long);
    let log = [ROW, &line, ROW].concat();
    for pieces in [1000, 1 << 20, usize::MAX] {
        let found = Reader::new(&vpc())
            .in_pieces(&[pieces])
            .read(log.as_bytes());
        let eni = || Some("eni-1".to_owned());
        assert_eq!(
            found.column("interface_id"),
            [eni(), Some(long.clone()), eni()]
        );
        assert_eq!(found.reasons(), [""; 0]);
    }
    let found = read(format!("{ROW}{long}\n{ROW}").as_bytes());
    assert_eq!(found.reasons(), ["2: expected 14 fields, found 1"]);
    assert_eq!(found.rejects[0].excerpt.len(), EXCERPT_BYTES);
    assert_eq!(found.counts.rows, 2);
}

#[test]
fn a_line_that_is_too_long_is_one_reject() {
    let long = [b"\xc3\xa4".repeat(5 << 19), b"\n".to_vec()].concat();
    let before = rows(1000);
    let log = [&before[..], &long, &rows(1000)].concat();
    for (pieces, blocks) in [
        (usize::MAX, 1 << 20),
        (1 << 20, 1 << 20),
        (65_537, 1 << 16),
        (1 << 20, 8 << 20),
    ] {
        let reader = Reader::new(&vpc())
            .in_pieces(&[pieces])
            .in_blocks_of(blocks);
        for found in [
            reader.read(&log),
            reader.read_plain(&log),
            reader.read(&gzip(&log)),
        ] {
            assert_eq!(found.reasons(), ["1001: record longer than 4194304 bytes"]);
            assert_eq!(found.rejects[0].offset, before.len() as u64);
            assert_eq!(found.rejects[0].excerpt, "ä".repeat(EXCERPT_BYTES / 2));
            assert_eq!(
                found.counts,
                Counts {
                    records: 2001,
                    rows: 2000,
                    rejects: 1,
                    ..Counts::default()
                }
            );
            let lines = found.column("$line");
            assert_eq!(lines[999].as_deref(), Some("1000"));
            assert_eq!(lines[1000].as_deref(), Some("1002"));
        }
    }
}

/// Lines about the limit are judged alike however they arrive, at either end of an object.
#[test]
fn the_limit_of_a_line_does_not_depend_on_pieces() {
    for length in [
        MAX_LINE_BYTES - 1,
        MAX_LINE_BYTES,
        MAX_LINE_BYTES + 1,
        MAX_LINE_BYTES + 2,
    ] {
        for (start, end) in [
            ("", "\r\n"),
            ("", "\n"),
            ("", ""),
            ("\u{feff}", "\n"),
            ("\u{feff}", "\r"),
        ] {
            let log = [start, &"x".repeat(length), end].concat();
            let reader = Reader::new(&vpc());
            for read in [Reader::read_plain, Reader::read_cut_off] {
                let whole = read(&reader, log.as_bytes());
                assert_eq!(whole.counts.rejects, 1);
                for pieces in [
                    &[MAX_LINE_BYTES][..],
                    &[MAX_LINE_BYTES + 1],
                    &[MAX_LINE_BYTES + 4],
                    &[1 << 20],
                ] {
                    let found = read(&reader.clone().in_pieces(pieces), log.as_bytes());
                    let place = format!("{length} {start:?} {end:?} in pieces of {pieces:?}");
                    assert_eq!(found.counts, whole.counts, "{place}");
                    assert_eq!(found.sorted_rejects(), whole.sorted_rejects(), "{place}");
                }
            }
        }
    }
}

#[test]
fn garbage_is_rejected_line_by_line() {
    let garbage: Vec<u8> = (0..100_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let found = Reader::new(&vpc()).read_plain(&garbage);
    assert_eq!(found.counts.rows, 0);
    assert_eq!(
        found.counts.records,
        garbage.split(|&byte| byte == b'\n').count() as u64
    );
    assert_eq!(found.rejects.len() as u64, found.counts.rejects);
}

#[test]
fn nul_bytes_are_bytes() {
    let log = ROW
        .replace("eni-1", "\0\0")
        .replace("ACCEPT", "")
        .replace("4249", "\u{0}4249");
    let found = read(log.as_bytes());
    assert_eq!(found.column("interface_id"), [Some("\0\0".to_owned())]);
    assert_eq!(found.column("action"), [Some(String::new())]);
    assert_eq!(found.column("bytes"), [None]);
    assert_eq!(found.reasons(), ["1 bytes: not an integer"]);
    assert_eq!(
        read(&[0; 100]).reasons(),
        ["1: expected 14 fields, found 1"]
    );
}

#[test]
fn text_that_is_not_utf8_is_mended_and_counted() {
    let mut log = rows(3);
    let second = ROW.len() + ROW.find("eni-1").unwrap();
    log[second] = 0xff;
    let found = read(&log);
    let expected = ["eni-1", "\u{fffd}ni-1", "eni-1"].map(|text| Some(text.to_owned()));
    assert_eq!(found.column("interface_id"), expected);
    assert_eq!(found.reasons(), ["2 interface_id: not UTF-8"]);
    assert_eq!(found.rejects[0].reason.kind(), RejectKind::Value);
    assert_eq!(
        found.counts,
        Counts {
            records: 3,
            rows: 3,
            values: 1,
            ..Counts::default()
        }
    );

    let found = read(b"version new\n2 \xff\xfe\n");
    assert_eq!(
        found.column("extra"),
        [Some("{\"new\":\"\u{fffd}\u{fffd}\"}".to_owned())]
    );
    assert_eq!(found.reasons(), ["2 extra: not UTF-8"]);
}

#[test]
fn a_truncated_object_gives_its_whole_records() {
    let log: Vec<u8> = (0..20_000)
        .flat_map(|number: u32| {
            ROW.replace("4249", &number.wrapping_mul(2_654_435_761).to_string())
                .into_bytes()
        })
        .collect();
    let whole = read(&log).column("bytes");
    for compress in [gzip, zstd] {
        let object = compress(&log);
        let found = Reader::new(&vpc())
            .in_pieces(&[10_000])
            .read(&object[..object.len() / 2]);
        assert!(matches!(found.damage, Some(FrameError::Truncated(_))));
        let bytes = found.column("bytes");
        assert!(bytes.len() > 1000);
        assert_eq!(bytes, whole[..bytes.len()]);
        let [reject] = found.rejects.as_slice() else {
            panic!("{:?}", found.rejects)
        };
        assert_eq!(reject.reason, Reason::CutOff);
        assert_eq!(reject.line, bytes.len() as u64 + 1);
        let rest = &log[reject.offset as usize..];
        assert!(rest.starts_with(reject.excerpt.as_bytes()));
        assert_eq!(log[reject.offset as usize - 1], b'\n');
        assert!(found.counts.add_up());
    }
}

#[test]
fn a_bomb_is_cut_off_before_it_fills_the_memory() {
    let bomb = gzip(&vec![0; 64 << 20]);
    let limit = ExpansionLimit {
        free_bytes: 1 << 20,
        ratio: 100,
    };
    let found = Reader::new(&vpc()).within(limit).read(&bomb);
    assert_eq!(found.damage, Some(FrameError::Expansion { ratio: 100 }));
    // Zeros without a line end are one line, which is given up at its limit.
    assert_eq!(found.reasons(), ["1: record longer than 4194304 bytes"]);
}

#[test]
fn a_separator_that_ends_lines_is_no_separator() {
    for separator in ["\\n", "\\r"] {
        let text = format!(
            "table=\"t\"\ntitle=\"t\"\nabout=\"t\"\nsource=\"t\"\n\
             shape={{kind=\"header\",separator=\"{separator}\",null=\"-\"}}\n\
             columns=[{{name=\"a\",kind=\"text\",doc=\"a\"}}]\n"
        );
        let error = Format::from_toml(&text).unwrap_err();
        assert!(
            error.to_string().starts_with("the separator must be"),
            "{error}"
        );
    }
}

#[test]
fn patterns_of_great_depth() {
    assert!(KeyPattern::parse(&"[".repeat(100_000)).is_err());
    let nested = ["[a".repeat(100_000), "]".repeat(100_000)].concat();
    assert!(KeyPattern::parse(&nested).is_err());
}
