//! `loglens query`.

use std::path::Path;

use loglens_engine::{Error, Owner, Statement};

use super::session::Session;
use crate::arguments::Query;
use crate::failure::Failure;
use crate::parameters;

pub(crate) async fn run(arguments: Query) -> Result<(), Failure> {
    let mut places = arguments.sql_and_places;
    let sql = match &arguments.file {
        Some(path) => read(path)?,
        None if places.is_empty() => {
            return Err(Failure::usage(
                "no SQL was given",
                "loglens query \"SELECT count(*) FROM vpc_flow_logs\" FOLDER, or --file FILE.sql",
            ));
        }
        None => places.remove(0),
    };
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

/// The SQL in a file.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::new(Owner::Usage, format!("{}: {error}", path.display())).into())
}
