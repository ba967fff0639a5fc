//! The archive: what lies in the sources, by table.

mod dated_logs;
pub(crate) mod days;
mod recognition;
mod survey;

use std::sync::Arc;

use futures::TryStreamExt;
use loglens_parsers::format::{Format, Formats};
use loglens_parsers::key::KeyFacts;
use loglens_parsers::table::Table;

use crate::error::Error;
use crate::journal::Uncommitted;
use crate::object::{Listed, Object, ObjectSource};
use crate::tables::parquet_table::ParquetTable;

pub(crate) use dated_logs::DatedLogs;
use days::DatedLog;
use recognition::{KnownLogs, Recognition};
use survey::Survey;

/// What the user said of all objects.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The formats that objects may have.
    pub formats: Formats,
    /// Every object is of this format.
    pub format: Option<Arc<Format>>,
    /// Field order of records that no header line describes.
    pub fields: Option<Vec<String>>,
}

/// What lies in the sources.
#[derive(Debug, Default)]
pub struct Archive {
    /// Tables that have objects, by name.
    pub tables: Vec<ArchiveTable>,
    /// Tables that lie as Parquet in folders.
    pub parquet: Vec<ParquetTable>,
    /// Objects that nothing recognised, and folders that were passed over.
    pub(crate) unrecognised: Vec<Unrecognised>,
    /// What lists the logs that have a folder for each day.
    pub(crate) dated: Arc<DatedLogs>,
    /// Files of Parquet that are of no table yet, or never will be.
    pub(crate) uncommitted: Uncommitted,
}

/// The objects of one table.
#[derive(Debug)]
pub struct ArchiveTable {
    /// Its columns, as far as they come from bytes.
    pub table: Arc<Table>,
    /// Names of its Hive-style key segments.
    pub hive: Vec<String>,
    /// Its objects, by key; without those of its logs that have a folder for each day.
    pub objects: Arc<[LogObject]>,
    /// Its logs that have a folder for each day: what lies in them is listed when it is asked for.
    pub(crate) logs: Vec<Arc<DatedLog>>,
}

impl ArchiveTable {
    /// Whether all its objects are known; not those of days that nothing has asked for.
    pub fn is_listed(&self) -> bool {
        self.logs.is_empty()
    }

    /// What the keys of its objects say, and of days that nothing has asked for, the folders.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &KeyFacts> {
        let objects = self.objects.iter().map(|found| &*found.facts);
        objects.chain(self.logs.iter().map(|log| &log.dated.facts))
    }
}

/// A recognised object.
#[derive(Debug, Clone)]
pub struct LogObject {
    /// The object.
    pub object: Object,
    /// Its source, by index.
    pub source: usize,
    /// What its key says.
    pub facts: Arc<KeyFacts>,
}

/// An object that nothing recognised.
#[derive(Debug, Clone)]
pub struct Unrecognised {
    /// Its key.
    pub key: String,
    /// Why.
    pub reason: String,
}

/// Recognises objects of one table that arrive after the others.
pub(crate) struct More<'a> {
    pub(crate) given: &'a Given,
    pub(crate) format: &'a Format,
    pub(crate) sources: &'a [Arc<dyn ObjectSource>],
}

impl More<'_> {
    /// Those of the table, and those that nothing recognised.
    pub(crate) async fn recognise(
        &self,
        source: usize,
        objects: Vec<Object>,
    ) -> Result<(Vec<LogObject>, Vec<Unrecognised>), Error> {
        let mut recognition = Recognition::of_known_columns(self.given, KnownLogs::new());
        let objects = objects.into_iter().map(Listed::Object).collect();
        recognition
            .take(source, &self.sources[source], objects)
            .await?;
        let (objects, unrecognised, _) = recognition.into_objects(&self.format.table);
        Ok((objects, unrecognised))
    }
}

impl Archive {
    /// A table of each format, all without objects.
    pub(crate) fn of_no_objects<'a>(
        formats: impl Iterator<Item = &'a Arc<Format>>,
        zone: &Arc<str>,
    ) -> Self {
        let tables = formats.map(|format| ArchiveTable {
            table: Arc::new(Table::new(Arc::clone(format), []).with_zone(Arc::clone(zone))),
            hive: Vec::new(),
            objects: Arc::default(),
            logs: Vec::new(),
        });
        Self {
            tables: tables.collect(),
            ..Self::default()
        }
    }

    /// Lists the sources and recognises every object. Of logs that have a folder for each day, at a
    /// source that can be listed folder by folder, the days are left for later.
    pub async fn discover(
        sources: &Arc<[Arc<dyn ObjectSource>]>,
        given: &Given,
        zone: &Arc<str>,
    ) -> Result<Self, Error> {
        let mut recognition = Recognition::new(given);
        let mut logs = Vec::new();
        for (index, source) in sources.iter().enumerate() {
            let Some(folders) = source.folders() else {
                let listed: Vec<Listed> = source.list().try_collect().await?;
                recognition.take(index, source, listed).await?;
                continue;
            };
            let survey = Survey::of(&*folders, given).await?;
            let objects = survey.objects.into_iter().map(Listed::Object);
            recognition.take(index, source, objects.collect()).await?;
            recognition.leave_out(survey.foreign);
            for (folder, formats, dated) in survey.dated {
                let log = DatedLog {
                    source: index,
                    folder,
                    dated,
                };
                logs.push((Arc::new(log), formats));
            }
        }
        recognition.take_logs(sources, logs).await?;
        recognition.finish(sources, zone).await
    }

    /// Bytes of all objects that were recognised; a size that is not known (standard input, days
    /// that are not listed) is taken for a large one.
    pub fn bytes(&self) -> u64 {
        if !self.tables.iter().all(ArchiveTable::is_listed) {
            return u64::MAX;
        }
        let objects = self.tables.iter().flat_map(|table| table.objects.iter());
        let sizes = objects.map(|found| found.object.size.unwrap_or(u64::MAX));
        sizes.fold(0, u64::saturating_add)
    }

    /// The tables that there are, and how many objects each has; None where days are not listed.
    pub fn present(&self) -> impl Iterator<Item = (&str, Option<usize>)> {
        let logs = self.tables.iter();
        let logs = logs.map(|found| {
            let objects = found.is_listed().then_some(found.objects.len());
            (found.table.format.table.as_str(), objects)
        });
        let parquet = self.parquet.iter();
        logs.chain(parquet.map(|found| (found.name.as_str(), Some(found.objects))))
    }

    /// What nothing recognised so far, by key.
    pub fn unrecognised(&self) -> Vec<Unrecognised> {
        let mut all = self.unrecognised.clone();
        all.extend(self.dated.unrecognised());
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }

    /// Whether no object is anything at all.
    pub fn is_empty(&self) -> bool {
        self.present().next().is_none() && self.unrecognised.is_empty()
    }

    /// The objects of a table.
    pub fn table(&self, name: &str) -> Option<&ArchiveTable> {
        self.tables
            .iter()
            .find(|table| table.table.format.is_called(name))
    }
}
