//! `loglens run NAME`.

use loglens_queries::{all, by_name};

use super::session::Session;
use super::text_table;
use crate::arguments::Run;
use crate::failure::Failure;
use crate::output::Format;

pub(crate) async fn run(arguments: Run) -> Result<(), Failure> {
    if arguments.list {
        let rows = all().iter().map(|query| {
            [
                Some(query.name.clone()),
                Some(query.question.clone()),
                Some(query.tables.join(", ")),
            ]
        });
        let format = arguments.result.output.unwrap_or(Format::Table);
        return text_table::print(format, ["name", "question", "tables"], rows.collect());
    }
    let name = arguments.name.unwrap_or_default();
    let Some(query) = by_name(&name) else {
        return Err(Failure::usage(
            format!("no query \"{name}\""),
            "`loglens run --list` shows the queries",
        ));
    };
    let session = Session::new(arguments.places, arguments.logs, arguments.result)?;
    let statements = session.engine.parse(&query.sql)?;
    session.run(statements).await?;
    session.report_unrecognised();
    Ok(())
}
