//! Where rows go, and how: what `WITH (...)` says.

use std::sync::Arc;

use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{Expr as Written, SqlOption, Value};

use crate::error::{Error, Owner};
use crate::sql::errors::nearest;

/// The column of times, in every log table.
const EVENT_TIME: &str = "event_time";

/// A file is ended when it has so many bytes: the size that Athena's pages advise.
const FILE_BYTES: usize = 256 << 20;

/// The statement that says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `UNLOAD`.
    Unload,
    /// `CREATE TABLE ... AS`.
    Create,
    /// `INSERT INTO`.
    Insert,
    /// None: logs are converted.
    Convert,
}

/// Where rows go, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    form: Form,
    /// A folder, or a bucket and prefix.
    pub(crate) place: String,
    /// Columns whose values name folders and are left out of the files.
    pub(crate) partitioned_by: Vec<String>,
    /// About how many bytes a file has at most.
    pub(crate) file_bytes: usize,
}

impl Target {
    /// What a statement's options say, of a place that it names elsewhere or as one of them.
    pub(super) fn new(
        form: Form,
        place: Option<&str>,
        options: &[SqlOption],
    ) -> Result<Self, Error> {
        let mut target = Self::plain(form, place.unwrap_or_default(), Vec::new());
        for option in options {
            target.set(option)?;
        }
        if target.place.is_empty() {
            return Err(usage(form, "no external_location is given"));
        }
        Ok(target)
    }

    /// A place, with nothing else said.
    pub(crate) fn plain(form: Form, place: &str, partitioned_by: Vec<String>) -> Self {
        Self {
            form,
            place: place.to_owned(),
            partitioned_by,
            file_bytes: FILE_BYTES,
        }
    }

    /// The key of a file of a statement, which `run` tells from all others.
    pub(super) fn key(&self, folder: &str, run: u64, number: usize) -> String {
        let place = self.place.trim_end_matches('/');
        format!("{place}/{folder}{run:016x}-{number:05}.parquet")
    }

    fn set(&mut self, option: &SqlOption) -> Result<(), Error> {
        let form = self.form;
        let wrong = |what: &str| usage(form, format!("{option}{what}"));
        let SqlOption::KeyValue { key, value } = option else {
            return Err(wrong(" is no option"));
        };
        let only = |expected: &str| match text(value) {
            Some(text) if text.eq_ignore_ascii_case(expected) => Ok(()),
            _ => Err(wrong(&format!(": only '{expected}' is written"))),
        };
        match (key.value.to_ascii_lowercase().as_str(), form) {
            ("format", _) => only("PARQUET"),
            ("compression", Form::Unload)
            | ("write_compression" | "parquet_compression", Form::Create) => only("ZSTD"),
            ("external_location", Form::Create) => {
                let place = text(value).ok_or_else(|| wrong(": expected a place in quotes"))?;
                place.clone_into(&mut self.place);
                Ok(())
            }
            ("partitioned_by", _) => {
                self.partitioned_by =
                    texts(value).ok_or_else(|| wrong(": expected names in quotes"))?;
                Ok(())
            }
            ("file_size_mb", _) => {
                let megabytes = value.to_string().parse::<usize>().ok();
                let megabytes = megabytes.filter(|megabytes| (1..=65_536).contains(megabytes));
                self.file_bytes = megabytes.ok_or_else(|| wrong(": expected megabytes"))? << 20;
                Ok(())
            }
            _ => Err(wrong(" is no option")),
        }
    }

    /// The columns of rows that partition them.
    pub(crate) fn partitions(&self, rows: &LogicalPlan) -> Result<Vec<Expr>, Error> {
        let schema = rows.schema();
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let names: Vec<_> = names.collect();
        let by = self.partitioned_by.iter().map(|column| {
            let at = self.partition(column, &names)?;
            Ok(Expr::from(schema.qualified_field(at)))
        });
        by.collect()
    }

    /// The plan of the rows, sorted by the columns that partition them; within a partition in the
    /// order that the statement asks for, or else by time.
    pub(crate) fn sorted(&self, plan: LogicalPlan) -> Result<LogicalPlan, Error> {
        let schema = Arc::clone(plan.schema());
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let names: Vec<_> = names.collect();
        let keys = self.partitions(&plan)?.into_iter();
        let mut keys: Vec<_> = keys.map(|key| key.sort(true, false)).collect();
        if keys.is_empty() {
            return Ok(plan);
        }
        if keys.len() >= names.len() {
            return Err(usage(self.form, "no column is left for the files"));
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

    /// The one column, by index, that is called so. Readers tell no case apart, and a name that
    /// stood in the files too would be two columns to them.
    fn partition(&self, column: &str, names: &[&str]) -> Result<usize, Error> {
        let Some(at) = names.iter().position(|name| *name == column) else {
            let error = usage(self.form, format!("no column {column} to partition by"));
            let known = nearest(column, names.iter().copied());
            return Err(match known {
                Some(name) => error.hint(format!("did you mean {name}?")),
                None => error,
            });
        };
        let is_same = |name: &str| name.eq_ignore_ascii_case(column);
        let partitions = self.partitioned_by.iter();
        if partitions.filter(|name| is_same(name)).count() > 1 {
            let twice = format!("column {column} partitions twice");
            return Err(usage(self.form, twice).hint("name each column once"));
        }
        if names.iter().filter(|name| is_same(name)).count() > 1 {
            let two = format!("two columns are called {column}, by which it is partitioned");
            return Err(
                usage(self.form, two).hint("give one another name with AS, or leave it out")
            );
        }
        Ok(at)
    }
}

fn texts(value: &Written) -> Option<Vec<String>> {
    let Written::Array(array) = value else {
        return None;
    };
    let names = array.elem.iter();
    names.map(|name| text(name).map(str::to_owned)).collect()
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

/// An error in what a statement says of its target.
pub(super) fn usage(form: Form, message: impl AsRef<str>) -> Error {
    let (name, hint) = match form {
        Form::Unload => (
            "UNLOAD",
            "UNLOAD (SELECT ...) TO 'folder/' WITH (format = 'PARQUET', \
             partitioned_by = ARRAY['day'])",
        ),
        Form::Create => (
            "CREATE TABLE",
            "CREATE TABLE name WITH (external_location = 'folder/', format = 'PARQUET', \
             partitioned_by = ARRAY['day']) AS SELECT ...",
        ),
        Form::Insert => (
            "INSERT INTO",
            "INSERT INTO table SELECT ..., the partition columns last",
        ),
        Form::Convert => (
            "--partitioned-by",
            "`loglens schema TABLE` shows the columns: --partitioned-by region,date",
        ),
    };
    let owner = match form {
        Form::Convert => Owner::Usage,
        _ => Owner::Query,
    };
    Error::new(owner, format!("{name}: {}", message.as_ref())).hint(hint)
}
