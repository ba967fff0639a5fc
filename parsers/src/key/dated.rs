//! Folders of logs that have a folder for each day.
//!
//! Of such a folder only the days that a question is about need be listed.

use std::ops::RangeInclusive;

use super::{Fact, KeyFacts, KeyPattern, Part, below_aws_logs, match_parts};
use crate::field::time::civil_from_days;
use crate::format::{Format, Formats};

/// A folder of logs that has a folder for each day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedFolder {
    /// What its key says: account and Region.
    pub facts: KeyFacts,
    /// How the folders below it are called.
    pub days: DayFolders,
}

/// How folders of years, of months in them and of days in those are called: `2026/01/31/`, or
/// `year=2026/month=01/day=31/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFolders {
    /// What the three names begin with.
    labels: [String; 3],
}

/// One of the folders of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A year's.
    Year,
    /// A month's, within a year's.
    Month,
    /// A day's, within a month's.
    Day,
}

impl DatedFolder {
    /// What the keys of a day say, which is given as days since 1970-01-01.
    pub fn on(&self, date: i32) -> KeyFacts {
        let (year, month, day) = civil_from_days(date);
        let facts = self.within(&self.facts, Level::Year, &format!("{year:04}"));
        let facts = self.within(&facts, Level::Month, &format!("{month:02}"));
        self.within(&facts, Level::Day, &format!("{day:02}"))
    }

    /// What the keys in a folder of a date say, of which the enclosing one says `facts`.
    pub fn within(&self, facts: &KeyFacts, level: Level, number: &str) -> KeyFacts {
        let mut facts = facts.clone();
        facts.set(level.fact(), number);
        if let Some(name) = self.days.labels[level as usize].strip_suffix('=') {
            facts.hive.push((name.to_owned(), number.to_owned()));
        }
        facts
    }
}

impl Level {
    fn fact(self) -> Fact {
        match self {
            Self::Year => Fact::Year,
            Self::Month => Fact::Month,
            Self::Day => Fact::Day,
        }
    }
}

/// The days of a month, as days since 1970-01-01, of which the keys say so much; None if it is
/// none.
pub fn days_of_month(facts: &KeyFacts) -> Option<RangeInclusive<i32>> {
    let day = |day: u32| {
        let mut facts = facts.clone();
        facts.set(Fact::Day, &day.to_string());
        facts.date()
    };
    let last = (28..=31).rev().find_map(day)?;
    Some(day(1)?..=last)
}

impl DayFolders {
    /// The folder of a day, which is given as days since 1970-01-01.
    pub fn folder(&self, date: i32) -> String {
        let (year, month, day) = civil_from_days(date);
        let [of_year, of_month, of_day] = &self.labels;
        format!("{of_year}{year:04}/{of_month}{month:02}/{of_day}{day:02}/")
    }

    /// The number in the name of a folder, which ends in a slash; None if it is called otherwise.
    pub fn number<'a>(&self, level: Level, name: &'a str) -> Option<&'a str> {
        let label = &self.labels[level as usize];
        let digits = name.strip_prefix(label.as_str())?.strip_suffix('/')?;
        let length = if level == Level::Year { 4 } else { 2 };
        let is_number = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(digits)
    }

    /// The names of the three as columns, if that is how the folders are called.
    pub fn hive(&self) -> impl Iterator<Item = &str> {
        self.labels
            .iter()
            .filter_map(|label| label.strip_suffix('='))
    }
}

/// What a folder is to the formats: its key ends in a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// One with a folder for each day, of logs of these formats, by index among all.
    Dated(Vec<usize>, Box<DatedFolder>),
    /// One below `AWSLogs/` that leads to such folders, or lies in one of them.
    Within,
    /// Any other.
    Open,
    /// It lies below `AWSLogs/` where no format has its logs.
    Foreign,
}

/// What a folder is.
pub fn place(formats: &Formats, folder: &str) -> Place {
    let Some(rest) = below_aws_logs(folder) else {
        return Place::Open;
    };
    let mut dated: Option<(Vec<usize>, DatedFolder)> = None;
    let mut leads = false;
    for (index, format) in formats.all().iter().enumerate() {
        leads |= may_hold(format, rest);
        let Some(found) = format
            .folders
            .iter()
            .find_map(|pattern| pattern.dated(rest))
        else {
            continue;
        };
        match &mut dated {
            None => dated = Some((vec![index], found)),
            Some((formats, first)) if *first == found => formats.push(index),
            Some(_) => {}
        }
    }
    match dated {
        Some((formats, mut folder_of_days)) => {
            folder_of_days.facts.hive = super::hive_segments(folder);
            Place::Dated(formats, Box::new(folder_of_days))
        }
        None if leads => Place::Within,
        None => Place::Foreign,
    }
}

/// Whether logs of a format may lie below a folder; one whose folders nobody described may lie
/// anywhere.
fn may_hold(format: &Format, rest: &str) -> bool {
    let mut patterns = format.folders.iter();
    format.folders.is_empty() || patterns.any(|pattern| agrees(&pattern.0, rest))
}

/// Whether a folder agrees with the beginning of a pattern, or goes on behind its end.
fn agrees(parts: &[Part], folder: &str) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return true;
    };
    if folder.is_empty() {
        return true;
    }
    match first {
        Part::Literal(text) => match folder.strip_prefix(text.as_str()) {
            Some(folder) => agrees(rest, folder),
            None => text.starts_with(folder),
        },
        Part::Rest => true,
        Part::Optional(inner) => agrees(&[inner, rest].concat(), folder) || agrees(rest, folder),
        Part::Capture(_) => {
            let end = folder.find('/').unwrap_or(folder.len());
            end > 0 && agrees(rest, &folder[end..])
        }
    }
}

impl KeyPattern {
    /// What `folder` is if the pattern has a folder for each day in it.
    fn dated(&self, folder: &str) -> Option<DatedFolder> {
        let place = |wanted: Fact| {
            let is_wanted = |part: &Part| matches!(part, Part::Capture(fact) if *fact == wanted);
            self.0.iter().position(is_wanted)
        };
        let (year, month, day) = (place(Fact::Year)?, place(Fact::Month)?, place(Fact::Day)?);
        let label = |at: usize| match self.0.get(at.checked_sub(1)?)? {
            Part::Literal(text) => text.rsplit_once('/').map(|(_, label)| label),
            _ => None,
        };
        let days = DayFolders {
            labels: [label(year)?, label(month)?, label(day)?].map(str::to_owned),
        };
        let mut before = self.0[..year].to_vec();
        if let Some(Part::Literal(text)) = before.last_mut() {
            text.truncate(text.len() - days.labels[0].len());
        }
        let mut facts = KeyFacts::default();
        let rest = match_parts(&before, folder, &mut facts)?;
        rest.is_empty().then_some(DatedFolder { facts, days })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(formats: &Formats, found: &[usize]) -> Vec<String> {
        let table = |&index: &usize| formats.all()[index].table.clone();
        found.iter().map(table).collect()
    }

    #[test]
    fn folders_with_a_folder_for_each_day() {
        let formats = Formats::default();
        for (folder, tables, account, day) in [
            (
                "x//AWSLogs/1/vpcflowlogs/eu-west-1/",
                &["vpc_flow_logs", "tgw_flow_logs"][..],
                "1",
                "2026/01/31/",
            ),
            (
                "AWSLogs/aws-account-id=2/aws-service=vpcflowlogs/aws-region=eu-west-1/",
                &["vpc_flow_logs", "tgw_flow_logs"],
                "2",
                "year=2026/month=01/day=31/",
            ),
            (
                "AWSLogs/o-abc/3/CloudTrail/eu-west-1/",
                &["cloudtrail_logs"],
                "3",
                "2026/01/31/",
            ),
        ] {
            let Place::Dated(found, dated) = place(&formats, folder) else {
                panic!("{folder}");
            };
            let mut found = names(&formats, &found);
            found.sort_by_key(|name| tables.iter().position(|table| table == name));
            assert_eq!(found, tables, "{folder}");
            assert_eq!(dated.facts.account.as_deref(), Some(account));
            assert_eq!(dated.facts.region.as_deref(), Some("eu-west-1"));
            assert_eq!(dated.days.folder(20_484), day);
            let facts = dated.on(20_484);
            assert_eq!(facts.date(), Some(20_484));
            assert_eq!(
                facts
                    .hive
                    .iter()
                    .any(|(name, value)| (&**name, &**value) == ("day", "31")),
                day.contains('=')
            );
            assert_eq!(days_of_month(&facts), Some(20_454..=20_484));
        }
    }

    #[test]
    fn other_folders() {
        let formats = Formats::default();
        for (folder, expected) in [
            ("", Place::Open),
            ("logs/2026/", Place::Open),
            ("a/AWSLogs/", Place::Within),
            ("AWSLogs/1/", Place::Within),
            ("AWSLogs/o-abc/1/", Place::Within),
            ("AWSLogs/1/CloudTrail/", Place::Within),
            ("AWSLogs/aws-account-id=1/", Place::Within),
            ("AWSLogs/1/vpcflowlogs/eu-west-1/2026/", Place::Within),
            ("AWSLogs/1/Config/", Place::Foreign),
            ("AWSLogs/1/Config/eu-west-1/2026/", Place::Foreign),
        ] {
            assert_eq!(place(&formats, folder), expected, "{folder}");
        }
    }

    #[test]
    fn names_of_folders_of_dates() {
        let positional = DayFolders {
            labels: ["", "", ""].map(str::to_owned),
        };
        assert_eq!(positional.number(Level::Year, "2026/"), Some("2026"));
        assert_eq!(positional.number(Level::Day, "07/"), Some("07"));
        for name in ["7/", "2026", "year=2026/", "abcd/", "/"] {
            assert_eq!(positional.number(Level::Year, name), None, "{name}");
        }
        assert_eq!(positional.hive().count(), 0);
        let hive = DayFolders {
            labels: ["year=", "month=", "day="].map(str::to_owned),
        };
        assert_eq!(hive.number(Level::Month, "month=12/"), Some("12"));
        assert_eq!(hive.number(Level::Month, "12/"), None);
        assert_eq!(hive.hive().collect::<Vec<_>>(), ["year", "month", "day"]);
    }
}
