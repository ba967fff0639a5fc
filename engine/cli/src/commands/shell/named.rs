//! `\run`: named queries.

use loglens_engine::{Engine, Statement, nearest};
use loglens_queries::{all, by_name};

use crate::failure::Failure;

/// The statements of a named query. `parameters` are the words after its name, as `k=v`.
pub(super) fn statements(
    engine: &Engine,
    name: &str,
    parameters: &[&str],
) -> Result<Vec<Statement>, Failure> {
    let Some(query) = by_name(name) else {
        let near = nearest(name, all().iter().map(|query| query.name.as_str()));
        return Err(Failure::usage(
            format!("no query \"{name}\""),
            match near {
                Some(near) => format!("did you mean {near}? \\run lists the queries"),
                None => "\\run lists the queries".to_owned(),
            },
        ));
    };
    if let Some(parameter) = parameters.first() {
        return Err(Failure::usage(
            format!("{parameter}: the query {name} takes no parameters"),
            format!("\\run {name}"),
        ));
    }
    Ok(engine.parse(&query.sql)?)
}

/// Names and questions of all named queries.
pub(super) fn list() -> Vec<[Option<String>; 2]> {
    let row = |query: &loglens_queries::NamedQuery| {
        [Some(query.name.clone()), Some(query.question.clone())]
    };
    all().iter().map(row).collect()
}
