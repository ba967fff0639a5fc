//! Whether a statement means the same over a stream as over all of its rows together.
//!
//! It does if each row can be answered when it comes, or when its window closes. What must see
//! everything first is refused, with the form to write instead.

use std::collections::HashMap;

use datafusion::common::{Column, JoinType};
use datafusion::logical_expr::expr::{ScalarFunction, WindowFunction};
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::error::{Error, Owner};
use crate::windows::functions::{END, START};
use crate::windows::node::WindowAggregate;
use crate::windows::spec::Windows;

/// What a part of a plan gives.
#[derive(Debug, Default)]
pub(super) struct Meaning {
    /// It has rows of the stream.
    pub(super) streams: bool,
    /// They are rows of windows, each of which is complete when it comes.
    pub(super) windows: Option<Windows>,
    /// Columns that say which window a row is of.
    bounds: HashMap<Column, Bound>,
}

/// What of a window, or of its rows, a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Window,
    Start,
    End,
    /// What the rows of a window are grouped by.
    Key,
}

/// What columns of rows of windows are, by their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// Where the end of the window stands.
    pub window_end: Option<usize>,
    /// What tells the rows of a window apart, as far as it is in them.
    pub keys: Vec<usize>,
}

/// What a plan means; an error if that is not the same over a stream. `is_stream` says whether a
/// table is read as one.
pub(super) fn of(plan: &LogicalPlan, is_stream: &dyn Fn(&str) -> bool) -> Result<Meaning, Error> {
    let meaning = |plan| of(plan, is_stream);
    match plan {
        LogicalPlan::TableScan(scan) => Ok(Meaning {
            streams: is_stream(scan.table_name.table()),
            ..Meaning::default()
        }),
        LogicalPlan::Extension(extension) => {
            match extension.node.as_any().downcast_ref::<WindowAggregate>() {
                Some(node) => window(node, &meaning(&node.input)?),
                None => refuse("this statement", "SELECT columns, or GROUP BY a window"),
            }
        }
        LogicalPlan::Projection(projection) => {
            let mut input = meaning(&projection.input)?;
            let names = projection.schema.columns();
            let bounds = projection.expr.iter().zip(names);
            let bounds = bounds.filter_map(|(expr, name)| Some((name, input.bound(expr)?)));
            input.bounds = bounds.collect();
            Ok(input)
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let mut input = meaning(&alias.input)?;
            let inner = alias.input.schema().columns().into_iter();
            let names = inner.zip(alias.schema.columns());
            let bounds = names.filter_map(|(inner, name)| Some((name, *input.bounds.get(&inner)?)));
            input.bounds = bounds.collect();
            Ok(input)
        }
        LogicalPlan::Filter(filter) => meaning(&filter.input),
        LogicalPlan::Unnest(unnest) => meaning(&unnest.input),
        LogicalPlan::Repartition(repartition) => meaning(&repartition.input),
        LogicalPlan::Subquery(subquery) => meaning(&subquery.subquery),
        LogicalPlan::Aggregate(aggregate) => {
            let input = meaning(&aggregate.input)?;
            bounded(
                input,
                "GROUP BY, or an aggregate, without a window",
                "GROUP BY tumble(event_time, INTERVAL '5' MINUTE), ...",
            )
        }
        LogicalPlan::Distinct(distinct) => bounded(
            meaning(distinct.input())?,
            "DISTINCT",
            "GROUP BY tumble(event_time, INTERVAL '5' MINUTE), and the columns",
        ),
        LogicalPlan::Limit(limit) => bounded(
            meaning(&limit.input)?,
            "LIMIT",
            "the top of each window: QUALIFY row_number() OVER (PARTITION BY window_end ORDER BY ... DESC) <= 10",
        ),
        LogicalPlan::Sort(sort) => {
            let input = meaning(&sort.input)?;
            let first = sort.expr.first();
            let by_window = first.is_some_and(|first| first.asc && input.says_window(&first.expr));
            match input.streams && !(by_window && sort.fetch.is_none()) {
                true => refuse(
                    "ORDER BY",
                    "ORDER BY window_end, ... without LIMIT, or QUALIFY row_number() OVER (PARTITION BY window_end ORDER BY ... DESC) <= 10",
                ),
                false => Ok(input),
            }
        }
        LogicalPlan::Window(window) => {
            let input = meaning(&window.input)?;
            let within = window
                .window_expr
                .iter()
                .all(|expr| is_within(expr, &input));
            match input.streams && !within {
                true => refuse(
                    "OVER (...)",
                    "OVER (PARTITION BY window_end ...) in a query that groups by a window",
                ),
                false => Ok(input),
            }
        }
        LogicalPlan::Join(join) => {
            let sides = (meaning(&join.left)?, meaning(&join.right)?);
            let (left, right) = (sides.0.streams, sides.1.streams);
            let keeps = match join.join_type {
                JoinType::Inner => true,
                JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
                    left
                }
                JoinType::Right
                | JoinType::RightSemi
                | JoinType::RightAnti
                | JoinType::RightMark => right,
                JoinType::Full => false,
            };
            match (left, right) {
                (false, false) => Ok(sides.0),
                (true, true) => refuse(
                    "a join of a stream with itself",
                    "join it with a table that is no log: VALUES, Parquet",
                ),
                _ if !keeps => refuse(
                    "a join that keeps the rows of the other table",
                    "INNER JOIN",
                ),
                (true, false) => Ok(sides.0),
                (false, true) => Ok(sides.1),
            }
        }
        LogicalPlan::Union(union) => {
            let mut all = Meaning::default();
            for input in &union.inputs {
                let input = meaning(input)?;
                if input.windows.is_some() {
                    return refuse("a UNION of windows", "a statement for each");
                }
                all.streams |= input.streams;
            }
            Ok(all)
        }
        LogicalPlan::EmptyRelation(_) | LogicalPlan::Values(_) => Ok(Meaning::default()),
        _ => refuse("this statement", "SELECT columns, or GROUP BY a window"),
    }
}

fn window(node: &WindowAggregate, input: &Meaning) -> Result<Meaning, Error> {
    if input.windows.is_some() {
        return refuse("a window over a window", "one of them");
    }
    let keys = node.schema.columns().into_iter().take(node.keys.len() + 1);
    let bounds = keys.enumerate().map(|(place, key)| match place {
        _ if place == node.place => (key, Bound::Window),
        _ => (key, Bound::Key),
    });
    Ok(Meaning {
        streams: input.streams,
        windows: input.streams.then_some(node.windows),
        bounds: bounds.collect(),
    })
}

/// What must see all rows first is right where they have an end.
fn bounded(input: Meaning, what: &str, instead: &str) -> Result<Meaning, Error> {
    match input.streams {
        true => refuse(what, instead),
        false => Ok(input),
    }
}

fn refuse(what: &str, instead: &str) -> Result<Meaning, Error> {
    let message = format!("{what} has no answer on a stream, which has no end");
    Err(Error::new(Owner::Query, message).hint(format!("write {instead}; or ask `loglens query`")))
}

/// Whether a window function stays within windows.
fn is_within(expr: &Expr, input: &Meaning) -> bool {
    match expr {
        Expr::Alias(alias) => is_within(&alias.expr, input),
        Expr::WindowFunction(function) => {
            let WindowFunction { params, .. } = &**function;
            params.partition_by.iter().any(|key| input.says_window(key))
        }
        _ => false,
    }
}

impl Meaning {
    /// Whether an expression has one value for all rows that come together, and another for the
    /// next.
    fn says_window(&self, expr: &Expr) -> bool {
        match (self.windows, self.bound(expr)) {
            (_, Some(Bound::Key)) => false,
            (Some(Windows::Hop { .. }), Some(_)) => true,
            // Sessions come in the order of their ends.
            (Some(Windows::Session { .. }), Some(bound)) => bound == Bound::End,
            _ => false,
        }
    }

    /// What the columns of a plan with this meaning are.
    pub(super) fn columns(&self, plan: &LogicalPlan) -> Columns {
        let columns = plan.schema().columns();
        let of = |bound| {
            let columns = columns.iter().enumerate();
            let columns =
                columns.filter(move |(_, column)| self.bounds.get(*column) == Some(&bound));
            columns.map(|(place, _)| place)
        };
        Columns {
            window_end: of(Bound::End).next(),
            keys: of(Bound::Key).collect(),
        }
    }

    fn bound(&self, expr: &Expr) -> Option<Bound> {
        match expr {
            Expr::Alias(alias) => self.bound(&alias.expr),
            Expr::Column(column) => self.bounds.get(column).copied(),
            Expr::ScalarFunction(ScalarFunction { func, args }) => {
                let of = args.first().and_then(|arg| self.bound(arg))?;
                match (of, func.name()) {
                    (Bound::Window, START) => Some(Bound::Start),
                    (Bound::Window, END) => Some(Bound::End),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
