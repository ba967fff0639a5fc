//! The cuts of one shard of a lake.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use loglens_engine::engine::Lot;
use loglens_engine::shard::{Fetched, Start};
use loglens_engine::write::MadeFiles;
use loglens_engine::{Error, Owner, ScanObject};

use super::chunk::{Chunk, HeldChunk, SealedChunk};
use super::maker::{Partitioning, Shared};
use super::payload::{Content, Payload};
use super::rejected::{self, Rejected};
use super::room::{Gathered, RoomOfCut};
use crate::cut::{CutState, MadeObject, Making};
use crate::shard_log::CutRange;
use crate::windows::cut_state::{self, WindowPart};

/// The folder of rejected records, in the lake: what all names of objects with such begin with.
pub const REJECTED: &str = "errors/";

/// The cuts of one shard.
pub(super) struct LakeCut {
    shared: Arc<Shared>,
    shard: Arc<str>,
    /// Where reading began.
    after: Start,
    /// The hash keys of the shard, if records of others are left out.
    hash_keys: Option<RangeInclusive<u128>>,
    partitioned_by: Partitioning,
    /// How often its records were tried, this time included.
    attempt: u32,
    /// What came, by table.
    chunks: Vec<Chunk>,
    rejected: Vec<Rejected>,
    gathered: Gathered,
    /// When the first of it came.
    since: Option<Duration>,
    making: Ending,
}

/// What came of a table.
struct Came {
    lot: Lot,
    chunks: Vec<SealedChunk>,
    /// As long as the lot is read.
    held: Vec<HeldChunk>,
}

/// A cut that is being made.
#[derive(Default)]
struct Ending {
    /// The end of the names of its objects.
    stem: String,
    /// What is not written yet, and is being written first: its table, its files, and the chunks
    /// that are still read for them.
    files: VecDeque<(Arc<str>, MadeFiles, Vec<HeldChunk>)>,
    rejected: Option<(u64, Bytes)>,
    /// What its records are grouped to, for each standing window.
    parts: Vec<WindowPart>,
    /// The memory of all this, and that of chunks which are still read.
    room: Option<RoomOfCut>,
    _gathered: Option<Gathered>,
}

impl LakeCut {
    pub(super) fn new(
        shared: Arc<Shared>,
        shard: Arc<str>,
        after: Start,
        partitioned_by: Partitioning,
    ) -> Self {
        Self {
            gathered: shared.room.gather(),
            shared,
            shard,
            after,
            partitioned_by,
            hash_keys: None,
            attempt: 1,
            chunks: Vec::new(),
            rejected: Vec::new(),
            since: None,
            making: Ending::default(),
        }
    }

    /// The same, of records that were rejected before: this is the try of this number.
    pub(super) fn at_attempt(self, attempt: u32) -> Self {
        Self { attempt, ..self }
    }

    /// The same, where records of aggregates are left out that belong to another shard.
    pub(super) fn within(self, hash_keys: Option<RangeInclusive<u128>>) -> Self {
        Self { hash_keys, ..self }
    }

    pub(super) fn add(&mut self, payload: Payload) {
        match payload.content {
            Content::Resent { bytes } => {
                self.gathered.add(bytes.len());
                self.rejected.push(Rejected::resent(payload.place, bytes));
            }
            Content::Unknown { bytes, why } => {
                self.gathered.add(bytes.len());
                self.rejected.push(Rejected {
                    place: payload.place,
                    table: None,
                    why,
                    resent: false,
                    bytes,
                });
            }
            Content::Logs {
                format,
                wrapped,
                alone,
                bytes,
            } => {
                self.gathered.add(bytes.len());
                let mut chunks = self.chunks.iter_mut();
                let fits = chunks.find(|chunk| !alone && chunk.takes(&format, wrapped));
                let chunk = match fits {
                    Some(chunk) => chunk,
                    None => {
                        self.chunks.push(Chunk::new(format, wrapped, alone));
                        let last = self.chunks.len() - 1;
                        &mut self.chunks[last]
                    }
                };
                chunk.add(&bytes, payload.place);
            }
        }
    }

    /// What came of a table as files, and grouped for each standing window of the table.
    async fn files(&mut self, lot: &Lot) -> Result<MadeFiles, Error> {
        let shared = Arc::clone(&self.shared);
        let groupings = shared.groupings.iter().enumerate();
        let of_table = groupings.filter(|(_, grouping)| *grouping.table() == lot.table);
        let (windows, groupings): (Vec<_>, Vec<_>) = of_table.unzip();
        let (files, grouped) = shared.engine.files_of(lot, &groupings).await?;
        for (window, grouped) in windows.into_iter().zip(grouped) {
            self.making.parts[window].grouped.push(grouped);
        }
        Ok(files)
    }

    /// What is rejected, as lines; none if nothing is.
    pub(super) fn rejected_lines(&self) -> Bytes {
        let rejected = self.making.rejected.as_ref();
        rejected.map(|(_, lines)| lines.clone()).unwrap_or_default()
    }

    /// What came, as objects of their tables, in the order of the tables' names.
    fn came(&mut self, stem: &str) -> Vec<Came> {
        let mut chunks = std::mem::take(&mut self.chunks);
        chunks.sort_by(|a, b| (&a.format.table, a.wrapped).cmp(&(&b.format.table, b.wrapped)));
        let Shared {
            settings,
            chunks: source,
            ..
        } = &*self.shared;
        let mut all: Vec<Came> = Vec::new();
        for (number, chunk) in chunks.into_iter().map(Chunk::sealed).enumerate() {
            let table = chunk.format.table.as_str();
            let key = format!("{}/{stem}/{number}", settings.stream);
            let held = source.hold(key, chunk.bytes.clone());
            match all.last_mut() {
                Some(came) if *came.lot.table == *table => {
                    came.chunks.push(chunk);
                    came.held.push(held);
                    came.lot.objects = objects(&came.held);
                }
                _ => {
                    let held = vec![held];
                    let lot = Lot {
                        table: Arc::from(table),
                        objects: objects(&held),
                        partitioned_by: self.partitioned_by.columns(&chunk.format),
                    };
                    let chunks = vec![chunk];
                    all.push(Came { lot, chunks, held });
                }
            }
        }
        all
    }

    /// The records of some chunks that are no rows.
    fn rejected_of(&self, chunks: &[SealedChunk]) -> Vec<Rejected> {
        let rejected = chunks.iter().map(|chunk| {
            let (table, layout) = &self.shared.tables[&chunk.format.table];
            rejected::of(chunk, table, layout)
        });
        rejected.flatten().collect()
    }
}

fn objects(chunks: &[HeldChunk]) -> Arc<[ScanObject]> {
    let objects = chunks.iter().map(|chunk| ScanObject {
        source: 0,
        object: chunk.object.clone(),
        facts: Arc::default(),
    });
    objects.collect()
}

impl Ending {
    fn name(&self, table: &str, folder: &str) -> String {
        format!("{table}/{folder}{}.parquet", self.stem)
    }

    /// Gives memory away that is not needed, once all files are made.
    fn shrink(&mut self) {
        if let Some(room) = self.room.as_mut().filter(|_| self.files.is_empty()) {
            room.keep_for_files();
        }
    }

    fn name_of_rejected(&self) -> String {
        format!("{REJECTED}{}.ndjson", self.stem)
    }
}

#[async_trait]
impl Making for LakeCut {
    async fn ready(&mut self) {
        // Who has taken something, be it empty, waits for nobody: it would be waited for.
        if self.since.is_none() {
            self.gathered.wait().await;
        }
    }

    async fn take(&mut self, fetched: Fetched, now: Duration) -> Result<(), Error> {
        if !fetched.records.is_empty() {
            self.since.get_or_insert(now);
        }
        let shared = Arc::clone(&self.shared);
        let (after, hash_keys) = (self.after.clone(), self.hash_keys.clone());
        for record in &fetched.records {
            let payloads = shared
                .unpacking
                .payloads(record, &after, hash_keys.as_ref());
            payloads.for_each(|payload| self.add(payload));
        }
        let records = fetched.records.iter();
        let bytes = records.map(|record| record.data.len()).sum();
        self.gathered.came(bytes);
        Ok(())
    }

    fn should_cut(&self, now: Duration) -> bool {
        let settings = &self.shared.settings;
        let is_old = |since| now.saturating_sub(since) >= settings.cut_age;
        self.gathered.bytes() >= settings.cut_bytes
            || self.gathered.is_in_the_way()
            || self.since.is_some_and(is_old)
    }

    async fn names(&mut self, range: &CutRange) -> Result<Vec<String>, Error> {
        let records = range.records.as_ref();
        let mut stem = records.map_or_else(String::new, |records| records.stem(&self.shard));
        if self.attempt > 1 {
            stem = format!("{stem}-attempt-{}", self.attempt);
        }
        let gathered = self.gathered.take();
        let room = self.shared.room.for_cut(gathered.bytes()).await;
        let came = self.came(&stem);
        let windows = self.shared.settings.windows.iter();
        let parts = windows.map(|window| WindowPart {
            name: Arc::clone(&window.name),
            sql: Arc::clone(&window.sql),
            grouped: Vec::new(),
        });
        self.making = Ending {
            stem,
            parts: parts.collect(),
            room: Some(room),
            ..Ending::default()
        };
        let mut names = Vec::new();
        for Came { lot, chunks, held } in came {
            let files = self.files(&lot).await?;
            let folders = files.folders().iter();
            names.extend(folders.map(|folder| self.making.name(&lot.table, folder)));
            // They are looked for only where there are some, or may be.
            if files.rejected() != Some(0) {
                self.rejected.extend(self.rejected_of(&chunks));
            }
            // What is counted is read.
            let held = files.rejected().map_or(held, |_| Vec::new());
            self.making.files.push_back((lot.table, files, held));
        }
        let rejected = std::mem::take(&mut self.rejected);
        if !rejected.is_empty() {
            let lines = rejected::lines(&self.shard, self.attempt, &rejected).map_err(|error| {
                Error::new(Owner::Internal, format!("rejected records: {error}"))
            })?;
            self.making.rejected = Some((rejected.len() as u64, lines));
            names.push(self.making.name_of_rejected());
        }
        let mut files = self.making.files.iter();
        if files.any(|(_, _, held)| !held.is_empty()) {
            self.making._gathered = Some(gathered);
        }
        self.since = None;
        Ok(names)
    }

    async fn object(&mut self, name: &str) -> Result<MadeObject, Error> {
        let making = &mut self.making;
        while let Some((table, files, _)) = making.files.front_mut() {
            let table = Arc::clone(table);
            let made = files.next().await?;
            if files.are_all_made() {
                // Its rows need not wait for its last file to be uploaded.
                making.files.pop_front();
            }
            match made {
                Some(file) if making.name(&table, &file.folder) == name => {
                    making.shrink();
                    return Ok(MadeObject {
                        rows: file.rows as u64,
                        bytes: file.bytes,
                    });
                }
                Some(file) => return Err(other(name, &making.name(&table, &file.folder))),
                None => (),
            }
        }
        match making.rejected.take() {
            Some((rows, bytes)) if making.name_of_rejected() == name => {
                Ok(MadeObject { rows, bytes })
            }
            _ => Err(other(name, "nothing")),
        }
    }

    async fn state(&mut self) -> Result<CutState, Error> {
        let Ending { parts, .. } = std::mem::take(&mut self.making);
        Ok(CutState {
            watermark: None,
            state: cut_state::write(&parts)?,
        })
    }
}

fn other(expected: &str, made: &str) -> Error {
    let message = format!("{expected}: rows make {made} in its place");
    Error::new(Owner::Internal, message)
}
