//! The floors: what no reader of the same bytes can do without, by the fastest means at hand.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use libdeflater::Decompressor;

use crate::cases::Storage;
use crate::data::Data;
use crate::error::{Error, Result};
use crate::results::Floor;

pub(crate) const NEWLINES_READING: &str = "newlines, with reading, all cores";
const NEWLINES_READING_ONE: &str = "newlines, with reading, one core";
const NEWLINES_MEMORY: &str = "newlines, in memory, one core";
const INFLATE_ZLIB_RS: &str = "inflate, zlib-rs, one core";
const INFLATE_LIBDEFLATE: &str = "inflate, libdeflate, one core";
const INFLATE_ZLIB_RS_ALL: &str = "inflate, zlib-rs, all cores";
const INFLATE_LIBDEFLATE_ALL: &str = "inflate, libdeflate, all cores";

/// Stays in the cache of a core.
const CHUNK_BYTES: usize = 256 << 10;

/// The floors of a layout, in runs that take turns.
pub(crate) fn floors(
    data: &Data,
    storage: Storage,
    threads: usize,
    runs: usize,
) -> Result<Vec<Floor>> {
    type Measure<'a> = Box<dyn FnMut() -> io::Result<u64> + 'a>;
    let files = data.files(storage)?;
    let place = data.place(storage);
    let mut measures: Vec<(&str, Measure<'_>)> = Vec::new();
    let expected = match storage {
        Storage::Plain => {
            let text = fs::read(&place).map_err(Error::at(&place))?;
            let lines = newlines(&text);
            measures.push((NEWLINES_READING, Box::new(|| newlines_of(&place, threads))));
            measures.push((NEWLINES_READING_ONE, Box::new(|| newlines_of(&place, 1))));
            measures.push((NEWLINES_MEMORY, Box::new(move || Ok(newlines(&text)))));
            lines
        }
        Storage::Gzip => {
            measures.push((INFLATE_ZLIB_RS, Box::new(|| zlib_rs(&files, 1))));
            measures.push((INFLATE_LIBDEFLATE, Box::new(|| libdeflate(&files, 1))));
            data.manifest.text_bytes
        }
        Storage::Files => {
            measures.push((INFLATE_ZLIB_RS_ALL, Box::new(|| zlib_rs(&files, threads))));
            measures.push((
                INFLATE_LIBDEFLATE_ALL,
                Box::new(|| libdeflate(&files, threads)),
            ));
            zlib_rs(&files, threads).map_err(Error::at(&place))?
        }
        Storage::Parquet => return Ok(Vec::new()),
    };
    let mut floors: Vec<Floor> = measures
        .iter()
        .map(|(name, _)| Floor {
            name: (*name).to_owned(),
            seconds: Vec::new(),
        })
        .collect();
    for run in 0..=runs {
        for ((name, measure), floor) in measures.iter_mut().zip(&mut floors) {
            let start = Instant::now();
            let found = measure().map_err(Error::at(&place))?;
            let seconds = start.elapsed().as_secs_f64();
            if found != expected {
                return Err(Error::new(format!("{name}: {found}, not {expected}")));
            }
            // The first run warms up.
            if run > 0 {
                floor.seconds.push(seconds);
            }
        }
    }
    Ok(floors)
}

fn newlines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

/// Counts the lines of a file that is read by chunks.
fn newlines_of(path: &Path, threads: usize) -> io::Result<u64> {
    let file = File::open(path)?;
    let next = AtomicU64::new(0);
    on_threads(threads, || {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut lines = 0;
        loop {
            let at = next.fetch_add(CHUNK_BYTES as u64, Ordering::Relaxed);
            let read = file.read_at(&mut chunk, at)?;
            if read == 0 {
                return Ok(lines);
            }
            lines += newlines(&chunk[..read]);
        }
    })
}

/// Inflates files through a buffer that stays in the cache.
fn zlib_rs(files: &[PathBuf], threads: usize) -> io::Result<u64> {
    let next = AtomicUsize::new(0);
    on_threads(threads, || {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut bytes = 0;
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut inflater = flate2::bufread::GzDecoder::new(io::BufReader::with_capacity(
                CHUNK_BYTES,
                File::open(path)?,
            ));
            loop {
                match inflater.read(&mut chunk)? {
                    0 => break,
                    read => bytes += read as u64,
                }
            }
        }
        Ok(bytes)
    })
}

/// Inflates files as a whole, of one member each.
fn libdeflate(files: &[PathBuf], threads: usize) -> io::Result<u64> {
    let next = AtomicUsize::new(0);
    on_threads(threads, || {
        let mut inflater = Decompressor::new();
        let (mut text, mut bytes) = (Vec::new(), 0);
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let object = fs::read(path)?;
            let size = object
                .last_chunk()
                .map_or(0, |size| u32::from_le_bytes(*size));
            if text.len() < size as usize {
                text.resize(size as usize, 0);
            }
            bytes += inflater
                .gzip_decompress(&object, &mut text)
                .map_err(io::Error::other)? as u64;
        }
        Ok(bytes)
    })
}

/// The sum of what the same work gives on so many threads.
fn on_threads(threads: usize, work: impl Fn() -> io::Result<u64> + Sync) -> io::Result<u64> {
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(&work)).collect();
        let mut sum = work()?;
        for other in others {
            sum += other
                .join()
                .map_err(|_| io::Error::other("a thread panicked"))??;
        }
        Ok(sum)
    })
}
