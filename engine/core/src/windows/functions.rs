//! The names of windows in SQL: `tumble`, `hop`, `session` in GROUP BY, and `window_start` and
//! `window_end` of what was grouped by.

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::spec::Windows;

/// The member of a window that is its beginning.
pub(crate) const START: &str = "window_start";

/// The member of a window that is its end.
pub(crate) const END: &str = "window_end";

/// All of them.
pub(crate) fn all() -> Vec<Arc<ScalarUDF>> {
    let windows = [Kind::Tumble, Kind::Hop, Kind::Session]
        .into_iter()
        .map(|kind| ScalarUDF::new_from_impl(WindowFunction::new(kind)));
    let bounds = [START, END]
        .into_iter()
        .map(|member| ScalarUDF::new_from_impl(Bound::new(member)));
    windows.chain(bounds).map(Arc::new).collect()
}

/// Whether a function makes windows.
pub(crate) fn is_window(name: &str) -> bool {
    [Kind::Tumble, Kind::Hop, Kind::Session]
        .iter()
        .any(|kind| kind.name().eq_ignore_ascii_case(name))
}

/// What an expression of GROUP BY says: its time and its windows; None if it makes none.
pub(crate) fn windows_of(expr: &Expr) -> Result<Option<(Expr, Windows)>> {
    let Expr::ScalarFunction(call) = expr else {
        return match expr {
            Expr::Alias(alias) => windows_of(&alias.expr),
            _ => Ok(None),
        };
    };
    let Some(kind) = call.func.inner().downcast_ref::<WindowFunction>() else {
        return Ok(None);
    };
    let kind = kind.kind;
    let lengths: Vec<i64> = call.args[1..]
        .iter()
        .map(|length| micros(length, kind))
        .collect::<Result<_>>()?;
    let windows = match (kind, lengths.as_slice()) {
        (Kind::Tumble, &[size]) => Windows::hop(size, size),
        (Kind::Hop, &[slide, size]) => Windows::hop(slide, size),
        (Kind::Session, &[gap]) => Windows::session(gap),
        _ => return plan_err!("write {}", kind.usage()),
    };
    match windows {
        Ok(windows) => Ok(Some((call.args[0].clone(), windows))),
        Err(wrong) => plan_err!("{}: {wrong}", kind.name()),
    }
}

/// A length that stands in a statement, in microseconds.
fn micros(length: &Expr, kind: Kind) -> Result<i64> {
    let length = match length {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(length)), _) => *length,
        Expr::Cast(cast) if matches!(&*cast.expr, Expr::Literal(..)) => {
            let Expr::Literal(value, _) = &*cast.expr else {
                return plan_err!("write {}", kind.usage());
            };
            match value.cast_to(&DataType::Interval(IntervalUnit::MonthDayNano))? {
                ScalarValue::IntervalMonthDayNano(Some(length)) => length,
                _ => return plan_err!("write {}", kind.usage()),
            }
        }
        _ => {
            return plan_err!(
                "the lengths of {} are intervals written out, as in {}",
                kind.name(),
                kind.usage()
            );
        }
    };
    if length.months != 0 {
        return plan_err!(
            "{}: months and years differ in length; use days, hours, minutes, seconds",
            kind.name()
        );
    }
    let days = i64::from(length.days).checked_mul(86_400_000_000);
    match days.and_then(|days| days.checked_add(length.nanoseconds / 1000)) {
        Some(micros) if length.nanoseconds % 1000 == 0 => Ok(micros),
        _ => plan_err!("{}: lengths are whole microseconds", kind.name()),
    }
}

/// How windows lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Tumble,
    Hop,
    Session,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Tumble => "tumble",
            Self::Hop => "hop",
            Self::Session => "session",
        }
    }

    fn usage(self) -> &'static str {
        match self {
            Self::Tumble => "tumble(event_time, INTERVAL '5' MINUTE)",
            Self::Hop => "hop(event_time, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE): slide, size",
            Self::Session => "session(event_time, INTERVAL '10' MINUTE)",
        }
    }

    fn arguments(self) -> usize {
        match self {
            Self::Tumble | Self::Session => 2,
            Self::Hop => 3,
        }
    }
}

/// `tumble`, `hop` or `session`. It has a type and no values: it stands in GROUP BY, where the plan
/// has an operator of its own for it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct WindowFunction {
    kind: Kind,
    signature: Signature,
}

impl WindowFunction {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for WindowFunction {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if types.len() != self.kind.arguments() {
            return plan_err!("write {}", self.kind.usage());
        }
        let time = match &types[0] {
            time @ DataType::Timestamp(..) => time.clone(),
            DataType::Date32 | DataType::Date64 => DataType::Timestamp(TimeUnit::Microsecond, None),
            other => {
                return plan_err!(
                    "{} windows are of a timestamp, such as event_time, and not of {other}",
                    self.kind.name()
                );
            }
        };
        let is_length = |length: &DataType| {
            matches!(length, DataType::Interval(_) | DataType::Duration(_)) || length.is_string()
        };
        if let Some(other) = types[1..].iter().find(|length| !is_length(length)) {
            return plan_err!("{other} is no length of time; write {}", self.kind.usage());
        }
        let length = DataType::Interval(IntervalUnit::MonthDayNano);
        let lengths = std::iter::repeat_n(length, types.len() - 1);
        Ok(std::iter::once(time).chain(lengths).collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(window_type(&types[0]))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!(
            "{} stands in GROUP BY: SELECT window_start, count(*) ... GROUP BY {}",
            self.kind.name(),
            self.kind.usage()
        )
    }
}

/// The type of a window over times of a type: its beginning and its end.
pub(crate) fn window_type(time: &DataType) -> DataType {
    DataType::Struct(Fields::from(vec![
        Field::new(START, time.clone(), false),
        Field::new(END, time.clone(), false),
    ]))
}

/// `window_start` or `window_end` of a window that was grouped by.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bound {
    member: &'static str,
    signature: Signature,
}

impl Bound {
    fn new(member: &'static str) -> Self {
        Self {
            member,
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Bound {
    fn name(&self) -> &str {
        self.member
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let DataType::Struct(fields) = &types[0] else {
            return plan_err!("{} is of a window", self.member);
        };
        match fields.find(self.member) {
            Some((_, field)) => Ok(field.data_type().clone()),
            None => plan_err!("{} is of a window", self.member),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let windows = args.args[0].to_array(args.number_rows)?;
        match windows.as_struct().column_by_name(self.member) {
            Some(times) => Ok(ColumnarValue::Array(Arc::clone(times))),
            None => exec_err!("{} is of a window", self.member),
        }
    }
}
