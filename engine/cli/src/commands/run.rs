//! `loglens run NAME`.

use std::io::Write;
use std::path::{Path, PathBuf};

use loglens_engine::{Error, Owner, Statement, nearest};
use loglens_queries::{Library, NamedQuery, Parameter};

use super::session::{Session, note};
use super::text_table;
use crate::arguments::{ResultOptions, Run};
use crate::config;
use crate::failure::Failure;
use crate::output::{Format, OutputError};
use crate::parameters::bind_declared;
use crate::result_file::Destination;

pub(crate) async fn run(arguments: Run) -> Result<(), Failure> {
    let library = library(&arguments.queries, arguments.logs.config.as_deref())?;
    if arguments.list {
        return list(&library, &arguments.result);
    }
    let query = find(&library, &arguments.name.unwrap_or_default())?;
    if arguments.show {
        return show(query, &arguments.result);
    }
    let session = Session::new(arguments.places, arguments.logs, arguments.result)?;
    let mut statements = session.engine.parse(&query.sql)?;
    bind_declared(&mut statements, query, &arguments.param, &session.zone)?;
    if arguments.dry_run {
        statements = statements.into_iter().map(Statement::of_cost).collect();
    }
    session.run(statements).await?;
    session.report_unrecognised();
    Ok(())
}

/// The built-in queries with those of the folders that were named, or else are configured.
pub(super) fn library(named: &[PathBuf], config: Option<&Path>) -> Result<Library, Failure> {
    let (folders, owner) = if named.is_empty() {
        (config::query_folders(config)?, Owner::Config)
    } else {
        (named.to_vec(), Owner::Usage)
    };
    let mut library = Library::built_in();
    for folder in folders {
        library.add_folder(&folder).map_err(|error| {
            Error::new(owner, format!("queries: {}: {error}", folder.display()))
                .hint("name a folder with *.sql files")
        })?;
    }
    Ok(library)
}

pub(super) fn find<'a>(library: &'a Library, name: &str) -> Result<&'a NamedQuery, Failure> {
    match library.get(name) {
        Some(Ok(query)) => Ok(query),
        Some(Err(broken)) => Err(Error::new(Owner::Config, broken.to_string())
            .hint("`loglens run top-talkers --show` prints a query that is right")
            .into()),
        None => {
            let names = library.queries().map(|query| query.name.as_str());
            let list = "`loglens run --list` shows the queries";
            Err(Failure::usage(
                format!("no query \"{name}\""),
                match nearest(name, names) {
                    Some(near) => format!("did you mean {near}? {list}"),
                    None => list.to_owned(),
                },
            ))
        }
    }
}

fn list(library: &Library, result: &ResultOptions) -> Result<(), Failure> {
    let rows = library.queries().map(|query| {
        let from = match &query.file {
            Some(file) => file.display().to_string(),
            None => "built in".to_owned(),
        };
        [
            Some(query.name.clone()),
            Some(query.question.clone()),
            Some(query.tables.join(", ")),
            parameters(query),
            Some(from),
        ]
    });
    let names = ["name", "question", "tables", "parameters", "from"];
    text_table::print(
        result.output.unwrap_or(Format::Table),
        names,
        rows.collect(),
    )?;
    for broken in library.broken() {
        note(&format!("left out: {broken}"));
    }
    Ok(())
}

/// The parameters of a query; None if it has none.
pub(super) fn parameters(query: &NamedQuery) -> Option<String> {
    let parameters: Vec<_> = query.parameters.iter().map(brief).collect();
    (!parameters.is_empty()).then(|| parameters.join(", "))
}

/// A parameter with its default, or with its type if it has none.
fn brief((name, parameter): (&String, &Parameter)) -> String {
    match &parameter.default {
        Some(default) => format!("{name}={default}"),
        None => format!("{name}=<{}>", parameter.kind.name()),
    }
}

/// Prints a query's file, to be copied and changed.
fn show(query: &NamedQuery, result: &ResultOptions) -> Result<(), Failure> {
    let mut destination = Destination::open(result.to.as_deref())?;
    destination
        .write_all(query.sql.as_bytes())
        .map_err(OutputError::from)?;
    destination.complete()
}
