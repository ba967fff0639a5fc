//! What the daemon is connected to: stream, leases and lake. Nothing is asked for yet.

use std::sync::Arc;

use loglens_engine::lease::LeaseStore;
use loglens_engine::object::ObjectSource;
use loglens_engine::sink::ObjectSink;
use loglens_engine::write::Places;
use loglens_io::dynamodb::{self, DynamoLeases};
use loglens_io::kinesis::KinesisStream;
use loglens_io::local_leases::LocalLeases;
use loglens_io::places::WritablePlaces;
use loglens_io::s3::{self, S3Source};

use super::settings::Settings;
use crate::commands::session::access;
use crate::failure::Failure;

/// What the daemon is connected to.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    pub(super) stream: KinesisStream,
    pub(super) leases: Leases,
    pub(super) lake: LakePlace,
}

/// Where leases are kept.
#[derive(Debug, Clone)]
pub(super) enum Leases {
    Table(DynamoLeases),
    Folder(LocalLeases),
}

/// Where the lake lies.
#[derive(Debug, Clone)]
pub(super) struct LakePlace {
    /// What all keys begin with, without a slash at its end.
    pub(super) root: Arc<str>,
    pub(super) sink: Arc<dyn ObjectSink>,
    /// The same, if it is a bucket.
    pub(super) bucket: Option<S3Source>,
}

impl Connections {
    pub(super) fn new(settings: &Settings) -> Result<Self, Failure> {
        let anyone = access(&settings.s3, None)?;
        let named = |_: &str, place: &str| KinesisStream::new(place, anyone.clone());
        let stream = settings.stream.read(named)?;
        let stream = match settings.fan_out {
            true => stream.with_fan_out(&settings.application),
            false => stream,
        };
        let leases = match settings.leases.text.strip_prefix(dynamodb::SCHEME) {
            Some(table) => Leases::Table(DynamoLeases::new(table, anyone)),
            None => Leases::Folder(LocalLeases::new(&settings.leases.text)),
        };
        Ok(Self {
            stream,
            leases,
            lake: lake(settings)?,
        })
    }
}

fn lake(settings: &Settings) -> Result<LakePlace, Failure> {
    let access = access(&settings.s3, settings.role.as_ref())?;
    let root = settings.to.text.trim_end_matches('/');
    let bucket = match root.starts_with(s3::SCHEME) {
        true => Some(
            settings
                .to
                .read(|_, _| S3Source::new(root, access.clone()))?,
        ),
        false => None,
    };
    let places = WritablePlaces {
        access,
        offline: false,
    };
    let sink: Arc<dyn ObjectSink> = match &bucket {
        Some(bucket) => Arc::new(bucket.clone()),
        None => settings.to.read(|_, _| places.sink(root))?,
    };
    Ok(LakePlace {
        root: Arc::from(root),
        sink,
        bucket,
    })
}

impl Connections {
    /// Of each service: requests made again, and answers that asked to slow down.
    pub(super) fn retries(&self) -> Vec<(&'static str, u64, u64)> {
        let counts = self.stream.counts();
        let mut all = vec![("kinesis", counts.retries, counts.throttles)];
        if let Leases::Table(leases) = &self.leases {
            let (retries, throttles) = leases.retries();
            all.push(("dynamodb", retries, throttles));
        }
        if let Some(asked) = self.lake.bucket.as_ref().and_then(ObjectSource::requests) {
            all.push(("s3", asked.retries, asked.slow_downs));
        }
        all
    }
}

impl Leases {
    pub(super) fn store(&self) -> Arc<dyn LeaseStore> {
        match self {
            Self::Table(leases) => Arc::new(leases.clone()),
            Self::Folder(leases) => Arc::new(leases.clone()),
        }
    }
}
