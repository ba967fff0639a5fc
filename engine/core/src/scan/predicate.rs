//! The predicate of a scan, and what of it can be asked before columns are built.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, DynamicFilterTracking, Literal};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{conjunction, split_conjunction};
use datafusion::physical_expr_common::physical_expr::{
    snapshot_generation, snapshot_physical_expr,
};
use datafusion::physical_plan::PhysicalExpr;
use loglens_parsers::field::Kind;
use loglens_parsers::filter::{FieldPredicate, FieldTest, Literals};
use loglens_parsers::table::{ColumnSource, Table};

use super::columns::{LogColumn, LogColumns};
use super::{literals, members, tests_of_fields};

/// What every row must satisfy: a conjunction over the columns of the log table, by their index.
#[derive(Debug, Clone, Default)]
pub(crate) struct Predicate {
    conjuncts: Vec<Arc<dyn PhysicalExpr>>,
}

impl Predicate {
    pub(crate) fn and(&mut self, expression: &Arc<dyn PhysicalExpr>) {
        let conjuncts = split_conjunction(expression).into_iter().cloned();
        self.conjuncts.extend(conjuncts);
    }

    /// The same, looking at columns within structs by themselves.
    pub(super) fn narrowed(self, columns: &LogColumns) -> Self {
        let conjuncts = self.conjuncts.into_iter();
        let narrowed = conjuncts
            .map(|conjunct| members::narrowed(Arc::clone(&conjunct), columns).unwrap_or(conjunct));
        Self {
            conjuncts: narrowed.collect(),
        }
    }

    pub(crate) fn conjuncts(&self) -> &[Arc<dyn PhysicalExpr>] {
        &self.conjuncts
    }

    /// The columns that it looks at.
    pub(crate) fn columns(&self) -> Vec<usize> {
        let columns = self.conjuncts.iter().flat_map(collect_columns);
        let columns: BTreeSet<_> = columns.map(|column| column.index()).collect();
        columns.into_iter().collect()
    }

    /// A number that changes when a dynamic filter in it does.
    pub(crate) fn generation(&self) -> u64 {
        self.conjuncts.iter().map(snapshot_generation).sum()
    }

    /// Says how the parts of the predicate are asked, as it is now.
    pub(crate) fn plan(&self, table: &Table, columns: &LogColumns) -> Result<FilterPlan> {
        let mut plan = FilterPlan::default();
        let mut rest = Vec::new();
        for conjunct in &self.conjuncts {
            let is_dynamic = DynamicFilterTracking::classify(conjunct).contains_dynamic_filter();
            let now = snapshot_physical_expr(Arc::clone(conjunct))?;
            for conjunct in split_conjunction(&now) {
                // What changes from now on is no literal: it would be searched for in vain.
                if !is_dynamic && let Some(found) = literals::of(conjunct, table, columns) {
                    plan.literals = Some(match plan.literals.take() {
                        Some(literals) => literals.rarer(found),
                        None => found,
                    });
                }
                plan.times.extend(times(conjunct, table, columns));
                if !is_true(conjunct) && !plan.ask_field(conjunct, table, columns) {
                    rest.push(Arc::clone(conjunct));
                }
            }
        }
        if !rest.is_empty() {
            plan.rest = Some(Rest::new(conjunction(rest))?);
        }
        Ok(plan)
    }
}

/// A conjunction, in the order in which its parts are asked.
#[derive(Debug, Default)]
pub(crate) struct FilterPlan {
    /// Texts that are searched for before fields are found.
    pub(crate) literals: Option<Literals>,
    /// Tests of fields, and the names of their columns.
    pub(crate) fields: Vec<(String, FieldPredicate)>,
    /// What needs columns.
    pub(crate) rest: Option<Rest>,
    /// Ranges of event times, in microseconds since 1970, of which every row lies in one; of each
    /// test of a time.
    times: Vec<Vec<RangeInclusive<i64>>>,
}

impl FilterPlan {
    /// Takes the conjunct for a test of a field, if it is one that can be asked of bytes.
    fn ask_field(
        &mut self,
        conjunct: &Arc<dyn PhysicalExpr>,
        table: &Table,
        columns: &LogColumns,
    ) -> bool {
        let Some((column, test)) = tests_of_fields::of(conjunct) else {
            return false;
        };
        let Some(source) = parsed_from(column, table, columns) else {
            return false;
        };
        match FieldPredicate::new(table, source, test) {
            Some(predicate) => {
                let name = columns.field(column).name();
                self.fields.push((name.clone(), predicate));
                true
            }
            None => false,
        }
    }

    /// The times at most that events have which are wanted.
    pub(crate) fn times_at_most(&self) -> RangeInclusive<i64> {
        let spans = self.times.iter().map(|ranges| {
            let first = ranges.iter().map(|range| *range.start()).min();
            let last = ranges.iter().map(|range| *range.end()).max();
            // Of no range at all, nothing is wanted.
            first.unwrap_or(i64::MAX)..=last.unwrap_or(i64::MIN)
        });
        spans.fold(i64::MIN..=i64::MAX, |both, span| {
            *both.start().max(span.start())..=*both.end().min(span.end())
        })
    }

    /// Whether any event of this time span may be wanted.
    pub(crate) fn may_want(&self, span: &RangeInclusive<i64>) -> bool {
        let overlaps = |range: &RangeInclusive<i64>| {
            range.start() <= span.end() && span.start() <= range.end()
        };
        self.times.iter().all(|ranges| ranges.iter().any(overlaps))
    }
}

/// Where a column comes from, if the bytes alone give it.
fn parsed_from(column: usize, table: &Table, columns: &LogColumns) -> Option<ColumnSource> {
    match *columns.column(column) {
        LogColumn::Parsed(index) => table.source(index),
        _ => None,
    }
}

/// Ranges of event times of which one holds that of every row for which the expression is true;
/// None if it can be true at any time.
fn times(
    expression: &Arc<dyn PhysicalExpr>,
    table: &Table,
    columns: &LogColumns,
) -> Option<Vec<RangeInclusive<i64>>> {
    if let Some((column, FieldTest::Integer(ranges))) = tests_of_fields::of(expression) {
        let unit = micros_in(table, parsed_from(column, table, columns)?)?;
        let micros = |range: &RangeInclusive<i64>| {
            let end = range.end().saturating_add(1).saturating_mul(unit);
            range.start().saturating_mul(unit)..=end
        };
        return Some(ranges.iter().map(micros).collect());
    }
    let binary = expression.downcast_ref::<BinaryExpr>()?;
    let left = times(binary.left(), table, columns);
    let right = times(binary.right(), table, columns);
    match binary.op() {
        Operator::And => left.or(right),
        Operator::Or => Some([left?, right?].concat()),
        _ => None,
    }
}

/// How many microseconds one of a column of event times is.
fn micros_in(table: &Table, source: ColumnSource) -> Option<i64> {
    match source {
        ColumnSource::EventTime => Some(1),
        ColumnSource::Format(column) => {
            let is_time = table.format.event_time.iter().any(|path| *path == [column]);
            let seconds = table.format.columns[column].kind == Kind::UnixSeconds;
            (is_time && seconds).then_some(1_000_000)
        }
        _ => None,
    }
}

fn is_true(conjunct: &Arc<dyn PhysicalExpr>) -> bool {
    conjunct
        .downcast_ref::<Literal>()
        .is_some_and(|literal| *literal.value() == ScalarValue::Boolean(Some(true)))
}

/// An expression over some columns of the log table.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    /// The expression; its column indexes are those of `columns`.
    pub(crate) expression: Arc<dyn PhysicalExpr>,
    /// Columns of the log table that it looks at.
    pub(crate) columns: Vec<usize>,
}

impl Rest {
    pub(super) fn new(expression: Arc<dyn PhysicalExpr>) -> Result<Self> {
        let columns: BTreeSet<_> = collect_columns(&expression)
            .iter()
            .map(Column::index)
            .collect();
        let columns: Vec<_> = columns.into_iter().collect();
        let place = |index| columns.iter().position(|&column| column == index);
        let expression = with_columns(expression, place)?;
        Ok(Self {
            expression,
            columns,
        })
    }
}

/// The expression with the indexes of its columns replaced; where there is none, it stays.
pub(crate) fn with_columns(
    expression: Arc<dyn PhysicalExpr>,
    index: impl Fn(usize) -> Option<usize>,
) -> Result<Arc<dyn PhysicalExpr>> {
    let replaced = expression.transform_down(|expression| {
        let column = expression.downcast_ref::<Column>();
        Ok(
            match column.and_then(|column| Some((column.name(), index(column.index())?))) {
                Some((name, index)) => Transformed::yes(Arc::new(Column::new(name, index)) as _),
                None => Transformed::no(expression),
            },
        )
    })?;
    Ok(replaced.data)
}

impl fmt::Display for FilterPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(literals) = &self.literals {
            let texts: Vec<_> = literals
                .texts()
                .map(|text| format!("\"{}\"", String::from_utf8_lossy(text)))
                .collect();
            write!(f, ", literals=[{}]", texts.join(", "))?;
        }
        if !self.fields.is_empty() {
            write!(f, ", fields=[")?;
            for (index, (name, predicate)) in self.fields.iter().enumerate() {
                let comma = if index > 0 { ", " } else { "" };
                write!(f, "{comma}{name} {}", predicate.test())?;
            }
            write!(f, "]")?;
        }
        if let Some(rest) = &self.rest {
            write!(f, ", filter={}", rest.expression)?;
        }
        Ok(())
    }
}
