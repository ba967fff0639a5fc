//! Envelopes: what producers and services put around log records on their way through streams.
//!
//! - [`kpl`]: several user records in one record of a Kinesis stream, as the Kinesis Producer
//!   Library and its kin pack them.
//! - [`cloudwatch`]: messages of CloudWatch Logs to those that subscribed to a log group.
//! - [`firehose`]: a line as the member `message` of a JSON object.
//!
//! The last two are JSON objects, which Firehose puts into files one after the other with white
//! space, commas or nothing between them. They compose with every frame around them and with every
//! format within: [`crate::record::Cutter`] sees by the first bytes whether records come in them.
//!
//! Like everything in this crate, envelopes that are damaged are no errors.

pub mod cloudwatch;
pub mod firehose;
mod head;
pub mod kpl;

use std::borrow::Cow;
use std::sync::Arc;

use memchr::memchr;

use crate::format::Format;
use crate::json::string;

pub use head::wraps;
pub(crate) use head::{Begun, Kind, kind_by_head};

/// The longest envelope that is taken apart. A message of CloudWatch Logs has up to 1 MiB as gzip,
/// and must be there as a whole: its log group may stand behind its events.
pub(crate) const MAX_ENVELOPE_BYTES: usize = 64 << 20;

/// What an envelope says of the records in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The account that they come from.
    pub account: Option<Arc<str>>,
    /// The Region.
    pub region: Option<Arc<str>>,
    /// The log group of CloudWatch Logs.
    pub log_group: Option<Arc<str>>,
    /// The log stream in it.
    pub log_stream: Option<Arc<str>>,
}

impl Origin {
    /// Whether the log says by its name that it holds records of a format.
    pub(crate) fn is_of(&self, format: &Format) -> bool {
        let group = self.log_group.as_deref().unwrap_or_default();
        format.is_in_log(group, self.log_stream.as_deref().unwrap_or_default())
    }
}

/// A part of an [`Origin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OriginPart {
    /// [`Origin::account`]
    Account,
    /// [`Origin::region`]
    Region,
    /// [`Origin::log_group`]
    LogGroup,
    /// [`Origin::log_stream`]
    LogStream,
}

impl OriginPart {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Account, Self::Region, Self::LogGroup, Self::LogStream];

    /// What it is of an origin.
    pub fn of(self, origin: &Origin) -> Option<&str> {
        let text = match self {
            Self::Account => &origin.account,
            Self::Region => &origin.region,
            Self::LogGroup => &origin.log_group,
            Self::LogStream => &origin.log_stream,
        };
        text.as_deref()
    }
}

/// Appends the message of a log event as one line, without its end: line feeds within it become
/// blanks, which in JSON mean the same.
pub(crate) fn append_message(out: &mut Vec<u8>, message: &[u8]) {
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let start = message.iter().position(|byte| !is_end(byte));
    let end = message.iter().rposition(|byte| !is_end(byte));
    let Some((start, end)) = start.zip(end) else {
        return;
    };
    let mut rest = &message[start..=end];
    while let Some(at) = memchr(b'\n', rest) {
        out.extend_from_slice(&rest[..at]);
        out.push(b' ');
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// The text of a value; None if it is no string, or an empty one.
fn text(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let text = string_of(value)?;
    (!text.is_empty()).then_some(text)
}

/// The text of a string.
fn string_of(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    (value.first() == Some(&b'"')).then(|| string(value).bytes)
}

/// The text of a value as something that is kept.
fn kept(value: &[u8]) -> Option<Arc<str>> {
    Some(Arc::from(String::from_utf8_lossy(&text(value)?)))
}
