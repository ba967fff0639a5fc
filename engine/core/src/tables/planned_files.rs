//! The Parquet files that a plan reads, and what of them.
//!
//! Planning has read their footers for statistics, and DataFusion keeps those: they say where the
//! wanted columns lie, and which row groups statistics rule out. What bloom filters and the indexes
//! of pages will rule out is not known before they are read: the estimate is what is read at most.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::memory::DataSourceExec;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::CachedParquetMetaData;
use datafusion::datasource::physical_plan::parquet::{
    ParquetAccessPlan, ParquetFileMetrics, RowGroupAccessPlanFilter,
};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{conjunction, split_conjunction};
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use object_store::OBJECT_STORE_COALESCE_DEFAULT;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

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

/// What is read of one file.
#[derive(Debug, Default, Clone, Copy)]
struct Reads {
    /// Bytes of the wanted columns.
    bytes: u64,
    gets: u64,
    /// Bytes that come: those between columns, and bloom filters, too.
    network_bytes: u64,
}

/// What a scan wants.
struct Wanted {
    /// The columns that it gives or tests.
    columns: BTreeSet<String>,
    schema: SchemaRef,
    /// What statistics can rule out, if anything is tested.
    predicate: Option<Arc<PruningPredicate>>,
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
            let wanted = Wanted::of(config);
            // A large file is divided among cores: it stands there several times.
            let mut files = BTreeSet::new();
            for file in config.file_groups.iter().flat_map(FileGroup::iter) {
                let reads = of_file(file, &wanted, footers);
                files.insert(&file.object_meta.location);
                planned.bytes += reads.bytes;
                if !is_near {
                    planned.gets += reads.gets;
                    planned.network_bytes += reads.network_bytes;
                }
            }
            planned.files += files.len() as u64;
        }
        Ok(TreeNodeRecursion::Continue)
    });
    planned
}

impl Wanted {
    fn of(config: &FileScanConfig) -> Self {
        let source = config.file_source();
        let schema = Arc::clone(config.file_schema());
        let projected = source.projection().map(ProjectionExprs::column_indices);
        let all = || (0..schema.fields().len()).collect();
        let projected = projected.unwrap_or_else(all).into_iter();
        let projected = projected.filter_map(|index| schema.fields().get(index));
        let filter = source.filter();
        let tested = filter
            .as_ref()
            .map_or_else(Default::default, collect_columns);
        let columns = projected
            .map(|field| field.name().clone())
            .chain(tested.iter().map(|column| column.name().to_owned()));
        let columns = columns.collect();
        // What is tested of folders has chosen among them already.
        let is_of_file = |test: &&Arc<_>| {
            let columns = collect_columns(test);
            let mut columns = columns.iter();
            columns.all(|column| schema.field_with_name(column.name()).is_ok())
        };
        let tests = filter.as_ref().map_or_else(Vec::new, split_conjunction);
        let tests: Vec<_> = tests.into_iter().filter(is_of_file).cloned().collect();
        let builder = PruningPredicateBuilder::new().with_file_schema(Arc::clone(&schema));
        Self {
            columns,
            predicate: builder.build(conjunction(tests)),
            schema,
        }
    }

    /// The row groups of a file that statistics leave, by index.
    fn row_groups(&self, file: &PartitionedFile, footer: &ParquetMetaData) -> Vec<usize> {
        let groups = footer.row_groups();
        let all = ParquetAccessPlan::new_all(groups.len());
        let mut left = RowGroupAccessPlanFilter::new(all);
        if let Some(range) = &file.range {
            left.prune_by_range(groups, range);
        }
        if let Some(predicate) = &self.predicate {
            let name = file.object_meta.location.as_ref();
            let metrics = ParquetFileMetrics::new(0, name, &ExecutionPlanMetricsSet::new());
            let columns = footer.file_metadata().schema_descr();
            left.prune_by_statistics(&self.schema, columns, groups, predicate, &metrics);
        }
        left.row_group_indexes().collect()
    }

    /// Bloom filters of a row group that are read: of the columns that a literal is looked for in.
    fn bloom_filters(&self, group: &RowGroupMetaData) -> Reads {
        let tested = self
            .predicate
            .iter()
            .flat_map(|tested| tested.literal_columns());
        let tested: BTreeSet<_> = tested.collect();
        let columns = group.columns().iter();
        let mut reads = Reads::default();
        for column in columns.filter(|column| tested.contains(&column.column_path().string())) {
            if column.bloom_filter_offset().is_some() {
                let length = column.bloom_filter_length();
                // Without a length its header is asked for first.
                reads.gets += if length.is_some() { 1 } else { 2 };
                reads.network_bytes += length
                    .and_then(|length| u64::try_from(length).ok())
                    .unwrap_or(0);
            }
        }
        reads
    }
}

/// What is read of a file.
fn of_file(file: &PartitionedFile, wanted: &Wanted, footers: &FileMetadataCache) -> Reads {
    let meta = &file.object_meta;
    let entry = footers.get(&meta.location);
    let footer = entry.as_ref().filter(|entry| entry.is_valid_for(meta));
    let footer = footer.and_then(|entry| {
        let footer = entry.file_metadata.as_any();
        footer.downcast_ref::<CachedParquetMetaData>()
    });
    let Some(footer) = footer.map(CachedParquetMetaData::parquet_metadata) else {
        return Reads {
            bytes: meta.size,
            gets: 1,
            network_bytes: meta.size,
        };
    };
    let mut reads = Reads::default();
    for index in wanted.row_groups(file, footer) {
        let group = footer.row_group(index);
        let columns = group.columns().iter();
        let columns = columns.filter(|column| {
            let name = column.column_path().parts().first();
            name.is_some_and(|name| wanted.columns.contains(name))
        });
        let ranges: Vec<_> = columns
            .map(|column| {
                let (start, length) = column.byte_range();
                start..start + length
            })
            .collect();
        reads.bytes += ranges
            .iter()
            .map(|range| range.end - range.start)
            .sum::<u64>();
        let bloom = wanted.bloom_filters(group);
        reads.gets += bloom.gets;
        reads.network_bytes += bloom.network_bytes;
        for request in requests(ranges) {
            reads.gets += 1;
            reads.network_bytes += request.end - request.start;
        }
    }
    reads
}

/// The requests that ranges of a file become: those that lie close together are one.
fn requests(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| range.start);
    let mut requests: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match requests.last_mut() {
            Some(last) if range.start <= last.end + OBJECT_STORE_COALESCE_DEFAULT => {
                last.end = last.end.max(range.end);
            }
            _ => requests.push(range),
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::requests;

    #[test]
    fn what_lies_close_together_is_one_request() {
        let mebi = 1 << 20;
        let ranges = vec![4 * mebi..5 * mebi, 0..10, 20..mebi, 2 * mebi..2 * mebi + 1];
        let expected = [0..2 * mebi + 1, 4 * mebi..5 * mebi];
        assert_eq!(requests(ranges), expected);
    }
}
