//! Writing objects so that a reader never sees half of one.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Writes one object under its key below a folder, through a temporary file beside it.
///
/// An object that is there already is replaced. With `gzip` its bytes are compressed as one member
/// without a time or a name, so that they depend on the text and the compressor alone.
pub(crate) fn write_object<T>(
    folder: &Path,
    key: &str,
    gzip: bool,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<T> {
    let path = folder.join(key);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let unfinished = unfinished_path(&path);
    let written = write_file(&unfinished, gzip, fill)
        .and_then(|value| fs::rename(&unfinished, &path).map(|()| value));
    if written.is_err() {
        // The first error is the one to report; there may be no file to remove.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn write_file<T>(
    path: &Path,
    gzip: bool,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<T> {
    let mut file = BufWriter::with_capacity(1 << 18, File::create(path)?);
    let value = if gzip {
        let mut encoder = GzEncoder::new(&mut file, Compression::default());
        let value = fill(&mut encoder)?;
        encoder.finish()?;
        value
    } else {
        fill(&mut file)?
    };
    file.flush()?;
    Ok(value)
}

/// Hidden, without a log's suffix, and not shared with another process that writes the same object.
fn unfinished_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.unfinished", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_failed_object_leaves_nothing() {
        let folder = std::env::temp_dir().join(format!("loglens-objects-{}", std::process::id()));
        let failed: io::Result<()> = write_object(&folder, "a/b.log", false, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("stop"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "stop");
        assert_eq!(fs::read_dir(folder.join("a")).unwrap().count(), 0);

        write_object(&folder, "a/b.log", false, |out| out.write_all(b"whole")).unwrap();
        assert_eq!(fs::read(folder.join("a/b.log")).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.join("a")).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
