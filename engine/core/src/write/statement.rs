//! Statements that write: `UNLOAD`, `CREATE TABLE ... AS` with a place, `INSERT INTO`.

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    CreateTable, CreateTableOptions, Insert, ObjectName, ObjectNamePart, Query, SqlOption,
    Statement as Ast, TableObject,
};

use super::target::{self, Form, Target};
use crate::error::{Error, Owner};

/// What a statement does with the rows of the query in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Writes {
    /// They go to a place.
    Unload(Target),
    /// They go to a place, which is a table of the session from then on.
    Create {
        /// The table.
        table: String,
        /// A table of this name is left as it is.
        if_not_exists: bool,
        /// Where its folder is.
        target: Target,
    },
    /// They go to the folder of a table.
    Insert {
        /// The table.
        table: String,
        /// The columns that the query gives; none if it gives all.
        columns: Vec<String>,
    },
}

/// Makes a statement that writes the query that it holds, and says what is done with the rows; None
/// for any other. `is_folder` tells the tables that an INSERT can add files to from those that
/// DataFusion holds in memory.
pub(crate) fn take(
    statement: &mut Statement,
    is_folder: impl Fn(&str) -> bool,
) -> Result<Option<Writes>, Error> {
    let Statement::Statement(ast) = statement else {
        return Ok(None);
    };
    let taken = match ast.as_mut() {
        Ast::Unload {
            query, to, with, ..
        } => Some(unload(query.take(), &to.value, with)?),
        Ast::CreateTable(table) => create(table)?,
        Ast::Insert(insert) => insert_into(insert, is_folder)?,
        _ => None,
    };
    Ok(taken.map(|(writes, query)| {
        **ast = Ast::Query(query);
        writes
    }))
}

/// Whether a statement asks for rows, and does nothing else.
pub(crate) fn is_query(statement: &Statement) -> bool {
    matches!(statement, Statement::Statement(ast) if matches!(**ast, Ast::Query(_)))
}

/// Whether a statement is an INSERT.
pub(crate) fn is_insert(statement: &Statement) -> bool {
    matches!(statement, Statement::Statement(ast) if matches!(**ast, Ast::Insert(_)))
}

type Taken = (Writes, Box<Query>);

fn unload(query: Option<Box<Query>>, to: &str, with: &[SqlOption]) -> Result<Taken, Error> {
    let Some(query) = query else {
        return Err(target::usage(
            Form::Unload,
            "a statement in brackets is expected, and not in quotes",
        ));
    };
    let target = Target::new(Form::Unload, Some(to), with)?;
    Ok((Writes::Unload(target), query))
}

fn create(create: &mut CreateTable) -> Result<Option<Taken>, Error> {
    let CreateTableOptions::With(options) = &create.table_options else {
        return Ok(None);
    };
    let Some(query) = create.query.take() else {
        return Ok(None);
    };
    if create.or_replace || !create.columns.is_empty() {
        return Err(target::usage(
            Form::Create,
            "neither OR REPLACE nor a list of columns can be said with a place",
        ));
    }
    let writes = Writes::Create {
        table: name_of(&create.name),
        if_not_exists: create.if_not_exists,
        target: Target::new(Form::Create, None, options)?,
    };
    Ok(Some((writes, query)))
}

fn insert_into(
    insert: &mut Insert,
    is_folder: impl Fn(&str) -> bool,
) -> Result<Option<Taken>, Error> {
    let TableObject::TableName(name) = &insert.table else {
        return Ok(None);
    };
    let table = name_of(name);
    if !is_folder(&table) {
        return Ok(None);
    }
    let said_more = insert.overwrite || insert.partitioned.is_some() || insert.on.is_some();
    let query = insert.source.take().filter(|_| !said_more);
    let Some(query) = query else {
        return Err(Error::new(
            Owner::Query,
            format!("INSERT INTO {table}: files can only be added"),
        )
        .hint("INSERT INTO table [(columns)] SELECT ..., the partition columns last"));
    };
    let columns = insert.columns.iter().map(name_of).collect();
    Ok(Some((Writes::Insert { table, columns }, query)))
}

/// The last part of a name, as Athena keeps it: in lower case.
fn name_of(name: &ObjectName) -> String {
    let last = name.0.last().and_then(ObjectNamePart::as_ident);
    last.map(|ident| ident.value.to_ascii_lowercase())
        .unwrap_or_default()
}
