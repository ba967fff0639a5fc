//! The cases, as `cases.toml` describes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::answer::{Alike, TOLERANCE};
use crate::error::{Error, Result};
use crate::peers::Peer;

/// A family of logs.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Family {
    Flow,
    Alb,
    CloudTrail,
}

impl Family {
    pub(crate) const ALL: [Self; 3] = [Self::Flow, Self::Alb, Self::CloudTrail];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Alb => "alb",
            Self::CloudTrail => "cloudtrail",
        }
    }
}

/// How the records of a family lie in files.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Storage {
    /// One file of text.
    Plain,
    /// The same file as one gzip object.
    Gzip,
    /// A gzip object for every five minutes of a day.
    Files,
    /// A Parquet file for the peers; loglens reads the text.
    Parquet,
}

/// A family in a way of lying in files.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Layout {
    pub(crate) family: Family,
    pub(crate) storage: Storage,
}

impl Layout {
    pub(crate) const ALL: [Self; 9] = [
        Self::new(Family::Flow, Storage::Plain),
        Self::new(Family::Flow, Storage::Gzip),
        Self::new(Family::Flow, Storage::Files),
        Self::new(Family::Flow, Storage::Parquet),
        Self::new(Family::Alb, Storage::Plain),
        Self::new(Family::Alb, Storage::Gzip),
        Self::new(Family::CloudTrail, Storage::Plain),
        Self::new(Family::CloudTrail, Storage::Gzip),
        Self::new(Family::CloudTrail, Storage::Files),
    ];

    pub(crate) const fn new(family: Family, storage: Storage) -> Self {
        Self { family, storage }
    }

    /// As in `--layouts`: `flow-plain`.
    pub(crate) fn name(self) -> String {
        let storage = match self.storage {
            Storage::Plain => "plain",
            Storage::Gzip => "gzip",
            Storage::Files => "files",
            Storage::Parquet => "parquet",
        };
        format!("{}-{storage}", self.family.name())
    }

    /// As a heading.
    pub(crate) fn title(self) -> String {
        let family = match self.family {
            Family::Flow => "Flow logs",
            Family::Alb => "ALB access logs",
            Family::CloudTrail => "CloudTrail",
        };
        let storage = match self.storage {
            Storage::Plain => "one plain file",
            Storage::Gzip => "one gzip file",
            Storage::Files => "288 gzip files of 5 minutes",
            Storage::Parquet => "Parquet for the peers, the plain file for loglens",
        };
        format!("{family}, {storage}")
    }
}

/// The cases of a family.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FamilyCases {
    /// The table's name in loglens.
    pub(crate) table: String,
    #[serde(rename = "case")]
    pub(crate) cases: Vec<Case>,
}

/// A question, in everybody's words.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) title: String,
    /// Whether the order of the rows is part of the answer.
    #[serde(default)]
    ordered: bool,
    /// How far numbers that are not integers may be apart, if more than usual.
    #[serde(default)]
    tolerance: Option<f64>,
    /// What a reader of the results has to know.
    #[serde(default)]
    pub(crate) note: Option<String>,
    loglens: String,
    sql: String,
    #[serde(default)]
    duckdb: Option<String>,
    #[serde(default)]
    chdb: Option<String>,
    #[serde(default)]
    datafusion: Option<String>,
    #[serde(default)]
    polars: Option<String>,
    /// The members of CloudTrail's records that the peers have to read, by their paths.
    #[serde(default)]
    pub(crate) members: Vec<String>,
    /// Why peers are not asked, by their names.
    #[serde(default)]
    cannot: BTreeMap<String, String>,
}

impl Case {
    /// When two answers count as the same.
    pub(crate) fn alike(&self) -> Alike {
        Alike {
            ordered: self.ordered,
            tolerance: self.tolerance.unwrap_or(TOLERANCE),
        }
    }

    /// The statement for loglens.
    pub(crate) fn loglens(&self, values: &BTreeMap<String, String>) -> String {
        with_values(&self.loglens, values)
    }

    /// The query for a peer, or the reason why there is none.
    pub(crate) fn query(
        &self,
        peer: Peer,
        values: &BTreeMap<String, String>,
    ) -> std::result::Result<String, String> {
        if let Some(reason) = self.cannot.get(peer.name()) {
            return Err(reason.clone());
        }
        let own = match peer {
            Peer::Duckdb => self.duckdb.as_ref(),
            Peer::DuckdbReadJson => None,
            Peer::Polars => {
                let polars = self.polars.as_ref();
                return polars
                    .map(|query| with_values(query, values))
                    .ok_or_else(|| "has no query".to_owned());
            }
            Peer::Chdb => self.chdb.as_ref(),
            Peer::Datafusion => self.datafusion.as_ref(),
        };
        Ok(with_values(own.unwrap_or(&self.sql), values))
    }
}

fn with_values(text: &str, values: &BTreeMap<String, String>) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

/// A question that may take much memory, over one plain file of flow logs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemoryCase {
    pub(crate) name: String,
    pub(crate) title: String,
    /// How many times the rows of the other cases.
    pub(crate) times: u64,
    pub(crate) loglens: String,
    /// For `--memory-limit`.
    #[serde(default)]
    pub(crate) limit: Option<String>,
    /// The peak of resident memory may be this high.
    #[serde(default)]
    pub(crate) allowed_megabytes: Option<u64>,
}

/// All cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cases {
    flow: FamilyCases,
    alb: FamilyCases,
    cloudtrail: FamilyCases,
    memory: Vec<MemoryCase>,
}

impl Cases {
    /// Those that this program was built with.
    pub(crate) fn built_in() -> Result<Self> {
        toml::from_str(include_str!("../cases.toml"))
            .map_err(|error| Error::new(format!("cases.toml: {error}")))
    }

    pub(crate) fn memory(&self) -> &[MemoryCase] {
        &self.memory
    }

    pub(crate) fn of(&self, family: Family) -> &FamilyCases {
        match family {
            Family::Flow => &self.flow,
            Family::Alb => &self.alb,
            Family::CloudTrail => &self.cloudtrail,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_peer_gets_every_value() {
        let names = ["needle", "hour_start", "hour_end", "user"];
        let values = names.map(|name| (name.to_owned(), "1".to_owned())).into();
        let cases = Cases::built_in().unwrap();
        for case in Family::ALL
            .iter()
            .flat_map(|&family| &cases.of(family).cases)
        {
            let mut queries = vec![case.loglens(&values)];
            queries.extend(
                Peer::ALL
                    .iter()
                    .filter_map(|&peer| case.query(peer, &values).ok()),
            );
            for query in queries {
                let rest = query.replace("{t}", "");
                assert!(!rest.contains('{') && !rest.contains('}'), "{query}");
            }
        }
    }

    #[test]
    fn a_peer_without_words_of_its_own_gets_the_common_ones() {
        let case: Case = toml::from_str(
            "name = 'n'\ntitle = 't'\nloglens = 'ours'\nsql = 'theirs {x}'\nduckdb = 'own'\n\
             cannot = { chdb = 'no' }",
        )
        .unwrap();
        let values = BTreeMap::from([("x".to_owned(), "7".to_owned())]);
        assert_eq!(case.query(Peer::Duckdb, &values).unwrap(), "own");
        assert_eq!(
            case.query(Peer::DuckdbReadJson, &values).unwrap(),
            "theirs 7"
        );
        assert_eq!(case.query(Peer::Datafusion, &values).unwrap(), "theirs 7");
        assert_eq!(case.query(Peer::Chdb, &values).unwrap_err(), "no");
        assert_eq!(
            case.query(Peer::Polars, &values).unwrap_err(),
            "has no query"
        );
    }
}
