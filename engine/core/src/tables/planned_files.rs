//! The Parquet files that a plan reads, and what of them.
//!
//! Planning has read their footers for statistics, and DataFusion keeps those: they say how many
//! bytes the wanted columns have.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::catalog::memory::DataSourceExec;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::CachedParquetMetaData;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_plan::ExecutionPlan;

/// The Parquet files that a plan reads.
#[derive(Debug, Default)]
pub(crate) struct PlannedFiles {
    /// How many.
    pub(crate) files: u64,
    /// Bytes of the wanted columns; of files whose footer is not known, all.
    pub(crate) bytes: u64,
    /// Requests for those that lie behind a network, and their bytes.
    pub(crate) gets: u64,
    pub(crate) network_bytes: u64,
}

/// Looks for Parquet files in a plan.
pub(crate) fn planned_files(
    plan: &Arc<dyn ExecutionPlan>,
    footers: &FileMetadataCache,
) -> PlannedFiles {
    let mut planned = PlannedFiles::default();
    // The visitor never fails.
    let _ = plan.apply(|node| {
        let source = node.downcast_ref::<DataSourceExec>();
        let config =
            source.and_then(|source| source.data_source().downcast_ref::<FileScanConfig>());
        if let Some(config) = config {
            let is_near = config.object_store_url == ObjectStoreUrl::local_filesystem();
            let wanted = wanted_columns(config);
            for file in config.file_groups.iter().flat_map(FileGroup::iter) {
                let (bytes, reads) = of_file(file, &wanted, footers);
                planned.files += 1;
                planned.bytes += bytes;
                if !is_near {
                    planned.gets += reads;
                    planned.network_bytes += bytes;
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    planned
}

/// The columns that a scan gives or tests.
fn wanted_columns(config: &FileScanConfig) -> BTreeSet<String> {
    let source = config.file_source();
    let schema = config.file_schema();
    let projected = source.projection().map(ProjectionExprs::column_indices);
    let all = || (0..schema.fields().len()).collect();
    let projected = projected.unwrap_or_else(all).into_iter();
    let projected = projected.filter_map(|index| schema.fields().get(index));
    let tested = source
        .filter()
        .map_or_else(Default::default, |filter| collect_columns(&filter));
    projected
        .map(|field| field.name().clone())
        .chain(tested.iter().map(|column| column.name().to_owned()))
        .collect()
}

/// The bytes that are wanted of a file, and in how many pieces they are read.
fn of_file(
    file: &PartitionedFile,
    wanted: &BTreeSet<String>,
    footers: &FileMetadataCache,
) -> (u64, u64) {
    let meta = &file.object_meta;
    let entry = footers.get(&meta.location);
    let footer = entry.as_ref().filter(|entry| entry.is_valid_for(meta));
    let footer = footer.and_then(|entry| {
        let footer = entry.file_metadata.as_any();
        footer.downcast_ref::<CachedParquetMetaData>()
    });
    let Some(footer) = footer.map(CachedParquetMetaData::parquet_metadata) else {
        return (meta.size, 1);
    };
    let (mut bytes, mut reads) = (0, 0);
    for group in footer.row_groups() {
        let columns = group.columns().iter();
        let columns = columns.filter(|column| {
            let name = column.column_path().parts().first();
            name.is_some_and(|name| wanted.contains(name))
        });
        let wanted: u64 = columns
            .map(|column| u64::try_from(column.compressed_size()).unwrap_or(0))
            .sum();
        bytes += wanted;
        reads += u64::from(wanted > 0);
    }
    (bytes, reads)
}
