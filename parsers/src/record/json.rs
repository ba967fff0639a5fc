//! The JSON cutter.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_buffer::Buffer;

use super::lines::BYTE_ORDER_MARK;
use super::{BLOCK_BYTES, Block, MAX_RECORD_BYTES, Place as ObjectPlace, RecordSpan};
use crate::arch::{self, LANE, Simd, Work};
use crate::json::{Nest, Starts, Strings, is_blank, lane_masks};
use crate::layout::Layout;
use crate::reject::{Counts, EXCERPT_BYTES, Reason, Reject, excerpt};

/// A block is given when it has as many rejects, so that a large object of nothing but rejects
/// does not fill the memory.
const REJECTS_PER_BLOCK: usize = 1000;

/// Cuts inflated bytes into blocks of JSON objects.
///
/// Records are objects, wherever they may stand: in an array that is the member `records_at` of
/// an object, in an array, line by line, or one after the other with white space, commas or
/// nothing between them. All of that may come in one object of the archive.
///
/// Of a record only the structure is looked at: strings, and the nesting of brackets. What breaks
/// it is one reject, and then the next record is looked for: after a line feed inside a string,
/// which JSON does not allow; at an opening brace where none may stand; after the bracket that
/// closes the record, whatever was wrong within. A quote that begins a string where none may stand
/// is taken for one that ends a string: otherwise all that follows would be turned inside out.
///
/// Append to [`JsonCutter::buffer`], then call [`JsonCutter::cut`]; after the last bytes call
/// [`JsonCutter::finish`]. No byte is scanned twice.
#[derive(Debug)]
pub struct JsonCutter {
    layout: Arc<Layout>,
    records_at: Option<String>,
    block_bytes: usize,
    record_bytes: usize,
    buffer: Vec<u8>,
    /// Byte offset of the buffer in the object.
    base: u64,
    /// The last byte before the buffer that is not white space, if it was dropped.
    before: u8,
    /// What of the buffer was scanned.
    at: usize,
    /// The line of that place, from 1.
    line: u64,
    place: Place,
    /// What is being scanned, if that is not just white space between records.
    region: Option<Region>,
    nest: Nest,
    strings: Strings,
    starts: Starts,
    /// Records and rejects so far.
    seen: u64,
    /// The block that is being gathered.
    gathered: Gathered,
    /// Blocks whose bytes are in the buffer still.
    ready: Vec<Gathered>,
}

/// Where records stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside of everything.
    Top,
    /// In an array that stands outside of everything.
    Array,
    /// In the array of an object.
    Wrapper,
}

/// A stretch of bytes that is one record or one reject.
#[derive(Debug)]
struct Region {
    kind: RegionKind,
    /// Where it begins in the buffer, or did before that was dropped.
    start: usize,
    offset: u64,
    line: u64,
    problem: Option<Reason>,
    /// The excerpt, once its beginning was dropped because it is too long.
    dropped: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RegionKind {
    /// An object; or an array, which is rejected.
    Record,
    /// What a wrapper has before its records, or from the bracket on that closes them.
    Wrapper,
    /// Anything else.
    Garbage(Quoted),
}

/// Whether garbage is in a string. It is only if it begins as one: other quotes in it tell nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoted {
    No,
    Yes,
    AfterBackslash,
}

/// A block without its bytes.
#[derive(Debug, Default)]
struct Gathered {
    start: usize,
    end: usize,
    line: u64,
    spans: Vec<RecordSpan>,
    counts: Counts,
    rejects: Vec<Reject>,
}

const NOT_AN_OBJECT: Reason = expected("a JSON object");

const fn expected(expected: &'static str) -> Reason {
    Reason::Json { expected }
}

/// Scanning what was appended, for each instruction set.
struct Scan<'a> {
    cutter: &'a mut JsonCutter,
    /// Nothing follows on it.
    last: bool,
}

impl Work for Scan<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { cutter, last } = self;
        loop {
            let goes_on = match cutter.region.as_ref().map(|region| region.kind) {
                None => cutter.between(last),
                Some(RegionKind::Garbage(quoted)) => cutter.garbage(quoted),
                Some(RegionKind::Record | RegionKind::Wrapper) => cutter.structure(simd, last),
            };
            if !goes_on {
                return;
            }
        }
    }
}

impl JsonCutter {
    /// A cutter for an object whose records have `layout`, and may be in an array that is the
    /// member `records_at` of an object.
    pub fn new(layout: Arc<Layout>, records_at: Option<&str>) -> Self {
        Self {
            layout,
            records_at: records_at.map(str::to_owned),
            block_bytes: BLOCK_BYTES,
            record_bytes: MAX_RECORD_BYTES,
            buffer: Vec::new(),
            base: 0,
            before: 0,
            at: 0,
            line: 1,
            place: Place::Top,
            region: None,
            nest: Nest::default(),
            strings: Strings::default(),
            starts: Starts::default(),
            seen: 0,
            gathered: Gathered::default(),
            ready: Vec::new(),
        }
    }

    /// The same with blocks of another size, for tests that want many.
    pub fn with_block_bytes(mut self, bytes: usize) -> Self {
        self.block_bytes = bytes;
        self
    }

    /// The same for records of up to `bytes`.
    pub(crate) fn with_record_bytes(mut self, bytes: usize) -> Self {
        self.record_bytes = bytes;
        self
    }

    /// The same for bytes that begin at a place that another cutter came to.
    pub fn resumed(mut self, place: &ObjectPlace) -> Self {
        self.base = place.offset;
        self.line = place.line;
        self
    }

    /// The place behind all that was cut, after [`JsonCutter::finish`].
    pub fn place(&self) -> ObjectPlace {
        ObjectPlace {
            line: self.line,
            offset: self.base + self.at as u64,
            header: Vec::new(),
        }
    }

    /// The layout that the next records have.
    pub(super) fn layout(&self) -> Arc<Layout> {
        Arc::clone(&self.layout)
    }

    /// Where inflated bytes are appended.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// How many more bytes make a block.
    pub fn wants(&self) -> usize {
        self.block_bytes
            .saturating_sub(self.buffer.len())
            .max(self.block_bytes / 4)
            .max(1)
    }

    /// Gives the blocks that are complete.
    pub fn cut(&mut self, out: &mut VecDeque<Block>) {
        self.scan(false);
        self.close_large_block(self.buffer.len());
        if self.gathered.rejects.len() >= REJECTS_PER_BLOCK {
            self.close_block();
        }
        self.drop_long_region();
        self.release(out);
    }

    /// What was appended since the last time was a message by itself: what it leaves open is broken,
    /// and if it holds nothing, that is a record which is passed over.
    pub(super) fn end_message(&mut self) {
        let before = self.seen;
        self.buffer.push(b'\n');
        self.scan(true);
        let whole = self.place == Place::Top;
        self.end_all(whole, expected("the record's end before the message's"));
        if self.seen == before {
            self.gathered.counts.records += 1;
            self.gathered.counts.skipped += 1;
        }
    }

    /// Gives the rest after the last bytes. `cut_off` says that the object broke off there.
    pub fn finish(&mut self, cut_off: bool, out: &mut VecDeque<Block>) {
        self.scan(true);
        let whole = self.place == Place::Top && !cut_off;
        self.end_all(whole, Reason::CutOff);
        if !self.gathered.spans.is_empty() || self.gathered.counts != Counts::default() {
            self.close_block();
        }
        self.release(out);
    }

    /// Ends whatever is open. Garbage outside of everything may be `whole` as it is.
    fn end_all(&mut self, whole: bool, problem: Reason) {
        if self.region.is_none() && self.place != Place::Top {
            self.begin(RegionKind::Wrapper, None);
        }
        match &mut self.region {
            Some(region) if whole && matches!(region.kind, RegionKind::Garbage(_)) => {}
            Some(region) => region.problem = Some(problem),
            None => {}
        }
        self.end_region(self.at, None);
    }

    fn scan(&mut self, last: bool) {
        arch::run(Scan { cutter: self, last });
    }

    /// Passes over what may stand between records; true at the beginning of something else.
    fn between(&mut self, last: bool) -> bool {
        if self.base == 0 && self.at == 0 && self.buffer.first() == Some(&BYTE_ORDER_MARK[0]) {
            if self.buffer.len() < BYTE_ORDER_MARK.len() && !last {
                return false;
            }
            if self.buffer.starts_with(BYTE_ORDER_MARK) {
                self.at = BYTE_ORDER_MARK.len();
            }
        }
        while let Some(&byte) = self.buffer.get(self.at) {
            match (byte, self.place) {
                (b'\n', _) => self.line += 1,
                (b',', _) => {}
                (byte, _) if is_blank(byte) => {}
                (b'[', Place::Top) => self.place = Place::Array,
                (b']', Place::Array) => self.place = Place::Top,
                (b']', Place::Wrapper) => {
                    self.begin(RegionKind::Wrapper, None);
                    self.nest.open(true);
                    self.at += 1;
                    return true;
                }
                (b'{', _) => {
                    self.begin(RegionKind::Record, None);
                    return true;
                }
                (b'[', _) => {
                    self.begin(RegionKind::Record, Some(NOT_AN_OBJECT));
                    return true;
                }
                (byte, place) => {
                    let quoted = if byte == b'"' {
                        Quoted::Yes
                    } else {
                        Quoted::No
                    };
                    self.begin(RegionKind::Garbage(quoted), Some(NOT_AN_OBJECT));
                    self.at += 1;
                    if (byte, place) == (b'}', Place::Wrapper) {
                        // The array was not closed: this is the wrapper's end.
                        self.place = Place::Top;
                    }
                    return true;
                }
            }
            self.at += 1;
        }
        false
    }

    /// Goes to the end of something that is no record; true if that is there.
    fn garbage(&mut self, mut quoted: Quoted) -> bool {
        while let Some(&byte) = self.buffer.get(self.at) {
            quoted = match (quoted, byte) {
                (_, b'\n') => return self.end_region(self.at, None),
                (Quoted::AfterBackslash, _) => Quoted::Yes,
                (Quoted::Yes, b'\\') => Quoted::AfterBackslash,
                (Quoted::Yes, b'"') => Quoted::No,
                (Quoted::Yes, _) => Quoted::Yes,
                (Quoted::No, b'{') => return self.end_region(self.at, None),
                (Quoted::No, b',' | b']') if self.place != Place::Top => {
                    return self.end_region(self.at, None);
                }
                (Quoted::No, _) => Quoted::No,
            };
            self.at += 1;
        }
        if let Some(region) = &mut self.region {
            region.kind = RegionKind::Garbage(quoted);
        }
        false
    }

    /// Goes to the end of a record or a wrapper; true if that is there. Without the `last` bytes of
    /// the object, only whole lanes are looked at.
    #[inline(always)]
    fn structure<S: Simd>(&mut self, simd: S, last: bool) -> bool {
        loop {
            let rest = self.buffer.len() - self.at;
            if rest == 0 || rest < LANE && !last {
                return false;
            }
            let found = lane_masks(simd, &self.buffer, self.at);
            let (quotes, mut inside) = self.strings.follow(simd, &found);
            let strays = quotes & !self.starts.follow(&found);
            let visits = |inside: u64| {
                (found.opens | found.closes) & !inside | (found.newlines | strays) & inside
            };
            let mut bits = visits(inside);
            while bits != 0 {
                let bit = bits.trailing_zeros();
                if strays >> bit & 1 == 1 {
                    self.found_problem(expected("no '\"' here"));
                    self.strings.flip();
                    inside ^= u64::MAX << bit;
                    bits = visits(inside) & (u64::MAX << bit << 1);
                    continue;
                }
                let opens = found.opens >> bit & 1 == 1;
                let closes = found.closes >> bit & 1 == 1;
                if let Some(resume) = self.visit(self.at + bit as usize, opens, closes) {
                    let passed = found.newlines & ((1 << bit) - 1);
                    self.line += u64::from(passed.count_ones());
                    self.at = resume;
                    return true;
                }
                bits &= bits - 1;
            }
            if found.newlines != 0 {
                self.line += u64::from(found.newlines.count_ones());
            }
            self.at += rest.min(LANE);
        }
    }

    /// Looks at a bracket that opens or closes, or at a line feed in a string. If the region ends
    /// there, gives the place where scanning goes on.
    #[inline(always)]
    fn visit(&mut self, at: usize, opens: bool, closes: bool) -> Option<usize> {
        // Braces and brackets differ in the bit 0x20.
        let object = self.buffer[at] & 0x20 != 0;
        if opens {
            self.opening(at, object)
        } else if closes {
            self.closing(at, object)
        } else {
            self.end_region(at, Some(expected("'\"' before the end of the line")));
            Some(at)
        }
    }

    #[inline(always)]
    fn closing(&mut self, at: usize, object: bool) -> Option<usize> {
        if !self.nest.close(object) {
            self.found_problem(expected(if object { "']'" } else { "'}'" }));
        }
        if self.nest.depth() > 0 {
            return None;
        }
        self.end_region(at + 1, None);
        Some(at + 1)
    }

    #[inline(always)]
    fn opening(&mut self, at: usize, object: bool) -> Option<usize> {
        if self.nest.depth() > 0 && !self.nest.may_open_after(self.solid_before(at)) {
            let problem = match (self.nest.in_object(), object) {
                (true, true) => "':' before '{'",
                (true, false) => "':' before '['",
                (false, true) => "',' before '{'",
                (false, false) => "',' before '['",
            };
            if object {
                self.end_region(at, Some(expected(problem)));
                return Some(at);
            }
            self.found_problem(expected(problem));
        } else if !object && self.is_records(at) {
            self.begin_records(at);
            return Some(at + 1);
        }
        if !self.nest.open(object) {
            self.found_problem(expected("at most 128 levels of brackets"));
        }
        None
    }

    #[cold]
    fn found_problem(&mut self, problem: Reason) {
        if let Some(region) = &mut self.region {
            region.problem.get_or_insert(problem);
        }
    }

    /// The last byte before `at` that is not white space.
    #[inline(always)]
    fn solid_before(&self, at: usize) -> u8 {
        let text = self.buffer[..at].iter();
        text.rev()
            .find(|&&byte| !is_blank(byte))
            .copied()
            .unwrap_or(self.before)
    }

    /// Whether the array at `at` is the one that has a wrapper's records.
    #[inline(always)]
    fn is_records(&self, at: usize) -> bool {
        self.nest.depth() == 1 && self.place == Place::Top && self.is_member_of_records(at)
    }

    fn is_member_of_records(&self, at: usize) -> bool {
        let (Some(name), Some(region)) = (&self.records_at, &self.region) else {
            return false;
        };
        if region.kind != RegionKind::Record || self.is_too_long(region, at) {
            return false;
        }
        let before = self.buffer[region.start..at].trim_ascii_end();
        before
            .strip_suffix(b":")
            .and_then(|text| text.trim_ascii_end().strip_suffix(b"\""))
            .and_then(|text| text.strip_suffix(name.as_bytes()))
            .and_then(|text| text.strip_suffix(b"\""))
            .is_some_and(|text| matches!(text.trim_ascii_end().last(), Some(b'{' | b',')))
    }

    /// What seemed a record is a wrapper, whose records begin after `at`.
    fn begin_records(&mut self, at: usize) {
        if let Some(region) = &mut self.region {
            region.kind = RegionKind::Wrapper;
        }
        self.end_region(at, None);
        self.place = Place::Wrapper;
    }

    fn begin(&mut self, kind: RegionKind, problem: Option<Reason>) {
        self.close_large_block(self.at);
        self.region = Some(Region {
            kind,
            start: self.at,
            offset: self.base + self.at as u64,
            line: self.line,
            problem,
            dropped: None,
        });
    }

    /// Ends the region before `end`: it becomes a record of the block, or a reject. Always true.
    fn end_region(&mut self, end: usize, problem: Option<Reason>) -> bool {
        let Some(region) = self.region.take() else {
            return true;
        };
        self.nest = Nest::default();
        self.strings = Strings::default();
        self.starts = Starts::default();
        if region.kind == RegionKind::Wrapper {
            self.place = Place::Top;
        }
        let problem = region.problem.clone().or(problem);
        let counts = region.kind == RegionKind::Record || problem.is_some();
        if counts && self.is_too_long(&region, end) {
            let limit = self.record_bytes;
            self.reject(region, end, Reason::TooLong { limit });
        } else if let Some(problem) = problem {
            self.reject(region, end, problem);
        } else if counts {
            self.gather(&region, end);
        }
        true
    }

    fn gather(&mut self, record: &Region, end: usize) {
        self.seen += 1;
        let block = &mut self.gathered;
        if block.spans.is_empty() {
            block.start = record.start;
            block.line = record.line;
        }
        block.end = end;
        block.spans.push(RecordSpan {
            start: (record.start - block.start) as u32,
            end: (end - block.start) as u32,
            line: (record.line - block.line) as u32,
        });
    }

    #[cold]
    fn reject(&mut self, region: Region, end: usize, reason: Reason) {
        self.seen += 1;
        let buffer = &self.buffer;
        let excerpt = region
            .dropped
            .unwrap_or_else(|| trimmed_excerpt(&buffer[region.start..end]));
        self.gathered.counts.records += 1;
        self.gathered.counts.rejects += 1;
        self.gathered.rejects.push(Reject {
            line: region.line,
            offset: region.offset,
            column: None,
            reason,
            excerpt,
        });
    }

    /// Closes the block if it has records and its bytes up to `end` are enough.
    fn close_large_block(&mut self, end: usize) {
        if !self.gathered.spans.is_empty() && end - self.gathered.start >= self.block_bytes {
            self.close_block();
        }
    }

    fn close_block(&mut self) {
        let mut block = std::mem::take(&mut self.gathered);
        if block.spans.is_empty() {
            (block.start, block.end, block.line) = (self.at, self.at, self.line);
        }
        self.ready.push(block);
    }

    /// Whether a region is too long if it ends before `end`.
    fn is_too_long(&self, region: &Region, end: usize) -> bool {
        self.base + end as u64 - region.offset > self.record_bytes as u64
    }

    /// Lets go of the bytes of a region that is too long.
    fn drop_long_region(&mut self) {
        let Some(region) = &self.region else {
            return;
        };
        if region.dropped.is_none() && self.is_too_long(region, self.at) {
            let excerpt = trimmed_excerpt(&self.buffer[region.start..self.at]);
            if let Some(region) = &mut self.region {
                region.dropped = Some(excerpt);
            }
            if !self.gathered.spans.is_empty() {
                self.close_block();
            }
        }
    }

    /// Gives the blocks that are ready and drops what of the buffer is not needed any more.
    fn release(&mut self, out: &mut VecDeque<Block>) {
        let keep = match &self.region {
            _ if !self.gathered.spans.is_empty() => self.gathered.start,
            Some(region) if region.dropped.is_none() => region.start,
            _ => self.at,
        };
        self.before = self.solid_before(keep);
        if self.ready.is_empty() {
            self.buffer.drain(..keep);
        } else {
            let mut rest = Vec::with_capacity(self.block_bytes + self.block_bytes / 4);
            rest.extend_from_slice(&self.buffer[keep..]);
            let bytes = Buffer::from_vec(std::mem::replace(&mut self.buffer, rest));
            for block in self.ready.drain(..) {
                out.push_back(Block {
                    bytes: bytes.slice_with_length(block.start, block.end - block.start),
                    spans: block.spans,
                    first_line: block.line,
                    offset: self.base + block.start as u64,
                    layout: Arc::clone(&self.layout),
                    counts: block.counts,
                    rejects: block.rejects,
                    gaps: Vec::new(),
                    events: Arc::default(),
                });
            }
        }
        self.base += keep as u64;
        self.at -= keep;
        self.gathered.start = self.gathered.start.saturating_sub(keep);
        self.gathered.end = self.gathered.end.saturating_sub(keep);
        if let Some(region) = &mut self.region {
            region.start = region.start.saturating_sub(keep);
        }
    }
}

fn trimmed_excerpt(region: &[u8]) -> String {
    excerpt(region[..region.len().min(EXCERPT_BYTES)].trim_ascii_end())
}
