//! Types and texts as Athena's DDL, which is Hive's, writes them.

use datafusion::arrow::datatypes::DataType;

/// The type of a column; None if Athena has none for it.
pub(super) fn type_of(data_type: &DataType) -> Option<String> {
    Some(match data_type {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 => "smallint".to_owned(),
        DataType::Int32 => "int".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float32 => "float".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Dictionary(_, values) => type_of(values)?,
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) => {
            format!("array<{}>", type_of(item.data_type())?)
        }
        DataType::Struct(fields) => {
            let members = fields.iter().map(|field| {
                let member = type_of(field.data_type())?;
                Some(format!("{}:{member}", field.name()))
            });
            let members: Vec<_> = members.collect::<Option<_>>()?;
            format!("struct<{}>", members.join(","))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => format!(
                "map<{},{}>",
                type_of(fields[0].data_type())?,
                type_of(fields[1].data_type())?
            ),
            _ => return None,
        },
        _ => return None,
    })
}

/// A name between backquotes: many columns of logs are words of Hive's.
pub(super) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text in quotes. Hive takes a backslash as C does.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
