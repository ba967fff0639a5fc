//! Raw logs made a table of Parquet: object by object, each once, whatever ends it in between.
//!
//! The objects that are not converted yet are divided into chunks (`chunks`). The rows of a chunk
//! are sorted by what partitions the table and written as any statement's are ([`crate::write`]);
//! the entry of the chunk in the [journal](crate::journal) says which objects they are of. A chunk
//! without a committed entry was not converted: its files are taken back, and it is done again.
//!
//! An object is converted as a whole. A time range says which objects are, and does not cut them.

mod chunks;
mod summary;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

pub use self::summary::Converted;
use crate::archive::Archive;
use crate::engine::Engine;
use crate::error::{Error, Owner};
use crate::journal::{Chunk, ConvertedObject, Found, Journal, Settings, State};
use crate::ledger::Ledger;
use crate::object::Requests;
use crate::query::Receipt;
use crate::scan::spec::ScanObject;
use crate::sink::ObjectSink;
use crate::sql::errors;
use crate::write::{self, Form, Piece, Places, Target};
use loglens_parsers::format::PartitionValue;

/// What is to be converted, and where to.
#[derive(Debug, Clone, Default)]
pub struct Convert {
    /// The place of the table.
    pub to: String,
    /// The log table, where there are several.
    pub table: Option<String>,
    /// The columns that partition it; None is what it is partitioned by already, and of a new one
    /// account, Region and day, as far as keys say them.
    pub partitioned_by: Option<Vec<String>>,
    /// About how many bytes a file has at most.
    pub file_bytes: Option<usize>,
    /// About how many bytes of objects are converted together.
    pub chunk_bytes: Option<u64>,
}

/// A conversion that is ready to run.
pub struct Conversion<'a> {
    engine: &'a Engine,
    settings: Settings,
    target: Target,
    sink: Arc<dyn ObjectSink>,
    /// Entries of chunks that were not committed: their files go before anything is written.
    undecided: Vec<Found>,
    chunks: VecDeque<Arc<[ScanObject]>>,
    /// The number of the next entry.
    next: u32,
    ledger: Arc<Ledger>,
    before: Requests,
    /// What there is to do, and what was done.
    pub converted: Converted,
}

impl Engine {
    /// Looks at what there is to convert, and what was already. Nothing is changed.
    pub async fn conversion(&self, convert: Convert) -> Result<Conversion<'_>, Error> {
        let before = self.requests();
        let places = self.writable()?;
        let sink = places.sink(&convert.to)?;
        let journal = Journal::new(&convert.to, Arc::clone(&sink));
        let found = journal.conversions(&**places).await?;
        if found.is_empty() {
            check_empty(&**places, &convert.to).await?;
        }
        let archive = self.archive().await?;
        let entries = || {
            found
                .iter()
                .filter_map(|found| Some((found.entry.state, found.entry.chunk.as_ref()?)))
        };
        let known = entries().next_back().map(|(_, chunk)| &chunk.settings);
        let named = convert.table.as_deref();
        let (table, objects) = self.objects_to_convert(archive, named, known).await?;
        let settings = self.settings(&convert, table, &objects, known)?;
        let committed = entries().filter(|(state, _)| *state == State::Committed);
        let done: HashMap<&str, &ConvertedObject> = committed
            .flat_map(|(_, chunk)| &chunk.objects)
            .map(|object| (object.key.as_str(), object))
            .collect();
        let mut converted = Converted::default();
        let mut rest = Vec::new();
        for object in objects {
            match done.get(&*object.object.key) {
                None => rest.push(object),
                Some(before) if **before == ConvertedObject::from(&object.object) => {
                    converted.already_done += 1;
                }
                Some(_) => converted.changed.push(object.object.key.to_string()),
            }
        }
        self.check_limits(&rest, before)?;
        converted.to_do = rest.len() as u64;
        converted.bytes_to_do = rest.iter().filter_map(|object| object.object.size).sum();
        let mut target = Target::plain(Form::Convert, &convert.to, settings.partitioned_by.clone());
        target.file_bytes = convert.file_bytes.unwrap_or(target.file_bytes);
        let numbers = found.iter().filter_map(|found| found.number);
        Ok(Conversion {
            engine: self,
            settings,
            target,
            sink,
            next: numbers.max().map_or(0, |newest| newest + 1),
            undecided: found
                .into_iter()
                .filter(|found| found.entry.state != State::Committed)
                .collect(),
            chunks: chunks::of(rest, convert.chunk_bytes.unwrap_or(chunks::BYTES)).into(),
            ledger: Arc::default(),
            before,
            converted,
        })
    }

    /// The objects of the table that is meant: of the one that is named, or of the only one.
    async fn objects_to_convert(
        &self,
        archive: &Archive,
        named: Option<&str>,
        known: Option<&Settings>,
    ) -> Result<(String, Vec<ScanObject>), Error> {
        let places = self.named_places();
        if archive.is_empty() {
            return Err(self.nothing_found());
        }
        if let Some(name) = named
            && self.formats().by_name(name).is_none()
        {
            let formats = self.formats().all().iter();
            let tables = formats.map(|format| format.table.as_str());
            let error = Error::new(Owner::Usage, format!("no log table \"{name}\""));
            return Err(match errors::nearest(name, tables) {
                Some(near) => error.hint(format!("did you mean \"{near}\"?")),
                None => error.hint("`loglens formats` lists them"),
            });
        }
        // Keys may leave open which of two tables a log is of: what lies there says it.
        let mut found = Vec::new();
        for table in &archive.tables {
            let format = &table.table.format;
            if named.is_none_or(|name| format.is_called(name)) {
                let objects = self.objects_in_range(&format.table).await?;
                if !objects.is_empty() {
                    found.push((format.table.clone(), objects));
                }
            }
        }
        let tables: Vec<_> = found.iter().map(|(table, _)| table.as_str()).collect();
        match (tables.as_slice(), known) {
            ([_], _) => Ok(found.remove(0)),
            ([], Some(known)) if named.is_none_or(|name| name == known.table) => {
                Ok((known.table.clone(), Vec::new()))
            }
            ([], _) => {
                let what = named.unwrap_or("logs");
                let error = Error::new(
                    Owner::Data,
                    format!("{places}: no {what} there, or none of this time"),
                );
                Err(error
                    .hint("`loglens tables` shows what lies there; --table NAME says what it is"))
            }
            (several, _) => Err(Error::new(
                Owner::Usage,
                format!(
                    "{places}: expected logs of one table, found {}",
                    several.join(", ")
                ),
            )
            .hint("say which with --only TABLE, and convert each to a place of its own")),
        }
    }

    /// What the table is like: as the journal says, which nothing may contradict.
    fn settings(
        &self,
        convert: &Convert,
        table: String,
        objects: &[ScanObject],
        known: Option<&Settings>,
    ) -> Result<Settings, Error> {
        let default = || match known {
            Some(known) => known.partitioned_by.clone(),
            None => self.key_columns(&table, objects),
        };
        let settings = Settings {
            partitioned_by: convert.partitioned_by.clone().unwrap_or_else(default),
            zone: self.zone().to_owned(),
            table,
        };
        let Some(known) = known else {
            return Ok(settings);
        };
        let partitions = |columns: &[String]| match columns {
            [] => "nothing".to_owned(),
            columns => columns.join(", "),
        };
        let differs = [
            ("holds", known.table.clone(), settings.table.clone()),
            (
                "is partitioned by",
                partitions(&known.partitioned_by),
                partitions(&settings.partitioned_by),
            ),
            ("has times of", known.zone.clone(), settings.zone.clone()),
        ]
        .into_iter()
        .find(|(_, known, now)| known != now);
        match differs {
            None => Ok(settings),
            Some((what, known, now)) => Err(Error::new(
                Owner::Usage,
                format!(
                    "{}: the table there {what} {known}, and not {now}",
                    convert.to
                ),
            )
            .hint("a table is of one kind: say the same again, or name another place")),
        }
    }

    /// The columns of account, Region and day, as far as some key has a value.
    fn key_columns(&self, table: &str, objects: &[ScanObject]) -> Vec<String> {
        let Some(format) = self.formats().by_name(table) else {
            return Vec::new();
        };
        let said = |value| {
            objects.iter().any(|object| match value {
                PartitionValue::Account => object.facts.account.is_some(),
                PartitionValue::Region => object.facts.region.is_some(),
                _ => object.facts.date().is_some(),
            })
        };
        let wanted = [
            PartitionValue::Account,
            PartitionValue::Region,
            PartitionValue::Date,
        ];
        let columns = wanted
            .into_iter()
            .filter(|value| said(*value))
            .filter_map(|value| {
                let mut columns = format.partitions.iter();
                columns.find(|column| column.from == value)
            });
        columns.map(|column| column.name.clone()).collect()
    }
}

impl Conversion<'_> {
    /// What becomes of objects and records, while it runs.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// What reading took so far, where there is anything to pay for.
    pub fn receipt(&self) -> Option<Receipt> {
        self.engine.receipt(&self.ledger, self.before)
    }

    /// Converts all that is to be done. After an error the chunks before are done.
    pub async fn run(&mut self) -> Result<(), Error> {
        let journal = Journal::new(&self.target.place, Arc::clone(&self.sink));
        for found in std::mem::take(&mut self.undecided) {
            if !journal.take_back(found).await? {
                return Err(write::not_alone(&self.target.place));
            }
        }
        while let Some(objects) = self.chunks.pop_front() {
            self.convert(objects).await?;
        }
        Ok(())
    }

    async fn convert(&mut self, objects: Arc<[ScanObject]>) -> Result<(), Error> {
        let chunk = Chunk {
            settings: self.settings.clone(),
            objects: objects
                .iter()
                .map(|object| (&object.object).into())
                .collect(),
            rows: 0,
            bytes: 0,
        };
        let piece = Piece::Chunk(self.next, chunk);
        let count = objects.len() as u64;
        let table = &self.settings.table;
        let rows = self
            .engine
            .rows_of(table, objects, &self.target, &self.ledger);
        let (sink, target) = (Arc::clone(&self.sink), self.target.clone());
        let written = write::write(rows.await?, sink, target, piece).await;
        let written = written.map_err(|error| errors::explain(&error, ""))?;
        self.next += 1;
        self.converted.add(count, written);
        Ok(())
    }
}

/// A table that somebody else has written is not added to: nobody knows what it was made from.
async fn check_empty(places: &dyn Places, to: &str) -> Result<(), Error> {
    if places.is_empty(to).await? {
        return Ok(());
    }
    Err(Error::new(
        Owner::Usage,
        format!("{to}: there is something already that `loglens convert` has not written"),
    )
    .hint("name a place where nothing is, or one that logs were converted to"))
}
