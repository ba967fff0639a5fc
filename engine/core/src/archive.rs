//! The archive: what lies in the sources, by table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use loglens_parsers::detect::{self, HEAD_BYTES, Recognised};
use loglens_parsers::format::{Format, Formats};
use loglens_parsers::frame::{self, Frame};
use loglens_parsers::key::KeyFacts;
use loglens_parsers::table::Table;

use crate::error::Error;
use crate::object::{Listed, Object, ObjectSource};
use crate::tables::parquet_table::{self, ParquetTable};

/// Objects whose first bytes are read at a time.
const CONCURRENT_HEADS: usize = 16;

/// First bytes of an object that are read to recognise it.
const HEAD_READ_BYTES: usize = 16 << 10;

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
    /// Objects that nothing recognised, by key.
    pub unrecognised: Vec<Unrecognised>,
}

/// The objects of one table.
#[derive(Debug)]
pub struct ArchiveTable {
    /// Its columns, as far as they come from bytes.
    pub table: Arc<Table>,
    /// Names of its Hive-style key segments.
    pub hive: Vec<String>,
    /// Its objects, by key.
    pub objects: Arc<[LogObject]>,
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

impl Archive {
    /// Lists the sources and recognises every object.
    pub async fn discover(
        sources: &[Arc<dyn ObjectSource>],
        given: &Given,
        zone: &Arc<str>,
    ) -> Result<Self, Error> {
        let mut discovery = Discovery {
            given,
            tables: BTreeMap::new(),
            parquet: Vec::new(),
            unrecognised: Vec::new(),
        };
        for (index, source) in sources.iter().enumerate() {
            let mut listed: Vec<Listed> = source.list().try_collect().await?;
            listed.sort_by(|a, b| key_of(a).cmp(key_of(b)));
            let mut heads = futures::stream::iter(listed)
                .map(|listed| begin(source, listed, given))
                .buffered(CONCURRENT_HEADS);
            while let Some(found) = heads.next().await {
                discovery.take(index, found?);
            }
        }
        Ok(discovery.finish(zone))
    }

    /// Bytes of all objects that were recognised; a size that is not known (standard input) is
    /// taken for a large one.
    pub fn bytes(&self) -> u64 {
        let objects = self.tables.iter().flat_map(|table| table.objects.iter());
        let sizes = objects.map(|found| found.object.size.unwrap_or(u64::MAX));
        sizes.fold(0, u64::saturating_add)
    }

    /// The tables that there are, and how many objects each has.
    pub fn present(&self) -> impl Iterator<Item = (&str, usize)> {
        let logs = self.tables.iter();
        let logs = logs.map(|found| (found.table.format.table.as_str(), found.objects.len()));
        let parquet = self.parquet.iter();
        logs.chain(parquet.map(|found| (found.name.as_str(), found.objects)))
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

fn key_of(listed: &Listed) -> &str {
    match listed {
        Listed::Object(object) => &object.key,
        Listed::Ignored { key, .. } => key,
    }
}

/// A listed object with what its key says and its first bytes.
struct Begun {
    object: Object,
    facts: KeyFacts,
    candidates: Vec<Arc<Format>>,
    head: Vec<u8>,
}

async fn begin(
    source: &Arc<dyn ObjectSource>,
    listed: Listed,
    given: &Given,
) -> Result<Result<Begun, Unrecognised>, Error> {
    let object = match listed {
        Listed::Object(object) => object,
        Listed::Ignored { key, reason } => return Ok(Err(Unrecognised { key, reason })),
    };
    let (mut candidates, facts) = detect::by_key(&given.formats, &object.key);
    if let Some(format) = &given.format {
        candidates = vec![Arc::clone(format)];
    }
    let mut reader = source.open(&object).await?;
    let mut head = Vec::new();
    loop {
        let before = head.len();
        head = reader.read(head, HEAD_READ_BYTES - before).await?;
        if head.len() == before || head.len() >= HEAD_READ_BYTES {
            break;
        }
    }
    Ok(Ok(Begun {
        object,
        facts,
        candidates,
        head,
    }))
}

/// What was found of one table so far.
struct Gathered {
    format: Arc<Format>,
    unknown: Vec<String>,
    hive: BTreeSet<String>,
    objects: Vec<LogObject>,
}

struct Discovery<'a> {
    given: &'a Given,
    tables: BTreeMap<String, Gathered>,
    parquet: Vec<Object>,
    unrecognised: Vec<Unrecognised>,
}

impl Discovery<'_> {
    fn take(&mut self, source: usize, begun: Result<Begun, Unrecognised>) {
        let begun = match begun {
            Ok(begun) => begun,
            Err(ignored) => return self.unrecognised.push(ignored),
        };
        if Frame::of(&begun.head) == Frame::PARQUET {
            return self.parquet.push(begun.object);
        }
        match self.recognise(&begun.candidates, &begun.head) {
            Ok(recognised) => self.add(source, begun.object, begun.facts, &recognised),
            Err(reason) => self.unrecognised.push(Unrecognised {
                key: begun.object.key.to_string(),
                reason,
            }),
        }
    }

    fn recognise(&self, candidates: &[Arc<Format>], start: &[u8]) -> Result<Recognised, String> {
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
        if let Some(recognised) = detect::by_head(&head, among, fields) {
            return Ok(recognised);
        }
        match (candidates, &self.given.format) {
            // The user or the key says what it is; whatever is in it will be rejected and counted.
            ([format], _) | (_, Some(format)) => Ok(Recognised {
                format: Arc::clone(format),
                unknown: Vec::new(),
            }),
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

    fn add(&mut self, source: usize, object: Object, facts: KeyFacts, recognised: &Recognised) {
        let format = &recognised.format;
        let gathered = self
            .tables
            .entry(format.table.clone())
            .or_insert_with(|| Gathered {
                format: Arc::clone(format),
                unknown: Vec::new(),
                hive: BTreeSet::new(),
                objects: Vec::new(),
            });
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

    fn finish(self, zone: &Arc<str>) -> Archive {
        let table = |found: Gathered| ArchiveTable {
            table: Arc::new(Table::new(found.format, found.unknown).with_zone(Arc::clone(zone))),
            hive: found.hive.into_iter().collect(),
            objects: found.objects.into(),
        };
        let is_log_table = |name: &str| self.tables.contains_key(name);
        Archive {
            parquet: parquet_table::tables(&self.parquet, is_log_table),
            tables: self.tables.into_values().map(table).collect(),
            unrecognised: self.unrecognised,
        }
    }
}
