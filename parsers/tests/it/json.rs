//! JSON where it lies, against `serde_json`.

use std::borrow::Cow;

use loglens_parsers::json::{
    MAX_DEPTH, MISSING, MemberMatcher, ValueKind, compact, elements, is_valid, kind_of, members,
    string,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::de::IgnoredAny;
use serde_json::{Map, Number, Value};

/// How a value is written.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    /// What may stand between two parts.
    pub(crate) gaps: &'static [&'static str],
    /// Whether characters may be escaped that need not be.
    pub(crate) escapes: bool,
    /// State of the choices.
    pub(crate) seed: u64,
}

impl Style {
    fn choose(&mut self, choices: usize) -> usize {
        self.seed = self
            .seed
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(1);
        (self.seed >> 33) as usize % choices
    }

    pub(crate) fn gap(&mut self) -> &'static str {
        self.gaps[self.choose(self.gaps.len())]
    }

    pub(crate) fn write(&mut self, value: &Value) -> String {
        let mut out = String::new();
        self.value(value, &mut out);
        out
    }

    fn value(&mut self, value: &Value, out: &mut String) {
        match value {
            Value::String(text) => self.string(text, out),
            Value::Array(values) => {
                self.parts('[', values.iter(), ']', out, Self::value);
            }
            Value::Object(map) => {
                self.parts('{', map.iter(), '}', out, |style, (name, value), out| {
                    style.string(name, out);
                    out.push_str(style.gap());
                    out.push(':');
                    out.push_str(style.gap());
                    style.value(value, out);
                });
            }
            scalar => out.push_str(&scalar.to_string()),
        }
    }

    fn parts<T>(
        &mut self,
        open: char,
        parts: impl Iterator<Item = T>,
        close: char,
        out: &mut String,
        write: impl Fn(&mut Self, T, &mut String),
    ) {
        out.push(open);
        for (index, part) in parts.enumerate() {
            if index > 0 {
                out.push(',');
            }
            out.push_str(self.gap());
            write(self, part, out);
            out.push_str(self.gap());
        }
        out.push(close);
    }

    fn string(&mut self, text: &str, out: &mut String) {
        out.push('"');
        for c in text.chars() {
            if c < ' ' || c == '"' || c == '\\' || self.escapes && self.choose(4) == 0 {
                self.escape(c, out);
            } else {
                out.push(c);
            }
        }
        out.push('"');
    }

    fn escape(&mut self, c: char, out: &mut String) {
        let short = match c {
            '\x08' => 'b',
            '\x0c' => 'f',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '"' | '\\' | '/' => c,
            _ => 'u',
        };
        if short == 'u' || self.choose(2) == 0 {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.extend(['\\', short]);
        }
    }
}

pub(crate) const ONE_LINE: &[&str] = &[""];
pub(crate) const SPACED: &[&str] = &["", " ", "\t", "  "];
pub(crate) const PRETTY: &[&str] = &["", " ", "\n", "\r\n\t", "\n                              "];

pub(crate) fn any_style(gaps: &'static [&'static [&'static str]]) -> impl Strategy<Value = Style> {
    let parts = (select(gaps), any::<bool>(), any::<u64>());
    parts.prop_map(|(gaps, escapes, seed)| Style {
        gaps,
        escapes,
        seed,
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,12}",
        "[\\\\\"{}\\[\\],: \n]{0,20}",
        "\\PC{0,8}",
        ".{60,90}"
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| Value::Number(n.into())),
        any::<i32>().prop_map(|n| Value::Number(Number::from_f64(f64::from(n) / 64.0).unwrap())),
        any_text().prop_map(Value::String),
    ];
    scalar.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::Array),
            object_of(inner),
        ]
    })
}

fn object_of(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    btree_map(any_text(), value, 0..5)
        .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>()))
}

pub(crate) fn any_object() -> impl Strategy<Value = Value> {
    object_of(any_value())
}

/// A change of one byte.
#[derive(Debug, Clone)]
pub(crate) struct Damage {
    at: Index,
    byte: u8,
    kind: u8,
}

pub(crate) fn any_damage() -> impl Strategy<Value = Damage> {
    let byte = prop_oneof![select(&b"{}[]\",:\\ \n\t0e-.utn"[..]), any::<u8>()];
    (any::<Index>(), byte, 0..3_u8).prop_map(|(at, byte, kind)| Damage { at, byte, kind })
}

pub(crate) fn damaged(text: &str, damages: &[Damage]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for damage in damages {
        let at = damage.at.index(bytes.len() + 1);
        match damage.kind {
            0 => bytes.insert(at, damage.byte),
            1 if at < bytes.len() => bytes[at] = damage.byte,
            _ if at < bytes.len() => drop(bytes.remove(at)),
            _ => {}
        }
    }
    bytes
}

fn parsed(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

fn text_of(raw: &str) -> (String, bool) {
    let quoted = format!("\"{raw}\"");
    let text = string(quoted.as_bytes());
    (
        String::from_utf8_lossy(&text.bytes).into_owned(),
        text.mended,
    )
}

/// The text behind which a value is hidden from the beginning of a lane.
const PADDING: &str = "\\\\\"{[";

proptest! {
    #[test]
    fn members_are_those_of_serde(object in any_object(), mut style in any_style(&[ONE_LINE, PRETTY])) {
        let text = format!("{PADDING}{}{PADDING}", style.write(&object));
        let range = PADDING.len()..text.len() - PADDING.len();
        let mut found = Map::new();
        for member in members(text.as_bytes(), range) {
            let member = member.unwrap();
            let name = string(&text.as_bytes()[member.key.start - 1..member.key.end + 1]);
            prop_assert!(!name.mended);
            let name = String::from_utf8(name.bytes.into_owned()).unwrap();
            found.insert(name, parsed(&text.as_bytes()[member.value]));
        }
        prop_assert_eq!(Value::Object(found), object);
    }

    #[test]
    fn elements_are_those_of_serde(array in vec(any_value(), 0..6), mut style in any_style(&[ONE_LINE, PRETTY])) {
        let array = Value::Array(array);
        let text = style.write(&array);
        let found = elements(text.as_bytes(), 0..text.len())
            .map(|element| parsed(&text.as_bytes()[element.unwrap()]))
            .collect();
        prop_assert_eq!(Value::Array(found), array);
    }

    #[test]
    fn kinds_and_strings_are_those_of_serde(value in any_value(), mut style in any_style(&[ONE_LINE])) {
        let text = style.write(&value);
        let kind = match value {
            Value::Null => ValueKind::Null,
            Value::Bool(_) => ValueKind::Bool,
            Value::Number(_) => ValueKind::Number,
            Value::Array(_) => ValueKind::Array,
            Value::Object(_) => ValueKind::Object,
            Value::String(expected) => {
                let found = string(text.as_bytes());
                prop_assert!(!found.mended);
                prop_assert_eq!(matches!(found.bytes, Cow::Borrowed(_)), !text.contains('\\'));
                prop_assert_eq!(found.bytes, expected.into_bytes());
                ValueKind::String
            }
        };
        prop_assert_eq!(kind_of(text.as_bytes()), kind);
    }

    #[test]
    fn compact_text_has_no_gaps(value in any_value(), style in any_style(&[SPACED, PRETTY])) {
        let loose = style.clone().write(&value);
        let tight = Style { gaps: ONE_LINE, ..style }.write(&value);
        prop_assert_eq!(compact(loose.as_bytes()), tight.as_bytes());
        prop_assert!(matches!(compact(tight.as_bytes()), Cow::Borrowed(_)));
    }

    #[test]
    fn the_full_look_is_that_of_serde(
        value in any_value(),
        mut style in any_style(&[ONE_LINE, PRETTY]),
        damages in vec(any_damage(), 0..3),
    ) {
        let text = damaged(&style.write(&value), &damages);
        let expected = serde_json::from_slice::<IgnoredAny>(&text).is_ok();
        prop_assert_eq!(is_valid(&text), expected, "{}", String::from_utf8_lossy(&text));
        let parts = match kind_of(&text) {
            ValueKind::Object => members(&text, 0..text.len()).filter(Result::is_err).count(),
            _ => elements(&text, 0..text.len()).filter(Result::is_err).count(),
        };
        let whole = text.ends_with(b"}") && text[0] == b'{' || text.ends_with(b"]") && text[0] == b'[';
        if expected && whole {
            prop_assert_eq!(parts, 0);
        }
    }

    #[test]
    fn nothing_panics(text in vec(prop_oneof![select(&b"{}[]\",:\\u0 "[..]), any::<u8>()], 0..200), from in any::<Index>()) {
        let start = from.index(text.len() + 1);
        prop_assert!(members(&text, start..text.len()).count() <= text.len() + 1);
        prop_assert!(elements(&text, start..text.len()).count() <= text.len() + 1);
        prop_assert!(string(&text).bytes.len() <= 3 * text.len());
        prop_assert!(compact(&text).len() <= text.len());
        is_valid(&text);
    }

    #[test]
    fn the_matcher_finds_the_last_member_of_a_name(
        records in vec(vec((select(NAMES), 0..100_u32), 0..8), 1..12),
    ) {
        let wanted = ["event_name", "arn", "x"];
        let mut matcher = MemberMatcher::new(&wanted);
        for record in records {
            let members: Vec<_> = record.iter().map(|(name, n)| format!("\"{name}\":{n}")).collect();
            let text = format!("{{{}}}", members.join(","));
            let mut found = [(7, 7); 3];
            matcher.find(text.as_bytes(), 0..text.len(), &mut found).unwrap();
            for (wanted, (start, end)) in wanted.iter().zip(found) {
                let fold = |name: &str| name.replace("\\u0041", "a").replace('-', "_").to_ascii_lowercase();
                let last = record.iter().rev().find(|(name, _)| fold(name) == *wanted);
                match last {
                    Some((_, n)) => prop_assert_eq!(&text[start as usize..end as usize], n.to_string()),
                    None => prop_assert_eq!((start, end), MISSING),
                }
            }
        }
    }
}

const NAMES: &[&str] = &[
    "event-name",
    "Event_Name",
    "event_name",
    "eventname",
    "ARN",
    "arn",
    "\\u0041rn",
    "y",
    "",
    "z",
];

#[test]
fn more_names_than_are_remembered() {
    let mut matcher = MemberMatcher::new(&["x"]);
    for n in 0..2000 {
        let text = format!("{{\"{n}\":0,\"x\":{n},\"y{n}\":1}}");
        let mut found = [MISSING];
        matcher
            .find(text.as_bytes(), 0..text.len(), &mut found)
            .unwrap();
        assert_eq!(
            text[found[0].0 as usize..found[0].1 as usize],
            n.to_string()
        );
    }
}

#[test]
fn members_that_are_wrong() {
    for (text, at, expected) in [
        ("{\"a\":1,}", 7, "a name in quotes"),
        ("{,\"a\":1}", 1, "a name in quotes"),
        ("{a:1}", 1, "a name in quotes"),
        ("{\"a\"}", 4, "':'"),
        ("{\"a\" 1}", 5, "':'"),
        ("{\"a\":}", 5, "a value"),
        ("{\"a\":1 \"b\":2}", 7, "','"),
        ("{\"a\":1x}", 6, "','"),
        ("{\"a\":nul}", 5, "a value"),
        ("{\"a\":01}", 6, "','"),
        ("{\"a\":1.}", 5, "a value"),
        ("{\"a\":[}", 5, "a value"),
        ("{\"a\":[}}", 5, "a value"),
        ("{\"a\":\"}", 5, "a value"),
        ("{\"a}", 2, "'\"'"),
        ("{\"a\":{}{}}", 7, "','"),
        ("[]", 0, "an object"),
        ("{", 0, "an object"),
        ("", 0, "an object"),
    ] {
        let error = members(text.as_bytes(), 0..text.len())
            .find_map(Result::err)
            .unwrap();
        assert_eq!((error.at, error.expected), (at, expected), "{text}");
    }
    let error = elements(b"[1,2,]", 0..6).find_map(Result::err).unwrap();
    assert_eq!(error.to_string(), "expected a value");
}

#[test]
fn escapes_that_are_wrong() {
    for (raw, expected) in [(r"\ud83d\ude00", "\u{1f600}"), (r"\u00e9\/", "\u{e9}/")] {
        assert_eq!(text_of(raw), (expected.to_owned(), false), "{raw}");
    }
    for (raw, expected) in [
        (r"a\qb", "a\u{fffd}qb"),
        (r"\u12", "\u{fffd}u12"),
        (r"\u+123", "\u{fffd}u+123"),
        (r"\ud83d", "\u{fffd}"),
        (r"\ud83dx", "\u{fffd}x"),
        (r"\ud83d\u0041", "\u{fffd}A"),
        (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}\u{1f600}"),
        (r"\é", "\u{fffd}é"),
        ("a\\", "a\u{fffd}"),
    ] {
        assert_eq!(text_of(raw), (expected.to_owned(), true), "{raw}");
    }
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert!(is_valid(&nested(MAX_DEPTH)));
    assert!(!is_valid(&nested(MAX_DEPTH + 1)));
}
