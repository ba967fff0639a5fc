//! Tables that lie as Parquet in folders: what `UNLOAD` writes, and others.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::catalog::TableProvider;
use datafusion::common::{Result, plan_err};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::execution::SessionState;

use super::hive_folders::with_nulls;
use crate::object::Object;
use crate::portable::map_schema;
use crate::write::NULL_PARTITION;

/// A table of Parquet files below one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParquetTable {
    /// The folder's name, in letters that need no quotes.
    pub name: String,
    /// The folder, with a slash at its end; or a file that lies in none.
    pub folder: String,
    /// Columns in the names of folders below it, `column=value`.
    pub partitions: Vec<String>,
    /// How many files there are.
    pub objects: usize,
    /// Bytes of all files.
    pub bytes: u64,
    /// The end that the names of all files share: `.parquet`, or nothing.
    extension: &'static str,
    /// A folder may stand for NULL.
    has_null: bool,
}

/// The tables that Parquet files make, by the folders that they lie in. Names in `taken` are given
/// to others.
pub(crate) fn tables(objects: &[Object], taken: impl Fn(&str) -> bool) -> Vec<ParquetTable> {
    let mut tables: BTreeMap<String, ParquetTable> = BTreeMap::new();
    for object in objects {
        let (folder, partitions) = folder_of(&object.key);
        let table = tables
            .entry(folder.clone())
            .or_insert_with(|| ParquetTable {
                name: name_of(&folder),
                folder,
                partitions,
                objects: 0,
                bytes: 0,
                extension: EXTENSION,
                has_null: false,
            });
        table.objects += 1;
        table.has_null |= object.key.contains(NULL_PARTITION);
        table.bytes += object.size.unwrap_or(0);
        if !object.key.ends_with(EXTENSION) {
            table.extension = "";
        }
    }
    let mut named: Vec<ParquetTable> = Vec::new();
    for mut table in tables.into_values() {
        let plain = table.name.clone();
        let used = |name: &str| taken(name) || named.iter().any(|other| other.name == name);
        if used(&table.name) {
            table.name = format!("{plain}_parquet");
        }
        let mut number = 2;
        while used(&table.name) {
            table.name = format!("{plain}_parquet_{number}");
            number += 1;
        }
        named.push(table);
    }
    named
}

/// What names of Parquet files end in.
pub(crate) const EXTENSION: &str = ".parquet";

/// The folder of a table and its partition columns: all below the first `column=value` is one
/// table.
fn folder_of(key: &str) -> (String, Vec<String>) {
    let Some((path, _)) = key.rsplit_once('/') else {
        return (key.to_owned(), Vec::new());
    };
    let mut folder = String::new();
    let mut partitions = Vec::new();
    for part in path.split('/') {
        match part.split_once('=') {
            Some((column, _)) => partitions.push(column.to_owned()),
            None if partitions.is_empty() => {
                folder.push_str(part);
                folder.push('/');
            }
            None => {}
        }
    }
    (folder, partitions)
}

fn name_of(folder: &str) -> String {
    let folder = folder.trim_end_matches('/').trim_end_matches(EXTENSION);
    let last = folder.rsplit('/').next().unwrap_or_default();
    let letters = last
        .chars()
        .map(|letter| match letter.to_ascii_lowercase() {
            letter @ ('a'..='z' | '0'..='9') => letter,
            _ => '_',
        });
    let name: String = letters.collect();
    match name.chars().next() {
        Some('a'..='z' | '_') if name.contains(|letter: char| letter != '_') => name,
        _ => format!("parquet{name}"),
    }
}

impl ParquetTable {
    /// A table that was written below a place.
    pub(crate) fn written(name: &str, place: &str, partitions: &[String]) -> Self {
        Self {
            name: name.to_owned(),
            folder: format!("{}/", place.trim_end_matches('/')),
            partitions: partitions.to_vec(),
            objects: 0,
            bytes: 0,
            extension: EXTENSION,
            has_null: true,
        }
    }

    /// Whether it is a folder, which files can be added to.
    pub(crate) fn is_folder(&self) -> bool {
        self.folder.ends_with('/')
    }

    /// A column that its folders name twice, to readers who tell no case apart.
    fn named_twice(&self) -> Option<&String> {
        let mut columns = self.partitions.iter().enumerate();
        let found = columns.find(|(at, column)| {
            let before = self.partitions[..*at].iter();
            before
                .into_iter()
                .any(|other| other.eq_ignore_ascii_case(column))
        });
        found.map(|(_, column)| column)
    }

    /// Its files as a table.
    fn of_files(&self, files: ListingTable) -> Result<Arc<dyn TableProvider>> {
        match self.has_null && !self.partitions.is_empty() {
            true => with_nulls(&self.name, files, &self.partitions),
            false => Ok(Arc::new(files)),
        }
    }

    /// How it is read. What partitions, statistics and bloom filters rule out is passed over.
    fn listing(&self) -> Result<ListingTableConfig> {
        if let Some(column) = self.named_twice() {
            return plan_err!("its folders name the column {column} twice");
        }
        let partitions = self.partitions.iter();
        let partitions = partitions.map(|column| (column.clone(), DataType::Utf8View));
        let options = ListingOptions::new(Arc::new(ParquetFormat::default()))
            .with_file_extension(self.extension)
            .with_table_partition_cols(partitions.collect());
        let url = ListingTableUrl::parse(&self.folder)?;
        Ok(ListingTableConfig::new(url).with_listing_options(options))
    }
}

/// Reads a table, with the columns that its files have.
pub(crate) async fn provider(
    state: &SessionState,
    table: &ParquetTable,
) -> Result<Arc<dyn TableProvider>> {
    let config = table.listing()?.infer_schema(state).await?;
    table.of_files(ListingTable::try_new(config)?)
}

/// Reads a table whose files have these columns, if it has any.
pub(crate) fn provider_of(
    table: &ParquetTable,
    columns: &Schema,
) -> Result<Arc<dyn TableProvider>> {
    let columns = map_schema(columns, |data_type| match data_type {
        DataType::Utf8 => DataType::Utf8View,
        DataType::Binary => DataType::BinaryView,
        other => other,
    });
    let config = table.listing()?.with_schema(columns);
    table.of_files(ListingTable::try_new(config)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_tables() {
        let object = |key: &str| Object {
            key: Arc::from(key),
            size: Some(10),
            modified: None,
            etag: None,
        };
        let found = tables(
            &[
                object("lake/day=2026-01-31/hour=1/a.parquet"),
                object("lake/day=2026-02-01/hour=1/b.parquet"),
                object("x/My Flows/a.parquet"),
                object("x/My Flows/b"),
                object("y/lake/a.parquet"),
                object("/logs/vpc_flow_logs/day=1/a.parquet"),
                object("2026.parquet"),
            ],
            |name| name == "vpc_flow_logs",
        );
        let found: Vec<_> = found
            .iter()
            .map(|table| {
                let partitions = table.partitions.join(",");
                let (name, folder) = (table.name.as_str(), table.folder.as_str());
                (name, folder, partitions, table.objects, table.extension)
            })
            .collect();
        let expected = [
            (
                "vpc_flow_logs_parquet",
                "/logs/vpc_flow_logs/",
                "day",
                1,
                EXTENSION,
            ),
            ("parquet2026", "2026.parquet", "", 1, EXTENSION),
            ("lake", "lake/", "day,hour", 2, EXTENSION),
            ("my_flows", "x/My Flows/", "", 2, ""),
            ("lake_parquet", "y/lake/", "", 1, EXTENSION),
        ];
        let expected = expected.map(|(name, folder, partitions, objects, extension)| {
            (name, folder, partitions.to_owned(), objects, extension)
        });
        assert_eq!(found, expected);
    }
}
