//! Parameters: `$limit` in a statement stands for a value that is given beside it.
//!
//! Values are put into the parsed statement as literals, never into its text: whatever a value
//! holds, it stays a value.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::ControlFlow;
use std::time::Duration;

use datafusion::arrow::temporal_conversions::timestamp_us_to_datetime;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    self, Array, DataType, Expr, Interval, TimezoneInfo, TypedString, UnaryOperator, ValueWithSpan,
    Visitor, VisitorMut,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::visit::{visit, visit_mut};

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
    /// True or false.
    Boolean(bool),
    /// A time, in microseconds since 1970.
    Timestamp(i64),
    /// A length of time.
    Interval(Duration),
    /// Texts: the items of `IN ($names)`, an array elsewhere.
    List(Vec<String>),
}

/// Values by the name of their parameter, without its `$`.
pub type Values = BTreeMap<String, Value>;

impl Value {
    fn literal(&self) -> Expr {
        match self {
            Self::Integer(integer) => number(integer.unsigned_abs(), *integer < 0),
            // With its point, so that 2 divides as a number too.
            Self::Number(value) => number(format!("{:?}", value.abs()), value.is_sign_negative()),
            Self::Text(text) => string(text),
            Self::Boolean(value) => Expr::value(ast::Value::Boolean(*value)),
            Self::Timestamp(micros) => Expr::TypedString(TypedString {
                data_type: DataType::Timestamp(Some(6), TimezoneInfo::WithTimeZone),
                value: quoted(&rfc3339(*micros)).into(),
                uses_odbc_syntax: false,
            }),
            Self::Interval(duration) => {
                let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
                Expr::Interval(Interval {
                    value: Box::new(string(&format!("{seconds}.{nanos:09} seconds"))),
                    leading_field: None,
                    leading_precision: None,
                    last_field: None,
                    fractional_seconds_precision: None,
                })
            }
            Self::List(items) => Expr::Array(Array {
                elem: items.iter().map(|item| string(item)).collect(),
                named: true,
            }),
        }
    }
}

/// A number; the parser has no negative ones.
fn number(absolute: impl Display, negative: bool) -> Expr {
    let number = Expr::value(ast::Value::Number(absolute.to_string(), false));
    if !negative {
        return number;
    }
    Expr::UnaryOp {
        op: UnaryOperator::Minus,
        expr: Box::new(number),
    }
}

fn string(text: &str) -> Expr {
    Expr::value(quoted(text))
}

fn quoted(text: &str) -> ast::Value {
    ast::Value::SingleQuotedString(text.to_owned())
}

fn rfc3339(micros: i64) -> String {
    timestamp_us_to_datetime(micros)
        .map(|time| time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
        .unwrap_or_default()
}

/// Puts values where their parameters stand. Parameters without a value stay.
pub(crate) fn bind(statement: &mut Statement, values: &Values) {
    let _ = visit_mut(statement, &mut Binder(values));
}

/// The parameters of a statement that have no value yet, in order, with their places.
pub(crate) fn unbound(statement: &Statement) -> Vec<(String, Span)> {
    let mut placeholders = Placeholders(Vec::new());
    // `PREPARE` has its values later, from `EXECUTE`.
    let prepares = matches!(
        statement,
        Statement::Statement(statement) if matches!(**statement, ast::Statement::Prepare { .. })
    );
    if !prepares {
        let _ = visit(statement, &mut placeholders);
    }
    placeholders.0
}

struct Placeholders(Vec<(String, Span)>);

impl Visitor for Placeholders {
    type Break = ();

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
        if let Some(name) = parameter(value) {
            self.0.push((name.to_owned(), value.span));
        }
        ControlFlow::Continue(())
    }
}

struct Binder<'a>(&'a Values);

impl Binder<'_> {
    fn value(&self, expr: &Expr) -> Option<&Value> {
        match expr {
            Expr::Value(value) => self.0.get(parameter(value)?),
            _ => None,
        }
    }
}

impl VisitorMut for Binder<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::InList { list, .. } = expr {
            let items = std::mem::take(list).into_iter();
            let items = items.flat_map(|item| match self.value(&item) {
                Some(Value::List(texts)) => texts.iter().map(|text| string(text)).collect(),
                _ => vec![item],
            });
            *list = items.collect();
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(value) = self.value(expr) {
            *expr = value.literal();
        }
        // `INTERVAL $every`, where the value is an interval already.
        if let Expr::Interval(interval) = expr
            && interval.leading_field.is_none()
            && matches!(*interval.value, Expr::Interval(_))
        {
            *expr = std::mem::replace(&mut interval.value, Expr::value(ast::Value::Null));
        }
        ControlFlow::Continue(())
    }
}

/// The name of the parameter that a value is.
fn parameter(value: &ValueWithSpan) -> Option<&str> {
    match &value.value {
        ast::Value::Placeholder(name) => Some(name.strip_prefix('$').unwrap_or(name)),
        _ => None,
    }
}
