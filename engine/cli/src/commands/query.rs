//! `loglens query`.

use std::path::Path;

use loglens_engine::{Error, Owner, Statement};

use super::session::Session;
use crate::arguments::Query;
use crate::failure::Failure;
use crate::parameters;

/// The beginning of a command that has its SQL.
const EXAMPLE: &str = "query \"SELECT count(*) FROM vpc_flow_logs\"";

pub(crate) async fn run(arguments: Query) -> Result<(), Failure> {
    let mut places = arguments.sql_and_places;
    let sql = sql(arguments.file.as_deref(), &mut places, EXAMPLE)?;
    let session = Session::new(places, arguments.logs, arguments.result)?;
    let mut statements = session.engine.parse(&sql)?;
    if statements.is_empty() {
        return Err(Failure::usage(
            "the SQL is empty",
            "loglens query \"SELECT count(*) FROM vpc_flow_logs\" FOLDER",
        ));
    }
    parameters::bind(&mut statements, &arguments.param)?;
    if arguments.dry_run {
        statements = statements.into_iter().map(Statement::of_cost).collect();
    }
    session.run(statements).await?;
    session.report_unrecognised();
    Ok(())
}

/// The SQL of a command: in a file, or the first of its words.
pub(super) fn sql(
    file: Option<&Path>,
    words: &mut Vec<String>,
    example: &str,
) -> Result<String, Failure> {
    match file {
        Some(path) => read(path),
        None if words.is_empty() => Err(Failure::usage(
            "no SQL was given",
            format!("loglens {example} FOLDER, or --file FILE.sql"),
        )),
        None => Ok(words.remove(0)),
    }
}

/// The SQL in a file.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::new(Owner::Usage, format!("{}: {error}", path.display())).into())
}
