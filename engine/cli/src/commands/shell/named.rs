//! `\run`: named queries.

use loglens_engine::Statement;
use loglens_queries::{Library, NamedQuery};

use crate::commands::run;
use crate::commands::session::Session;
use crate::failure::Failure;
use crate::parameters::{assignment, bind_declared};

/// The statements of a named query. `parameters` are the words after its name, as `k=v`.
pub(super) fn statements(
    session: &Session,
    library: &Library,
    name: &str,
    parameters: &[&str],
) -> Result<Vec<Statement>, Failure> {
    let query = run::find(library, name)?;
    let assigned = parameters.iter().map(|text| {
        assignment(text).map_err(|problem| {
            Failure::usage(
                format!("{text}: {problem}"),
                format!("\\run {name} limit=5"),
            )
        })
    });
    let assigned = assigned.collect::<Result<Vec<_>, _>>()?;
    let mut statements = session.engine.parse(&query.sql)?;
    bind_declared(&mut statements, query, &assigned, &session.zone)?;
    Ok(statements)
}

/// Names, questions and parameters of all named queries.
pub(super) fn list(library: &Library) -> Vec<[Option<String>; 3]> {
    let row = |query: &NamedQuery| {
        [
            Some(query.name.clone()),
            Some(query.question.clone()),
            run::parameters(query),
        ]
    };
    library.queries().map(row).collect()
}
