//! The tables that a statement names.

use datafusion::common::TableReference;
use datafusion::sql::parser::Statement;

use crate::error::Error;
use crate::tables::schema::LogSchema;

/// What a statement needs to know before it can be planned.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Log tables and `rejects`, by the names in the statement.
    pub(crate) logs: Vec<String>,
    /// Lists tables, so it needs to know what there is.
    pub(crate) catalog: bool,
}

/// What `references` ask for; an unknown table is an error that suggests the nearest.
pub(crate) fn needs(
    statement: &Statement,
    references: &[TableReference],
    schema: &LogSchema,
) -> Result<Needs, Error> {
    let mut needs = Needs::default();
    for reference in references {
        let name = reference.table();
        if reference.schema() == Some("information_schema") {
            needs.catalog = true;
        } else if schema.has_registered(name) {
            // A view or table of this session goes before a log table of the same name.
        } else if schema.is_log_table(name) {
            needs.logs.push(name.to_owned());
        } else if creates(statement, name) {
            // The name of what the statement makes.
        } else {
            return Err(schema.unknown_table(name));
        }
    }
    Ok(needs)
}

fn creates(statement: &Statement, name: &str) -> bool {
    use datafusion::sql::sqlparser::ast::Statement as Ast;
    let Statement::Statement(statement) = statement else {
        return matches!(statement, Statement::CreateExternalTable(_));
    };
    match statement.as_ref() {
        Ast::CreateTable(table) => table.name.to_string().ends_with(name),
        Ast::CreateView(view) => view.name.to_string().ends_with(name),
        Ast::Drop { .. } => true,
        _ => false,
    }
}
