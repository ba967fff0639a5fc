//! Writing a family's layouts.
//!
//! The generator writes the many objects as text. From these come, on all cores, the plain file,
//! the gzip file and the gzip objects.

use std::fs::{self, File};
#[cfg(test)]
use std::io::Read;
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use loglens_generate::{AlbLogs, CloudTrailLogs, FlowLogs};

use super::{HOUR_START, Manifest, SEED, VERSION};
use crate::cases::{Family, Storage};
use crate::error::{Error, Result};

/// A day of five minutes each.
const OBJECTS: usize = 288;

/// Makes a family's folder anew.
pub(super) fn make(folder: &Path, family: Family, rows: u64, only_plain: bool) -> Result<Manifest> {
    fs::remove_dir_all(folder).map_err(Error::at(folder))?;
    let texts = folder.join("texts");
    match family {
        Family::Flow => FlowLogs::new(rows, SEED).write_objects(&texts, OBJECTS, false),
        Family::Alb => AlbLogs::new(rows, SEED).write_objects(&texts, OBJECTS, false),
        Family::CloudTrail => CloudTrailLogs::new(rows, SEED).write_objects(&texts, OBJECTS, false),
    }
    .map_err(Error::at(&texts))?;
    let objects = files_below(&texts)?;
    let place = |storage| folder.join(super::file_name(family, storage));
    if only_plain {
        write_plain(&place(Storage::Plain), family, &objects)
    } else {
        write_all(&texts, &objects, family, &place)
    }
    .map_err(Error::at(folder))?;
    let sizes = objects
        .iter()
        .map(|path| fs::metadata(path).map_or(0, |data| data.len()));
    let plain = File::open(place(Storage::Plain)).map_err(Error::at(folder))?;
    let text_bytes = plain.metadata().map_err(Error::at(folder))?.len();
    let manifest = Manifest {
        version: VERSION,
        seed: SEED,
        rows,
        text_bytes,
        largest_object_bytes: sizes.max().unwrap_or(0),
        values: [
            (
                "needle",
                needle(&plain, text_bytes / 2).map_err(Error::at(folder))?,
            ),
            ("user", "legacy-ci".to_owned()),
            ("hour_start", HOUR_START.to_string()),
            ("hour_end", (HOUR_START + 3_600).to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
    };
    fs::remove_dir_all(&texts).map_err(Error::at(&texts))?;
    let path = folder.join("manifest.json");
    fs::write(&path, serde_json::to_vec_pretty(&manifest)?).map_err(Error::at(&path))?;
    Ok(manifest)
}

/// Writes the plain file and from that the gzip file on one core, the many objects on the other,
/// and when the first is done, on both.
fn write_all(
    texts: &Path,
    objects: &[PathBuf],
    family: Family,
    place: &(dyn Fn(Storage) -> PathBuf + Sync),
) -> io::Result<()> {
    let queue = Mutex::new(objects.iter());
    let compress_many = || {
        loop {
            let next = queue.lock().ok().and_then(|mut queue| queue.next());
            let Some(object) = next else {
                return Ok(());
            };
            let key = object.strip_prefix(texts).unwrap_or(object);
            let mut to = place(Storage::Files).join(key).into_os_string();
            to.push(".gz");
            compress(object, Path::new(&to))?;
        }
    };
    thread::scope(|scope| {
        let other = scope.spawn(compress_many);
        let (plain, gzip) = (place(Storage::Plain), place(Storage::Gzip));
        write_plain(&plain, family, objects)?;
        compress(&plain, &gzip)?;
        compress_many()?;
        other
            .join()
            .map_err(|_| io::Error::other("a thread panicked"))?
    })
}

/// The files below a folder, in the order of their names.
pub(super) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(Error::at(&folder))? {
            let path = entry.map_err(Error::at(&folder))?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Writes the text of all objects as that of one: one header line, and a line for each CloudTrail
/// object, since no real one is as large as all together.
pub(super) fn join(
    family: Family,
    objects: impl Iterator<Item = io::Result<Vec<u8>>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (index, object) in objects.enumerate() {
        let object = object?;
        let begin = match family {
            Family::Flow if index > 0 => memchr::memchr(b'\n', &object).map_or(0, |at| at + 1),
            _ => 0,
        };
        out.write_all(&object[begin..])?;
        if family == Family::CloudTrail {
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}

fn write_plain(path: &Path, family: Family, objects: &[PathBuf]) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    join(family, objects.iter().map(fs::read), &mut out)?;
    out.flush()
}

fn compress(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    let out = BufWriter::with_capacity(1 << 18, File::create(to)?);
    let mut encoder = GzEncoder::new(out, Compression::default());
    let mut input = BufReader::with_capacity(1 << 18, File::open(from)?);
    io::copy(&mut input, &mut encoder)?;
    encoder.finish()?.flush()
}

/// The text of a gzip file.
#[cfg(test)]
pub(super) fn inflated(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(File::open(path)?).read_to_end(&mut text)?;
    Ok(text)
}

/// The source of a rejected flow some way into the log.
fn needle(log: &File, from: u64) -> io::Result<String> {
    let mut text = vec![0; 1 << 20];
    let read = log.read_at(&mut text, from)?;
    let source = |line: &[u8]| {
        let line = String::from_utf8_lossy(line);
        let mut fields = line.split(' ');
        let source = fields.nth(3)?.to_owned();
        (fields.nth(8)? == "REJECT" && source.contains('.')).then_some(source)
    };
    let mut lines = text[..read].split(|&byte| byte == b'\n').skip(1);
    Ok(lines
        .find_map(source)
        .unwrap_or_else(|| "192.0.2.1".to_owned()))
}
