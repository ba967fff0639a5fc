//! Functions of our own. Where the name is one of DataFusion's, ours goes before it.

mod json;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

/// All of them.
pub(crate) fn scalar() -> Vec<Arc<ScalarUDF>> {
    json::functions().map(Arc::new).into()
}
