//! What completion knows: the tables of the session, their columns, and the functions.

use std::collections::BTreeSet;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Fields};
use futures::TryStreamExt;
use loglens_engine::Engine;
use loglens_engine::describe::describe;
use loglens_queries::Library;

use crate::failure::Failure;
use crate::output::OutputError;

/// What can be named in a statement.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    pub(super) tables: Vec<Table>,
    pub(super) functions: BTreeSet<String>,
    /// Names of named queries.
    pub(super) queries: Vec<String>,
}

/// A table that is present: of the logs, `rejects`, or one that a statement made.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    /// Other names of it.
    pub(super) aliases: Vec<String>,
    pub(super) columns: Fields,
    /// Names of columns that only show when they are named.
    pub(super) hidden: Vec<String>,
}

impl Catalog {
    /// Asks the engine, which lists its places for that.
    pub(super) async fn of(engine: &Engine, library: &Library) -> Result<Self, Failure> {
        let mut tables = Vec::new();
        for name in names(engine).await? {
            tables.push(Table::of(engine, name).await?);
        }
        let functions = "SELECT DISTINCT routine_name FROM information_schema.routines";
        Ok(Self {
            tables,
            functions: texts(engine, functions).await?.into_iter().collect(),
            queries: library.queries().map(|query| query.name.clone()).collect(),
        })
    }

    /// The table of a name or alias.
    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        let is_called = |table: &&Table| {
            std::iter::once(&table.name)
                .chain(&table.aliases)
                .any(|called| called.eq_ignore_ascii_case(name))
        };
        self.tables.iter().find(is_called)
    }
}

impl Table {
    pub(super) async fn of(engine: &Engine, name: String) -> Result<Self, Failure> {
        let sql = format!("SELECT * FROM \"{}\"", name.replace('"', "\"\""));
        let mut statements = engine.parse(&sql)?;
        let columns = match statements.pop() {
            Some(statement) => engine.plan(statement).await?.schema().fields().clone(),
            None => Fields::empty(),
        };
        let hidden = |column: &String| column.starts_with('$');
        Ok(Self {
            columns,
            aliases: engine
                .formats()
                .by_name(&name)
                .map_or_else(Vec::new, |format| format.aliases.clone()),
            hidden: describe(engine.formats(), &name).map_or_else(
                |_| Vec::new(),
                |columns| columns.into_iter().map(|c| c.name).filter(hidden).collect(),
            ),
            name,
        })
    }
}

/// The names of all tables of the session.
async fn names(engine: &Engine) -> Result<Vec<String>, Failure> {
    let sql = "SELECT table_name FROM information_schema.tables \
               WHERE table_schema <> 'information_schema' ORDER BY 1";
    texts(engine, sql).await
}

/// The names of the views and tables that statements made.
pub(super) async fn made(engine: &Engine) -> Result<Vec<String>, Failure> {
    let mut names = names(engine).await?;
    let listed = engine.listed();
    names.retain(|name| {
        let is_log = listed.is_some_and(|archive| archive.table(name).is_some());
        !is_log && name != "rejects"
    });
    Ok(names)
}

/// The first column of a statement's rows, which is text.
async fn texts(engine: &Engine, sql: &str) -> Result<Vec<String>, Failure> {
    let mut texts = Vec::new();
    for statement in engine.parse(sql)? {
        let query = engine.plan(statement).await?;
        let explain = |error| Failure::from(query.explain(&error));
        let batches: Vec<_> = query.execute()?.try_collect().await.map_err(explain)?;
        for batch in batches {
            let column = cast(batch.column(0), &DataType::Utf8).map_err(OutputError::from)?;
            texts.extend(
                column
                    .as_string::<i32>()
                    .iter()
                    .flatten()
                    .map(str::to_owned),
            );
        }
    }
    Ok(texts)
}
