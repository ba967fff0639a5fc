//! Functions of our own. Where the name is one of DataFusion's, ours goes before it.

mod approx_distinct;
pub(crate) mod contains;
mod json;
mod sketch;
mod written_time;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

pub(crate) use self::written_time::written_time;

/// All that give a value for each row.
pub(crate) fn scalar() -> Vec<Arc<ScalarUDF>> {
    let functions = json::functions()
        .into_iter()
        .chain([contains::function()])
        .chain(approx_distinct::scalars());
    functions
        .map(Arc::new)
        .chain(crate::windows::functions::all())
        .collect()
}

/// All that give a value for many rows.
pub(crate) fn aggregate() -> Vec<Arc<AggregateUDF>> {
    approx_distinct::aggregates().map(Arc::new).collect()
}
