//! Object keys: what the place of an object says about its records.
//!
//! A pattern is written as AWS documents its keys: `{name}` stands for one or more characters
//! up to whatever follows it, `[...]` for a part that may be missing, a final `*` for any rest.
//! Keys are raw text: empty segments (`//AWSLogs`) are legal.

pub mod dated;

use std::ops::RangeInclusive;

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_till1};
use nom::character::complete::char;
use nom::combinator::{all_consuming, map};
use nom::multi::many0;
use nom::sequence::delimited;
use nom::{IResult, Parser};
use serde::{Deserialize, Serialize};

use crate::field::time::days_from_civil;

/// No key on S3 is longer.
const MAX_PATTERN_BYTES: usize = 1024;

/// A layout of keys, compiled.
#[derive(Debug, Clone)]
pub struct KeyPattern(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    Capture(Fact),
    Optional(Vec<Part>),
    Rest,
}

/// What a part of a key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact {
    Account,
    Region,
    Year,
    Month,
    Day,
    Hour,
    Log,
    Time,
    /// Something that nothing is derived from.
    Other,
}

impl Fact {
    /// Its name in patterns.
    fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Region => "region",
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Log => "log",
            Self::Time => "time",
            Self::Other => "other",
        }
    }
}

/// What the key of an object says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFacts {
    /// Account id, as text.
    pub account: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Year, four digits.
    pub year: Option<String>,
    /// Month, two digits.
    pub month: Option<String>,
    /// Day of the month, two digits.
    pub day: Option<String>,
    /// Hour, two digits.
    pub hour: Option<String>,
    /// Id of the log (such as a flow log) that wrote the object. All objects of one log have the
    /// same format.
    pub log: Option<String>,
    /// The time in the name, in microseconds since 1970: of delivery, or an end of the interval.
    pub time: Option<i64>,
    /// Hive-style segments (`name=value`) in their order.
    pub hive: Vec<(String, String)>,
}

impl KeyFacts {
    /// The day as `yyyy/MM/dd`.
    pub fn day(&self) -> Option<String> {
        let (year, month, day) = (
            self.year.as_ref()?,
            self.month.as_ref()?,
            self.day.as_ref()?,
        );
        Some(format!("{year}/{month}/{day}"))
    }

    /// The day as days since 1970-01-01.
    pub fn date(&self) -> Option<i32> {
        let year: i32 = self.year.as_ref()?.parse().ok()?;
        let month: u32 = self.month.as_ref()?.parse().ok()?;
        let day: u32 = self.day.as_ref()?.parse().ok()?;
        days_from_civil(year, month, day)
    }

    fn set(&mut self, fact: Fact, value: &str) {
        let slot = match fact {
            Fact::Account => &mut self.account,
            Fact::Region => &mut self.region,
            Fact::Year => &mut self.year,
            Fact::Month => &mut self.month,
            Fact::Day => &mut self.day,
            Fact::Hour => &mut self.hour,
            Fact::Log => &mut self.log,
            Fact::Time => {
                self.time = time(value);
                return;
            }
            Fact::Other => return,
        };
        *slot = Some(value.to_owned());
    }

    /// Takes over what `other` says and this does not.
    pub fn complete(&mut self, other: Self) {
        let pairs = [
            (&mut self.account, other.account),
            (&mut self.region, other.region),
            (&mut self.year, other.year),
            (&mut self.month, other.month),
            (&mut self.day, other.day),
            (&mut self.hour, other.hour),
            (&mut self.log, other.log),
        ];
        for (mine, theirs) in pairs {
            if mine.is_none() {
                *mine = theirs;
            }
        }
        self.time = self.time.or(other.time);
    }

    /// The times, in microseconds since 1970, that the object's events can have.
    pub fn event_times(&self, delivery: Delivery) -> Option<RangeInclusive<i64>> {
        let time = self.time?;
        Some(time.saturating_sub(delivery.late)..=time.saturating_add(delivery.early))
    }
}

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// How far the time in an object's name may lie from those of its events, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// After an event.
    pub late: i64,
    /// Before an event: AWS's pages disagree whether a name has the beginning or the end of an
    /// interval, and clocks differ.
    pub early: i64,
    /// How much earlier than the latest of the records before it a record may be, where records are
    /// read as they are delivered.
    pub disorder: i64,
}

/// What records come out of order by where their format does not say.
const DISORDER: i64 = 5 * MINUTE;

impl Delivery {
    /// So many minutes after an event, or before it.
    pub fn minutes(late: u32, early: u32) -> Self {
        Self {
            late: i64::from(late) * MINUTE,
            early: i64::from(early) * MINUTE,
            disorder: DISORDER,
        }
    }

    /// The same with records that may be so many minutes earlier than one before them.
    #[must_use]
    pub fn with_disorder(self, minutes: u32) -> Self {
        Self {
            disorder: i64::from(minutes) * MINUTE,
            ..self
        }
    }

    /// The days, since 1970-01-01, whose folders may hold events of these times.
    pub fn days(self, times: &RangeInclusive<i64>) -> RangeInclusive<i32> {
        let day = |time: i64| {
            let day = time.div_euclid(DAY);
            i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX })
        };
        let first = times.start().saturating_sub(self.early);
        day(first)..=day(times.end().saturating_add(self.late))
    }

    /// The times of events that the folder of a day may hold.
    pub fn times(self, day: i32) -> RangeInclusive<i64> {
        let first = i64::from(day) * DAY;
        first - self.late..=first + DAY + self.early
    }
}

impl Default for Delivery {
    /// AWS promises best effort; the latest that its pages speak of is a day.
    fn default() -> Self {
        Self::minutes(25 * 60, 60)
    }
}

impl KeyPattern {
    /// Compiles a pattern; the error says what cannot be understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(format!("longer than {MAX_PATTERN_BYTES} bytes"));
        }
        match all_consuming(parts).parse_complete(text) {
            Ok((_, parts)) => Ok(Self(parts)),
            Err(_) => Err("unbalanced braces, or unbalanced or nested brackets".to_owned()),
        }
    }

    /// The pattern with what every key has: without parts that may be missing.
    pub(crate) fn required(&self) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Literal(text) => text.clone(),
            Part::Capture(fact) => format!("{{{}}}", fact.name()),
            Part::Optional(_) | Part::Rest => String::new(),
        });
        parts.collect()
    }

    /// What a key that starts like the pattern says; None if it does not.
    fn matches_start<'a>(&self, key: &'a str) -> Option<(KeyFacts, &'a str)> {
        let mut facts = KeyFacts::default();
        let rest = match_parts(&self.0, key, &mut facts)?;
        Some((facts, rest))
    }
}

/// What a key says by the patterns of one format.
pub(crate) struct Found {
    pub(crate) facts: KeyFacts,
    /// Whether the file's name says it, and not its folder alone.
    pub(crate) named: bool,
}

/// What `key` says if it lies in one of `folders` or its file is called like one of `files`.
pub(crate) fn facts(key: &str, folders: &[KeyPattern], files: &[KeyPattern]) -> Option<Found> {
    let folder = below_aws_logs(key).and_then(|rest| {
        folders.iter().find_map(|pattern| {
            // What follows the folders is the file: no further folder.
            pattern
                .matches_start(rest)
                .filter(|(_, file)| !file.contains('/'))
        })
    });
    let name = key.rsplit('/').next().unwrap_or(key);
    let file = files.iter().find_map(|pattern| {
        pattern
            .matches_start(name)
            .filter(|(_, rest)| rest.is_empty())
    });
    let named = file.is_some();
    let mut facts = match (folder, file) {
        (None, None) => return None,
        (Some((facts, _)), None) | (None, Some((facts, _))) => facts,
        (Some((mut facts, _)), Some((named, _))) => {
            facts.complete(named);
            facts
        }
    };
    facts.hive = hive_segments(key);
    Some(Found { facts, named })
}

/// What of a key stands behind its last `AWSLogs/`.
fn below_aws_logs(key: &str) -> Option<&str> {
    const ROOT: &str = "AWSLogs/";
    key.rfind(ROOT).map(|at| &key[at + ROOT.len()..])
}

/// The `name=value` folders of a key.
pub fn hive_segments(key: &str) -> Vec<(String, String)> {
    let Some((folders, _)) = key.rsplit_once('/') else {
        return Vec::new();
    };
    folders
        .split('/')
        .filter_map(|segment| segment.split_once('='))
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn match_parts<'a>(parts: &[Part], key: &'a str, facts: &mut KeyFacts) -> Option<&'a str> {
    let Some((first, rest)) = parts.split_first() else {
        return Some(key);
    };
    match first {
        Part::Literal(text) => match_parts(rest, key.strip_prefix(text.as_str())?, facts),
        Part::Rest => Some(""),
        Part::Optional(inner) => {
            let mut with = facts.clone();
            if let Some(after) = match_parts(inner, key, &mut with)
                && let Some(end) = match_parts(rest, after, &mut with)
            {
                *facts = with;
                return Some(end);
            }
            match_parts(rest, key, facts)
        }
        Part::Capture(fact) => {
            // A capture ends before the next literal, and never spans folders.
            let segment = key.split('/').next().unwrap_or(key);
            let end = match rest.first() {
                Some(Part::Literal(text)) => {
                    key.find(text.as_str()).filter(|&at| at <= segment.len())?
                }
                _ => segment.len(),
            };
            // No account id holds what AWS puts between the parts of a name.
            if end == 0 || (*fact == Fact::Account && key[..end].contains('_')) {
                return None;
            }
            facts.set(*fact, &key[..end]);
            match_parts(rest, &key[end..], facts)
        }
    }
}

fn parts(text: &str) -> IResult<&str, Vec<Part>> {
    let optional = delimited(char('['), many0(part), char(']'));
    many0(alt((map(optional, Part::Optional), part))).parse_complete(text)
}

/// A part that is no `[...]`: these do not nest, so that a pattern cannot exhaust the stack.
fn part(text: &str) -> IResult<&str, Part> {
    let name = delimited(char('{'), take_till1(|c| c == '}'), char('}'));
    alt((
        map(name, |name| Part::Capture(fact(name))),
        map(tag("*"), |_| Part::Rest),
        map(is_not("{}[]*"), |text: &str| Part::Literal(text.to_owned())),
    ))
    .parse_complete(text)
}

/// Microseconds since 1970 of a time as names have it: `20260131T0955Z`, UTC.
fn time(text: &str) -> Option<i64> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    if date.len() != 8 || !matches!(clock.len(), 4 | 6) {
        return None;
    }
    let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => digits.parse::<u32>().ok(),
        false => None,
    };
    let day = days_from_civil(
        number(date.get(..4)?)?.cast_signed(),
        number(date.get(4..6)?)?,
        number(date.get(6..)?)?,
    )?;
    let (hour, minute) = (number(clock.get(..2)?)?, number(clock.get(2..4)?)?);
    let second = clock.get(4..).filter(|rest| !rest.is_empty());
    let second = second.map_or(Some(0), number)?;
    let seconds = i64::from(day) * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    (hour < 24 && minute < 60 && second < 60).then_some(seconds * 1_000_000)
}

fn fact(name: &str) -> Fact {
    match name {
        "account" => Fact::Account,
        "region" => Fact::Region,
        "year" => Fact::Year,
        "month" => Fact::Month,
        "day" => Fact::Day,
        "hour" => Fact::Hour,
        "log" => Fact::Log,
        "time" => Fact::Time,
        _ => Fact::Other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn facts_of(key: &str) -> Option<KeyFacts> {
        let folder =
            KeyPattern::parse("{account}/vpcflowlogs/{region}/{year}/{month}/{day}/[{hour}/]")
                .unwrap();
        let hive =
            KeyPattern::parse("aws-account-id={account}/year={year}/[hour={hour}/]").unwrap();
        let file =
            KeyPattern::parse("{account}_vpcflowlogs_{region}_{log}_{time}_{hash}.log*").unwrap();
        facts(key, &[folder, hive], &[file]).map(|found| found.facts)
    }

    #[test]
    fn positional_hive_and_loose_keys() {
        let name = "123456789012_vpcflowlogs_us-east-1_fl-1234_20260102T0305Z_abc.log.gz";
        let loose = facts_of(name).unwrap();
        assert_eq!(loose.account.as_deref(), Some("123456789012"));
        assert_eq!(loose.log.as_deref(), Some("fl-1234"));
        assert_eq!(loose.day(), None);

        let full = facts_of(&format!(
            "a/b//AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/01/02/{name}"
        ))
        .unwrap();
        assert_eq!(full.day().as_deref(), Some("2026/01/02"));
        assert_eq!(full.date(), Some(20455));
        assert_eq!(full.hour, None);

        let hourly = facts_of(&format!(
            "AWSLogs/1/vpcflowlogs/us-east-1/2026/01/02/03/{name}"
        ))
        .unwrap();
        assert_eq!(hourly.hour.as_deref(), Some("03"));
        assert_eq!(
            hourly.account.as_deref(),
            Some("1"),
            "the folder goes before the file name"
        );

        let hive = facts_of("p/AWSLogs/aws-account-id=9/year=2026/hour=07/x.log").unwrap();
        assert_eq!(hive.account.as_deref(), Some("9"));
        assert_eq!(hive.hour.as_deref(), Some("07"));
        assert_eq!(hive.hive[1], ("year".to_owned(), "2026".to_owned()));
    }

    #[test]
    fn other_keys_say_nothing() {
        for key in [
            "",
            "/",
            "flow.log",
            "AWSLogs/",
            "AWSLogs/1/elasticloadbalancing/us-east-1/2026/01/02/x.log",
            "AWSLogs/1/vpcflowlogs/us-east-1/2026/01/02/03/deeper/x.log",
            "AWSLogs//vpcflowlogs/us-east-1/2026/01/02/x.log",
        ] {
            assert_eq!(facts_of(key), None, "{key}");
        }
    }

    #[test]
    fn dates() {
        let date = |year: &str, month: &str, day: &str| {
            let some = |text: &str| Some(text.to_owned());
            KeyFacts {
                year: some(year),
                month: some(month),
                day: some(day),
                ..Default::default()
            }
            .date()
        };
        assert_eq!(date("1970", "01", "01"), Some(0));
        assert_eq!(date("2000", "02", "29"), Some(11016));
        assert_eq!(date("2100", "02", "29"), None);
        assert_eq!(date("2026", "13", "01"), None);
        assert_eq!(date("2026", "04", "31"), None);
        assert_eq!(date("x", "01", "01"), None);
    }

    #[test]
    fn malformed_patterns() {
        for text in ["{account", "[a", "a]", "}", "[a[b]]"] {
            assert!(KeyPattern::parse(text).is_err(), "{text}");
        }
    }
}
