use std::io::{self, Write};
use std::sync::Mutex;

use clap::ValueEnum;

use super::*;

/// Takes so many bytes, then fails.
struct Closing {
    room: usize,
    kind: io::ErrorKind,
}

impl Write for Closing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            return Err(self.kind.into());
        }
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(format: Format, out: impl Write + Send) -> Result<(), OutputError> {
    let mut writer = writer(format, "", &flows().schema(), out, PLAIN)?;
    writer.write(&flows())?;
    writer.flush()?;
    writer.write(&flows())?;
    writer.finish()
}

#[test]
fn a_closed_pipe_is_recognised_wherever_it_closes() {
    for &format in Format::value_variants() {
        let mut whole = Vec::new();
        write_all(format, &mut whole).unwrap();
        // Every place of a short output, and many of a picture.
        for room in (0..whole.len()).step_by(whole.len() / 1_000 + 1) {
            let kind = io::ErrorKind::BrokenPipe;
            let error = write_all(format, Closing { room, kind }).unwrap_err();
            assert!(
                error.is_broken_pipe(),
                "{format:?} after {room} bytes: {error:?}"
            );
        }
    }
}

#[test]
fn a_full_disk_is_not_a_closed_pipe() {
    for &format in Format::value_variants() {
        let kind = io::ErrorKind::StorageFull;
        let error = write_all(format, Closing { room: 2, kind }).unwrap_err();
        assert!(!error.is_broken_pipe());
        assert!(
            error.to_string().contains("no storage space"),
            "{format:?}: {error}"
        );
    }
}

#[test]
fn rows_of_a_stream_are_not_kept_back() {
    struct Shared<'a>(&'a Mutex<Vec<u8>>);
    impl Write for Shared<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    use Format::{Arrow, Csv, Json, Markdown, Ndjson, Tsv};
    for format in [Csv, Tsv, Json, Ndjson, Markdown, Arrow] {
        let out = Mutex::new(Vec::new());
        let mut writer = writer(format, "", &numbered(0..0).schema(), Shared(&out), PLAIN).unwrap();
        for n in 0..3 {
            writer.write(&numbered(n..n + 1)).unwrap();
            let shown = String::from_utf8_lossy(&out.lock().unwrap()).into_owned();
            assert!(shown.contains(&format!("row {n}")), "{format:?}: {shown}");
        }
    }
}
