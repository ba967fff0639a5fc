//! Folders of partitions, as Hive names them.

use std::fmt::Write;

/// What stands for NULL and for empty text, which no folder can be named.
pub(crate) const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// The folder of a partition: `column=value/`, column by column.
pub(super) fn folder<'a>(values: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> String {
    let mut folder = String::new();
    for (column, value) in values {
        push_escaped(&mut folder, column);
        folder.push('=');
        match value {
            None | Some("") => folder.push_str(NULL_PARTITION),
            Some(value) => push_escaped(&mut folder, value),
        }
        folder.push('/');
    }
    folder
}

/// Characters that Hive writes as `%` and two digits (`FileUtils.escapePathName` of Apache Hive),
/// and a name that is one or two dots, which local folders cannot have.
fn push_escaped(folder: &mut String, text: &str) {
    let is_dots = matches!(text, "." | "..");
    for character in text.chars() {
        let special = "\"#%'*/:=?\\{[]^\u{7f}".contains(character) || character < ' ';
        if special || (is_dots && character == '.') {
            let _ = write!(folder, "%{:02X}", u32::from(character));
        } else {
            folder.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::folder;

    #[test]
    fn names_of_folders() {
        for (column, value, expected) in [
            ("day", Some("2026-01-31"), "day=2026-01-31/"),
            ("day", None, "day=__HIVE_DEFAULT_PARTITION__/"),
            ("day", Some(""), "day=__HIVE_DEFAULT_PARTITION__/"),
            ("p", Some("2026/01/31"), "p=2026%2F01%2F31/"),
            ("t", Some("a=b: 100% é"), "t=a%3Db%3A 100%25 é/"),
            ("t", Some(".."), "t=%2E%2E/"),
            ("t", Some("\u{1}\u{7f}"), "t=%01%7F/"),
        ] {
            assert_eq!(folder([(column, value)].into_iter()), expected);
        }
        let two = [("account", Some("1")), ("region", Some("us-east-1"))];
        assert_eq!(folder(two.into_iter()), "account=1/region=us-east-1/");
    }
}
