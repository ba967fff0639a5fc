//! `--param`: the values of a statement's parameters.

use std::collections::{BTreeMap, BTreeSet};

use loglens_engine::{Statement, Value, Values};
use loglens_queries::{NamedQuery, Parameter, ParameterType};

use crate::failure::Failure;
use crate::time_range::parse_time;
use crate::units::parse_duration;

/// A name and a value, as typed.
pub(crate) type Assignment = (String, String);

/// Reads `name=value`.
pub(crate) fn assignment(text: &str) -> Result<Assignment, String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write the parameter's name, = and its value")?;
    let name = name.strip_prefix('$').unwrap_or(name);
    Ok((name.to_owned(), value.to_owned()))
}

/// Gives the parameters of plain SQL their values; the values say their types.
pub(crate) fn bind(statements: &mut [Statement], given: &[Assignment]) -> Result<(), Failure> {
    let names = parameters(statements);
    if let Some((name, _)) = given.iter().find(|(name, _)| !names.contains(name)) {
        let names: Vec<_> = names.iter().map(|name| format!("${name}")).collect();
        return Err(Failure::usage(
            format!("--param {name}: the SQL has no ${name}"),
            if names.is_empty() {
                format!("write ${name} where the value is to stand")
            } else {
                format!("its parameters are {}", names.join(", "))
            },
        ));
    }
    let values = given
        .iter()
        .map(|(name, text)| (name.clone(), infer(text)))
        .collect();
    bind_all(statements, &values);
    Ok(())
}

/// Gives the parameters of a named query their values, of the types that it says.
pub(crate) fn bind_declared(
    statements: &mut [Statement],
    query: &NamedQuery,
    given: &[Assignment],
    zone: &str,
) -> Result<(), Failure> {
    check_front_matter(query, &parameters(statements))?;
    let values = values(query, given, zone).map_err(|problem| {
        let parameters: Vec<_> = query.parameters.iter().map(describe).collect();
        let name = &query.name;
        let hint = if parameters.is_empty() {
            format!("{name} has no parameters")
        } else {
            format!("the parameters of {name}: {}", parameters.join("; "))
        };
        Failure::usage(problem, hint)
    })?;
    bind_all(statements, &values);
    Ok(())
}

/// Whether a front matter has the parameters that its SQL has.
fn check_front_matter(query: &NamedQuery, written: &BTreeSet<String>) -> Result<(), Failure> {
    let declared: BTreeSet<_> = query.parameters.keys().cloned().collect();
    let Some(odd) = declared.symmetric_difference(written).next() else {
        return Ok(());
    };
    let problem = if written.contains(odd) {
        "its SQL has the parameter, its front matter has not"
    } else {
        "its front matter has the parameter, its SQL has not"
    };
    let name = &query.name;
    Err(Failure::usage(
        format!("{name}: ${odd}: {problem}"),
        format!("mend the query: `loglens run {name} --show` prints it"),
    ))
}

/// The value of every parameter of a query; what is wrong if that cannot be said.
fn values(query: &NamedQuery, given: &[Assignment], zone: &str) -> Result<Values, String> {
    let name = &query.name;
    let given: BTreeMap<_, _> = given.iter().cloned().collect();
    if let Some(unknown) = given
        .keys()
        .find(|given| !query.parameters.contains_key(*given))
    {
        return Err(format!("--param {unknown}: {name} has no such parameter"));
    }
    let value = |(parameter, Parameter { kind, default, .. }): (&String, &Parameter)| {
        let expected = expected(*kind);
        let text = given
            .get(parameter)
            .or(default.as_ref())
            .ok_or_else(|| format!("{name} needs --param {parameter}=VALUE: {expected}"))?;
        let value = read(*kind, text, zone)
            .ok_or_else(|| format!("--param {parameter}={text}: expected {expected}"))?;
        Ok((parameter.clone(), value))
    };
    query.parameters.iter().map(value).collect()
}

/// A parameter with its type, default and meaning: `limit (integer, default 10): rows at most`.
fn describe((name, parameter): (&String, &Parameter)) -> String {
    let kind = parameter.kind.name();
    match &parameter.default {
        Some(default) => format!("{name} ({kind}, default {default}): {}", parameter.doc),
        None => format!("{name} ({kind}): {}", parameter.doc),
    }
}

fn parameters(statements: &[Statement]) -> BTreeSet<String> {
    statements.iter().flat_map(Statement::parameters).collect()
}

fn bind_all(statements: &mut [Statement], values: &Values) {
    for statement in statements {
        statement.bind(values);
    }
}

fn expected(kind: ParameterType) -> &'static str {
    match kind {
        ParameterType::Integer => "a whole number",
        ParameterType::Number => "a number",
        ParameterType::Text => "text",
        ParameterType::Timestamp => {
            "a time like 2026-01-31, 2026-01-31T10:00:00Z, or 2h for two hours ago"
        }
        ParameterType::Interval => "a length of time like 30s, 5m, 1h or 7d",
        ParameterType::Boolean => "true or false",
        ParameterType::List => "texts with commas between them",
    }
}

/// A value of a type; None if the text is none.
fn read(kind: ParameterType, text: &str, zone: &str) -> Option<Value> {
    match kind {
        ParameterType::Integer => text.parse().ok().map(Value::Integer),
        ParameterType::Number => number(text).map(Value::Number),
        ParameterType::Text => Some(Value::Text(text.to_owned())),
        ParameterType::Timestamp => parse_time(text, zone).map(Value::Timestamp),
        ParameterType::Interval => parse_duration(text).map(Value::Interval),
        ParameterType::Boolean => text.parse().ok().map(Value::Boolean),
        ParameterType::List => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Some(Value::List(items.map(str::to_owned).collect()))
        }
    }
}

/// A value whose type nobody said: a whole number, a number, or else text. What is in single
/// quotes is text; what begins with a zero is an identifier rather than a number.
fn infer(text: &str) -> Value {
    let quoted = text
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    if let Some(inner) = quoted {
        return Value::Text(inner.to_owned());
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let padded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    if padded || !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return Value::Text(text.to_owned());
    }
    if let Ok(integer) = text.parse() {
        return Value::Integer(integer);
    }
    number(text).map_or_else(|| Value::Text(text.to_owned()), Value::Number)
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_inferred() {
        let text = |text: &str| Value::Text(text.to_owned());
        let rows = [
            ("10", Value::Integer(10)),
            ("-10", Value::Integer(-10)),
            ("0", Value::Integer(0)),
            ("0.5", Value::Number(0.5)),
            ("-1.5e3", Value::Number(-1500.0)),
            ("012345678901", text("012345678901")),
            ("'10'", text("10")),
            ("10.0.0.1", text("10.0.0.1")),
            ("99999999999999999999", Value::Number(1e20)),
            ("1e999", text("1e999")),
            ("2026-01-31", text("2026-01-31")),
            ("inf", text("inf")),
            ("-", text("-")),
            ("", text("")),
            ("it's", text("it's")),
        ];
        for (typed, expected) in rows {
            assert_eq!(infer(typed), expected, "{typed}");
        }
    }

    #[test]
    fn values_fit_their_types() {
        use ParameterType::{Boolean, Integer, Interval, List, Number, Text, Timestamp};
        let list =
            |items: &[&str]| Value::List(items.iter().map(|&item| item.to_owned()).collect());
        let rows = [
            (Integer, "-3", Some(Value::Integer(-3))),
            (Integer, "3.0", None),
            (Integer, "", None),
            (Number, "3", Some(Value::Number(3.0))),
            (Number, "nan", None),
            (Text, "3", Some(Value::Text("3".to_owned()))),
            (
                Timestamp,
                "2026-01-31",
                Some(Value::Timestamp(1_769_817_600_000_000)),
            ),
            (Timestamp, "soon", None),
            (
                Interval,
                "5m",
                Some(Value::Interval(std::time::Duration::from_secs(300))),
            ),
            (Interval, "5", None),
            (Boolean, "true", Some(Value::Boolean(true))),
            (Boolean, "yes", None),
            (List, "a, b,", Some(list(&["a", "b"]))),
            (List, "", Some(list(&[]))),
        ];
        for (kind, text, expected) in rows {
            assert_eq!(read(kind, text, "UTC"), expected, "{text}");
        }
    }
}
