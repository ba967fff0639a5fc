//! Conjuncts that ask one column a question that its bytes answer.

use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal,
};
use datafusion::physical_plan::PhysicalExpr;
use loglens_parsers::filter::{FieldTest, TextTest};

use super::literals::Pattern;
use crate::functions::contains::Contains;

/// The column, by its index, and what is asked of it; None for anything else.
pub(super) fn of(conjunct: &Arc<dyn PhysicalExpr>) -> Option<(usize, FieldTest)> {
    if let Some(binary) = conjunct.downcast_ref::<BinaryExpr>() {
        if *binary.op() == Operator::Or {
            return either(of(binary.left())?, of(binary.right())?);
        }
        let (column, value, op) = match (column(binary.left()), column(binary.right())) {
            (Some(column), None) => (column, value(binary.right())?, *binary.op()),
            (None, Some(column)) => (column, value(binary.left())?, binary.op().swap()?),
            _ => return None,
        };
        return Some((column, comparison(op, value)?));
    }
    if let Some(list) = conjunct.downcast_ref::<InListExpr>() {
        let values: Option<Vec<_>> = list.list().iter().map(value).collect();
        return Some((column(list.expr())?, membership(&values?, list.negated())?));
    }
    if let Some(is_null) = conjunct.downcast_ref::<IsNullExpr>() {
        return Some((column(is_null.arg())?, FieldTest::IsNull));
    }
    if let Some(is_not_null) = conjunct.downcast_ref::<IsNotNullExpr>() {
        return Some((column(is_not_null.arg())?, FieldTest::IsNotNull));
    }
    if let Some(like) = conjunct.downcast_ref::<LikeExpr>() {
        let test = like_test(&Pattern::of(like)?)?;
        return Some((column(like.expr())?, FieldTest::Text(test, !like.negated())));
    }
    let function = conjunct.downcast_ref::<ScalarFunctionExpr>()?;
    match function.args() {
        [network, address] if function.fun().inner().is::<Contains>() => {
            let network = text(value(network)?)?.parse().ok()?;
            let test = TextTest::In(network);
            Some((column(address)?, FieldTest::Text(test, true)))
        }
        [haystack, prefix] if function.name() == "starts_with" => {
            let test = TextTest::StartsWith(bytes(text(value(prefix)?)?));
            Some((column(haystack)?, FieldTest::Text(test, true)))
        }
        _ => None,
    }
}

fn column(expression: &Arc<dyn PhysicalExpr>) -> Option<usize> {
    expression.downcast_ref::<Column>().map(Column::index)
}

pub(super) fn value(expression: &Arc<dyn PhysicalExpr>) -> Option<&ScalarValue> {
    expression.downcast_ref::<Literal>().map(Literal::value)
}

pub(super) fn text(value: &ScalarValue) -> Option<&str> {
    value.try_as_str().flatten()
}

/// The integer that a value is compared as: that of its column.
fn integer(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int32(value) => value.map(i64::from),
        ScalarValue::Int64(value) | ScalarValue::TimestampMicrosecond(value, _) => *value,
        _ => None,
    }
}

fn bytes(text: &str) -> Box<[u8]> {
    Box::from(text.as_bytes())
}

fn comparison(op: Operator, value: &ScalarValue) -> Option<FieldTest> {
    if let Some(text) = text(value) {
        let test = TextTest::Equals(bytes(text));
        return match op {
            Operator::Eq => Some(FieldTest::Text(test, true)),
            Operator::NotEq => Some(FieldTest::Text(test, false)),
            _ => None,
        };
    }
    let value = integer(value)?;
    let below = || value.checked_sub(1).map(|end| i64::MIN..=end);
    let above = || value.checked_add(1).map(|start| start..=i64::MAX);
    let ranges: Vec<RangeInclusive<i64>> = match op {
        Operator::Eq => vec![value..=value],
        Operator::NotEq => below().into_iter().chain(above()).collect(),
        Operator::Lt => below().into_iter().collect(),
        Operator::LtEq => vec![i64::MIN..=value],
        Operator::Gt => above().into_iter().collect(),
        Operator::GtEq => vec![value..=i64::MAX],
        _ => return None,
    };
    Some(FieldTest::Integer(ranges))
}

fn membership(values: &[&ScalarValue], negated: bool) -> Option<FieldTest> {
    let texts: Option<Vec<_>> = values.iter().map(|value| text(value).map(bytes)).collect();
    if let Some(texts) = texts {
        return Some(FieldTest::Text(TextTest::one_of(texts), !negated));
    }
    let integers: Option<Vec<_>> = values.iter().map(|value| integer(value)).collect();
    let ranges = integers?.into_iter().map(|value| value..=value).collect();
    (!negated).then_some(FieldTest::Integer(ranges))
}

/// Either of two questions to the same column.
fn either(
    (column, one): (usize, FieldTest),
    (other_column, other): (usize, FieldTest),
) -> Option<(usize, FieldTest)> {
    if column != other_column {
        return None;
    }
    let test = match (one, other) {
        (FieldTest::Integer(mut ranges), FieldTest::Integer(more)) => {
            ranges.extend(more);
            FieldTest::Integer(ranges)
        }
        (FieldTest::Text(one, true), FieldTest::Text(other, true)) => {
            let mut texts = listed(one)?;
            texts.extend(listed(other)?);
            FieldTest::Text(TextTest::one_of(texts), true)
        }
        _ => return None,
    };
    Some((column, test))
}

fn listed(test: TextTest) -> Option<Vec<Box<[u8]>>> {
    match test {
        TextTest::Equals(text) => Some(vec![text]),
        TextTest::OneOf(texts) => Some(texts.into_iter().collect()),
        _ => None,
    }
}

/// The test that a pattern is, if it has `%` at its ends only.
fn like_test(pattern: &Pattern) -> Option<TextTest> {
    match pattern.parts()?.as_slice() {
        [whole] => Some(TextTest::Equals(bytes(whole))),
        [start, ""] => Some(TextTest::StartsWith(bytes(start))),
        ["", end] => Some(TextTest::EndsWith(bytes(end))),
        ["", inside, ""] => Some(TextTest::contains(inside)),
        _ => None,
    }
}
