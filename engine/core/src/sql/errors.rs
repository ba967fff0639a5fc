//! DataFusion's errors in words for people, with their place in the statement.

use datafusion::common::{Column, SchemaError, Span};
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;

use crate::error::{Error, Owner, Place, carried};

/// What DataFusion says of a statement, in our words.
pub(crate) fn explain(error: &DataFusionError, sql: &str) -> Error {
    if let Some(ours) = carried(error) {
        return ours;
    }
    let explained = match root(error) {
        DataFusionError::SQL(parser, _) => syntax(parser, sql),
        DataFusionError::SchemaError(schema, _) => schema_error(schema, sql),
        DataFusionError::ResourcesExhausted(detail) => {
            Error::new(Owner::External, first_line(detail))
                .hint("allow more with --memory-limit, or ask for fewer rows or groups")
        }
        DataFusionError::Internal(detail) => Error::new(Owner::Internal, first_line(detail))
            .hint("this is a bug in loglens: please report it with the statement"),
        DataFusionError::IoError(io) => Error::new(Owner::External, io.to_string()),
        other => plain(other),
    };
    match (
        explained.place.is_some(),
        error.diagnostic().and_then(|d| d.span),
    ) {
        (false, Some(span)) => place(sql, span).map_or(explained_clone(&explained), |place| {
            explained_clone(&explained).at(place)
        }),
        _ => explained,
    }
}

fn explained_clone(error: &Error) -> Error {
    Error {
        owner: error.owner,
        message: error.message.clone(),
        place: error.place.clone(),
        hint: error.hint.clone(),
    }
}

/// The error below context and diagnostics.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => root(inner),
        DataFusionError::Shared(inner) => root(inner),
        DataFusionError::Collection(all) => all.first().map_or(error, root),
        other => other,
    }
}

/// A syntax error. sqlparser writes its place at the end of the message.
fn syntax(error: &ParserError, sql: &str) -> Error {
    let message = match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            message.as_str()
        }
        ParserError::RecursionLimitExceeded => "the statement is nested too deeply",
    };
    let (text, at) = split_place(message);
    let error = Error::new(Owner::Query, lower_first(text));
    let at = at.or_else(|| text.ends_with("found: EOF").then(|| end_of(sql)));
    match at {
        Some((line, column)) => error.at(Place {
            text: sql.to_owned(),
            line,
            column,
            length: 1,
        }),
        None => error,
    }
}

/// Splits `... at Line: 1, Column: 8` off a message.
fn split_place(message: &str) -> (&str, Option<(u64, u64)>) {
    let parse = |tail: &str| -> Option<(u64, u64)> {
        let (line, column) = tail.split_once(", Column: ")?;
        Some((
            line.trim().parse().ok()?,
            column.trim().trim_end_matches('.').parse().ok()?,
        ))
    };
    match message.rsplit_once(" at Line: ") {
        Some((text, tail)) => match parse(tail) {
            Some(place) => (text, Some(place)),
            None => (message, None),
        },
        None => (message, None),
    }
}

/// Line and column behind the last character that is not white space.
fn end_of(sql: &str) -> (u64, u64) {
    let sql = sql.trim_end();
    let last = sql.lines().last().unwrap_or_default();
    (sql.lines().count() as u64, last.chars().count() as u64 + 1)
}

fn schema_error(error: &SchemaError, sql: &str) -> Error {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => {
            let mut unknown = Error::new(Owner::Query, format!("no column \"{}\"", field.name));
            if let Some(span) = field.spans.first()
                && let Some(place) = place(sql, span)
            {
                unknown = unknown.at(place);
            }
            match suggestion(field, valid_fields) {
                Some(hint) => unknown.hint(hint),
                None => unknown,
            }
        }
        SchemaError::AmbiguousReference { field } => Error::new(
            Owner::Query,
            format!("column \"{}\" is in more than one table", field.name),
        )
        .hint(format!("write which one: table.{}", field.name)),
        other => Error::new(Owner::Query, other.to_string()),
    }
}

fn suggestion(field: &Column, valid: &[Column]) -> Option<String> {
    let names: Vec<&str> = valid.iter().map(|column| column.name.as_str()).collect();
    if let Some(name) = nearest(&field.name, names.iter().copied()) {
        return Some(format!("did you mean \"{name}\"?"));
    }
    let tables: Vec<_> = valid
        .iter()
        .filter_map(|column| Some(column.relation.as_ref()?.table().to_owned()))
        .collect();
    match tables.first() {
        Some(table) => Some(format!(
            "`loglens schema {}` lists the columns",
            table.trim_end_matches(super::hidden_columns::SUFFIX)
        )),
        None if names.is_empty() => None,
        None => Some(format!("there are: {}", names.join(", "))),
    }
}

/// The name among `names` that `wanted` was most likely meant to be.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    names
        .map(|name| {
            (
                strsim::damerau_levenshtein(&wanted, &name.to_lowercase()),
                name,
            )
        })
        .filter(|(distance, name)| *distance <= (wanted.len().max(name.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Other messages: DataFusion writes its hints behind the first line.
fn plain(error: &DataFusionError) -> Error {
    let text = error.strip_backtrace();
    let text = [
        "Error during planning: ",
        "Execution error: ",
        "Arrow error: ",
        "This feature is not implemented: ",
    ]
    .iter()
    .fold(text.as_str(), |text, prefix| {
        text.strip_prefix(prefix).unwrap_or(text)
    });
    let text = of_function(text).unwrap_or(text);
    let (message, hint) = match text.split_once(".\nDid you mean ") {
        Some((message, names)) => (message, Some(format!("did you mean {}", names.trim()))),
        None => (text, None),
    };
    if let Some(name) = missing_member(message) {
        return Error::new(Owner::Query, format!("no column \"{name}\" within another"))
            .hint("`loglens schema TABLE` lists the columns with those within them");
    }
    let message = wrong_arguments(message).unwrap_or(message);
    let error = Error::new(Owner::Query, lower_first(first_line(message)));
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// What a function says of its arguments, without what DataFusion puts around it.
fn of_function(text: &str) -> Option<&str> {
    let (_, said) =
        text.split_once(" user-defined coercion failed with: Error during planning: ")?;
    let end = said.find(". No function matches the given name")?;
    Some(&said[..end])
}

/// The name in `Field x not found in struct`.
fn missing_member(message: &str) -> Option<&str> {
    let name = message.strip_prefix("Field ")?;
    name.strip_suffix(" not found in struct")
}

/// What a function of ours says of its arguments' types. DataFusion makes text of that error and
/// puts its own words around it.
fn wrong_arguments(message: &str) -> Option<&str> {
    let (_, ours) = message.split_once("coercion failed with: External error: ")?;
    Some(
        ours.split_once(". No function matches")
            .map_or(ours, |(ours, _)| ours),
    )
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text).trim()
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), text.split_whitespace().next()) {
        // `SELECT` and `ORDER BY` stay as they are.
        (Some(first), Some(word)) if !word.chars().skip(1).any(char::is_uppercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// Where in the statement a span is; None if it says nothing.
pub(crate) fn place(sql: &str, span: Span) -> Option<Place> {
    if span.start.line == 0 {
        return None;
    }
    let same_line = span.start.line == span.end.line;
    let length = if same_line {
        span.end.column.saturating_sub(span.start.column).max(1)
    } else {
        1
    };
    Some(Place {
        text: sql.to_owned(),
        line: span.start.line,
        column: span.start.column,
        length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_taken_out_of_messages() {
        assert_eq!(
            split_place("Expected: x, found: y at Line: 2, Column: 13"),
            ("Expected: x, found: y", Some((2, 13)))
        );
        assert_eq!(
            split_place("look at Line: of code"),
            ("look at Line: of code", None)
        );
        assert_eq!(split_place("nothing"), ("nothing", None));
    }

    #[test]
    fn what_functions_say_of_their_arguments() {
        let wrapped = "Function 'f' user-defined coercion failed with: External error: f takes a \
                       number, and got (Utf8). No function matches the given name";
        assert_eq!(
            wrong_arguments(wrapped),
            Some("f takes a number, and got (Utf8)")
        );
        assert_eq!(wrong_arguments("No function matches"), None);
    }

    #[test]
    fn the_nearest_name() {
        let names = ["srcaddr", "dstaddr", "srcport", "action"];
        let near = |name| nearest(name, names.into_iter());
        assert_eq!(near("srcadr"), Some("srcaddr"));
        assert_eq!(near("SRCADDR"), Some("srcaddr"));
        assert_eq!(near("acton"), Some("action"));
        assert_eq!(near("colour"), None);
    }

    #[test]
    fn first_letters() {
        assert_eq!(lower_first("Expected: a"), "expected: a");
        assert_eq!(lower_first("SELECT is missing"), "SELECT is missing");
        assert_eq!(lower_first(""), "");
    }
}
