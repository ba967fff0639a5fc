//! Records out of their envelopes.

use std::collections::VecDeque;
use std::sync::Arc;

use super::shape_cutter::ShapeCutter;
use super::{Block, JsonCutter, Place, RecordSpan};
use crate::detect::is_of_another;
use crate::envelope::{MAX_ENVELOPE_BYTES, Origin, append_message, cloudwatch, firehose};
use crate::format::Format;
use crate::json::JsonError;
use crate::layout::Layout;
use crate::reject::{Counts, Reason, Reject, excerpt};

/// Where a log event came from that was in an envelope.
#[derive(Debug, Clone)]
pub(crate) struct EventPlace {
    /// Where it begins among the messages that were taken out, as [`Block::offset`] counts.
    pub(crate) at: u64,
    /// Byte offset in the inflated object of what says it.
    pub(crate) offset: u64,
    /// What its envelope says of it.
    pub(crate) origin: Arc<Origin>,
}

/// Takes the messages of log events out of the envelopes of an object and gives them to a cutter of
/// records, as lines of their own.
#[derive(Debug)]
pub(super) struct Unwrapping {
    format: Arc<Format>,
    /// Envelopes are JSON objects, one after the other.
    envelopes: JsonCutter,
    found: VecDeque<Block>,
    /// Bytes of messages so far.
    written: u64,
    /// Events that are in no block yet.
    events: VecDeque<EventPlace>,
    /// Records that no cutter has seen: they go with the next block.
    counts: Counts,
    rejects: Vec<Reject>,
}

impl Unwrapping {
    pub(super) fn new(format: &Arc<Format>, layout: &Arc<Layout>, place: &Place) -> Self {
        let envelopes = JsonCutter::new(Arc::clone(layout), None);
        Self {
            format: Arc::clone(format),
            envelopes: envelopes
                .with_record_bytes(MAX_ENVELOPE_BYTES)
                .resumed(place),
            found: VecDeque::new(),
            written: place.offset,
            events: VecDeque::new(),
            counts: Counts::default(),
            rejects: Vec::new(),
        }
    }

    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        self.envelopes.buffer()
    }

    pub(super) fn wants(&self) -> usize {
        self.envelopes.wants()
    }

    /// How far the object was cut.
    pub(super) fn offset(&self) -> u64 {
        self.envelopes.place().offset
    }

    pub(super) fn cut(&mut self, records: &mut ShapeCutter, out: &mut VecDeque<Block>) {
        let before = out.len();
        self.envelopes.cut(&mut self.found);
        self.unwrap(records, out);
        self.settle_places(before, out);
    }

    pub(super) fn finish(
        &mut self,
        cut_off: bool,
        records: &mut ShapeCutter,
        out: &mut VecDeque<Block>,
    ) {
        let before = out.len();
        self.envelopes.finish(cut_off, &mut self.found);
        self.unwrap(records, out);
        // Every message has its end.
        records.finish(false, out);
        if out.len() == before && self.counts != Counts::default() {
            out.push_back(self.empty_block(records));
        }
        self.settle_places(before, out);
    }

    /// Takes apart the envelopes that were found.
    fn unwrap(&mut self, records: &mut ShapeCutter, out: &mut VecDeque<Block>) {
        while let Some(block) = self.found.pop_front() {
            self.counts += block.counts;
            // Lines are counted among messages.
            let rejects = block.rejects.iter().cloned();
            self.rejects
                .extend(rejects.map(|reject| Reject { line: 0, ..reject }));
            for span in &block.spans {
                self.open(&block, span, records, out);
            }
        }
    }

    fn open(
        &mut self,
        block: &Block,
        span: &RecordSpan,
        records: &mut ShapeCutter,
        out: &mut VecDeque<Block>,
    ) {
        let bytes = block.bytes.as_slice();
        let envelope = span.start as usize..span.end as usize;
        let message = match cloudwatch::Message::read(bytes, envelope.clone()) {
            Ok(message) => message,
            Err(error) => {
                return match firehose::message(bytes, envelope.clone()) {
                    Some(message) => {
                        let offset = block.offset + u64::from(span.start);
                        self.take(&message, offset, &Arc::default(), records, out);
                    }
                    None => self.reject(block, &bytes[envelope], error),
                };
            }
        };
        if message.control {
            self.counts.records += 1;
            self.counts.skipped += 1;
            return;
        }
        let origin = Arc::new(message.origin());
        let mut of_another = None;
        for event in message.events(bytes) {
            let event = match event {
                Ok(event) => event,
                Err(error) => {
                    self.reject(
                        block,
                        &bytes[error.at.min(envelope.end)..envelope.end],
                        error,
                    );
                    continue;
                }
            };
            let left_out = *of_another
                .get_or_insert_with(|| is_of_another(&self.format, &origin, &event.message));
            if left_out {
                self.counts.records += 1;
                self.counts.skipped += 1;
                continue;
            }
            let offset = block.offset + event.at as u64;
            match event.origin(&origin) {
                None => self.take(&event.message, offset, &origin, records, out),
                Some(own) => self.take(&event.message, offset, &Arc::new(own), records, out),
            }
        }
    }

    /// Gives the message of a log event to the cutter of records.
    fn take(
        &mut self,
        message: &[u8],
        offset: u64,
        origin: &Arc<Origin>,
        records: &mut ShapeCutter,
        out: &mut VecDeque<Block>,
    ) {
        self.events.push_back(EventPlace {
            at: self.written,
            offset,
            origin: Arc::clone(origin),
        });
        let before = records.buffer().len();
        append_message(records.buffer(), message);
        records.end_message();
        self.written += (records.buffer().len() - before) as u64;
        records.cut(out);
    }

    #[cold]
    fn reject(&mut self, block: &Block, record: &[u8], error: JsonError) {
        self.counts.records += 1;
        self.counts.rejects += 1;
        self.rejects.push(Reject {
            line: 0,
            offset: block.offset + error.at as u64,
            column: None,
            reason: Reason::Json {
                expected: error.expected,
            },
            excerpt: excerpt(record),
        });
    }

    /// Says of the blocks behind the first `before` where in the object their records are.
    fn settle_places(&mut self, before: usize, out: &mut VecDeque<Block>) {
        for block in out.iter_mut().skip(before) {
            for reject in &mut block.rejects {
                reject.offset = place_of(self.events.make_contiguous(), reject.offset)
                    .map_or(reject.offset, |event| event.offset);
            }
            let end = block.offset + block.bytes.len() as u64;
            let within = self.events.partition_point(|event| event.at < end);
            block.events = self.events.drain(..within).collect();
            block.counts += std::mem::take(&mut self.counts);
            block.rejects.append(&mut self.rejects);
        }
    }

    /// A block for counts that have none to go with.
    fn empty_block(&self, records: &ShapeCutter) -> Block {
        let place = records.place();
        Block {
            bytes: arrow_buffer::Buffer::from_vec(Vec::<u8>::new()),
            spans: Vec::new(),
            first_line: place.line,
            offset: place.offset,
            layout: records.layout(),
            counts: Counts::default(),
            rejects: Vec::new(),
            gaps: Vec::new(),
            events: Arc::default(),
        }
    }
}

/// The event that the byte `at` is of.
pub(super) fn place_of(events: &[EventPlace], at: u64) -> Option<&EventPlace> {
    let behind = events.partition_point(|event| event.at <= at);
    events.get(behind.checked_sub(1)?)
}
