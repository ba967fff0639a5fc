//! The full look at a value.

use memchr::memchr2;

use super::nest::Nest;
use super::scalar::scalar_end;
use super::skip_blanks;

/// Whether `value` is well-formed JSON, with white space around it or not, that is not nested
/// deeper than [`MAX_DEPTH`](super::MAX_DEPTH). Whether it is UTF-8 is not looked at.
pub fn is_valid(value: &[u8]) -> bool {
    value_end(value).is_some_and(|end| skip_blanks(value, end) == value.len())
}

/// Where the value ends that `bytes` begins with.
fn value_end(bytes: &[u8]) -> Option<usize> {
    let mut nest = Nest::default();
    let mut at = 0;
    loop {
        at = skip_blanks(bytes, at);
        let first = *bytes.get(at)?;
        at = match first {
            b'{' | b'[' => {
                if !nest.open(first == b'{') {
                    return None;
                }
                let inner = skip_blanks(bytes, at + 1);
                // An empty one ends below, as any other.
                if bytes.get(inner) != Some(&(first + 2)) {
                    at = if first == b'{' {
                        name_end(bytes, inner)?
                    } else {
                        inner
                    };
                    continue;
                }
                inner
            }
            b'"' => string_end(bytes, at)?,
            _ => scalar_end(bytes, at)?,
        };
        // After a value: whatever ends here, and then a comma.
        while nest.depth() > 0 {
            at = skip_blanks(bytes, at);
            let byte = *bytes.get(at)?;
            match byte {
                b'}' | b']' if nest.close(byte == b'}') => at += 1,
                b',' if nest.in_object() => {
                    at = name_end(bytes, skip_blanks(bytes, at + 1))?;
                    break;
                }
                b',' => {
                    at += 1;
                    break;
                }
                _ => return None,
            }
        }
        if nest.depth() == 0 {
            return Some(at);
        }
    }
}

/// The end of a member's name and its colon.
fn name_end(bytes: &[u8], at: usize) -> Option<usize> {
    let colon = skip_blanks(bytes, string_end(bytes, at)?);
    (bytes.get(colon) == Some(&b':')).then_some(colon + 1)
}

/// The end of the string that begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    loop {
        let text = &bytes[at + 1..];
        let length = memchr2(b'"', b'\\', text)?;
        // Without a way out of the loop, many bytes are compared at once.
        if text[..length]
            .iter()
            .fold(false, |found, &byte| found | (byte < b' '))
        {
            return None;
        }
        at += 1 + length;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at = escape_end(bytes, at)?;
    }
}

/// The last byte of the escape that begins at `at`.
fn escape_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
        b'u' => {
            let digits = bytes.get(at + 2..at + 6)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 5)
        }
        _ => None,
    }
}
