//! Telling a JSON format by the first bytes of an object.

use std::collections::VecDeque;
use std::sync::Arc;

use super::members;
use crate::format::{Format, same_name};
use crate::record::{Block, JsonCutter};

/// Whether the first object is a record of the format, one of its control objects, or an empty
/// array of its records. `records` names the member that holds the array.
pub(crate) fn fits(
    format: &Arc<Format>,
    head: &[u8],
    records: Option<&str>,
    skip: &[String],
) -> bool {
    let head = head.trim_ascii_start();
    if !head.starts_with(b"{") && !head.starts_with(b"[") {
        return false;
    }
    let Some((block, start, end)) = first_record(format, head, records) else {
        return records.is_some_and(|name| is_wrapper(head, name));
    };
    let names = members(&block, start..end).flatten();
    let names: Vec<_> = names
        .map(|member| String::from_utf8_lossy(&block[member.key]).into_owned())
        .collect();
    let has = |name: &String| names.iter().any(|known| same_name(known, name));
    skip.iter().any(has) || (!format.members.is_empty() && format.members.iter().all(has))
}

/// The first whole record.
fn first_record(
    format: &Arc<Format>,
    head: &[u8],
    records: Option<&str>,
) -> Option<(arrow_buffer::Buffer, usize, usize)> {
    let layout = Arc::clone(format.default_layout());
    let mut cutter = JsonCutter::new(layout, records);
    let mut blocks: VecDeque<Block> = VecDeque::new();
    cutter.buffer().extend_from_slice(head);
    cutter.cut(&mut blocks);
    cutter.finish(true, &mut blocks);
    blocks.into_iter().find_map(|block| {
        let record = block.spans.first()?;
        Some((block.bytes, record.start as usize, record.end as usize))
    })
}

/// Whether an object begins with the member that holds the records.
fn is_wrapper(head: &[u8], name: &str) -> bool {
    let inner = head.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let inner = inner.and_then(|inner| inner.strip_prefix(b"\""));
    let after = inner.and_then(|inner| inner.strip_prefix(name.as_bytes()));
    after.is_some_and(|after| after.starts_with(b"\""))
}
