//! What of a predicate can be asked of keys: of folders before they are listed, of objects before
//! they are read.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::datatypes::Schema;
use datafusion::common::Result;
use loglens_parsers::format::PartitionValue;
use loglens_parsers::key::{Delivery, KeyFacts};
use loglens_parsers::table::Table;

use super::columns::{KeyColumn, LogColumn, LogColumns};
use super::predicate::{FilterPlan, Predicate, Rest};
use crate::archive::days::LogFilter;

/// A predicate, as far as keys can answer it.
#[derive(Debug)]
pub(crate) struct KeyFilter {
    plan: FilterPlan,
    delivery: Delivery,
    tests: Vec<KeyTest>,
}

/// A conjunct over columns that come from keys.
#[derive(Debug)]
struct KeyTest {
    rest: Rest,
    schema: Arc<Schema>,
    columns: Vec<(KeyColumn, Source)>,
    /// Answers by the values of the columns: thousands of objects share a few.
    answers: Mutex<HashMap<Vec<Option<String>>, bool>>,
}

/// Where the values of a column that comes from keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Key,
    /// From the record, where it has one: it is that of the key then, or none.
    RecordOrKey,
}

impl KeyFilter {
    /// What keys can answer of a predicate on a table.
    pub(crate) fn new(predicate: &Predicate, table: &Table, columns: &LogColumns) -> Result<Self> {
        let mut tests = Vec::new();
        for conjunct in predicate.conjuncts() {
            let rest = Rest::new(Arc::clone(conjunct))?;
            let keys: Option<Vec<_>> = rest
                .columns
                .iter()
                .map(|&column| key_column(columns.column(column)))
                .collect();
            let Some(keys) = keys.filter(|keys| !keys.is_empty()) else {
                continue;
            };
            let fields = rest.columns.iter();
            let fields = fields.map(|&column| Arc::clone(columns.field(column)));
            tests.push(KeyTest {
                schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
                rest,
                columns: keys,
                answers: Mutex::default(),
            });
        }
        Ok(Self {
            plan: predicate.plan(table, columns)?,
            delivery: table.format.delivery,
            tests,
        })
    }

    /// Whether an object may hold what is wanted.
    pub(crate) fn wants_object(&self, facts: &KeyFacts) -> bool {
        let times = facts.event_times(self.delivery);
        times.is_none_or(|times| self.plan.may_want(&times))
            && self.tests.iter().all(|test| test.may_hold(facts, true))
    }
}

impl LogFilter for KeyFilter {
    fn days(&self) -> RangeInclusive<i32> {
        self.delivery.days(&self.plan.times_at_most())
    }

    fn wants_day(&self, day: i32) -> bool {
        self.plan.may_want(&self.delivery.times(day))
    }

    fn wants(&self, facts: &KeyFacts) -> bool {
        self.tests.iter().all(|test| test.may_hold(facts, false))
    }
}

/// The column of a key, if nothing but the key says what a record's value can be.
fn key_column(column: &LogColumn) -> Option<(KeyColumn, Source)> {
    match column {
        LogColumn::Key(key) => Some((key.clone(), Source::Key)),
        // A log is of one Region. Accounts can be others: those that share a network.
        LogColumn::ParsedOrKey(_, key) if key.value() == Some(PartitionValue::Region) => {
            Some((key.clone(), Source::RecordOrKey))
        }
        _ => None,
    }
}

impl KeyTest {
    /// Whether records of objects whose keys say this can satisfy the test; `complete` is whether
    /// keys say no more than this.
    fn may_hold(&self, facts: &KeyFacts, complete: bool) -> bool {
        let values = self.columns.iter().map(|(column, source)| {
            let value = column.text(facts);
            // What no key says, an envelope may.
            let is_all = complete && *source == Source::Key && column.origin().is_none();
            let is_known = value.is_some() || is_all;
            is_known.then_some(value)
        });
        let Some(values) = values.collect::<Option<Vec<_>>>() else {
            return true;
        };
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = answers.get(&values) {
            return *answer;
        }
        // What cannot be evaluated is left to the rows, which say why.
        let answer = self.ask(facts).unwrap_or(true);
        answers.insert(values, answer);
        answer
    }

    fn ask(&self, facts: &KeyFacts) -> Result<bool> {
        if self.holds(facts, false)? {
            return Ok(true);
        }
        // A record may have no value where its key has one.
        let or_null = self.columns.iter();
        let or_null = or_null
            .clone()
            .any(|(_, source)| *source == Source::RecordOrKey);
        Ok(or_null && self.holds(facts, true)?)
    }

    fn holds(&self, facts: &KeyFacts, nothing_in_record: bool) -> Result<bool> {
        let fields = self.schema.fields().iter();
        let arrays = self
            .columns
            .iter()
            .zip(fields)
            .map(|((column, source), field)| {
                if nothing_in_record && *source == Source::RecordOrKey {
                    Ok(new_null_array(field.data_type(), 1))
                } else {
                    column.array(facts, 1)
                }
            });
        let row = RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            arrays.collect::<Result<_>>()?,
            &RecordBatchOptions::new().with_row_count(Some(1)),
        )?;
        let answer = self.rest.expression.evaluate(&row)?.into_array(1)?;
        let answer = answer.as_boolean();
        Ok(answer.iter().next().flatten() == Some(true))
    }
}
