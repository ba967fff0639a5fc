//! Texts that stand in the bytes of every record for which a conjunct is true.

use std::sync::Arc;

use datafusion::logical_expr::Operator;
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, InListExpr, LikeExpr};
use datafusion::physical_plan::PhysicalExpr;
use loglens_parsers::field::Kind;
use loglens_parsers::filter::Literals;
use loglens_parsers::format::Shape;
use loglens_parsers::table::{ColumnSource, Table};

use super::columns::{LogColumn, LogColumns};
use super::tests_of_fields::{text, value};

/// The literals of a conjunct; None if it has none.
pub(super) fn of(
    conjunct: &Arc<dyn PhysicalExpr>,
    table: &Table,
    columns: &LogColumns,
) -> Option<Literals> {
    let texts = Verbatim { table, columns }.texts(conjunct)?;
    match table.format.shape {
        Shape::Json { .. } => Literals::in_json(texts),
        _ => Literals::in_lines(texts),
    }
}

/// A table whose text columns have what the bytes have.
struct Verbatim<'a> {
    table: &'a Table,
    columns: &'a LogColumns,
}

impl Verbatim<'_> {
    /// Texts of which one stands in a record if the expression is true of it.
    fn texts<'a>(&self, expression: &'a Arc<dyn PhysicalExpr>) -> Option<Vec<&'a str>> {
        if let Some(binary) = expression.downcast_ref::<BinaryExpr>() {
            let (left, right) = (binary.left(), binary.right());
            return match binary.op() {
                Operator::Eq if self.is_column(left) => Some(vec![text(value(right)?)?]),
                Operator::Eq if self.is_column(right) => Some(vec![text(value(left)?)?]),
                Operator::And => self.texts(left).or_else(|| self.texts(right)),
                Operator::Or => {
                    let mut texts = self.texts(left)?;
                    texts.extend(self.texts(right)?);
                    Some(texts)
                }
                _ => None,
            };
        }
        if let Some(list) = expression.downcast_ref::<InListExpr>() {
            let known = !list.negated() && self.is_column(list.expr());
            let texts = list.list().iter().map(|item| text(value(item)?));
            return known.then(|| texts.collect()).flatten();
        }
        if let Some(like) = expression.downcast_ref::<LikeExpr>() {
            let known = !like.negated() && self.is_column(like.expr());
            return known
                .then(|| Some(vec![Pattern::of(like)?.longest()?]))
                .flatten();
        }
        let function = expression.downcast_ref::<ScalarFunctionExpr>()?;
        match function.args() {
            [column, prefix] if function.name() == "starts_with" && self.is_column(column) => {
                Some(vec![text(value(prefix)?)?])
            }
            _ => None,
        }
    }

    /// Whether the expression is a column of text, or one within a struct, that has what stands
    /// in the bytes.
    fn is_column(&self, expression: &Arc<dyn PhysicalExpr>) -> bool {
        let Some((column, members)) = path(expression) else {
            return false;
        };
        let LogColumn::Parsed(index) = *self.columns.column(column) else {
            return false;
        };
        // A column within a struct has become one of its own.
        let Some(source) = self.table.source(index).filter(|_| members.is_empty()) else {
            return false;
        };
        match self.table.column(source) {
            Some(column) => is_verbatim(column.kind),
            None => matches!(source, ColumnSource::Unknown(_)),
        }
    }
}

fn is_verbatim(kind: Kind) -> bool {
    match kind {
        Kind::Text
        | Kind::Raw
        | Kind::Ip
        | Kind::IsoTime
        | Kind::ClfTime
        | Kind::IpOfPair
        | Kind::RequestMethod
        | Kind::RequestUrl
        | Kind::RequestProtocol => true,
        Kind::Int32
        | Kind::Int64
        | Kind::Float64
        | Kind::UnixSeconds
        | Kind::PortOfPair
        | Kind::Json
        | Kind::Struct
        | Kind::List => false,
    }
}

/// A column and the names of the members that lead from it to the value.
pub(super) fn path(expression: &Arc<dyn PhysicalExpr>) -> Option<(usize, Vec<&str>)> {
    if let Some(column) = expression.downcast_ref::<Column>() {
        return Some((column.index(), Vec::new()));
    }
    let function = expression.downcast_ref::<ScalarFunctionExpr>()?;
    let (base, names) = function.args().split_first()?;
    if function.name() != "get_field" || names.is_empty() {
        return None;
    }
    let (column, mut members) = path(base)?;
    for name in names {
        members.push(text(value(name)?)?);
    }
    Some((column, members))
}

/// The pattern of a LIKE.
pub(super) struct Pattern<'a>(&'a str);

impl<'a> Pattern<'a> {
    /// None if case does not matter, the pattern is no literal, or it escapes something.
    pub(super) fn of(like: &'a LikeExpr) -> Option<Self> {
        let pattern = text(value(like.pattern())?)?;
        (!like.case_insensitive() && !pattern.contains('\\')).then_some(Self(pattern))
    }

    /// What stands between the `%`; None if any single character is allowed somewhere.
    pub(super) fn parts(&self) -> Option<Vec<&'a str>> {
        (!self.0.contains('_')).then(|| self.0.split('%').collect())
    }

    /// The longest text that is in everything that matches.
    fn longest(&self) -> Option<&'a str> {
        self.0.split(['%', '_']).max_by_key(|part| part.len())
    }
}
