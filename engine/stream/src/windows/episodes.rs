//! Episodes: for how long the condition of a HAVING holds for one key.
//!
//! It holds in a window where the key has a row. An episode begins with the first of windows that
//! follow on one another, and ends with the first one that lacks the key. Windows that are given
//! again, because rows came late, change no episode: what was told is not taken back.

use std::collections::{BTreeMap, HashSet};

use loglens_engine::arrow::util::display::array_value_to_string;
use loglens_engine::error::{Error, Owner};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::kept::Closing;
use super::notices::{RowsAsJson, line, rows};
use super::time::rfc3339;

/// Episodes that go on, by their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episodes {
    open: BTreeMap<String, Episode>,
    /// The end of the last window that was looked at.
    until: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Episode {
    /// The end of its first window, in microseconds since 1970.
    since: i64,
    /// That of the last window in which the condition held.
    last: i64,
}

/// Whose condition it is, and how windows follow on one another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Condition<'a> {
    pub(super) name: &'a str,
    /// Microseconds from the end of a window to that of the next.
    pub(super) slide: i64,
    /// The columns that tell rows of a window apart.
    pub(super) keys: &'a [usize],
    pub(super) as_json: RowsAsJson,
}

/// What is said of an episode.
#[derive(Serialize)]
struct Notice<'a> {
    alert: &'a str,
    /// That of its beginning and of its end differ only in their last part.
    id: String,
    state: &'static str,
    /// The end of its first window.
    since: String,
    /// The end of the first window that it is not in.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    key: &'a RawValue,
    /// The row that it began with.
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<&'a RawValue>,
}

impl Episodes {
    /// How many go on.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none goes on.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Looks at windows that closed; gives the notices of what begins and ends with them.
    pub(super) fn closed(
        &mut self,
        condition: Condition<'_>,
        closing: &Closing,
    ) -> Result<Vec<String>, Error> {
        let end = closing.end;
        if self.until.is_some_and(|until| end <= until) {
            return Ok(Vec::new());
        }
        // Windows in between of which there was no row at all.
        let mut notices = self.passed(condition, end.saturating_sub(condition.slide))?;
        let mut holds = HashSet::new();
        for (key, row) in keys(condition, closing)?
            .into_iter()
            .zip(rows(closing, condition.as_json)?)
        {
            holds.insert(key.clone());
            match self.open.get_mut(&key) {
                Some(episode) => episode.last = end,
                None => {
                    notices.push(condition.notice(&key, end, Some(&row), None)?);
                    let episode = Episode {
                        since: end,
                        last: end,
                    };
                    self.open.insert(key, episode);
                }
            }
        }
        self.until = Some(end);
        notices.extend(self.end(condition, |key, _| (!holds.contains(key)).then_some(end))?);
        Ok(notices)
    }

    /// Takes down that all windows that end at a time or before have closed; gives the notices of what
    /// ended.
    pub(super) fn passed(
        &mut self,
        condition: Condition<'_>,
        watermark: i64,
    ) -> Result<Vec<String>, Error> {
        self.end(condition, |_, episode| {
            let next = episode.last.saturating_add(condition.slide);
            (next <= watermark).then_some(next)
        })
    }

    /// Ends those of which `ended` says with which window.
    fn end(
        &mut self,
        condition: Condition<'_>,
        ended: impl Fn(&str, &Episode) -> Option<i64>,
    ) -> Result<Vec<String>, Error> {
        let all = self.open.iter();
        let all = all
            .filter_map(|(key, episode)| Some((key.clone(), episode.since, ended(key, episode)?)));
        let mut notices = Vec::new();
        for (key, since, until) in all.collect::<Vec<_>>() {
            notices.push(condition.notice(&key, since, None, Some(until))?);
            self.open.remove(&key);
        }
        Ok(notices)
    }
}

impl Condition<'_> {
    fn notice(
        &self,
        key: &str,
        since: i64,
        row: Option<&RawValue>,
        until: Option<i64>,
    ) -> Result<String, Error> {
        let (name, since) = (self.name, rfc3339(since));
        let state = if until.is_some() { "ended" } else { "began" };
        let internal = |error: serde_json::Error| Error::new(Owner::Internal, error.to_string());
        line(&Notice {
            alert: name,
            id: format!("{name}/{since}/{key}/{state}"),
            state,
            until: until.map(rfc3339),
            key: &RawValue::from_string(key.to_owned()).map_err(internal)?,
            since,
            row,
        })
    }
}

/// The keys of all rows, each an array of JSON with the texts of its columns.
fn keys(condition: Condition<'_>, closing: &Closing) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    for rows in &closing.rows {
        for row in 0..rows.num_rows() {
            let columns = condition.keys.iter().map(|&column| rows.column(column));
            let texts = columns.map(|column| match column.is_null(row) {
                true => Ok(None),
                false => array_value_to_string(column, row).map(Some),
            });
            let texts: Result<Vec<Option<String>>, _> = texts.collect();
            let texts = texts.map_err(|error| Error::new(Owner::Internal, error.to_string()))?;
            all.push(line(&texts)?);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use loglens_engine::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn as_json(rows: &RecordBatch) -> Result<Vec<String>, Error> {
        Ok((0..rows.num_rows())
            .map(|row| format!("{{\"row\":{row}}}"))
            .collect())
    }

    fn condition() -> Condition<'static> {
        Condition {
            name: "scans",
            slide: MINUTE,
            keys: &[0],
            as_json,
        }
    }

    fn closing(minute: i64, keys: &[&str]) -> Closing {
        let numbers = Int64Array::from_iter_values(0..keys.len() as i64);
        let columns: [(&str, ArrayRef); 2] = [
            ("key", Arc::new(StringArray::from(keys.to_vec()))),
            ("n", Arc::new(numbers)),
        ];
        let rows = RecordBatch::try_from_iter(columns).unwrap();
        Closing {
            end: minute * MINUTE,
            revision: 0,
            rows: vec![rows],
        }
    }

    /// What is told, as `state key minute`.
    fn told(notices: &[String]) -> Vec<String> {
        let notices = notices.iter().map(|notice| {
            let notice: serde_json::Value = serde_json::from_str(notice).unwrap();
            let time = notice.get("until").unwrap_or(&notice["since"]);
            let minute = &time.as_str().unwrap()[14..16];
            format!(
                "{} {} {minute}",
                notice["state"].as_str().unwrap(),
                notice["key"][0].as_str().unwrap()
            )
        });
        notices.collect()
    }

    #[test]
    fn one_notice_when_it_begins_and_one_when_it_ends() {
        let mut episodes = Episodes::default();
        let mut closed = |minute, keys: &[&str]| {
            told(
                &episodes
                    .closed(condition(), &closing(minute, keys))
                    .unwrap(),
            )
        };
        assert_eq!(closed(1, &["a"]), ["began a 01"]);
        assert_eq!(closed(2, &["a", "b"]), ["began b 02"]);
        assert_eq!(closed(3, &["b"]), ["ended a 03"]);
        // Windows without any row at all are not given.
        assert_eq!(closed(6, &["b"]), ["ended b 04", "began b 06"]);
        // One that is given again tells nothing.
        assert_eq!(closed(5, &["c"]), [""; 0]);
        assert_eq!(closed(7, &[]), ["ended b 07"]);
    }

    #[test]
    fn time_that_passes_without_rows_ends_it() {
        let mut episodes = Episodes::default();
        episodes.closed(condition(), &closing(1, &["a"])).unwrap();
        let mut passed = |minute| told(&episodes.passed(condition(), minute * MINUTE).unwrap());
        assert_eq!(passed(1), [""; 0]);
        assert_eq!(passed(2), ["ended a 02"]);
        assert_eq!(passed(9), [""; 0]);
    }

    #[test]
    fn ids_are_the_same_each_time() {
        let once = || {
            Episodes::default()
                .closed(condition(), &closing(1, &["a"]))
                .unwrap()
        };
        assert_eq!(once(), once());
        assert!(once()[0].contains(r#""id":"scans/1970-01-01T00:01:00Z/[\"a\"]/began""#));
    }
}
