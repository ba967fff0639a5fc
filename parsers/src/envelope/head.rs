//! Envelopes by the first bytes of an object.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use super::cloudwatch::{
    self, FILTERS, KIND, LOG_EVENTS, LOG_GROUP, LOG_STREAM, LogEvent, Message,
};
use super::{MAX_ENVELOPE_BYTES, Origin, firehose, kept, string_of};
use crate::detect::HEAD_BYTES;
use crate::format::{Format, Shape};
use crate::json::{Member, ValueKind, begun_members, detect, kind_of, nested_end, skip_blanks};
use crate::record::JsonCutter;
use crate::record::lines::BYTE_ORDER_MARK;
use crate::reject::Reason;

/// What the first object of some bytes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No envelope.
    None,
    /// A message of CloudWatch Logs.
    CloudWatch,
    /// It has a `message` that is text. That may be a record, too.
    Message,
}

/// Whether the records of a format come in envelopes, by the first bytes of an object; None if more
/// are needed and they have not `ended`.
pub fn wraps(bytes: &[u8], format: &Arc<Format>, ended: bool) -> Option<bool> {
    let ended = ended || bytes.len() >= HEAD_BYTES;
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    match kind_by_head(head) {
        None => ended.then_some(false),
        Some(Kind::None) => Some(false),
        Some(Kind::CloudWatch) => Some(true),
        Some(Kind::Message) => {
            let Shape::Json { records, skip } = &format.shape else {
                return Some(true);
            };
            // The whole first record says whether it is one of the format as it stands.
            if nested_end(head, start(head)).is_none() && !ended {
                return None;
            }
            let is_record =
                format.has_field("message") || detect::fits(format, head, records.as_deref(), skip);
            Some(!is_record)
        }
    }
}

/// What the first object is, by its members up to the first that tells; None if they do not.
pub(crate) fn kind_by_head(head: &[u8]) -> Option<Kind> {
    let start = start(head);
    if *head.get(start)? != b'{' {
        return (head.len() >= BYTE_ORDER_MARK.len() || !BYTE_ORDER_MARK.starts_with(head))
            .then_some(Kind::None);
    }
    for (Member { key, value }, whole) in begun_members(head, start) {
        let value = &head[value];
        let kind = kind_of(value);
        return match &head[key] {
            LOG_EVENTS if kind == ValueKind::Array => Some(Kind::CloudWatch),
            FILTERS if kind == ValueKind::Array && whole => continue,
            FILTERS if kind == ValueKind::Array => None,
            _ if matches!(kind, ValueKind::Array | ValueKind::Object) => Some(Kind::None),
            _ if !whole => None,
            KIND => {
                let is_kind = string_of(value).is_some_and(|text| cloudwatch::is_kind(&text));
                Some(if is_kind {
                    Kind::CloudWatch
                } else {
                    Kind::None
                })
            }
            firehose::MESSAGE if kind == ValueKind::String => Some(Kind::Message),
            _ => continue,
        };
    }
    None
}

/// What the first bytes of an object say of one of its envelopes.
pub(crate) struct Begun<'a> {
    /// The log that it is of.
    pub(crate) log: Origin,
    /// Its first record.
    pub(crate) message: Option<Cow<'a, [u8]>>,
}

impl<'a> Begun<'a> {
    /// The envelopes that begin within `head`; of the last one its end may be missing. Those that
    /// hold no record are left out.
    pub(crate) fn all(head: &'a [u8], format: &Format) -> Vec<Self> {
        let layout = Arc::clone(format.default_layout());
        let mut cutter = JsonCutter::new(layout, None).with_record_bytes(MAX_ENVELOPE_BYTES);
        let mut blocks = VecDeque::new();
        cutter.buffer().extend_from_slice(head);
        cutter.finish(true, &mut blocks);
        let mut all = Vec::new();
        for block in blocks {
            for span in &block.spans {
                let at = block.offset as usize;
                let object = at + span.start as usize..at + span.end as usize;
                all.extend(Self::whole(head, object));
            }
            let cut_off = block.rejects.iter();
            let cut_off = cut_off.filter(|reject| reject.reason == Reason::CutOff);
            all.extend(cut_off.filter_map(|reject| Self::broken_off(head, reject.offset as usize)));
        }
        all
    }

    fn whole(head: &'a [u8], object: std::ops::Range<usize>) -> Option<Self> {
        let Ok(message) = Message::read(head, object.clone()) else {
            return Some(Self {
                log: Origin::default(),
                message: Some(firehose::message(head, object)?),
            });
        };
        let first = message.events(head).flatten().next()?;
        (!message.control).then_some(Self {
            log: message.origin(),
            message: Some(first.message),
        })
    }

    fn broken_off(head: &'a [u8], start: usize) -> Option<Self> {
        let mut begun = Self {
            log: Origin::default(),
            message: None,
        };
        for (Member { key, value }, whole) in begun_members(head, start) {
            match &head[key] {
                LOG_GROUP if whole => begun.log.log_group = kept(&head[value]),
                LOG_STREAM if whole => begun.log.log_stream = kept(&head[value]),
                LOG_EVENTS => {
                    let first = skip_blanks(head, value.start + 1);
                    let end = nested_end(head, first)?;
                    let event = LogEvent::read(head, first..end).ok()?;
                    begun.message = Some(event.message);
                }
                _ => {}
            }
        }
        Some(begun)
    }
}

/// Where the first bytes that mean something are.
fn start(head: &[u8]) -> usize {
    let mark = head.starts_with(BYTE_ORDER_MARK);
    skip_blanks(head, if mark { BYTE_ORDER_MARK.len() } else { 0 })
}
