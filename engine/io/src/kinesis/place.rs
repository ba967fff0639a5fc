//! What a stream is called: `kinesis://stream-name`.

use loglens_engine::{Error, Owner};

/// What the place of a stream begins with.
pub const SCHEME: &str = "kinesis://";

/// The most characters of a stream's name.
const LONGEST_NAME: usize = 128;

/// The name of the stream of a place.
pub(super) fn stream_of(place: &str) -> Result<String, Error> {
    let wrong = |what: &str| {
        Error::new(Owner::Usage, format!("{place}: {what}")).hint("write kinesis://STREAM")
    };
    let name = place
        .strip_prefix(SCHEME)
        .ok_or_else(|| wrong("not a stream of Kinesis"))?;
    let name = name.strip_suffix('/').unwrap_or(name);
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(sound) {
        return Err(wrong("no stream is called so"));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_those_of_kinesis() {
        assert_eq!(
            stream_of("kinesis://flow_logs.v2-a").unwrap(),
            "flow_logs.v2-a"
        );
        assert_eq!(stream_of("kinesis://flow/").unwrap(), "flow");
        for place in ["kinesis://", "kinesis://a/b", "kinesis://a b", "s3://flow"] {
            assert!(stream_of(place).is_err(), "{place}");
        }
        assert!(stream_of(&format!("kinesis://{}", "x".repeat(129))).is_err());
    }
}
