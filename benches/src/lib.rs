//! Benchmarks that check their answers: the micro benchmarks are under `benches/`, the comparison
//! with peers is the program `loglens-bench`. Here is what both use.

#[cfg(feature = "vrl")]
pub mod vector;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use loglens_generate::{AlbLogs, CloudTrailLogs, FlowLogs, Summary};
use loglens_parsers::format::Format;
use loglens_parsers::layout::Layout;
use loglens_parsers::record::{Block, Cutter};

/// Flow logs as text: a header line and `rows` records, always the same.
pub fn flow_logs(rows: u64) -> Vec<u8> {
    written(|out| FlowLogs::new(rows, 1).write_to(out))
}

/// ALB access logs of the newest generation, always the same.
pub fn alb_logs(rows: u64) -> Vec<u8> {
    written(|out| AlbLogs::new(rows, 1).write_to(out))
}

/// CloudTrail events in one object on one line, always the same.
pub fn cloudtrail_logs(rows: u64) -> Vec<u8> {
    written(|out| CloudTrailLogs::new(rows, 1).write_to(out))
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<Summary>) -> Vec<u8> {
    let mut text = Vec::new();
    if let Err(error) = write(&mut text) {
        unreachable!("writing to memory does not fail: {error}");
    }
    text
}

/// The blocks of an object's bytes.
pub fn blocks(format: &Arc<Format>, bytes: &[u8]) -> Vec<Block> {
    let mut cutter = Cutter::new(Arc::clone(format), Arc::new(Layout::default_of(format)));
    let mut blocks = VecDeque::new();
    for piece in bytes.chunks(loglens_parsers::record::BLOCK_BYTES) {
        cutter.buffer().extend_from_slice(piece);
        cutter.cut(&mut blocks);
    }
    cutter.finish(false, &mut blocks);
    blocks.into()
}
