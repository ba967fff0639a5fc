//! Windows of one size, as panes.
//!
//! Panes and what some of them hold together form a tree: a node of level `l` and number `n` holds
//! the panes from `n << l` on, `1 << l` of them. A window is folded from the few largest nodes that
//! lie in it, and a node is folded once, from its two halves. So a window of 360 panes costs some
//! folds of what it holds, and not 360.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use datafusion::arrow::compute::take_arrays;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::Result;

use super::aggregation::Aggregation;
use super::fold::{Folder, Part};
use super::keys::Keys;
use super::running::Running;
use super::spec::Hop;

/// Windows of fewer panes are folded each by itself.
const RUNNING_PANES: i64 = 4;

/// The rows of one window.
#[derive(Debug)]
pub(crate) struct Closed {
    /// No window of these ends later.
    pub(crate) end: i64,
    /// How often the window was given before.
    pub(crate) revision: u32,
    pub(crate) rows: RecordBatch,
}

/// What is kept of a window beside its rows: its beginning, or of a session its place among the
/// partial rows; how often it was given; whether something of it was not.
pub(crate) type Mark = (i64, u32, bool);

/// Panes, and the windows that are not done yet.
pub(crate) struct Panes {
    aggregation: Arc<Aggregation>,
    hop: Hop,
    keys: Keys,
    folder: Folder,
    /// The parts of each pane.
    panes: BTreeMap<i64, Vec<Part>>,
    /// Nodes above the panes, by level and number.
    nodes: HashMap<(u32, i64), Arc<Part>>,
    /// Beginnings of windows of which there are rows that were not given.
    pending: BTreeSet<i64>,
    /// Windows that were given and may be again, by their beginnings: how often they were.
    given: BTreeMap<i64, u32>,
    /// Windows that end so long before are never given again.
    done: i64,
    /// Bytes of panes and nodes.
    bytes: usize,
    /// Where the next window comes from the one before, if it can.
    running: Option<Running>,
}

impl Panes {
    pub(crate) fn new(aggregation: Arc<Aggregation>, hop: Hop) -> Result<Self> {
        let running = match hop.panes_of_one() >= RUNNING_PANES {
            true => Running::new(&aggregation),
            false => None,
        };
        Ok(Self {
            keys: Keys::new(Arc::clone(&aggregation.key_schema))?,
            aggregation,
            hop,
            folder: Folder::default(),
            panes: BTreeMap::new(),
            nodes: HashMap::new(),
            pending: BTreeSet::new(),
            given: BTreeMap::new(),
            done: i64::MIN,
            bytes: 0,
            running,
        })
    }

    /// Takes in partial rows, which are in the order of their panes.
    pub(crate) fn insert(&mut self, rows: &RecordBatch) -> Result<()> {
        let (keys, states) = self.aggregation.keys_and_states(rows);
        let keys = self.keys.intern(keys, rows.num_rows())?;
        let panes = rows.column(0).as_primitive::<Int64Type>().values();
        let mut begin = 0;
        for same in panes.chunk_by(|one, next| one == next) {
            let end = begin + same.len();
            let part = Part {
                keys: keys[begin..end].into(),
                states: states
                    .iter()
                    .map(|state| state.slice(begin, same.len()))
                    .collect(),
            };
            self.add(same[0], part);
            begin = end;
        }
        Ok(())
    }

    fn add(&mut self, pane: i64, part: Part) {
        self.bytes += part.size();
        if let Some(running) = &mut self.running
            && running.panes.contains(&pane)
        {
            // What it holds of this pane could not be taken away any more.
            running.clear();
        }
        self.panes.entry(pane).or_default().push(part);
        for level in 1..=self.highest() {
            if let Some(node) = self.nodes.remove(&(level, pane >> level)) {
                self.bytes -= node.size();
            }
        }
        let (hop, done) = (self.hop, self.done);
        let open = hop.starts(pane).filter(|&start| hop.end(start) > done);
        self.pending.extend(open);
    }

    /// The highest level of nodes that fit into a window.
    fn highest(&self) -> u32 {
        self.hop.panes_of_one().ilog2()
    }

    /// The rows of the next window that ends at a time or before; None if there is none.
    pub(crate) fn close(&mut self, watermark: i64) -> Result<Option<Closed>> {
        let Some(start) = self.pending.first().copied() else {
            return Ok(None);
        };
        let end = self.hop.end(start);
        if end > watermark {
            return Ok(None);
        }
        self.pending.remove(&start);
        let (keys, values) = self.window(self.hop.panes(start))?;
        let picked = match self.aggregation.top {
            Some(top) => top.pick(&values)?,
            None => None,
        };
        let (keys, values) = match picked {
            Some(rows) => {
                let keys = rows
                    .values()
                    .iter()
                    .map(|&row| keys[row as usize])
                    .collect();
                (keys, take_arrays(&values, &rows, None)?)
            }
            None => (keys, values),
        };
        let rows = keys.len();
        let keys = self.keys.take(&keys)?;
        let rows = self
            .aggregation
            .result(vec![start; rows], vec![end; rows], keys, values)?;
        let given = self.given.entry(start).or_insert(0);
        let revision = *given;
        *given += 1;
        Ok(Some(Closed {
            end,
            revision,
            rows,
        }))
    }

    /// The numbers of the keys that have rows in some panes, and their values.
    fn window(&mut self, panes: Range<i64>) -> Result<(Vec<u32>, Vec<ArrayRef>)> {
        if let Some(mut running) = self.running.take() {
            let keys = self.keys.len();
            running.go_to(&panes, keys, |pane| self.pane(pane))?;
            let values = running.values(self.aggregation.top.as_ref());
            self.running = Some(running);
            return Ok(values);
        }
        let nodes = self.nodes_of(panes)?;
        let parts: Vec<&Part> = nodes.iter().map(AsRef::as_ref).collect();
        let keys = self.keys.len();
        self.folder.fold(&self.aggregation, &parts, keys)?.values()
    }

    /// Forgets windows that end at a time or before: they are not given again.
    pub(crate) fn forget(&mut self, done: i64) -> Result<()> {
        self.done = self.done.max(done);
        while let Some((&start, _)) = self.given.first_key_value()
            && self.hop.end(start) <= done
        {
            self.given.pop_first();
        }
        let hop = self.hop;
        let mut forgot = false;
        while let Some(entry) = self.panes.first_entry()
            && hop.last_end(*entry.key()).is_none_or(|end| end <= done)
        {
            let pane = *entry.key();
            let parts = entry.remove();
            if let (Some(running), [part]) = (&mut self.running, parts.as_slice()) {
                running.leave(pane, part)?;
            }
            self.bytes -= parts.iter().map(Part::size).sum::<usize>();
            forgot = true;
        }
        if !forgot {
            return Ok(());
        }
        let first = self
            .panes
            .first_key_value()
            .map_or(i64::MAX, |(&pane, _)| pane);
        let bytes = &mut self.bytes;
        self.nodes.retain(|&(level, number), node| {
            let stays = ((number + 1) << level) > first;
            if !stays {
                *bytes -= node.size();
            }
            stays
        });
        self.forget_keys()
    }

    /// Forgets keys of which there are no rows any more, if they are many.
    fn forget_keys(&mut self) -> Result<()> {
        let parts = self.panes.values().flatten();
        let alive = parts.flat_map(|part| part.keys.iter().copied());
        let Some(numbers) = self.keys.forget(alive)? else {
            return Ok(());
        };
        if let Some(running) = &mut self.running {
            running.clear();
        }
        for part in self.panes.values_mut().flatten() {
            part.keys = part.keys.iter().map(|&key| numbers[key as usize]).collect();
        }
        // Nodes hold no other keys than panes, and are folded again when they are needed.
        self.bytes -= self
            .nodes
            .drain()
            .map(|(_, node)| node.size())
            .sum::<usize>();
        Ok(())
    }

    /// The largest nodes that hold some panes together.
    fn nodes_of(&mut self, panes: Range<i64>) -> Result<Vec<Arc<Part>>> {
        let mut nodes = Vec::new();
        let mut pane = panes.start;
        while pane < panes.end {
            let fits = (panes.end - pane).ilog2();
            let level = pane.trailing_zeros().min(fits);
            nodes.extend(self.node(level, pane >> level)?);
            pane += 1 << level;
        }
        Ok(nodes)
    }

    /// What a node holds; None if that is nothing.
    fn node(&mut self, level: u32, number: i64) -> Result<Option<Arc<Part>>> {
        if level == 0 {
            return self.pane(number);
        }
        if let Some(node) = self.nodes.get(&(level, number)) {
            return Ok(Some(Arc::clone(node)));
        }
        let first = number << level;
        if self
            .panes
            .range(first..first + (1 << level))
            .next()
            .is_none()
        {
            return Ok(None);
        }
        let halves = [
            self.node(level - 1, number * 2)?,
            self.node(level - 1, number * 2 + 1)?,
        ];
        let node = match halves {
            [Some(left), Some(right)] => Arc::new(self.fold(&[&left, &right])?),
            [half, None] | [None, half] => return Ok(half),
        };
        self.bytes += node.size();
        self.nodes.insert((level, number), Arc::clone(&node));
        Ok(Some(node))
    }

    fn pane(&mut self, pane: i64) -> Result<Option<Arc<Part>>> {
        let Some(parts) = self.panes.get_mut(&pane) else {
            return Ok(None);
        };
        if parts.len() > 1 {
            let parts = std::mem::take(parts);
            self.bytes -= parts.iter().map(Part::size).sum::<usize>();
            let parts: Vec<_> = parts.iter().collect();
            let folded = self.fold(&parts)?;
            self.bytes += folded.size();
            self.panes.insert(pane, vec![folded]);
        }
        let part = self.panes.get(&pane).and_then(|parts| parts.first());
        Ok(part.cloned().map(Arc::new))
    }

    fn fold(&mut self, parts: &[&Part]) -> Result<Part> {
        self.folder
            .fold(&self.aggregation, parts, self.keys.len())?
            .part()
    }

    /// All partial rows that are held.
    pub(crate) fn partial_rows(&mut self) -> Result<Vec<RecordBatch>> {
        let mut rows = Vec::new();
        for (&pane, parts) in &self.panes {
            for part in parts {
                let pane = Int64Array::from_value(pane, part.keys.len());
                let mut columns: Vec<ArrayRef> = vec![Arc::new(pane)];
                columns.extend(self.keys.take(&part.keys)?);
                columns.extend(part.states.iter().cloned());
                let schema = Arc::clone(&self.aggregation.partial_schema);
                rows.push(RecordBatch::try_new(schema, columns)?);
            }
        }
        Ok(rows)
    }

    /// The windows of which something is pending or was given: beginning, how often they were given,
    /// and whether something is pending.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        let pending = self.pending.iter().map(|start| (*start, 0, true));
        let given = self.given.iter();
        let given = given.map(|(start, given)| (*start, *given, self.pending.contains(start)));
        let not_given = pending.filter(|(start, ..)| !self.given.contains_key(start));
        given.chain(not_given).collect()
    }

    /// Goes on with what was kept: the marks of its windows, after its partial rows.
    pub(crate) fn resume(&mut self, marks: &[Mark], done: i64) {
        let pending = marks.iter().filter(|(_, _, pending)| *pending);
        self.pending = pending.map(|(start, ..)| *start).collect();
        let given = marks.iter().filter(|(_, given, _)| *given > 0);
        self.given = given.map(|(start, given, _)| (*start, *given)).collect();
        self.done = done;
    }

    /// Bytes that are held.
    pub(crate) fn size(&self) -> usize {
        self.bytes + self.keys.size() + self.running.as_ref().map_or(0, Running::size)
    }
}
