//! Asking an engine: a statement in, rows as text and the ledger's sums out.

use std::fmt::{self, Display};

use futures::TryStreamExt;
use loglens_engine::arrow::array::RecordBatch;
use loglens_engine::arrow::util::display::{ArrayFormatter, FormatOptions};
use loglens_engine::ledger::Totals;
use loglens_engine::{Engine, EngineOptions, Error};

/// What a statement gave.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Names of the columns.
    pub(crate) columns: Vec<String>,
    /// Every row, its cells in order.
    pub(crate) rows: Vec<Vec<String>>,
    /// What became of the objects and records.
    pub(crate) totals: Totals,
}

impl Answer {
    /// Rows in an order of their own, cells parted by a space.
    pub(crate) fn sorted(&self) -> Vec<String> {
        let mut rows = self.lines();
        rows.sort();
        rows
    }

    /// Rows as they came, cells parted by a space.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.join(" ")).collect()
    }
}

/// The only cell of the only row.
impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert_eq!((self.rows.len(), self.columns.len()), (1, 1), "{self:?}");
        f.write_str(&self.rows[0][0])
    }
}

/// Asks an engine; of several statements, the last one answers.
pub(crate) async fn ask(engine: &Engine, sql: &str) -> Result<Answer, Error> {
    let mut answer = None;
    for statement in engine.parse(sql)? {
        let query = engine.plan(statement).await?;
        let batches: Vec<RecordBatch> = query
            .execute()?
            .try_collect()
            .await
            .map_err(|error| query.explain(&error))?;
        let totals = query.ledger().totals();
        assert!(totals.counts.add_up(), "{sql}: {totals:?}");
        let schema = query.schema();
        let fields = schema.fields().iter();
        answer = Some(Answer {
            columns: fields.map(|field| field.name().clone()).collect(),
            rows: batches.iter().flat_map(cells).collect(),
            totals,
        });
    }
    Ok(answer.expect("a statement"))
}

/// Asks a new engine.
pub(crate) async fn ask_new(options: EngineOptions, sql: &str) -> Result<Answer, Error> {
    ask(&Engine::new(options)?, sql).await
}

pub(crate) fn cells(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| cell(column, row)).collect())
        .collect()
}

fn cell(column: &ArrayFormatter<'_>, row: usize) -> String {
    let text = column.value(row).to_string();
    if text.is_empty() {
        "(empty)".to_owned()
    } else {
        text
    }
}
