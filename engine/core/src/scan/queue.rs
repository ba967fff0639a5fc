//! The objects of one execution, shared by its partitions.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};

use loglens_parsers::format::Format;
use loglens_parsers::frame::ExpansionLimit;
use loglens_parsers::layout::Layout;
use tokio::sync::Mutex;

use super::cursor::{Cursor, Step};
use super::spec::{ScanObject, ScanSpec};
use crate::error::Error;
use crate::ledger::Ledger;
use crate::object::ObjectSource;

/// What is left to do of a scan.
pub(super) struct Queue {
    sources: Arc<[Arc<dyn ObjectSource>]>,
    ledger: Arc<Ledger>,
    format: Arc<Format>,
    layout: Arc<Layout>,
    limit: ExpansionLimit,
    waiting: SyncMutex<VecDeque<ScanObject>>,
    open: SyncMutex<Vec<Arc<Mutex<Cursor>>>>,
    rows_left: AtomicI64,
}

impl Queue {
    pub(super) fn new(
        spec: &ScanSpec,
        format: &Arc<Format>,
        sources: Arc<[Arc<dyn ObjectSource>]>,
        ledger: Arc<Ledger>,
    ) -> Self {
        let layout = match &spec.fields {
            Some(names) => Layout::given(format, names),
            None => Layout::default_of(format),
        };
        Self {
            sources,
            ledger,
            format: Arc::clone(format),
            layout: Arc::new(layout),
            limit: ExpansionLimit {
                ratio: spec.max_expansion,
                ..ExpansionLimit::default()
            },
            waiting: SyncMutex::new(spec.objects.iter().cloned().collect()),
            open: SyncMutex::new(Vec::new()),
            rows_left: AtomicI64::new(
                spec.limit
                    .map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX)),
            ),
        }
    }

    /// The next step of any object and the object itself, starting with the one that the
    /// partition was at; None when nothing is left. Objects that `is_wanted` refuses are passed
    /// over.
    pub(super) async fn next(
        &self,
        current: &mut Option<Arc<Mutex<Cursor>>>,
        is_wanted: &mut (dyn FnMut(&ScanObject) -> bool + Send),
    ) -> Result<Option<(ScanObject, Step)>, Error> {
        while !self.is_satisfied() {
            if current.is_none() {
                *current = match self.begin(is_wanted).await? {
                    Some(cursor) => Some(cursor),
                    None => self.help(),
                };
            }
            let Some(cursor) = current.clone() else {
                return Ok(None);
            };
            let mut locked = cursor.lock().await;
            if let Some(step) = locked.next().await? {
                return Ok(Some((locked.object.clone(), step)));
            }
            drop(locked);
            self.close(&cursor);
            *current = None;
        }
        Ok(None)
    }

    /// Opens the next object that nobody reads.
    async fn begin(
        &self,
        is_wanted: &mut (dyn FnMut(&ScanObject) -> bool + Send),
    ) -> Result<Option<Arc<Mutex<Cursor>>>, Error> {
        let object = loop {
            let Some(object) = lock(&self.waiting).pop_front() else {
                return Ok(None);
            };
            if is_wanted(&object) {
                break object;
            }
        };
        let reader = self.sources[object.source].open(&object.object).await?;
        let cursor = Cursor::new(
            object,
            reader,
            &self.format,
            &self.layout,
            self.limit,
            Arc::clone(&self.ledger),
        );
        let cursor = Arc::new(Mutex::new(cursor));
        lock(&self.open).push(Arc::clone(&cursor));
        Ok(Some(cursor))
    }

    /// An object that another partition reads.
    fn help(&self) -> Option<Arc<Mutex<Cursor>>> {
        lock(&self.open).first().cloned()
    }

    fn close(&self, cursor: &Arc<Mutex<Cursor>>) {
        lock(&self.open).retain(|open| !Arc::ptr_eq(open, cursor));
    }

    /// Takes down rows that were given; says how many of them are still wanted.
    pub(super) fn give(&self, rows: usize) -> usize {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let left = self.rows_left.fetch_sub(rows, Relaxed);
        usize::try_from(left.clamp(0, rows)).unwrap_or(0)
    }

    fn is_satisfied(&self) -> bool {
        self.rows_left.load(Relaxed) <= 0
    }
}

fn lock<T>(mutex: &SyncMutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
