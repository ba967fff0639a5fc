//! What a cut adds to standing windows: the state of its commit.
//!
//! A line of JSON that names the statements that the worker knew, and behind it what each of them
//! grouped of the records of the cut, one after the other.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use loglens_engine::error::{Error, Owner};
use serde::{Deserialize, Serialize};

/// Counts up whenever the form changes.
const VERSION: u32 = 1;

/// What the records of a cut are grouped to, for one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowPart {
    /// The window.
    pub name: Arc<str>,
    /// Its statement.
    pub sql: Arc<str>,
    /// What was grouped, of each lot of records ([`Grouping`](loglens_engine::stream::Grouping)).
    pub grouped: Vec<Bytes>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    version: u32,
    windows: Vec<Named>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Named {
    name: Arc<str>,
    sql: Arc<str>,
    /// How many bytes each has.
    grouped: Vec<usize>,
}

/// The parts of all statements as one; nothing, if there is no statement.
///
/// # Errors
/// None that can be expected.
pub fn write(parts: &[WindowPart]) -> Result<Bytes, Error> {
    if parts.is_empty() {
        return Ok(Bytes::new());
    }
    let windows = parts.iter().map(|part| Named {
        name: Arc::clone(&part.name),
        sql: Arc::clone(&part.sql),
        grouped: part.grouped.iter().map(Bytes::len).collect(),
    });
    let header = Header {
        version: VERSION,
        windows: windows.collect(),
    };
    let header = serde_json::to_vec(&header);
    let header = header.map_err(|error| Error::new(Owner::Internal, error.to_string()))?;
    let mut bytes = BytesMut::from(&*header);
    bytes.put_u8(b'\n');
    for grouped in parts.iter().flat_map(|part| &part.grouped) {
        bytes.put_slice(grouped);
    }
    Ok(bytes.freeze())
}

/// The parts of all statements that the worker knew.
///
/// # Errors
/// It is damaged, or of another version.
pub fn read(state: &Bytes) -> Result<Vec<WindowPart>, Error> {
    if state.is_empty() {
        return Ok(Vec::new());
    }
    let damaged = |why: String| {
        Error::new(Owner::External, format!("the state of a cut: {why}"))
            .hint("another version of loglens has written it")
    };
    let end = memchr::memchr(b'\n', state).ok_or_else(|| damaged("it has no end".to_owned()))?;
    let header: Header =
        serde_json::from_slice(&state[..end]).map_err(|error| damaged(error.to_string()))?;
    if header.version != VERSION {
        let found = header.version;
        return Err(damaged(format!(
            "expected version {VERSION}, found {found}"
        )));
    }
    let mut rest = state.slice(end + 1..);
    let mut parts = Vec::new();
    for Named { name, sql, grouped } in header.windows {
        let mut lots = Vec::new();
        for length in grouped {
            if length > rest.len() {
                return Err(damaged("it breaks off".to_owned()));
            }
            lots.push(rest.split_to(length));
        }
        parts.push(WindowPart {
            name,
            sql,
            grouped: lots,
        });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn part(name: &str, grouped: &[&'static [u8]]) -> WindowPart {
        WindowPart {
            name: Arc::from(name),
            sql: Arc::from("SELECT\n1"),
            grouped: grouped
                .iter()
                .map(|bytes| Bytes::from_static(bytes))
                .collect(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for parts in [
            vec![],
            vec![part("a", &[])],
            vec![part("a", &[b"one\ntwo", b""]), part("b", &[b"\n"])],
        ] {
            let written = write(&parts).unwrap();
            assert_eq!(read(&written).unwrap(), parts);
        }
    }

    #[test]
    fn what_is_damaged_is_said() {
        let written = write(&[part("a", &[b"12345"])]).unwrap();
        for (state, expected) in [
            (written.slice(..written.len() - 1), "it breaks off"),
            (Bytes::from_static(b"{}"), "it has no end"),
            (
                Bytes::from_static(b"{\"version\":9,\"windows\":[]}\n"),
                "found 9",
            ),
        ] {
            let error = read(&state).unwrap_err();
            assert!(error.message.contains(expected), "{error}");
        }
    }
}
