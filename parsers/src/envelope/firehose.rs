//! A line as the member `message` of a JSON object, as agents and Firehose's own processing write
//! it: `{"message": "2 123456789012 eni-..."}`.

use std::borrow::Cow;
use std::ops::Range;

use super::string_of;
use crate::json::members;

pub(super) const MESSAGE: &[u8] = b"message";

/// The text of the member `message` of an object that has one; None if it is no string. Other
/// members are not looked at.
pub fn message(bytes: &[u8], object: Range<usize>) -> Option<Cow<'_, [u8]>> {
    let mut found = None;
    for member in members(bytes, object) {
        let member = member.ok()?;
        if bytes[member.key] == *MESSAGE {
            found = string_of(&bytes[member.value]);
        }
    }
    found
}
