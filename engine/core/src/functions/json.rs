//! `json_extract(json, path)` and `json_extract_scalar(json, path)`.
//!
//! As in Trino: a path is `$`, then `.name`, `[0]` or `["any name"]`, again and again; names are
//! case-sensitive, and the first of equal ones counts. What is not there, and text that is not
//! JSON, is NULL. Where we differ: JSON is text here, so `json_extract` gives text, without the
//! white space between its parts; and Trino may find a value in JSON that is damaged behind it.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, StringViewBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::cast::as_string_view_array;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use loglens_parsers::json::{ValueKind, compact, elements, is_valid, kind_of, members, string};

use crate::error::{Error, Owner};

/// The two functions.
pub(crate) fn functions() -> [ScalarUDF; 2] {
    [Extract::Value, Extract::Scalar].map(|extract| {
        ScalarUDF::new_from_impl(JsonExtract {
            extract,
            signature: Signature::uniform(2, vec![DataType::Utf8View], Volatility::Immutable),
        })
    })
}

/// What becomes of the value at the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Extract {
    /// Its JSON.
    Value,
    /// Its text, if it is a string, a number, true or false.
    Scalar,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonExtract {
    extract: Extract,
    signature: Signature,
}

impl ScalarUDFImpl for JsonExtract {
    fn name(&self) -> &str {
        match self.extract {
            Extract::Value => "json_extract",
            Extract::Scalar => "json_extract_scalar",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (json, paths) = (
            as_string_view_array(&arrays[0])?,
            as_string_view_array(&arrays[1])?,
        );
        let mut values = StringViewBuilder::with_capacity(json.len());
        // Nearly always all rows have the same path.
        let mut path: Option<Path> = None;
        for (json, text) in json.iter().zip(paths) {
            let (Some(json), Some(text)) = (json, text) else {
                values.append_null();
                continue;
            };
            let path = match path.take_if(|path| path.text == text) {
                Some(same) => path.insert(same),
                None => path.insert(Path::parse(text)?),
            };
            let value = path.find(json).and_then(|value| self.extract.text(value));
            values.append_option(value);
        }
        Ok(ColumnarValue::Array(Arc::new(values.finish())))
    }
}

impl Extract {
    fn text(self, value: &str) -> Option<String> {
        let bytes = value.as_bytes();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match (self, kind_of(bytes)) {
            (Self::Value, _) => Some(text(&compact(bytes))),
            (Self::Scalar, ValueKind::String) => Some(text(&string(bytes).bytes)),
            (Self::Scalar, ValueKind::Number | ValueKind::Bool) => Some(value.to_owned()),
            (Self::Scalar, ValueKind::Null | ValueKind::Object | ValueKind::Array) => None,
        }
    }
}

/// A path: the names and indexes on the way.
#[derive(Debug)]
struct Path {
    text: String,
    steps: Vec<String>,
}

impl Path {
    fn parse(text: &str) -> Result<Self, Error> {
        let steps = steps(text).ok_or_else(|| {
            Error::new(Owner::Query, format!("\"{text}\" is no JSON path"))
                .hint("write one like $.name, $.list[0].name or $[\"any name\"]")
        })?;
        Ok(Self {
            text: text.to_owned(),
            steps,
        })
    }

    /// The value in a text of JSON that the path leads to.
    fn find<'a>(&self, json: &'a str) -> Option<&'a str> {
        let json = json.trim_matches([' ', '\t', '\n', '\r']);
        let bytes = json.as_bytes();
        if !is_valid(bytes) {
            return None;
        }
        let whole = 0..bytes.len();
        let value = self
            .steps
            .iter()
            .try_fold(whole, |value, step| part(bytes, value, step))?;
        json.get(value)
    }
}

/// The member or element of a value that a step leads to.
fn part(json: &[u8], value: Range<usize>, step: &str) -> Option<Range<usize>> {
    match kind_of(&json[value.clone()]) {
        ValueKind::Object => members(json, value)
            .map_while(Result::ok)
            .find(|member| {
                let quoted = member.key.start - 1..member.key.end + 1;
                *string(&json[quoted]).bytes == *step.as_bytes()
            })
            .map(|member| member.value),
        ValueKind::Array => elements(json, value)
            .map_while(Result::ok)
            .nth(step.parse().ok()?),
        _ => None,
    }
}

/// The steps of a path; None if it is none.
fn steps(path: &str) -> Option<Vec<String>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = if let Some(name) = rest.strip_prefix('.') {
            bare(name)?
        } else if let Some(quoted) = rest.strip_prefix("[\"") {
            let (name, after) = until_quote(quoted)?;
            (name, after.strip_prefix(']')?)
        } else {
            let (name, after) = bare(rest.strip_prefix('[')?)?;
            (name, after.strip_prefix(']')?)
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

/// A name without quotes, and what follows it.
fn bare(text: &str) -> Option<(String, &str)> {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | ':'))
        .unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    (!name.is_empty()).then(|| (name.to_owned(), after))
}

/// What stands before the closing quote, and what follows it. A backslash takes the next
/// character as it is.
fn until_quote(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((name, &text[at + 1..])),
            '\\' => name.push(characters.next()?.1),
            c => name.push(c),
        }
    }
    None
}
