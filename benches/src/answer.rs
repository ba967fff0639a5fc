//! Answers, and whether two are the same.

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// How far numbers may be apart, as a part of the larger: sums of floats depend on their order.
pub(crate) const TOLERANCE: f64 = 1e-9;

/// When two answers count as the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alike {
    /// Whether the order of the rows is part of the answer.
    pub(crate) ordered: bool,
    /// How far numbers that are not integers may be apart, as a part of the larger.
    pub(crate) tolerance: f64,
}

/// Rows, with the columns in the order of their names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

impl Answer {
    /// From rows whose values are in the order of the columns.
    pub(crate) fn from_rows(columns: &[String], rows: Vec<Vec<Value>>) -> Result<Self> {
        if let Some(row) = rows.iter().find(|row| row.len() != columns.len()) {
            return Err(Error::new(format!("{columns:?} do not fit {row:?}")));
        }
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_by_key(|&column| &columns[column]);
        Ok(Self {
            columns: order.iter().map(|&at| columns[at].clone()).collect(),
            rows: rows
                .into_iter()
                .map(|row| order.iter().map(|&at| row[at].clone()).collect())
                .collect(),
        })
    }

    /// From an array of objects, as `loglens -o json` prints it.
    pub(crate) fn from_objects(json: &str) -> Result<Self> {
        let objects: Vec<Map<String, Value>> = serde_json::from_str(json)?;
        let mut columns: Vec<String> = objects
            .first()
            .map_or_else(Vec::new, |object| object.keys().cloned().collect());
        columns.sort();
        let row = |mut object: Map<String, Value>| {
            let take = |name| object.remove(name).unwrap_or(Value::Null);
            columns.iter().map(take).collect()
        };
        let rows = objects.into_iter().map(row).collect();
        Ok(Self { columns, rows })
    }

    /// What tells the other answer from this one, if anything does.
    pub(crate) fn difference(&self, other: &Self, alike: Alike) -> Option<String> {
        if self.rows.len() != other.rows.len() {
            return Some(format!(
                "{} rows, not {}",
                other.rows.len(),
                self.rows.len()
            ));
        }
        // An empty answer of loglens names no columns.
        if !self.rows.is_empty() && self.columns != other.columns {
            return Some(format!(
                "columns {:?}, not {:?}",
                other.columns, self.columns
            ));
        }
        let (ours, theirs) = (self.in_order(alike.ordered), other.in_order(alike.ordered));
        ours.iter()
            .zip(&theirs)
            .enumerate()
            .find(|(_, (ours, theirs))| !same_rows(ours, theirs, alike.tolerance))
            .map(|(at, (ours, theirs))| {
                let (ours, theirs) = (Value::from(ours.to_vec()), Value::from(theirs.to_vec()));
                format!("row {}: {theirs}, not {ours}", at + 1)
            })
    }

    fn in_order(&self, ordered: bool) -> Vec<&[Value]> {
        let mut rows: Vec<&[Value]> = self.rows.iter().map(Vec::as_slice).collect();
        if !ordered {
            rows.sort_by_cached_key(|row| row.iter().map(sort_key).collect::<Vec<_>>());
        }
        rows
    }
}

/// Sorts numbers that count as the same next to each other: fractions come last, by few digits.
fn sort_key(value: &Value) -> (bool, String) {
    match value.as_f64() {
        Some(number) if !value.is_i64() && !value.is_u64() && number.fract() != 0.0 => {
            (true, format!("{number:.6e}"))
        }
        Some(number) => (false, format!("{number}")),
        None => (false, value.to_string()),
    }
}

fn same_rows(ours: &[Value], theirs: &[Value], tolerance: f64) -> bool {
    ours.iter().zip(theirs).all(|(a, b)| same(a, b, tolerance))
}

fn same(a: &Value, b: &Value, tolerance: f64) -> bool {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
        return a == b;
    }
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= tolerance * a.abs().max(b.abs()),
        (None, None) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    const ORDERED: Alike = Alike {
        ordered: true,
        tolerance: TOLERANCE,
    };
    const UNORDERED: Alike = Alike {
        ordered: false,
        ..ORDERED
    };

    fn answer(rows: &Value) -> Answer {
        let rows: Vec<Vec<Value>> = serde_json::from_value(rows.clone()).unwrap();
        Answer::from_rows(&["k".to_owned(), "v".to_owned()], rows).unwrap()
    }

    #[test]
    fn answers_differ_by_order_only_where_it_counts() {
        let (a, b) = (json!([["x", 1], ["y", 2]]), json!([["y", 2], ["x", 1]]));
        assert_eq!(answer(&a).difference(&answer(&b), UNORDERED), None);
        assert_eq!(
            answer(&a).difference(&answer(&b), ORDERED).unwrap(),
            r#"row 1: ["y",2], not ["x",1]"#
        );
    }

    #[test]
    fn numbers_are_the_same_to_nine_digits_and_integers_exactly() {
        for (a, b, expected) in [
            (json!(1.0), json!(1.000_000_000_1), true),
            (json!(1.0), json!(1.000_001), false),
            (json!(2), json!(2.0), true),
            (json!(10_000_000_000_i64), json!(10_000_000_001_i64), false),
            (json!(null), json!(null), true),
            (json!(null), json!("-"), false),
            (json!(0), json!(null), false),
            (json!("1"), json!(1), false),
        ] {
            let (a, b) = (answer(&json!([["k", a]])), answer(&json!([["k", b]])));
            assert_eq!(a.difference(&b, ORDERED).is_none(), expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn columns_are_told_by_their_names() {
        let objects = Answer::from_objects(r#"[{"v": 1, "k": "x"}]"#).unwrap();
        assert_eq!(objects, answer(&json!([["x", 1]])));
        let other = Answer::from_objects(r#"[{"w": 1, "k": "x"}]"#).unwrap();
        assert_eq!(
            objects.difference(&other, ORDERED).unwrap(),
            r#"columns ["k", "w"], not ["k", "v"]"#
        );
    }

    #[test]
    fn rows_must_be_as_many() {
        let (a, b) = (answer(&json!([["x", 1]])), answer(&json!([])));
        assert_eq!(a.difference(&b, ORDERED).unwrap(), "0 rows, not 1");
        assert_eq!(
            Answer::from_objects("[]").unwrap().difference(&b, ORDERED),
            None
        );
    }
}
