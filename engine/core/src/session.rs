//! The session: the one function that builds what statements run in.

use std::sync::Arc;

use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList,
};
use datafusion::common::Result;
use datafusion::common::config::SpillCompression;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{FunctionRegistry, SessionStateBuilder};
use datafusion::optimizer::Analyzer;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::functions;
use crate::own_text::OwnText;
use crate::sql::null_marker::NullMarker;
use crate::tables::schema::LogSchema;
use crate::windows::node::PlanWindows;
use crate::windows::planner::Planner;
use crate::windows::top::PushTop;

const CATALOG: &str = "loglens";
const SCHEMA: &str = "logs";

/// What a session is built from.
pub(crate) struct SessionSpec {
    /// Time zone of times without one.
    pub(crate) zone: Arc<str>,
    /// Bytes that operators may hold before they spill or refuse; None is no limit.
    pub(crate) memory_limit: Option<usize>,
    /// Cores to use; None is all.
    pub(crate) threads: Option<usize>,
    /// Where statements find their tables.
    pub(crate) schema: Arc<LogSchema>,
}

/// Builds a session.
pub(crate) fn build(spec: SessionSpec) -> Result<SessionContext> {
    let mut config = SessionConfig::new()
        .with_information_schema(true)
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_batch_size(rows_of_a_batch(spec.memory_limit));
    if let Some(threads) = spec.threads {
        config = config.with_target_partitions(threads);
    }
    let options = config.options_mut();
    options.sql_parser.collect_spans = true;
    // Trino puts NULLs last, whichever way it sorts.
    "nulls_last".clone_into(&mut options.sql_parser.default_null_ordering);
    options.execution.time_zone = Some(spec.zone.to_string());
    // Columns of the Parquet that statements write are read by engines that know no views.
    options.sql_parser.map_string_types_to_utf8view = true;
    // Grouping twice, before rows are exchanged between cores and after, pays only where the
    // first makes them much fewer. At half as many (0.8 is the default) it took 1.1 to 1.3 times
    // as long, and half as much memory again (benches/results).
    options
        .execution
        .skip_partial_aggregation_probe_ratio_threshold = 0.3;

    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(bytes) = spec.memory_limit {
        runtime = runtime.with_memory_pool(Arc::new(FairSpillPool::new(bytes)));
        // What one core sorted would take all that is left to be merged, and leave nothing to
        // the others. Batches are still sorted on all cores.
        options.optimizer.repartition_sorts = false;
        options.execution.spill_compression = SpillCompression::Lz4Frame;
        let for_merging = &mut options.execution.sort_spill_reservation_bytes;
        *for_merging = (bytes / 8).min(*for_merging);
    }
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(SCHEMA, spec.schema)?;
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(CATALOG.to_owned(), Arc::new(catalog));

    let mut rules = Analyzer::new().rules;
    // Before type coercion, which would wrap the columns in casts.
    rules.insert(0, Arc::new(NullMarker));
    // After it: what is aggregated has its types.
    rules.push(Arc::new(PlanWindows));
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.build_arc()?)
        .with_default_features()
        .with_catalog_list(Arc::new(catalogs))
        .with_analyzer_rules(rules)
        .with_query_planner(Arc::new(Planner))
        .with_physical_optimizer_rule(Arc::new(PushTop));
    if spec.memory_limit.is_some() {
        state = state.with_physical_optimizer_rule(Arc::new(OwnText));
    }
    let mut state = state.build();
    for function in functions::scalar() {
        state.register_udf(function)?;
    }
    for function in functions::aggregate() {
        state.register_udaf(function)?;
    }
    Ok(SessionContext::new_with_state(state))
}

/// A block of flow logs is some 9,000 rows, and passes as one batch. Under a limit of memory
/// batches are smaller: merging needs one of each sorted run at a time.
fn rows_of_a_batch(memory_limit: Option<usize>) -> usize {
    memory_limit.map_or(16 * 1024, |bytes| {
        (bytes / (64 * 1024)).clamp(1024, 16 * 1024)
    })
}
