//! Logs that the tests write: folders of files, and flow log lines by the million.

use std::fmt::Write;
use std::fs;

use loglens_engine::EngineOptions;
use tempfile::TempDir;

/// The header of a flow log in its default order.
pub(crate) const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport \
                                 protocol packets bytes start end action log-status";

/// A record that fits [`HEADER`].
pub(crate) const RECORD: &str =
    "2 123456789010 eni-1 10.0.0.1 10.0.0.2 1000 443 6 10 840 1700000000 1700000060 ACCEPT OK";

/// A folder of logs that goes away with its test.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// A folder with these files.
    pub(crate) fn of(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        Self(folder)
    }

    /// The folder's own path.
    pub(crate) fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    /// Options of an engine over the folder.
    pub(crate) fn options(&self) -> EngineOptions {
        EngineOptions {
            sources: vec![loglens_io::source(self.path()).unwrap()],
            ..EngineOptions::default()
        }
    }

    /// Text without the folder's path, which differs in each run.
    pub(crate) fn shorten(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.path()), "")
    }
}

/// Lines with a line end each.
pub(crate) fn text(lines: &[&str]) -> Vec<u8> {
    let mut text = lines.join("\n");
    text.push('\n');
    text.into_bytes()
}

/// Records from number `first` on in the default order, without a header. The port tells the
/// record's number modulo 1000, the bytes are the number.
pub(crate) fn records(first: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 110);
    for number in first..first + count {
        writeln!(
            text,
            "2 123456789010 eni-1235b8ca12345678 10.0.{}.{} 172.16.{}.7 {} 443 6 {} {number} {} {} ACCEPT OK",
            number % 7,
            number % 250,
            number % 11,
            number % 1000,
            number % 90,
            1_700_000_000 + number,
            1_700_000_060 + number,
        )
        .unwrap();
    }
    text
}

/// Bytes in a gzip member that stores them (RFC 1952, RFC 1951 block type 0).
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    for chunk in bytes.chunks(0xffff) {
        let length = u16::try_from(chunk.len()).unwrap();
        member.push(0);
        member.extend(length.to_le_bytes());
        member.extend((!length).to_le_bytes());
        member.extend(chunk);
    }
    // The last block is an empty one.
    member.extend([1, 0, 0, 0xff, 0xff]);
    member.extend(crc32(bytes).to_le_bytes());
    member.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    member
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// Bytes in a Zstandard frame of raw blocks (RFC 8878) with a window of 128 KiB.
pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3];
    let mut chunks = bytes.chunks(64 << 10).peekable();
    while let Some(chunk) = chunks.next() {
        let last = u32::from(chunks.peek().is_none());
        let header = last | u32::try_from(chunk.len()).unwrap() << 3;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(chunk);
    }
    frame
}
