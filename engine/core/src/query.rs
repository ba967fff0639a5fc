//! A statement that was planned: what it will read, its rows, and what reading took.

use std::future::ready;
use std::ops::Add;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream;

use crate::cost::{self, Bill, Estimate, Prices};
use crate::error::Error;
use crate::ledger::Ledger;
use crate::object::{ObjectSource, Requests};
use crate::sql::errors;
use crate::write::{self, Destination};

/// A statement that is ready to run.
#[derive(Debug)]
pub struct Query {
    pub(crate) sql: Arc<str>,
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) context: Arc<TaskContext>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) sources: Arc<[Arc<dyn ObjectSource>]>,
    pub(crate) prices: Arc<Prices>,
    /// Requests that were made before it was planned.
    pub(crate) before: Requests,
    pub(crate) output: Output,
}

/// What becomes of the rows of a plan.
#[derive(Debug)]
pub(crate) enum Output {
    /// They are the answer.
    Rows,
    /// They are written.
    Written(Destination),
    /// There are none: the answer is what they would cost.
    Cost(Estimate),
}

/// What reading for a statement took.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Requests, those that found the objects included.
    pub requests: Requests,
    /// What they cost.
    pub bill: Bill,
    /// The day of the prices.
    pub prices_of: String,
}

impl Query {
    /// The SQL as it was written, with the statements that stood beside this one.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The schema of its rows.
    pub fn schema(&self) -> SchemaRef {
        match &self.output {
            Output::Rows => self.plan.schema(),
            Output::Written(..) => write::summary_schema(),
            Output::Cost(_) => cost::schema(),
        }
    }

    /// Runs it. Errors of the stream go through [`Query::explain`].
    pub fn execute(&self) -> Result<SendableRecordBatchStream, Error> {
        let rows = || {
            execute_stream(Arc::clone(&self.plan), Arc::clone(&self.context))
                .map_err(|error| self.explain(&error))
        };
        let one = |batch: BoxFuture<'static, _>| {
            Box::pin(RecordBatchStreamAdapter::new(
                self.schema(),
                stream::once(batch),
            ))
        };
        Ok(match &self.output {
            Output::Rows => rows()?,
            Output::Written(destination) => one(destination.clone().write(rows()?).boxed()),
            Output::Cost(estimate) => {
                let batch = cost::batch(estimate, &self.prices);
                one(ready(batch).boxed())
            }
        })
    }

    /// What reading took so far, where there is anything to pay for.
    pub fn receipt(&self) -> Option<Receipt> {
        receipt(&self.sources, &self.prices, &self.ledger, self.before)
    }

    /// An error of the stream in words for people.
    pub fn explain(&self, error: &DataFusionError) -> Error {
        errors::explain(error, &self.sql)
    }

    /// What became of its objects and records, so far.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }
}

/// Requests that were made of all sources.
pub(crate) fn requests(sources: &[Arc<dyn ObjectSource>]) -> Requests {
    let of_each = sources.iter().filter_map(|source| source.requests());
    of_each.fold(Requests::default(), Add::add)
}

/// What reading took since `before`, where there is anything to pay for.
pub(crate) fn receipt(
    sources: &[Arc<dyn ObjectSource>],
    prices: &Prices,
    ledger: &Ledger,
    before: Requests,
) -> Option<Receipt> {
    if sources.iter().all(|source| source.requests().is_none()) {
        return None;
    }
    let requests = requests(sources) - before;
    // Of Parquet the ledger knows nothing, and of what was cached no request.
    let of_objects = ledger.totals().bytes_read.max(requests.bytes);
    Some(Receipt {
        requests,
        bill: prices.bill(&requests, of_objects),
        prices_of: prices.as_of.clone(),
    })
}
