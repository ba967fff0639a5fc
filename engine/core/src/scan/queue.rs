//! The objects of one execution, shared by its partitions.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loglens_parsers::key::Delivery;
use loglens_parsers::parse::Examine;
use tokio::task::JoinError;

use super::cursor::{Cursor, Step};
use super::metrics::ScanMetrics;
use super::parts::Parts;
use super::predicate::FilterPlan;
use super::prefetch::{Next, Prefetch};
use super::shared::Shared;
use super::spec::{ScanObject, ScanSpec};
use crate::error::{Error, Owner};

/// What is left to do of a scan.
pub(super) struct Queue {
    parts: Parts,
    objects: Mutex<Objects>,
    rows_left: AtomicI64,
}

/// What is not read to its end. One lock for both: a partition that finds nothing waiting must
/// find what another one has just begun.
struct Objects {
    waiting: Prefetch,
    /// Large ones that were begun.
    shared: Vec<Arc<Shared>>,
}

/// The object that a partition is at.
pub(super) enum Current {
    /// Its own.
    Own(Box<Cursor>),
    /// One that others may take blocks of, too.
    Shared(Arc<Shared>),
}

/// Which objects may hold something that is wanted.
pub(super) struct Wanted<'a> {
    pub(super) plan: &'a FilterPlan,
    pub(super) examine: Examine,
    pub(super) delivery: Delivery,
    pub(super) metrics: &'a ScanMetrics,
}

impl Wanted<'_> {
    /// Whether an object is worth opening; counts those that are not.
    pub(super) fn wants(&self, object: &ScanObject) -> bool {
        let span = match self.examine {
            Examine::Everything => None,
            Examine::Projected => object.facts.event_times(self.delivery),
        };
        let wants = span.is_none_or(|span| self.plan.may_want(&span));
        if !wants {
            self.metrics.objects_pruned.add(1);
        }
        wants
    }
}

impl Queue {
    pub(super) fn new(spec: &ScanSpec, parts: Parts) -> Self {
        Self {
            parts,
            objects: Mutex::new(Objects {
                waiting: Prefetch::new(spec.objects.iter().cloned()),
                shared: Vec::new(),
            }),
            rows_left: AtomicI64::new(
                spec.limit
                    .map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX)),
            ),
        }
    }

    /// The next step of any object and the object itself, starting with the one that the
    /// partition was at; None when nothing is left.
    pub(super) async fn next(
        &self,
        current: &mut Option<Current>,
        wanted: &Wanted<'_>,
    ) -> Result<Option<(ScanObject, Step)>, Error> {
        while !self.is_satisfied() {
            if current.is_none() {
                *current = self.begin(wanted).await?;
            }
            match current {
                None => return Ok(None),
                Some(Current::Own(cursor)) => {
                    if let Some(step) = cursor.next().await? {
                        return Ok(Some((cursor.object.clone(), step)));
                    }
                }
                Some(Current::Shared(shared)) => {
                    if let Some(step) = shared.next().await? {
                        return Ok(Some((shared.object.clone(), step)));
                    }
                    let mut objects = self.objects();
                    objects.shared.retain(|open| !Arc::ptr_eq(open, shared));
                }
            }
            *current = None;
        }
        Ok(None)
    }

    /// The next object that nobody reads; where there is none, a large one that others read.
    async fn begin(&self, wanted: &Wanted<'_>) -> Result<Option<Current>, Error> {
        loop {
            let (object, read) = {
                let mut objects = self.objects();
                match objects.waiting.next(&self.parts, wanted) {
                    Some(Next::Small(object, read)) => (object, read),
                    Some(Next::Large(object)) => {
                        let shared = Arc::new(Shared::begin(object, &self.parts));
                        objects.shared.push(Arc::clone(&shared));
                        wanted.metrics.objects_read.add(1);
                        return Ok(Some(Current::Shared(shared)));
                    }
                    None => return Ok(objects.shared.first().cloned().map(Current::Shared)),
                }
            };
            // The filter may know more by now.
            if !wanted.wants(&object) {
                continue;
            }
            let (input, bytes) = read.await.map_err(|error| thread_failed(&error))??;
            wanted.metrics.objects_read.add(1);
            let cursor = Cursor::new(object, input, bytes, &self.parts);
            return Ok(Some(Current::Own(Box::new(cursor))));
        }
    }

    /// Takes down rows that were given; says how many of them are still wanted.
    pub(super) fn give(&self, rows: usize) -> usize {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let left = self.rows_left.fetch_sub(rows, Relaxed);
        usize::try_from(left.clamp(0, rows)).unwrap_or(0)
    }

    /// A panic elsewhere does not make the lists wrong.
    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_satisfied(&self) -> bool {
        self.rows_left.load(Relaxed) <= 0
    }
}

fn thread_failed(error: &JoinError) -> Error {
    Error::new(Owner::Internal, format!("reading an object: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use async_trait::async_trait;
    use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
    use futures::stream::{BoxStream, StreamExt, empty};
    use loglens_parsers::format::by_name;
    use loglens_parsers::key::KeyFacts;

    use super::*;
    use crate::ledger::Ledger;
    use crate::object::{Listed, Object, ObjectReader, ObjectSource};
    use crate::scan::metrics::ByteMetrics;

    /// Whatever is opened, fails.
    #[derive(Debug)]
    struct Closed;

    #[async_trait]
    impl ObjectSource for Closed {
        fn name(&self) -> &'static str {
            "closed"
        }

        fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
            empty().boxed()
        }

        async fn open(&self, _: &Object) -> Result<Box<dyn ObjectReader>, Error> {
            Err(Error::new(Owner::External, "closed"))
        }
    }

    fn large(key: &str) -> ScanObject {
        ScanObject {
            source: 0,
            object: Object {
                key: Arc::from(key),
                size: None,
                modified: None,
                etag: None,
            },
            facts: Arc::new(KeyFacts::default()),
        }
    }

    /// A partition that found nothing because the object was not open yet used to end, and one
    /// core did all the work.
    #[tokio::test]
    async fn every_partition_finds_a_large_object_as_soon_as_it_is_begun() {
        let spec = ScanSpec::of([large("a.log")]);
        let set = ExecutionPlanMetricsSet::new();
        let bytes = ByteMetrics::new(&set, Arc::new(Ledger::default()));
        let format = by_name("vpc_flow_logs").unwrap();
        let parts = Parts::new(&spec, format, Arc::from([Arc::new(Closed) as _]), bytes);
        let queue = Queue::new(&spec, parts);
        let metrics = ScanMetrics::new(&set, 0);
        let wanted = Wanted {
            plan: &FilterPlan::default(),
            examine: Examine::Projected,
            delivery: Delivery::default(),
            metrics: &metrics,
        };
        let mut first = queue.begin(&wanted).await.unwrap();
        let second = queue.begin(&wanted).await.unwrap();
        for begun in [&first, &second] {
            assert!(matches!(begun, Some(Current::Shared(_))));
        }
        // The first who asks is told why, the others that nothing comes.
        let error = queue.next(&mut first, &wanted).await.err().unwrap();
        assert_eq!(error.message, "closed");
        let Some(Current::Shared(second)) = second else {
            panic!("not shared");
        };
        assert!(second.next().await.unwrap().is_none());
    }
}
