//! A large object that several partitions take blocks of.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loglens_parsers::format::Shape;
use loglens_parsers::frame::{Frame, MAGIC_BYTES};
use loglens_parsers::record::LineRanges;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::cursor::{Cursor, Step, shrank};
use super::input::Input;
use super::metrics::ByteMetrics;
use super::parts::Parts;
use super::pump::Pump;
use super::spec::ScanObject;
use crate::error::{Error, Owner};
use crate::object::ReadAt;

/// A large object.
pub(super) struct Shared {
    pub(super) object: ScanObject,
    /// Known when it is open.
    way: watch::Receiver<Option<Arc<Way>>>,
}

/// How it is taken apart.
enum Way {
    /// Plain lines: everyone reads ranges.
    Ranges(Box<Ranges>),
    /// Anything else comes in order from one thread.
    Pump(Pump),
    /// It could not be opened; the first who asks is told why.
    Failed(Mutex<Option<Error>>),
}

impl Shared {
    /// Begins to open an object, on a thread outside of the runtime: a task that another task
    /// wakes would wait until that one has parsed.
    pub(super) fn begin(object: ScanObject, parts: &Parts) -> Self {
        let (sender, way) = watch::channel(None);
        let (handle, parts, opening) = (Handle::current(), parts.clone(), object.clone());
        spawn_blocking(move || {
            let way = handle.block_on(open(opening, &parts));
            let way = way.unwrap_or_else(|error| Way::Failed(Mutex::new(Some(error))));
            sender.send_replace(Some(Arc::new(way)));
        });
        Self { object, way }
    }

    /// The next block, or damage; None at the end.
    pub(super) async fn next(&self) -> Result<Option<Step>, Error> {
        match &*self.way().await? {
            Way::Ranges(ranges) => ranges.next(),
            Way::Pump(pump) => pump.next().await,
            Way::Failed(error) => {
                let error = error.lock().unwrap_or_else(PoisonError::into_inner).take();
                error.map_or(Ok(None), Err)
            }
        }
    }

    async fn way(&self) -> Result<Arc<Way>, Error> {
        let mut receiver = self.way.clone();
        let way = receiver.wait_for(Option::is_some).await;
        way.ok()
            .and_then(|way| way.clone())
            .ok_or_else(|| Error::new(Owner::Internal, "the thread that opens an object ended"))
    }
}

async fn open(object: ScanObject, parts: &Parts) -> Result<Way, Error> {
    let reader = parts.sources[object.source].open(&object.object).await?;
    let lines = !matches!(parts.format.shape, Shape::Json { .. });
    Ok(match Input::new(reader) {
        Input::At { object: file, .. } if lines && is_plain_lines(&*file)? => {
            Way::Ranges(Box::new(Ranges::new(&object, file, parts)))
        }
        input => Way::Pump(Pump::start(Cursor::new(object, input, Vec::new(), parts))),
    })
}

/// Whether the lines of a file are its records: they are in no frame, and in no envelope, which
/// would be JSON.
fn is_plain_lines(file: &dyn ReadAt) -> Result<bool, Error> {
    let mut start = [0; MAGIC_BYTES];
    let read = file.read_at(0, &mut start)?;
    let start = &start[..read];
    let frame = Frame::of(start);
    let plain = matches!(frame, Frame::Plain | Frame::Unsupported(_));
    let first = start.iter().find(|byte| byte.is_ascii_graphic());
    Ok(plain && first.is_some_and(|&first| first != b'{'))
}

/// Plain lines that everyone reads ranges of.
struct Ranges {
    file: Arc<dyn ReadAt>,
    expected_bytes: Option<u64>,
    ranges: LineRanges,
    bytes: ByteMetrics,
    /// Where a range gave several, those that nobody took yet.
    ready: Mutex<VecDeque<Step>>,
}

impl Ranges {
    fn new(object: &ScanObject, file: Arc<dyn ReadAt>, parts: &Parts) -> Self {
        parts.bytes.opened();
        let expected_bytes = object.object.size;
        let (format, layout) = (Arc::clone(&parts.format), Arc::clone(&parts.layout));
        Self {
            file,
            expected_bytes,
            ranges: LineRanges::new(format, layout, expected_bytes, &parts.pool),
            bytes: parts.bytes.clone(),
            ready: Mutex::new(VecDeque::new()),
        }
    }

    fn next(&self) -> Result<Option<Step>, Error> {
        loop {
            if let Some(step) = self.ready().pop_front() {
                return Ok(Some(step));
            }
            let mut blocks = VecDeque::new();
            let read = |offset, into: &mut [u8]| self.file.read_at(offset, into);
            let Some(taken) = self.ranges.take(read, &mut blocks)? else {
                return Ok(self.ready().pop_front());
            };
            self.bytes.read(taken.bytes as usize);
            self.bytes.inflated(taken.bytes as usize);
            let damage = self.expected_bytes.zip(taken.shrank_to);
            let damage = damage.map(|(expected, found)| shrank(found, expected, found));
            let first = blocks.pop_front().map(Step::Block);
            let mut ready = self.ready();
            ready.extend(blocks.into_iter().map(Step::Block));
            ready.extend(damage.map(Step::Damage));
            if first.is_some() {
                return Ok(first);
            }
        }
    }

    /// A panic elsewhere does not make the steps wrong.
    fn ready(&self) -> MutexGuard<'_, VecDeque<Step>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
