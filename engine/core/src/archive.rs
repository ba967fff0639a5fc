//! The archive: what lies in the sources, by table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use loglens_parsers::detect::{self, HEAD_BYTES, Recognised};
use loglens_parsers::format::{Format, Formats, Shape};
use loglens_parsers::frame::{self, Frame};
use loglens_parsers::key::KeyFacts;
use loglens_parsers::table::Table;

use crate::error::Error;
use crate::object::{Listed, Object, ObjectSource, Reading};

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
            unrecognised: Vec::new(),
            logs: BTreeMap::new(),
        };
        for (index, source) in sources.iter().enumerate() {
            let mut listed: Vec<Listed> = source.list().try_collect().await?;
            listed.sort_by(|a, b| key_of(a).cmp(key_of(b)));
            let listed = match source.reading() {
                Reading::Disk => listed,
                // Of a key that says enough, no head is asked for.
                Reading::Network(_) => discovery.take_by_key(index, listed),
            };
            // What waits for the first object of its log.
            let mut followers = Vec::new();
            let first = match source.reading() {
                Reading::Disk => listed,
                Reading::Network(_) => leaders(listed, given, &mut followers),
            };
            discovery.read(index, source, first).await?;
            let unknown = discovery.follow(index, followers);
            discovery.read(index, source, unknown).await?;
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
    let head = source.head(&object, HEAD_READ_BYTES).await?;
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
    unrecognised: Vec<Unrecognised>,
    /// What the first object of a log is, by source and log: all of one log are alike.
    logs: BTreeMap<(usize, String), Recognised>,
}

/// Those that must be read to be recognised: of each log the first. The others of it follow.
fn leaders(listed: Vec<Listed>, given: &Given, followers: &mut Vec<Listed>) -> Vec<Listed> {
    let mut seen = BTreeSet::new();
    let (first, rest) = listed.into_iter().partition(|listed| {
        let Listed::Object(object) = listed else {
            return true;
        };
        let log = detect::by_key(&given.formats, &object.key).1.log;
        log.is_none_or(|log| seen.insert(log))
    });
    *followers = rest;
    first
}

impl Discovery<'_> {
    /// Reads the heads of objects and takes them.
    async fn read(
        &mut self,
        index: usize,
        source: &Arc<dyn ObjectSource>,
        listed: Vec<Listed>,
    ) -> Result<(), Error> {
        let concurrent = match source.reading() {
            Reading::Disk => CONCURRENT_HEADS,
            Reading::Network(requests) => requests,
        };
        let given = self.given;
        let mut heads = futures::stream::iter(listed)
            .map(|listed| begin(source, listed, given))
            .buffered(concurrent);
        while let Some(found) = heads.next().await {
            self.take(index, found?);
        }
        Ok(())
    }

    /// Takes the objects whose keys say what they are and whose heads could say nothing more;
    /// gives back the others.
    fn take_by_key(&mut self, index: usize, listed: Vec<Listed>) -> Vec<Listed> {
        let mut rest = Vec::new();
        for listed in listed {
            let Listed::Object(object) = &listed else {
                rest.push(listed);
                continue;
            };
            let (candidates, facts) = detect::by_key(&self.given.formats, &object.key);
            let format = match (&self.given.format, candidates.as_slice()) {
                (Some(format), _) | (None, [format]) => Arc::clone(format),
                _ => {
                    rest.push(listed);
                    continue;
                }
            };
            if matches!(format.shape, Shape::Header { .. }) || object.size == Some(0) {
                rest.push(listed);
                continue;
            }
            let recognised = Recognised {
                format,
                unknown: Vec::new(),
            };
            self.add(index, object.clone(), facts, &recognised);
        }
        rest
    }

    /// Takes objects whose log is known by now; gives back the others.
    fn follow(&mut self, index: usize, followers: Vec<Listed>) -> Vec<Listed> {
        let mut rest = Vec::new();
        for listed in followers {
            let Listed::Object(object) = &listed else {
                continue;
            };
            let facts = detect::by_key(&self.given.formats, &object.key).1;
            let log = facts.log.clone().unwrap_or_default();
            match self.logs.get(&(index, log)).cloned() {
                Some(recognised) => self.add(index, object.clone(), facts, &recognised),
                None => rest.push(listed),
            }
        }
        rest
    }

    fn take(&mut self, source: usize, begun: Result<Begun, Unrecognised>) {
        let begun = match begun {
            Ok(begun) => begun,
            Err(ignored) => return self.unrecognised.push(ignored),
        };
        match self.recognise(&begun.candidates, &begun.head) {
            Ok(recognised) => {
                if let Some(log) = &begun.facts.log {
                    self.logs.insert((source, log.clone()), recognised.clone());
                }
                self.add(source, begun.object, begun.facts, &recognised);
            }
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
            }
        };
        Archive {
            tables: self.tables.into_values().map(table).collect(),
            unrecognised: self.unrecognised,
        }
    }
}
