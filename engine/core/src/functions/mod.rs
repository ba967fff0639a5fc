//! Functions of our own. Where the name is one of DataFusion's, ours goes before it.

pub(crate) mod contains;
mod json;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

/// All of them.
pub(crate) fn scalar() -> Vec<Arc<ScalarUDF>> {
    let functions = json::functions().into_iter().chain([contains::function()]);
    functions
        .map(Arc::new)
        .chain(crate::windows::functions::all())
        .collect()
}
