//! Raw logs: read by the `SerDe` that AWS's pages take for their shape, partitioned by their keys.

use std::collections::BTreeSet;
use std::fmt::Write;

use loglens_parsers::field::Kind;
use loglens_parsers::format::{Column, Format, PartitionValue, Quoting, Shape};

use super::hive;
use super::statement::CreateTable;

/// What the keys of objects name, where some were looked at.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    pub(crate) accounts: BTreeSet<String>,
    pub(crate) regions: BTreeSet<String>,
}

/// The Regions that are on by default in every account.
const REGIONS: &str = "us-east-1,us-east-2,us-west-1,us-west-2,ap-south-1,ap-northeast-1,\
ap-northeast-2,ap-northeast-3,ap-southeast-1,ap-southeast-2,ca-central-1,eu-central-1,eu-west-1,\
eu-west-2,eu-west-3,eu-north-1,sa-east-1";

/// The statement for logs below a place.
pub(crate) fn of_logs(format: &Format, location: &str, keys: &Keys) -> String {
    let mut create = CreateTable {
        table: format.table.clone(),
        location: aws_logs(location),
        ..CreateTable::default()
    };
    match &format.shape {
        Shape::Header { separator } => {
            create.columns = in_default_order(format);
            let separator = hive::text(&char::from(*separator).to_string());
            create.format = format!("ROW FORMAT DELIMITED FIELDS TERMINATED BY {separator}");
            let header = ("skip.header.line.count".to_owned(), "1".to_owned());
            create.properties.push(header);
        }
        Shape::Quoted { quoting, least, .. } => {
            let (columns, regex) = by_regex(format, *quoting, *least);
            create.columns = columns;
            create.format = format!(
                "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'\n\
                 WITH SERDEPROPERTIES (\n  'serialization.format' = '1',\n  'input.regex' = {}\n)",
                hive::text(&regex)
            );
        }
        Shape::Json { records, .. } => {
            create.columns = format.columns.iter().map(typed).collect();
            create.format = json(records.is_some());
        }
    }
    project(&mut create, format, keys);
    create.text()
}

/// Where the keys of AWS begin: the place, or `AWSLogs/` in it.
fn aws_logs(location: &str) -> String {
    let location = location.trim_end_matches('/');
    match location.contains("/AWSLogs") {
        true => format!("{location}/"),
        false => format!("{location}/AWSLogs/"),
    }
}

fn typed(column: &Column) -> (String, String) {
    let data_type = hive::type_of(&column.data_type());
    // A format has no type that Athena lacks.
    (column.name.to_string(), data_type.unwrap_or_default())
}

fn in_default_order(format: &Format) -> Vec<(String, String)> {
    let fields = format.default_order.iter();
    let columns = fields.filter_map(|field| format.columns.iter().find(|c| *c.field == **field));
    columns.map(typed).collect()
}

/// How JSON is read: events within an object by the format that AWS made for such files.
fn json(within_an_object: bool) -> String {
    let (serde, input) = match within_an_object {
        true => (
            "org.apache.hive.hcatalog.data.JsonSerDe",
            "com.amazon.emr.cloudtrail.CloudTrailInputFormat",
        ),
        false => (
            "org.openx.data.jsonserde.JsonSerDe",
            "org.apache.hadoop.mapred.TextInputFormat",
        ),
    };
    format!(
        "ROW FORMAT SERDE '{serde}'\nSTORED AS INPUTFORMAT '{input}'\n\
         OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'"
    )
}

/// The columns, and the pattern with a group for each. Fields that older writers left out may be
/// missing at the end, and what newer ones appended is passed over.
fn by_regex(format: &Format, quoting: Quoting, least: usize) -> (Vec<(String, String)>, String) {
    let mut columns = Vec::new();
    let mut regex = String::new();
    let mut open = 0;
    for (at, field) in format.default_order.iter().enumerate() {
        let of_field: Vec<_> = format
            .columns
            .iter()
            .filter(|c| *c.field == **field)
            .collect();
        if at >= least {
            regex.push_str("(?:");
            open += 1;
        }
        if at > 0 {
            regex.push(char::from(quoting.separator));
        }
        regex.push_str(&group(&of_field, quoting));
        let is_whole_beside = of_field.len() > 1;
        let taken = of_field.iter().filter(|column| {
            // A group within another would come before it.
            !is_whole_beside || !matches!(column.kind, Kind::Text | Kind::Raw)
        });
        columns.extend(taken.map(|column| typed(column)));
    }
    let _ = write!(regex, "(?:{}.*)?", char::from(quoting.separator));
    regex.push_str(&")?".repeat(open));
    (columns, regex)
}

/// The groups of the columns of one field; a pattern without a group if it has none.
fn group(columns: &[&Column], quoting: Quoting) -> String {
    let (separator, quote) = (char::from(quoting.separator), char::from(quoting.quote));
    let is = |kind| columns.iter().any(|column| column.kind == kind);
    if is(Kind::RequestMethod) {
        return format!("{quote}?([^ ]*) ([^{quote}]*) (- |[^ {quote}]*){quote}?");
    }
    if is(Kind::IpOfPair) {
        return format!("([^{separator}]*?)(?::([0-9]+))?");
    }
    let (mut opens, mut inside) = (quote.to_string(), String::new());
    let mut closes = quote.to_string();
    if quoting.brackets {
        opens.push_str("\\[");
        closes.push_str("\\]");
        inside.push_str("(?<=\\[)[^\\]]*|");
    }
    let any = format!("(?<={quote})[^{quote}]*|{inside}[^{separator}]*");
    match columns.is_empty() {
        true => format!("[{opens}]?(?:{any})[{closes}]?"),
        false => format!("[{opens}]?({any})[{closes}]?"),
    }
}

/// Partitions by account, Region and day, where the keys have them.
fn project(create: &mut CreateTable, format: &Format, keys: &Keys) {
    let Some(folders) = format.folders() else {
        return;
    };
    let mut template = folders.replace("{year}/{month}/{day}", "{date}");
    for partition in &format.partitions {
        let (name, placeholder) = match partition.from {
            PartitionValue::Account => (&partition.name, "{account}"),
            PartitionValue::Region => (&partition.name, "{region}"),
            PartitionValue::Day => (&partition.name, "{date}"),
            _ => continue,
        };
        if !template.contains(placeholder) {
            continue;
        }
        template = template.replace(placeholder, &format!("${{{name}}}"));
        let string = "string".to_owned();
        create.partitions.push((name.clone(), string));
        match partition.from {
            PartitionValue::Account if keys.accounts.is_empty() => {
                create.project(name, &[("type", "injected")]);
            }
            PartitionValue::Account => one_of(create, name, &list(&keys.accounts)),
            PartitionValue::Region if keys.regions.is_empty() => one_of(create, name, REGIONS),
            PartitionValue::Region => one_of(create, name, &list(&keys.regions)),
            _ => create.project(
                name,
                &[
                    ("type", "date"),
                    ("format", "yyyy/MM/dd"),
                    ("range", "2015/01/01,NOW"),
                    ("interval", "1"),
                    ("interval.unit", "DAYS"),
                ],
            ),
        }
    }
    if template.contains('{') && !create.partitions.is_empty() {
        let template = format!("{}{template}", create.location);
        create.enable_projection(template);
    }
}

fn one_of(create: &mut CreateTable, column: &str, values: &str) {
    create.project(column, &[("type", "enum"), ("values", values)]);
}

fn list(values: &BTreeSet<String>) -> String {
    values.iter().cloned().collect::<Vec<_>>().join(",")
}
