//! What `UNLOAD` says: where the rows go, and how.

use std::sync::Arc;

use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Expr as Written, SqlOption, Statement as Ast, Value};

use crate::error::{Error, Owner};
use crate::sql::errors::nearest;

/// The column of times, in every log table.
const EVENT_TIME: &str = "event_time";

/// A file is ended when it has so many bytes: the size that Athena's pages advise.
const FILE_BYTES: usize = 256 << 20;

/// Where rows go, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// A folder, or a bucket and prefix.
    pub(crate) place: String,
    /// Columns whose values name folders and are left out of the files.
    pub(crate) partitioned_by: Vec<String>,
    /// About how many bytes a file has at most.
    pub(crate) file_bytes: usize,
}

/// Makes an `UNLOAD` the query that it holds, and says where the rows go; None for any other
/// statement.
pub(crate) fn take(statement: &mut Statement) -> Result<Option<Target>, Error> {
    let Statement::Statement(ast) = statement else {
        return Ok(None);
    };
    let Ast::Unload {
        query, to, with, ..
    } = ast.as_mut()
    else {
        return Ok(None);
    };
    let Some(query) = query.take() else {
        return Err(usage(
            "UNLOAD wants a statement in brackets and not in quotes",
        ));
    };
    let mut target = Target {
        place: to.value.clone(),
        partitioned_by: Vec::new(),
        file_bytes: FILE_BYTES,
    };
    for option in &*with {
        target.set(option)?;
    }
    **ast = Ast::Query(query);
    Ok(Some(target))
}

impl Target {
    /// The key of a file of a statement, which `run` tells from all others.
    pub(super) fn key(&self, folder: &str, run: u64, number: usize) -> String {
        let place = self.place.trim_end_matches('/');
        format!("{place}/{folder}{run:016x}-{number:05}.parquet")
    }

    fn set(&mut self, option: &SqlOption) -> Result<(), Error> {
        let SqlOption::KeyValue { key, value } = option else {
            return Err(usage(format!("UNLOAD: {option} is no option")));
        };
        let name = key.value.to_ascii_lowercase();
        match (name.as_str(), value) {
            ("format", value) => expect(&name, value, "PARQUET"),
            ("compression", value) => expect(&name, value, "ZSTD"),
            ("partitioned_by", Written::Array(array)) => {
                self.partitioned_by = array
                    .elem
                    .iter()
                    .map(|column| text(column).map(str::to_owned))
                    .collect::<Option<_>>()
                    .ok_or_else(|| usage(format!("UNLOAD: {option}: expected names in quotes")))?;
                Ok(())
            }
            ("file_size_mb", value) => {
                let megabytes = value.to_string().parse::<usize>().ok();
                let megabytes = megabytes.filter(|megabytes| (1..=65_536).contains(megabytes));
                self.file_bytes = megabytes
                    .ok_or_else(|| usage(format!("UNLOAD: {option}: expected megabytes")))?
                    << 20;
                Ok(())
            }
            _ => Err(usage(format!("UNLOAD: {option} is no option"))),
        }
    }
}

/// There is one value that the option can have.
fn expect(name: &str, value: &Written, only: &str) -> Result<(), Error> {
    match text(value) {
        Some(text) if text.eq_ignore_ascii_case(only) => Ok(()),
        _ => Err(usage(format!(
            "UNLOAD: {name} = {value}: only '{only}' is written"
        ))),
    }
}

fn text(value: &Written) -> Option<&str> {
    match value {
        Written::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn usage(message: impl Into<String>) -> Error {
    Error::new(Owner::Query, message).hint(
        "UNLOAD (SELECT ...) TO 'folder/' WITH (format = 'PARQUET', \
         partitioned_by = ARRAY['day'])",
    )
}

/// The plan of the rows, sorted by the columns that partition them; within a partition in the
/// order that the statement asks for, or else by time.
pub(crate) fn sorted(plan: LogicalPlan, target: &Target) -> Result<LogicalPlan, Error> {
    let schema = Arc::clone(plan.schema());
    let names: Vec<_> = schema.fields().iter().map(|field| field.name()).collect();
    let mut keys = Vec::new();
    for column in &target.partitioned_by {
        let Some(at) = names.iter().position(|name| *name == column) else {
            let error = usage(format!("UNLOAD: no column {column} to partition by"));
            let known = nearest(column, names.iter().map(|name| name.as_str()));
            return Err(match known {
                Some(name) => error.hint(format!("did you mean {name}?")),
                None => error,
            });
        };
        keys.push(Expr::from(schema.qualified_field(at)).sort(true, false));
    }
    if keys.is_empty() {
        return Ok(plan);
    }
    if keys.len() >= names.len() {
        return Err(usage("UNLOAD: no column is left for the files"));
    }
    let (rows, order) = match plan {
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => {
            (Arc::unwrap_or_clone(sort.input), sort.expr)
        }
        plan => {
            let time = names.iter().position(|name| *name == EVENT_TIME);
            let time = time.map(|at| Expr::from(schema.qualified_field(at)).sort(true, false));
            (plan, time.into_iter().collect())
        }
    };
    keys.extend(order);
    let sorted = LogicalPlanBuilder::from(rows).sort(keys);
    let sorted = sorted.and_then(LogicalPlanBuilder::build);
    sorted.map_err(|error| Error::new(Owner::Internal, error.to_string()))
}
