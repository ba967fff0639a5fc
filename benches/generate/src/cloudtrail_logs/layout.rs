//! How records stand in a text.

/// How records stand in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CloudTrailLayout {
    /// As CloudTrail writes them: an array `Records` in an object, all on one line.
    #[default]
    Records,
    /// The same with line breaks and two spaces for each level.
    Pretty,
    /// A record on each line, without an object around them.
    Ndjson,
}

impl CloudTrailLayout {
    pub(super) fn begin(self, text: &mut Vec<u8>) {
        text.extend_from_slice(match self {
            Self::Records => b"{\"Records\":[",
            Self::Pretty => b"{\n  \"Records\": [",
            Self::Ndjson => b"",
        });
    }

    /// Appends a record that stands on one line, without any space outside of its strings.
    pub(super) fn push(self, text: &mut Vec<u8>, record: &[u8], first: bool) {
        if self != Self::Ndjson && !first {
            text.push(b',');
        }
        match self {
            Self::Records => text.extend_from_slice(record),
            Self::Pretty => {
                push_break(text, 2);
                push_pretty(text, record, 2);
            }
            Self::Ndjson => {
                text.extend_from_slice(record);
                text.push(b'\n');
            }
        }
    }

    pub(super) fn end(self, text: &mut Vec<u8>) {
        text.extend_from_slice(match self {
            Self::Records => b"]}",
            Self::Pretty => b"\n  ]\n}\n",
            Self::Ndjson => b"",
        });
    }
}

/// Appends JSON with line breaks, as if it stood so many levels deep.
fn push_pretty(out: &mut Vec<u8>, json: &[u8], level: usize) {
    let mut level = level;
    let mut in_string = false;
    let mut escaped = false;
    let mut bytes = json.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                match bytes.next_if(|next| matches!(next, b'}' | b']')) {
                    Some(end) => out.push(end),
                    None => {
                        level += 1;
                        push_break(out, level);
                    }
                }
            }
            b'}' | b']' => {
                level = level.saturating_sub(1);
                push_break(out, level);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                push_break(out, level);
            }
            b':' => out.extend_from_slice(b": "),
            byte => {
                out.push(byte);
                in_string = byte == b'"';
            }
        }
    }
}

fn push_break(out: &mut Vec<u8>, level: usize) {
    out.push(b'\n');
    out.resize(out.len() + 2 * level, b' ');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structure_is_broken_into_lines_and_strings_are_not() {
        let mut out = Vec::new();
        push_pretty(&mut out, br#"{"a":[1,{"b":"x,{\"[\\"}],"c":{},"d":[]}"#, 0);
        let expected = r#"{
  "a": [
    1,
    {
      "b": "x,{\"[\\"
    }
  ],
  "c": {},
  "d": []
}"#;
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}
