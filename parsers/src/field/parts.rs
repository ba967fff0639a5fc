//! Fields that hold more than one value: `ip:port` pairs and request lines.

use std::ops::Range;

use super::Misfit;

/// Where in a field the value is; None is NULL.
pub(crate) type Part = Result<Option<Range<usize>>, Misfit>;

/// The whole field.
#[allow(
    clippy::unnecessary_wraps,
    reason = "one of the ways to find text in a field"
)]
pub(crate) fn whole(field: &[u8]) -> Part {
    Ok(Some(0..field.len()))
}

/// The address of `ip:port`. The port follows the last colon, since IPv6 addresses stand there
/// with brackets and without.
pub fn ip_of_pair(field: &[u8]) -> Part {
    let colon = colon(field)?;
    let bracketed = field[..colon].starts_with(b"[") && field[..colon].ends_with(b"]");
    Ok(Some(if bracketed { 1..colon - 1 } else { 0..colon }))
}

/// The digits of the port of `ip:port`.
pub fn port_of_pair(field: &[u8]) -> Result<&[u8], Misfit> {
    Ok(&field[colon(field)? + 1..])
}

fn colon(field: &[u8]) -> Result<usize, Misfit> {
    let colon = memchr::memrchr(b':', field).filter(|&at| at > 0);
    let colon = colon.ok_or(Misfit::NotAPair)?;
    let port = &field[colon + 1..];
    let sound = !port.is_empty() && port.iter().all(u8::is_ascii_digit);
    sound.then_some(colon).ok_or(Misfit::NotAPair)
}

/// The method of a request line.
pub fn request_method(field: &[u8]) -> Part {
    Ok(request(field).method)
}

/// The URL of a request line, as the client sent it.
pub fn request_url(field: &[u8]) -> Part {
    Ok(request(field).url)
}

/// The protocol of a request line.
pub fn request_protocol(field: &[u8]) -> Part {
    Ok(request(field).protocol)
}

/// Where the parts of a request line are.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    method: Option<Range<usize>>,
    url: Option<Range<usize>>,
    protocol: Option<Range<usize>>,
}

/// `METHOD URL PROTOCOL`. Whatever a client sends stands here, so nothing is rejected: `-` and
/// what is missing are NULL; the URL may hold blanks; the protocol is told by its `HTTP/`. A
/// line of one word (a TLS handshake sent to a plain port) has no parts.
fn request(field: &[u8]) -> Request {
    let mut end = field.len();
    while end > 0 && field[end - 1] == b' ' {
        end -= 1;
    }
    let present = |part: Range<usize>| {
        let text = &field[part.clone()];
        (!text.is_empty() && text != b"-").then_some(part)
    };
    let Some(space) = memchr::memchr(b' ', &field[..end]) else {
        return Request {
            method: None,
            url: None,
            protocol: None,
        };
    };
    let last = memchr::memrchr(b' ', &field[..end]).filter(|&at| {
        let text = &field[at + 1..end];
        at > space && (text == b"-" || text.starts_with(b"HTTP/"))
    });
    Request {
        method: present(0..space),
        url: present(space + 1..last.unwrap_or(end)),
        protocol: last.and_then(|at| present(at + 1..end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs() {
        let rows: &[(&str, Option<(&str, &str)>)] = &[
            ("192.0.2.1:80", Some(("192.0.2.1", "80"))),
            ("[2001:db8::1]:80", Some(("2001:db8::1", "80"))),
            ("2001:db8::1:50599", Some(("2001:db8::1", "50599"))),
            ("192.0.2.1", None),
            ("192.0.2.1:", None),
            (":80", None),
            ("a:b", None),
            ("", None),
        ];
        for (text, expected) in rows {
            let bytes = text.as_bytes();
            let ip = ip_of_pair(bytes).ok().flatten().map(|range| &text[range]);
            let port = port_of_pair(bytes).ok().map(String::from_utf8_lossy);
            assert_eq!(ip, expected.map(|pair| pair.0), "{text}");
            assert_eq!(port.as_deref(), expected.map(|pair| pair.1), "{text}");
        }
    }

    #[test]
    fn requests() {
        type Parts = (
            Option<&'static str>,
            Option<&'static str>,
            Option<&'static str>,
        );
        let rows: &[(&str, Parts)] = &[
            (
                "GET http://a:80/ HTTP/1.1",
                (Some("GET"), Some("http://a:80/"), Some("HTTP/1.1")),
            ),
            (
                "GET http://a:80/b c HTTP/1.1",
                (Some("GET"), Some("http://a:80/b c"), Some("HTTP/1.1")),
            ),
            ("GET /b c", (Some("GET"), Some("/b c"), None)),
            ("GET /", (Some("GET"), Some("/"), None)),
            ("- http://a:80- -", (None, Some("http://a:80-"), None)),
            ("- http://a:80-/ ", (None, Some("http://a:80-/"), None)),
            ("- - -", (None, None, None)),
            ("- - - ", (None, None, None)),
            ("-", (None, None, None)),
            ("", (None, None, None)),
            ("   ", (None, None, None)),
            (r"\x16\x03\x01", (None, None, None)),
        ];
        for (text, expected) in rows {
            let found = request(text.as_bytes());
            let part = |range: Option<Range<usize>>| range.map(|range| &text[range]);
            assert_eq!(
                (part(found.method), part(found.url), part(found.protocol)),
                *expected,
                "{text:?}"
            );
        }
    }
}
