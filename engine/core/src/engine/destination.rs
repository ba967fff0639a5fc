//! Where the rows go of a statement that writes.

use std::sync::Arc;

use datafusion::catalog::SchemaProvider;
use datafusion::sql::parser::Statement as SqlStatement;

use super::Engine;
use crate::error::{Error, Owner};
use crate::journal::{Journal, Uncommitted};
use crate::write::statement::{self, Writes};
use crate::write::{Destination, Form, Target, Written};

/// What a statement answers that left a table as it was.
const NOTHING_WRITTEN: &str = "SELECT 0 AS \"rows\", 0 AS files, 0 AS bytes";

impl Engine {
    /// Where the rows go, if the statement writes them; it becomes the query for them.
    pub(super) async fn destination(
        &self,
        ast: &mut SqlStatement,
    ) -> Result<Option<Destination>, Error> {
        if statement::is_insert(ast) && !self.sources.is_empty() {
            // Tables of Parquet are known when the sources are listed.
            self.archive().await?;
        }
        let is_folder = |name: &str| self.schema.parquet(name).is_some();
        let Some(writes) = statement::take(ast, is_folder)? else {
            return Ok(None);
        };
        let (target, table) = match writes {
            Writes::Unload(target) => (target, Written::Unnamed),
            Writes::Create {
                table,
                if_not_exists,
                target,
            } => {
                if self.schema.table_exist(&table) {
                    if if_not_exists {
                        *ast = self.parse(NOTHING_WRITTEN)?.remove(0).ast;
                        return Ok(None);
                    }
                    return Err(exists(&table));
                }
                (target, Written::Created(table))
            }
            Writes::Insert { table, columns } => self.filled(table, columns)?,
        };
        let places = self.writable()?;
        let place = &target.place;
        let sink = places.sink(place)?;
        let journal = Journal::new(place, Arc::clone(&sink));
        if matches!(table, Written::Filled { .. }) {
            journal.tidy(&**places).await?;
        } else if !places.is_empty(place).await? {
            journal.clear(&**places).await?;
            if !places.is_empty(place).await? {
                return Err(Error::new(
                    Owner::Usage,
                    format!("{place}: there is something already"),
                )
                .hint(
                    "a table is written where nothing is: name another place, or empty this one",
                ));
            }
        }
        if matches!(table, Written::Created(_)) {
            self.register_store(&*places.source(place)?, &Uncommitted::default());
        }
        Ok(Some(Destination {
            sink,
            target,
            table,
            session: self.session.clone(),
            schema: Arc::clone(&self.schema),
        }))
    }

    /// Where the rows of an INSERT go.
    fn filled(&self, name: String, columns: Vec<String>) -> Result<(Target, Written), Error> {
        let Some((table, schema)) = self.schema.parquet(&name) else {
            return Err(self.schema.unknown_table(&name));
        };
        if !table.is_folder() {
            let error = format!("INSERT INTO {name}: {} is one file", table.folder);
            return Err(
                Error::new(Owner::Query, error).hint("files are added to a table that is a folder")
            );
        }
        let target = Target::plain(Form::Insert, &table.folder, table.partitions);
        let filled = Written::Filled {
            name,
            schema,
            columns,
        };
        Ok((target, filled))
    }
}

fn exists(table: &str) -> Error {
    Error::new(Owner::Query, format!("there is a table {table} already"))
        .hint("name another, or say CREATE TABLE IF NOT EXISTS")
}
