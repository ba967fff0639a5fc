//! Inflated bytes per second of gzip: the way that the scan goes, beside what is used elsewhere
//! and the floors (checksum, copy). Every benchmark checks its answer.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros and a benchmark's own checks"
)]

use std::hint::black_box;
use std::io::{Read, Write};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, Crc, Decompress, FlushDecompress, Status};
use loglens_bench::{alb_logs, cloudtrail_logs, flow_logs};
use loglens_parsers::frame::{Decoder, ExpansionLimit, Frame};

/// Compressed bytes at a time, and inflated bytes asked for, as the scan does.
const READ_BYTES: usize = 128 << 10;
const ROOM: usize = 1 << 20;

/// The largest window that gzip has.
const WINDOW_BITS: u8 = 15;

struct Object {
    name: &'static str,
    text: Vec<u8>,
    gzip: Vec<u8>,
    sum: u32,
}

impl Object {
    fn new(name: &'static str, mut text: Vec<u8>, length: usize) -> Self {
        text.truncate(length);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(&text).unwrap();
        let gzip = encoder.finish().unwrap();
        let sum = crc(&text);
        Self {
            name,
            text,
            gzip,
            sum,
        }
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Block by block through the frame, as the scan does; each block is given away.
fn through_the_frame(object: &Object, mut block: impl FnMut(&[u8])) -> usize {
    let mut decoder = Decoder::new(Frame::Gzip, ExpansionLimit::default()).unwrap();
    let mut output = Vec::with_capacity(ROOM);
    let mut length = 0;
    for mut piece in object.gzip.chunks(READ_BYTES).chain([&[][..]]) {
        loop {
            let before = output.len();
            let used = decoder.decode(piece, &mut output, ROOM - before).unwrap();
            piece = &piece[used..];
            let ended = piece.is_empty() && output.len() == before;
            if output.len() == ROOM || ended {
                block(&output);
                length += output.len();
                output.clear();
            }
            if ended {
                break;
            }
        }
    }
    decoder.finish().unwrap();
    length
}

/// zlib-rs in the same steps.
fn zlib(object: &Object, mut block: impl FnMut(&[u8])) -> usize {
    let mut member = Decompress::new_gzip(WINDOW_BITS);
    let mut output = Vec::with_capacity(ROOM);
    let (mut length, mut ended) = (0, false);
    for mut piece in object.gzip.chunks(READ_BYTES) {
        while !ended && !piece.is_empty() {
            let before = member.total_in();
            let status = member
                .decompress_vec(piece, &mut output, FlushDecompress::None)
                .unwrap();
            piece = &piece[(member.total_in() - before) as usize..];
            ended = status == Status::StreamEnd;
            if output.len() == output.capacity() || ended {
                block(&output);
                length += output.len();
                output.clear();
            }
        }
    }
    length
}

fn inflate(criterion: &mut Criterion, object: &Object) {
    let length = object.text.len();
    let mut group = criterion.benchmark_group(object.name);
    group.throughput(Throughput::Bytes(length as u64));

    let mut whole = Vec::with_capacity(length);
    assert_eq!(
        through_the_frame(object, |block| whole.extend_from_slice(block)),
        length
    );
    assert!(whole == object.text);

    group.bench_function("frame", |b| {
        b.iter(|| {
            let length = through_the_frame(object, |block| {
                black_box(block);
            });
            assert_eq!(length, object.text.len());
        });
    });
    group.bench_function("zlib-rs", |b| {
        b.iter(|| {
            let length = zlib(object, |block| {
                black_box(block);
            });
            assert_eq!(length, object.text.len());
        });
    });
    group.bench_function("MultiGzDecoder", |b| {
        let mut block = vec![0; ROOM];
        b.iter(|| {
            let mut reader = MultiGzDecoder::new(object.gzip.as_slice());
            let mut length = 0;
            while let read @ 1.. = reader.read(&mut block).unwrap() {
                length += read;
            }
            assert_eq!(length, object.text.len());
        });
    });
    group.bench_function("libdeflate, whole", |b| {
        let mut inflater = libdeflater::Decompressor::new();
        let mut output = vec![0; length];
        b.iter(|| {
            let wrote = inflater.gzip_decompress(&object.gzip, &mut output).unwrap();
            assert_eq!(wrote, object.text.len());
        });
        assert_eq!(crc(&output), object.sum);
    });
    group.bench_function("checksum", |b| {
        b.iter(|| assert_eq!(crc(black_box(&object.text)), object.sum));
    });
    group.bench_function("copy in blocks", |b| {
        let mut output = Vec::with_capacity(ROOM);
        b.iter(|| {
            for block in object.text.chunks(ROOM) {
                output.clear();
                output.extend_from_slice(black_box(block));
                black_box(&output);
            }
        });
    });
    group.finish();
}

fn objects(criterion: &mut Criterion) {
    let flow = flow_logs(700_000);
    let (small, large) = (2_000_000, 64_000_000);
    inflate(
        criterion,
        &Object::new("flow logs, 2 MB", flow.clone(), small),
    );
    inflate(criterion, &Object::new("flow logs, 64 MB", flow, large));
    let alb = alb_logs(20_000);
    inflate(criterion, &Object::new("load balancer", alb, large));
    let cloudtrail = cloudtrail_logs(10_000);
    inflate(criterion, &Object::new("CloudTrail", cloudtrail, large));
}

criterion_group!(benches, objects);
criterion_main!(benches);
