//! What objects are: by their keys, and by their first bytes where keys do not tell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use loglens_parsers::detect::{self, HEAD_BYTES, Recognised};
use loglens_parsers::format::{Format, Shape};
use loglens_parsers::frame::{self, Frame};
use loglens_parsers::key::KeyFacts;
use loglens_parsers::table::Table;

use super::days::DatedLog;
use super::{Archive, ArchiveTable, DatedLogs, Given, LogObject, Unrecognised};
use crate::error::Error;
use crate::journal;
use crate::object::{Listed, Object, ObjectSource, Reading};
use crate::tables::parquet_table;

/// Objects whose first bytes are read at a time.
const CONCURRENT_HEADS: usize = 16;

/// First bytes of an object that are read to recognise it.
const HEAD_READ_BYTES: usize = 16 << 10;

/// Of so many logs that have a folder for each day an object is looked at beforehand: its header
/// line may name fields that no description has.
const SAMPLES: usize = 8;

/// What the first object of a log is, by source and id of the log: all of one log are alike.
pub(super) type KnownLogs = BTreeMap<(usize, String), Recognised>;

/// Objects that are being recognised.
pub(super) struct Recognition<'a> {
    given: &'a Given,
    /// Columns cannot be added any more: no object is read for what its header may name.
    columns_are_known: bool,
    tables: BTreeMap<String, Gathered>,
    parquet: Vec<Object>,
    /// Entries of journals of written tables, with the index of their source.
    journals: Vec<(usize, Object)>,
    unrecognised: Vec<Unrecognised>,
    known: KnownLogs,
}

/// What was found of one table so far.
struct Gathered {
    format: Arc<Format>,
    unknown: Vec<String>,
    hive: BTreeSet<String>,
    objects: Vec<LogObject>,
    logs: Vec<Arc<DatedLog>>,
}

impl<'a> Recognition<'a> {
    /// Nothing yet.
    pub(super) fn new(given: &'a Given) -> Self {
        Self {
            given,
            columns_are_known: false,
            tables: BTreeMap::new(),
            parquet: Vec::new(),
            journals: Vec::new(),
            unrecognised: Vec::new(),
            known: KnownLogs::new(),
        }
    }

    /// For objects of tables whose columns are known.
    pub(super) fn of_known_columns(given: &'a Given, known: KnownLogs) -> Self {
        Self {
            columns_are_known: true,
            known,
            ..Self::new(given)
        }
    }

    /// Takes what a source lists.
    pub(super) async fn take(
        &mut self,
        index: usize,
        source: &Arc<dyn ObjectSource>,
        listed: Vec<Listed>,
    ) -> Result<(), Error> {
        let mut keyed = Vec::with_capacity(listed.len());
        for listed in listed {
            match listed {
                Listed::Object(object) if journal::holds(&object.key) => {
                    self.journals.push((index, object));
                }
                Listed::Object(object) => keyed.push(Keyed::new(object, self.given)),
                Listed::Ignored { key, reason } => {
                    self.unrecognised.push(Unrecognised { key, reason });
                }
            }
        }
        keyed.sort_by(|a, b| a.object.key.cmp(&b.object.key));
        if source.reading() == Reading::Disk {
            return self.read(index, source, keyed).await;
        }
        // Of a key that says enough, no head is asked for; of a log, that of its first object.
        let unsure = self.take_by_key(index, keyed);
        let unsure = self.follow(index, unsure);
        let (leaders, followers) = leaders(unsure);
        self.read(index, source, leaders).await?;
        let unknown = self.follow(index, followers);
        self.read(index, source, unknown).await
    }

    /// Takes down folders that were not listed because no format has its logs there.
    pub(super) fn leave_out(&mut self, folders: Vec<String>) {
        let left_out = folders.into_iter().map(|key| Unrecognised {
            key,
            reason: "a folder of logs of another kind, not listed".to_owned(),
        });
        self.unrecognised.extend(left_out);
    }

    /// Takes logs that have a folder for each day, with the formats that they may have.
    pub(super) async fn take_logs(
        &mut self,
        sources: &[Arc<dyn ObjectSource>],
        logs: Vec<(Arc<DatedLog>, Vec<usize>)>,
    ) -> Result<(), Error> {
        let is_header = |format: &Arc<Format>| matches!(format.shape, Shape::Header { .. });
        let mut may_name_more = Vec::new();
        for (log, formats) in logs {
            let all = self.given.formats.all();
            let formats = match &self.given.format {
                Some(format) => vec![Arc::clone(format)],
                None => formats
                    .iter()
                    .map(|&index| Arc::clone(&all[index]))
                    .collect(),
            };
            if formats.iter().any(is_header) {
                may_name_more.push(Arc::clone(&log));
            }
            for format in &formats {
                let gathered = self.gathered(format);
                gathered
                    .hive
                    .extend(log.dated.days.hive().map(str::to_owned));
                let hive = log.dated.facts.hive.iter().map(|(name, _)| name.clone());
                gathered.hive.extend(hive);
                gathered.logs.push(Arc::clone(&log));
            }
        }
        let apart = may_name_more.len().div_ceil(SAMPLES).max(1);
        let samples = may_name_more.into_iter().step_by(apart);
        let samples = samples.map(|log| async move {
            let Some(folders) = sources[log.source].folders() else {
                return Ok(None);
            };
            let first = folders.below(&log.folder, None).next().await.transpose()?;
            Ok::<_, Error>(first.map(|object| (log.source, object)))
        });
        let samples = futures::future::try_join_all(samples).await?;
        for (index, object) in samples.into_iter().flatten() {
            let mut sample = Recognition::new(self.given);
            let keyed = vec![Keyed::new(object, self.given)];
            sample.read(index, &sources[index], keyed).await?;
            self.known.append(&mut sample.known);
            for (name, found) in sample.tables {
                if let Some(gathered) = self.tables.get_mut(&name) {
                    gathered.unknown.extend(found.unknown);
                    gathered.hive.extend(found.hive);
                }
            }
        }
        Ok(())
    }

    /// Reads the heads of objects and takes them.
    async fn read(
        &mut self,
        index: usize,
        source: &Arc<dyn ObjectSource>,
        keyed: Vec<Keyed>,
    ) -> Result<(), Error> {
        let concurrent = match source.reading() {
            Reading::Disk => CONCURRENT_HEADS,
            Reading::Network(requests) => requests,
        };
        let mut heads = futures::stream::iter(keyed)
            .map(|keyed| async move {
                let head = source.head(&keyed.object, HEAD_READ_BYTES).await?;
                Ok::<_, Error>((keyed, head))
            })
            .buffered(concurrent);
        while let Some((keyed, head)) = heads.try_next().await? {
            self.take_begun(index, keyed, &head);
        }
        Ok(())
    }

    /// Takes the objects whose keys say what they are and whose heads could say nothing more;
    /// gives back the others.
    fn take_by_key(&mut self, index: usize, keyed: Vec<Keyed>) -> Vec<Keyed> {
        let mut rest = Vec::new();
        for keyed in keyed {
            if keyed.object.key.ends_with(parquet_table::EXTENSION) {
                self.parquet.push(keyed.object);
                continue;
            }
            let format = match keyed.candidates.as_slice() {
                [format] => Arc::clone(format),
                _ => {
                    rest.push(keyed);
                    continue;
                }
            };
            let may_name_more =
                matches!(format.shape, Shape::Header { .. }) && !self.columns_are_known;
            if may_name_more || keyed.object.size == Some(0) {
                rest.push(keyed);
                continue;
            }
            let recognised = Recognised {
                format,
                unknown: Vec::new(),
            };
            self.add(index, keyed, &recognised);
        }
        rest
    }

    /// Takes objects whose log is known by now; gives back the others.
    fn follow(&mut self, index: usize, followers: Vec<Keyed>) -> Vec<Keyed> {
        let mut rest = Vec::new();
        for keyed in followers {
            let log = keyed.facts.log.clone().unwrap_or_default();
            match self.known.get(&(index, log)).cloned() {
                Some(recognised) => self.add(index, keyed, &recognised),
                None => rest.push(keyed),
            }
        }
        rest
    }

    fn take_begun(&mut self, source: usize, keyed: Keyed, head: &[u8]) {
        if Frame::of(head) == Frame::PARQUET {
            return self.parquet.push(keyed.object);
        }
        match self.recognise(&keyed.candidates, head) {
            Ok(recognised) => {
                if let (Some(log), [first, ..]) = (&keyed.facts.log, recognised.as_slice()) {
                    self.known.insert((source, log.clone()), first.clone());
                }
                for recognised in &recognised {
                    self.add(source, keyed.clone(), recognised);
                }
            }
            Err(reason) => self.unrecognised.push(Unrecognised {
                key: keyed.object.key.to_string(),
                reason,
            }),
        }
    }

    /// What an object is: of one table, but where it holds messages of several log groups.
    fn recognise(
        &self,
        candidates: &[Arc<Format>],
        start: &[u8],
    ) -> Result<Vec<Recognised>, String> {
        if let Frame::Unsupported(name) = Frame::of(start) {
            return Err(format!("{name} is not read"));
        }
        let head = frame::head(start, HEAD_BYTES);
        let fields = self.given.fields.as_deref();
        let among = if candidates.is_empty() {
            self.given.formats.all()
        } else {
            candidates
        };
        let recognised = detect::all_by_head(&head, among, fields);
        if !recognised.is_empty() {
            return Ok(recognised);
        }
        match (candidates, &self.given.format) {
            // The user or the key says what it is; whatever is in it will be rejected and counted.
            ([format], _) | (_, Some(format)) => Ok(vec![Recognised {
                format: Arc::clone(format),
                unknown: Vec::new(),
            }]),
            _ if start.is_empty() => Err("empty".to_owned()),
            ([], _) => Err("no known log format".to_owned()),
            (several, _) => {
                let names: Vec<_> = several.iter().map(|format| format.table.as_str()).collect();
                Err(format!(
                    "its key says {}, its first line does not",
                    names.join(" or ")
                ))
            }
        }
    }

    fn gathered(&mut self, format: &Arc<Format>) -> &mut Gathered {
        self.tables
            .entry(format.table.clone())
            .or_insert_with(|| Gathered {
                format: Arc::clone(format),
                unknown: Vec::new(),
                hive: BTreeSet::new(),
                objects: Vec::new(),
                logs: Vec::new(),
            })
    }

    fn add(&mut self, source: usize, keyed: Keyed, recognised: &Recognised) {
        let Keyed { object, facts, .. } = keyed;
        let gathered = self.gathered(&recognised.format);
        // The table keeps the first of each name.
        gathered.unknown.extend(recognised.unknown.iter().cloned());
        gathered
            .hive
            .extend(facts.hive.iter().map(|(name, _)| name.clone()));
        gathered.objects.push(LogObject {
            object,
            source,
            facts: Arc::new(facts),
        });
    }

    /// The objects of one table, what nothing recognised, and the logs that are known by now.
    pub(super) fn into_objects(
        mut self,
        table: &str,
    ) -> (Vec<LogObject>, Vec<Unrecognised>, KnownLogs) {
        let parquet = self.parquet.into_iter().map(|object| Unrecognised {
            key: object.key.to_string(),
            reason: "Parquet among logs: name its folder, and it is a table".to_owned(),
        });
        self.unrecognised.extend(parquet);
        let found = self.tables.remove(table);
        let objects = found.map_or_else(Vec::new, |found| found.objects);
        (objects, self.unrecognised, self.known)
    }

    /// What was found.
    pub(super) async fn finish(
        mut self,
        sources: &Arc<[Arc<dyn ObjectSource>]>,
        zone: &Arc<str>,
    ) -> Result<Archive, Error> {
        let journals = std::mem::take(&mut self.journals);
        let uncommitted = journal::uncommitted(sources, journals).await?;
        self.parquet.retain(|file| !uncommitted.holds(&file.key));
        let table = |mut found: Gathered| {
            // By key, whatever was known first.
            found
                .objects
                .sort_by(|a, b| (a.source, &a.object.key).cmp(&(b.source, &b.object.key)));
            let table = Table::new(found.format, found.unknown);
            ArchiveTable {
                table: Arc::new(table.with_zone(Arc::clone(zone))),
                hive: found.hive.into_iter().collect(),
                objects: found.objects.into(),
                logs: found.logs,
            }
        };
        let is_log_table = |name: &str| self.tables.contains_key(name);
        let dated = DatedLogs::new(self.given.clone(), Arc::clone(sources), self.known);
        Ok(Archive {
            parquet: parquet_table::tables(&self.parquet, is_log_table),
            tables: self.tables.into_values().map(table).collect(),
            unrecognised: self.unrecognised,
            dated: Arc::new(dated),
            uncommitted,
        })
    }
}

/// An object with what its key says.
#[derive(Clone)]
struct Keyed {
    object: Object,
    facts: KeyFacts,
    /// The formats that it may have.
    candidates: Vec<Arc<Format>>,
}

impl Keyed {
    fn new(object: Object, given: &Given) -> Self {
        let (mut candidates, facts) = detect::by_key(&given.formats, &object.key);
        if let Some(format) = &given.format {
            candidates = vec![Arc::clone(format)];
        }
        Self {
            object,
            facts,
            candidates,
        }
    }
}

/// Those that must be read to be recognised: of each log the first. The others of it follow.
fn leaders(keyed: Vec<Keyed>) -> (Vec<Keyed>, Vec<Keyed>) {
    let mut seen = BTreeSet::new();
    keyed.into_iter().partition(|keyed| {
        let log = keyed.facts.log.as_ref();
        log.is_none_or(|log| seen.insert(log.clone()))
    })
}
