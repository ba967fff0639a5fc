//! Parameters: what a query lets people choose.

use serde::Deserialize;
use toml::Value;

/// A parameter of a query, which its SQL calls `$name`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Description")]
pub struct Parameter {
    /// What its values are.
    pub kind: ParameterType,
    /// The value where none is given, as people would type it; None if one must be given.
    pub default: Option<String>,
    /// What it means.
    pub doc: String,
}

/// What the values of a parameter are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterType {
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A time.
    Timestamp,
    /// A length of time.
    Interval,
    /// True or false.
    Boolean,
    /// Texts with commas between them.
    List,
}

impl ParameterType {
    /// The name that a front matter calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Timestamp => "timestamp",
            Self::Interval => "interval",
            Self::Boolean => "boolean",
            Self::List => "list",
        }
    }

    /// A default in TOML as people would type it; None if it is of another type.
    fn typed(self, default: &Value) -> Option<String> {
        match (self, default) {
            (Self::Integer | Self::Number, Value::Integer(integer)) => Some(integer.to_string()),
            (Self::Number, Value::Float(number)) => Some(number.to_string()),
            (Self::Boolean, Value::Boolean(value)) => Some(value.to_string()),
            (Self::Text | Self::Timestamp | Self::Interval, Value::String(text)) => {
                Some(text.clone())
            }
            (Self::List, Value::Array(items)) => {
                let items: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
                Some(items?.join(","))
            }
            _ => None,
        }
    }
}

/// A parameter as a front matter writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    #[serde(rename = "type")]
    kind: ParameterType,
    default: Option<Value>,
    doc: String,
}

impl TryFrom<Description> for Parameter {
    type Error = String;

    fn try_from(description: Description) -> Result<Self, String> {
        let Description { kind, default, doc } = description;
        let default = match default {
            None => None,
            Some(value) => Some(kind.typed(&value).ok_or_else(|| {
                let (found, expected) = (value.type_str(), kind.name());
                format!("a default of type {found} for a parameter of type {expected}")
            })?),
        };
        Ok(Self { kind, default, doc })
    }
}
