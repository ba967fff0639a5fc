//! A strict reader of JSON (RFC 8259), independent of how the logs are written.

use std::collections::HashMap;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(HashMap<String, Json>),
}

impl Json {
    /// Reads a text that is one value.
    pub(super) fn parse(text: &str) -> Self {
        let mut reader = Reader { rest: text };
        let value = reader.value();
        reader.skip_space();
        assert_eq!(reader.rest, "", "after the value");
        value
    }

    /// The member of that name, or null.
    pub(super) fn get(&self, name: &str) -> &Self {
        match self {
            Self::Object(members) => members.get(name).unwrap_or(&Self::Null),
            _ => &Self::Null,
        }
    }

    /// The text of the member of that name, or nothing.
    pub(super) fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Self::Text(text) => text,
            _ => "",
        }
    }

    pub(super) fn list(&self) -> &[Self] {
        match self {
            Self::List(values) => values,
            _ => &[],
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\t', '\r']);
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    #[track_caller]
    fn expect(&mut self, token: &str) {
        assert!(self.take(token), "expected {token}: {}", self.here());
    }

    fn here(&self) -> String {
        self.rest.chars().take(80).collect()
    }

    fn value(&mut self) -> Json {
        if self.take("{") {
            return self.object();
        }
        if self.take("[") {
            return self.list();
        }
        if self.take("\"") {
            return Json::Text(self.string());
        }
        for (token, value) in [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
        ] {
            if self.take(token) {
                return value;
            }
        }
        let end = self.rest.find([',', '}', ']', '\n']).unwrap_or(0);
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        assert!(!number.starts_with(['+', '.', 'i', 'N']), "{number}");
        Json::Number(number.parse().expect("a number"))
    }

    fn object(&mut self) -> Json {
        let mut members = HashMap::new();
        if self.take("}") {
            return Json::Object(members);
        }
        loop {
            self.expect("\"");
            let name = self.string();
            self.expect(":");
            let value = self.value();
            let twice = members.insert(name, value).is_some();
            assert!(!twice, "a member stands twice: {}", self.here());
            if !self.take(",") {
                break;
            }
        }
        self.expect("}");
        Json::Object(members)
    }

    fn list(&mut self) -> Json {
        let mut values = Vec::new();
        if self.take("]") {
            return Json::List(values);
        }
        loop {
            values.push(self.value());
            if !self.take(",") {
                break;
            }
        }
        self.expect("]");
        Json::List(values)
    }

    fn string(&mut self) -> String {
        let mut text = String::new();
        let mut chars = self.rest.chars();
        loop {
            match chars.next().expect("the end of a string") {
                '"' => break,
                '\\' => text.push(match chars.next() {
                    Some('n') => '\n',
                    Some(char @ ('"' | '\\' | '/')) => char,
                    other => panic!("an escape that nothing here writes: {other:?}"),
                }),
                char if char.is_control() => panic!("a control character in a string"),
                char => text.push(char),
            }
        }
        self.rest = chars.as_str();
        text
    }
}
