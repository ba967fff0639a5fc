//! Tables of Parquet in Hive folders.

use datafusion::arrow::datatypes::Schema;

use super::hive;
use super::statement::CreateTable;
use crate::error::{Error, Owner};

/// More values than this are partitions that somebody has to add.
const ENUMERATED: usize = 200;

/// A partition column and its values, each once.
#[derive(Debug)]
pub(crate) struct Values {
    pub(crate) column: String,
    pub(crate) values: Vec<String>,
}

/// How Athena can make the values of a column up.
enum Projection {
    Dates(String),
    Integers(i64, i64),
    OneOf(String),
}

/// The statement for a table whose files have these columns.
pub(crate) fn of_parquet(
    table: &str,
    files: &Schema,
    partitions: &[Values],
    location: &str,
) -> Result<String, Error> {
    let columns = files.fields().iter().map(|field| {
        let data_type = hive::type_of(field.data_type()).ok_or_else(|| {
            let message = format!(
                "column {} is {}, which Athena cannot read",
                field.name(),
                field.data_type()
            );
            Error::new(Owner::Query, message).hint("write it with a CAST to another type")
        })?;
        Ok((field.name().clone(), data_type))
    });
    let mut create = CreateTable {
        table: table.to_owned(),
        columns: columns.collect::<Result<_, Error>>()?,
        format: "STORED AS PARQUET".to_owned(),
        location: format!("{}/", location.trim_end_matches('/')),
        ..CreateTable::default()
    };
    let projections = partitions
        .iter()
        .map(|partition| projection(&partition.values));
    let projections: Option<Vec<_>> = projections.collect();
    match projections {
        Some(projections) if !partitions.is_empty() => {
            project(&mut create, partitions, projections);
        }
        _ => {
            let columns = partitions.iter().map(|partition| partition.column.clone());
            create.partitions = columns
                .map(|column| (column, "string".to_owned()))
                .collect();
            let repair = format!("MSCK REPAIR TABLE {};", hive::name(table));
            create.note = (!partitions.is_empty()).then_some(repair);
        }
    }
    Ok(create.text())
}

fn project(create: &mut CreateTable, partitions: &[Values], projections: Vec<Projection>) {
    let mut template = create.location.clone();
    for (Values { column, .. }, projection) in partitions.iter().zip(projections) {
        let data_type = match projection {
            Projection::Dates(first) => {
                let range = format!("{first},NOW");
                let properties = [
                    ("type", "date"),
                    ("format", "yyyy-MM-dd"),
                    ("range", &range),
                ];
                create.project(column, &properties);
                "date"
            }
            Projection::Integers(first, last) => {
                let range = format!("{first},{last}");
                create.project(column, &[("type", "integer"), ("range", &range)]);
                "bigint"
            }
            Projection::OneOf(values) => {
                create.project(column, &[("type", "enum"), ("values", &values)]);
                "string"
            }
        };
        create
            .partitions
            .push((column.clone(), data_type.to_owned()));
        template.push_str(&format!("{column}=${{{column}}}/"));
    }
    create.enable_projection(template);
}

/// How values can be made up. What Hive writes in another way as a folder, it cannot.
fn projection(values: &[String]) -> Option<Projection> {
    let first = values.iter().min()?;
    if values.iter().all(|value| is_date(value)) {
        return Some(Projection::Dates(first.clone()));
    }
    let numbers = values.iter().map(|value| {
        let number = value.parse::<i64>().ok();
        number.filter(|number| number.to_string() == *value)
    });
    if let Some(numbers) = numbers.collect::<Option<Vec<_>>>()
        && let (Some(first), Some(last)) = (numbers.iter().min(), numbers.iter().max())
    {
        return Some(Projection::Integers(*first, *last));
    }
    let is_plain = |value: &String| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        value.bytes().all(plain) && !value.starts_with("__HIVE_")
    };
    (values.len() <= ENUMERATED && values.iter().all(is_plain))
        .then(|| Projection::OneOf(values.join(",")))
}

/// Whether a value is a day, as DATE is written.
fn is_date(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_can_be_made_up() {
        let of = |values: &[&str]| {
            let values: Vec<_> = values.iter().map(|value| (*value).to_owned()).collect();
            match projection(&values) {
                Some(Projection::Dates(first)) => format!("dates from {first}"),
                Some(Projection::Integers(first, last)) => format!("{first} to {last}"),
                Some(Projection::OneOf(values)) => format!("one of {values}"),
                None => "none".to_owned(),
            }
        };
        for (values, expected) in [
            (&["2026-02-01", "2026-01-31"][..], "dates from 2026-01-31"),
            (&["10", "9", "-1"], "-1 to 10"),
            (&["01", "02"], "one of 01,02"),
            (&["eu-west-1", "us-east-1"], "one of eu-west-1,us-east-1"),
            (&["2026-02-01", "__HIVE_DEFAULT_PARTITION__"], "none"),
            (&["a b"], "none"),
            (&[], "none"),
        ] {
            assert_eq!(of(values), expected, "{values:?}");
        }
    }
}
