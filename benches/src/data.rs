//! The data: seeded logs, of each family the same records in every layout.
//!
//! A family's folder has a manifest, written last, and is made again only if that differs from what
//! is wanted.

mod make;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use loglens_parsers::field::Kind;
use loglens_parsers::format::{Format, Shape, by_name};
use serde::{Deserialize, Serialize};

use crate::cases::{Family, Layout, Storage};
use crate::error::{Error, Result};
use crate::peers::{FieldType, Log, LogKind};

/// Raised when the same rows and seed would give other data.
const VERSION: u32 = 2;
const SEED: u64 = 1;

/// 2026-01-05T12:00:00Z, in the middle of the day that the logs cover.
const HOUR_START: u64 = 1_767_614_400;

/// What a family's folder holds.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Manifest {
    version: u32,
    seed: u64,
    pub(crate) rows: u64,
    /// The bytes of the plain file.
    pub(crate) text_bytes: u64,
    /// The bytes of the largest object of the many, inflated.
    largest_object_bytes: u64,
    /// What the cases ask for: an address, a user and so on.
    pub(crate) values: BTreeMap<String, String>,
}

/// The logs of a family.
pub(crate) struct Data {
    pub(crate) family: Family,
    folder: PathBuf,
    pub(crate) manifest: Manifest,
    format: &'static Format,
}

/// As many records of a family as give about half a gigabyte when there are 5,000,000 of flow logs;
/// of CloudTrail a quarter.
pub(crate) fn rows_of(family: Family, flow_rows: u64) -> u64 {
    match family {
        Family::Flow => flow_rows,
        Family::Alb => flow_rows * 4 / 25,
        Family::CloudTrail => flow_rows / 25,
    }
}

impl Data {
    /// Makes the data unless it is there.
    pub(crate) fn ensure(root: &Path, family: Family, table: &str, rows: u64) -> Result<Self> {
        Self::open(
            &root.join(format!("{}-{rows}", family.name())),
            family,
            table,
            rows,
            false,
        )
    }

    /// Makes the plain file alone unless it is there.
    pub(crate) fn ensure_plain(
        root: &Path,
        family: Family,
        table: &str,
        rows: u64,
    ) -> Result<Self> {
        let root = root.join(format!("{}-{rows}-plain", family.name()));
        Self::open(&root, family, table, rows, true)
    }

    fn open(root: &Path, family: Family, table: &str, rows: u64, only_plain: bool) -> Result<Self> {
        let format = by_name(table).ok_or_else(|| Error::new(format!("{table}: not a table")))?;
        fs::create_dir_all(root).map_err(Error::at(root))?;
        // Peers run in folders of their own choice.
        let folder = root.canonicalize().map_err(Error::at(root))?;
        let manifest = match read_manifest(&folder) {
            Some(found) if (found.version, found.seed, found.rows) == (VERSION, SEED, rows) => {
                found
            }
            _ => make::make(&folder, family, rows, only_plain)?,
        };
        Ok(Self {
            family,
            folder,
            manifest,
            format,
        })
    }

    /// The file, or the folder of the many.
    pub(crate) fn place(&self, storage: Storage) -> PathBuf {
        self.folder.join(file_name(self.family, storage))
    }

    /// All files of a layout.
    pub(crate) fn files(&self, storage: Storage) -> Result<Vec<PathBuf>> {
        let place = self.place(storage);
        if storage == Storage::Files {
            make::files_below(&place)
        } else {
            Ok(vec![place])
        }
    }

    /// What a peer is told about a layout.
    pub(crate) fn log(&self, layout: Layout, members: &[String]) -> Result<Log> {
        let storage = layout.storage;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let place = self.place(storage);
        let (quote, header) = match &self.format.shape {
            Shape::Quoted { quoting, .. } => (Some(char::from(quoting.quote)), false),
            _ => (None, true),
        };
        Ok(Log {
            kind: match (storage, self.family) {
                (Storage::Parquet, _) => LogKind::Parquet,
                (_, Family::CloudTrail) => LogKind::Json,
                _ => LogKind::Lines,
            },
            files: self.files(storage)?.iter().map(|path| text(path)).collect(),
            glob: match storage {
                Storage::Files => text(&place.join("**/*.gz")),
                _ => text(&place),
            },
            separator: ' ',
            quote,
            header,
            fields: fields(self.format),
            members: members.to_vec(),
            largest: self.manifest.largest_object_bytes,
        })
    }
}

fn file_name(family: Family, storage: Storage) -> &'static str {
    match (storage, family) {
        (Storage::Plain, Family::CloudTrail) => "plain.json",
        (Storage::Plain, _) => "plain.log",
        (Storage::Gzip, Family::CloudTrail) => "gzip.json.gz",
        (Storage::Gzip, _) => "gzip.log.gz",
        (Storage::Files, _) => "files",
        (Storage::Parquet, _) => "flows.parquet",
    }
}

fn read_manifest(folder: &Path) -> Option<Manifest> {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).ok()?).ok()
}

/// The fields of a line as peers name them: as in the header line if there is one.
fn fields(format: &Format) -> Vec<(String, FieldType)> {
    let has_header = matches!(format.shape, Shape::Header { .. });
    let field = |name: &String| {
        let mut columns = format
            .columns
            .iter()
            .filter(|column| *column.field == **name);
        let kind = match (columns.next(), columns.next()) {
            (Some(column), None) => match column.kind {
                Kind::Int32 | Kind::Int64 | Kind::UnixSeconds => FieldType::Int,
                Kind::Float64 => FieldType::Float,
                _ => FieldType::Text,
            },
            _ => FieldType::Text,
        };
        let name = if has_header {
            name.replace('_', "-")
        } else {
            name.replace(":port", "")
        };
        (name, kind)
    };
    format.default_order.iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_layout_holds_the_same_records() {
        let root = tempfile::tempdir().unwrap();
        for (family, table) in [
            (Family::Flow, "vpc_flow_logs"),
            (Family::Alb, "alb_access_logs"),
            (Family::CloudTrail, "cloudtrail_logs"),
        ] {
            let data = Data::ensure(root.path(), family, table, 600).unwrap();
            let plain = fs::read(data.place(Storage::Plain)).unwrap();
            assert_eq!(plain.len() as u64, data.manifest.text_bytes);
            let gzip = make::inflated(&data.place(Storage::Gzip)).unwrap();
            assert!(gzip == plain);
            let many = data.files(Storage::Files).unwrap();
            assert_eq!(many.len(), 288);
            let mut joined = Vec::new();
            make::join(
                family,
                many.iter().map(|file| make::inflated(file)),
                &mut joined,
            )
            .unwrap();
            assert!(joined == plain);

            let records = match family {
                Family::CloudTrail => {
                    let objects = serde_json::Deserializer::from_slice(&plain);
                    objects
                        .into_iter::<serde_json::Value>()
                        .map(|object| object.unwrap()["Records"].as_array().unwrap().len())
                        .sum()
                }
                Family::Flow => plain.iter().filter(|&&byte| byte == b'\n').count() - 1,
                Family::Alb => plain.iter().filter(|&&byte| byte == b'\n').count(),
            };
            assert_eq!(records, 600);

            let again = Data::ensure(root.path(), family, table, 600).unwrap();
            assert_eq!(again.manifest, data.manifest);
        }
    }

    #[test]
    fn fields_have_the_names_that_peers_see() {
        let flow = fields(by_name("vpc_flow_logs").unwrap());
        assert_eq!(flow[1], ("account-id".to_owned(), FieldType::Text));
        assert_eq!(flow[9], ("bytes".to_owned(), FieldType::Int));
        let alb = fields(by_name("alb_access_logs").unwrap());
        assert_eq!(alb.len(), 34);
        assert_eq!(alb[4], ("target".to_owned(), FieldType::Text));
        assert_eq!(alb[6].1, FieldType::Float);
    }
}
