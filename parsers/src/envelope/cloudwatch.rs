//! Messages of CloudWatch Logs to those that subscribed to a log group: to a Kinesis stream, to
//! Firehose, to a Lambda function.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>. The
//! members may stand in any order. On the way a message is compressed with gzip, by some twice; as
//! with any object, that is the frame's affair.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::{Origin, kept, string_of};
use crate::json::{JsonError, ValueKind, elements, kind_of, members};

pub(super) const KIND: &[u8] = b"messageType";
pub(super) const LOG_GROUP: &[u8] = b"logGroup";
pub(super) const LOG_STREAM: &[u8] = b"logStream";
pub(super) const LOG_EVENTS: &[u8] = b"logEvents";
/// The one member that holds others and may stand before the events.
pub(super) const FILTERS: &[u8] = b"subscriptionFilters";
const DATA: &[u8] = b"DATA_MESSAGE";
const CONTROL: &[u8] = b"CONTROL_MESSAGE";

/// One message.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// It only says that the destination can be reached: its events are no records.
    pub control: bool,
    /// The account that the log group belongs to.
    pub owner: Option<Arc<str>>,
    /// The log group.
    pub log_group: Option<Arc<str>>,
    /// The log stream.
    pub log_stream: Option<Arc<str>>,
    /// Where the array of its events is.
    events: Range<usize>,
}

/// One log event of a message. Its id and time are CloudWatch Logs' own, and no columns.
#[derive(Debug, Clone)]
pub struct LogEvent<'a> {
    /// Where it begins.
    pub at: usize,
    /// The record.
    pub message: Cow<'a, [u8]>,
    /// The account that it comes from, where logs of several are gathered.
    pub account: Option<Arc<str>>,
    /// The Region that it comes from, where logs of several are gathered.
    pub region: Option<Arc<str>>,
}

/// Whether the text of [`KIND`] is one of these messages'.
pub(super) fn is_kind(kind: &[u8]) -> bool {
    [DATA, CONTROL].contains(&kind)
}

impl Message {
    /// Reads the object `bytes[object]`, whose brackets must be balanced.
    ///
    /// # Errors
    /// What is no such message, with the byte where it ceases to be one.
    pub fn read(bytes: &[u8], object: Range<usize>) -> Result<Self, JsonError> {
        let start = object.start;
        let mut message = Self::default();
        let mut events = None;
        for member in members(bytes, object) {
            let member = member?;
            let (at, value) = (member.value.start, &bytes[member.value.clone()]);
            match &bytes[member.key] {
                KIND => match string_of(value).as_deref() {
                    Some(CONTROL) => message.control = true,
                    Some(DATA) => message.control = false,
                    _ => return Err(expected(at, "DATA_MESSAGE or CONTROL_MESSAGE")),
                },
                b"owner" => message.owner = kept(value),
                LOG_GROUP => message.log_group = kept(value),
                LOG_STREAM => message.log_stream = kept(value),
                LOG_EVENTS => match kind_of(value) {
                    ValueKind::Array if events.is_none() => events = Some(member.value),
                    _ => return Err(expected(at, "one array of log events")),
                },
                _ => {}
            }
        }
        match events {
            Some(events) => message.events = events,
            None if message.control => {}
            None => return Err(expected(start, "a message of CloudWatch Logs")),
        }
        Ok(message)
    }

    /// What the message says of all its events.
    pub fn origin(&self) -> Origin {
        Origin {
            account: self.owner.clone(),
            region: None,
            log_group: self.log_group.clone(),
            log_stream: self.log_stream.clone(),
        }
    }

    /// Its events in their order, out of the bytes that it was read from. After an error of the
    /// array, not of an event, there are no more.
    pub fn events<'a>(
        &self,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = Result<LogEvent<'a>, JsonError>> + use<'a> {
        let array = (!self.events.is_empty()).then(|| elements(bytes, self.events.clone()));
        let events = array.into_iter().flatten();
        events.map(|event| LogEvent::read(bytes, event?))
    }
}

impl<'a> LogEvent<'a> {
    /// Reads the object `bytes[object]`, whose brackets must be balanced.
    pub(super) fn read(bytes: &'a [u8], object: Range<usize>) -> Result<Self, JsonError> {
        let at = object.start;
        let (mut message, mut account, mut region) = (None, None, None);
        for member in members(bytes, object) {
            let member = member?;
            let value = &bytes[member.value.clone()];
            match &bytes[member.key] {
                b"message" => message = string_of(value),
                b"extractedFields" if kind_of(value) == ValueKind::Object => {
                    for field in members(bytes, member.value) {
                        let field = field?;
                        match &bytes[field.key] {
                            b"@aws.account" => account = kept(&bytes[field.value]),
                            b"@aws.region" => region = kept(&bytes[field.value]),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(Self {
            at,
            message: message.ok_or(expected(at, "a log event with a message"))?,
            account,
            region,
        })
    }

    /// Where it comes from, if that is not what the message says of all its events.
    pub fn origin(&self, message: &Origin) -> Option<Origin> {
        if self.account.is_none() && self.region.is_none() {
            return None;
        }
        let mut origin = message.clone();
        origin.account = self.account.clone().or(origin.account);
        origin.region = self.region.clone().or(origin.region);
        Some(origin)
    }
}

fn expected(at: usize, expected: &'static str) -> JsonError {
    JsonError { at, expected }
}
