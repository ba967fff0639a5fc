//! Sessions: windows of one key that end when nothing came for a while.
//!
//! Rows of a key in one pane, which is as wide as the gap, lie in one session. So partial rows are
//! sessions already, with their first and last times, and those that touch become one.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch};
use datafusion::arrow::compute::{concat, filter};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::Result;

use super::aggregation::Aggregation;
use super::fold::{Part, merge, states, values};
use super::keys::Keys;
use super::panes::{Closed, Mark};

/// Sessions that are not done yet.
pub(crate) struct Sessions {
    aggregation: Arc<Aggregation>,
    gap: i64,
    keys: Keys,
    open: Open,
}

/// Sessions, in no order.
#[derive(Clone)]
struct Open {
    part: Part,
    spans: Vec<Span>,
}

/// The times of a session, and what was given of it.
#[derive(Debug, Clone, Copy)]
struct Span {
    first: i64,
    last: i64,
    /// How often it, or a part of it, was given.
    given: u32,
    /// It has rows that were not given.
    pending: bool,
}

impl Sessions {
    pub(crate) fn new(aggregation: Arc<Aggregation>, gap: i64) -> Result<Self> {
        let part = Part {
            keys: Arc::default(),
            states: states(&mut aggregation.accumulators()?)?,
        };
        Ok(Self {
            keys: Keys::new(Arc::clone(&aggregation.key_schema))?,
            open: Open {
                part,
                spans: Vec::new(),
            },
            aggregation,
            gap,
        })
    }

    /// Takes in partial rows.
    pub(crate) fn insert(&mut self, rows: &RecordBatch) -> Result<()> {
        let new = self.read(rows)?;
        let mut touched = vec![false; self.keys.len()];
        for &key in &*new.part.keys {
            touched[key as usize] = true;
        }
        let is_touched = |key: u32| touched[key as usize];
        let same = self.open.those(|key, _| is_touched(key))?;
        let rest = self.open.those(|key, _| !is_touched(key))?;
        let joined = self.join(&Open::concat(&[same, new])?)?;
        self.open = Open::concat(&[rest, joined])?;
        Ok(())
    }

    /// Partial rows as sessions.
    fn read(&mut self, rows: &RecordBatch) -> Result<Open> {
        let (keys, states) = self.aggregation.keys_and_states(rows);
        let keys = self.keys.intern(keys, rows.num_rows())?;
        let times = [1, 2].map(|column| rows.column(column).as_primitive::<Int64Type>().values());
        let spans = times[0].iter().zip(times[1].iter());
        let spans = spans.map(|(&first, &last)| Span {
            first,
            last,
            given: 0,
            pending: true,
        });
        Ok(Open {
            spans: spans.collect(),
            part: Part {
                keys: keys.into(),
                states: states.to_vec(),
            },
        })
    }

    /// Joins sessions of a key that touch.
    fn join(&self, sessions: &Open) -> Result<Open> {
        let keys = &sessions.part.keys;
        let mut order: Vec<u32> = (0..keys.len() as u32).collect();
        order.sort_unstable_by_key(|&row| {
            let row = row as usize;
            (keys[row], sessions.spans[row].first)
        });
        let mut of_rows = vec![0; keys.len()];
        let (mut joined_keys, mut spans) = (Vec::new(), Vec::<Span>::new());
        for row in order {
            let row = row as usize;
            let (key, span) = (keys[row], sessions.spans[row]);
            match spans.last_mut() {
                Some(before)
                    if joined_keys.last() == Some(&key)
                        && span.first.saturating_sub(before.last) < self.gap =>
                {
                    before.last = before.last.max(span.last);
                    before.given = before.given.max(span.given);
                    before.pending = true;
                }
                _ => {
                    joined_keys.push(key);
                    spans.push(span);
                }
            }
            of_rows[row] = spans.len() - 1;
        }
        let mut accumulators = self.aggregation.accumulators()?;
        let rows = &sessions.part.states;
        merge(
            &self.aggregation,
            &mut accumulators,
            rows,
            &of_rows,
            spans.len(),
        )?;
        Ok(Open {
            part: Part {
                keys: joined_keys.into(),
                states: states(&mut accumulators)?,
            },
            spans,
        })
    }

    /// The rows of all sessions that ended at a time or before and were not given.
    pub(crate) fn close(&mut self, watermark: i64) -> Result<Option<Closed>> {
        let ends = |span: &Span| span.pending && span.last.saturating_add(self.gap) <= watermark;
        let Some(revision) = self
            .open
            .spans
            .iter()
            .filter(|span| ends(span))
            .map(|span| span.given)
            .min()
        else {
            return Ok(None);
        };
        // Those that were given as often are given together.
        let closes = |span: &Span| ends(span) && span.given == revision;
        let closed = self.open.those(|_, span| closes(span))?;
        for span in &mut self.open.spans {
            if closes(span) {
                span.pending = false;
                span.given += 1;
            }
        }
        let mut accumulators = self.aggregation.accumulators()?;
        let of_rows: Vec<_> = (0..closed.spans.len()).collect();
        merge(
            &self.aggregation,
            &mut accumulators,
            &closed.part.states,
            &of_rows,
            of_rows.len(),
        )?;
        let bounds = closed.spans.iter();
        let (starts, ends) = bounds
            .map(|span| (span.first, span.last.saturating_add(self.gap)))
            .unzip();
        let keys = self.keys.take(&closed.part.keys)?;
        let rows = self
            .aggregation
            .result(starts, ends, keys, values(&mut accumulators)?)?;
        Ok(Some(Closed {
            end: watermark,
            revision,
            rows,
        }))
    }

    /// Forgets sessions that ended at a time or before: they are not given again.
    pub(crate) fn forget(&mut self, done: i64) -> Result<()> {
        let gap = self.gap;
        let is_done = |span: &Span| !span.pending && span.last.saturating_add(gap) <= done;
        if !self.open.spans.iter().any(is_done) {
            return Ok(());
        }
        self.open = self.open.those(|_, span| !is_done(span))?;
        let alive = self.open.part.keys.iter().copied();
        let Some(numbers) = self.keys.forget(alive)? else {
            return Ok(());
        };
        let keys = self.open.part.keys.iter();
        self.open.part.keys = keys.map(|&key| numbers[key as usize]).collect();
        Ok(())
    }

    /// All partial rows that are held.
    pub(crate) fn partial_rows(&mut self) -> Result<Vec<RecordBatch>> {
        let Open { part, spans } = &self.open;
        let numbers = |of: fn(&Span, i64) -> i64| {
            let gap = self.gap;
            Arc::new(Int64Array::from_iter_values(
                spans.iter().map(|span| of(span, gap)),
            )) as ArrayRef
        };
        let mut columns = vec![
            numbers(|span, gap| span.first.div_euclid(gap)),
            numbers(|span, _| span.first),
            numbers(|span, _| span.last),
        ];
        columns.extend(self.keys.take(&part.keys)?);
        columns.extend(part.states.iter().cloned());
        let schema = Arc::clone(&self.aggregation.partial_schema);
        Ok(vec![RecordBatch::try_new(schema, columns)?])
    }

    /// How often each session was given and whether something of it is pending, in the order of the
    /// partial rows.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        let spans = (0..).zip(&self.open.spans);
        spans
            .map(|(at, span)| (at, span.given, span.pending))
            .collect()
    }

    /// Goes on with what was kept: partial rows and their marks.
    pub(crate) fn resume(&mut self, rows: &[RecordBatch], marks: &[Mark]) -> Result<()> {
        let mut marks = marks.iter();
        for rows in rows {
            let mut open = self.read(rows)?;
            for (span, (_, given, pending)) in open.spans.iter_mut().zip(marks.by_ref()) {
                (span.given, span.pending) = (*given, *pending);
            }
            self.open = Open::concat(&[self.open.clone(), open])?;
        }
        Ok(())
    }

    /// Bytes that are held.
    pub(crate) fn size(&self) -> usize {
        self.open.part.size() + size_of_val(&*self.open.spans) + self.keys.size()
    }
}

impl Open {
    /// Those of which something holds.
    fn those(&self, holds: impl Fn(u32, &Span) -> bool) -> Result<Self> {
        let spans = self.part.keys.iter().zip(&self.spans);
        let holds: BooleanArray = spans.map(|(&key, span)| Some(holds(key, span))).collect();
        let rows: Vec<usize> = holds.values().set_indices().collect();
        let states = self.part.states.iter().map(|state| filter(state, &holds));
        Ok(Self {
            part: Part {
                keys: rows.iter().map(|&row| self.part.keys[row]).collect(),
                states: states.collect::<std::result::Result<_, _>>()?,
            },
            spans: rows.iter().map(|&row| self.spans[row]).collect(),
        })
    }

    fn concat(all: &[Self; 2]) -> Result<Self> {
        let [one, other] = all;
        let states = one.part.states.iter().zip(&other.part.states);
        let states = states.map(|(one, other)| concat(&[&**one, &**other]));
        let keys = one.part.keys.iter().chain(&*other.part.keys);
        Ok(Self {
            part: Part {
                keys: keys.copied().collect(),
                states: states.collect::<std::result::Result<_, _>>()?,
            },
            spans: [&*one.spans, &*other.spans].concat(),
        })
    }
}
