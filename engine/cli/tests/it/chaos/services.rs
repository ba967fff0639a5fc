//! Streams, objects and leases on loopback, and what goes wrong with them.

use std::process::Command;
use std::sync::Arc;

use loglens_engine::shard::{Shard, ShardSource};
use loglens_io::kinesis::KinesisStream;
use loglens_io::s3::access::Access;
use loglens_kinesis_server as streams;
use loglens_test_server::{self as objects, Fault, Forward, Moto, Wrong};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::random::Random;
use crate::command::below;

pub(super) const STREAM: &str = "kinesis://flow-logs";
pub(super) const LAKE: &str = "s3://lake/logs/";
/// The bucket of the lake, and the folder in it.
pub(super) const BUCKET: &str = "lake";
pub(super) const FOLDER: &str = "logs/";

/// The stream's own name.
const NAME: &str = "flow-logs";

/// More open shards are not wanted.
const MOST_SHARDS: usize = 6;

/// All that a worker reaches.
pub(super) struct Services {
    pub(super) runtime: Runtime,
    pub(super) stream: KinesisStream,
    streams: streams::Server,
    objects: Arc<objects::Server>,
    /// DynamoDB, where moto is installed; else leases are in a folder.
    table: Option<(Moto, Forward)>,
}

impl Services {
    pub(super) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let streams = streams::Server::start().unwrap();
        runtime.block_on(streams.create(NAME, 3)).unwrap();
        streams.limit_reads();
        let objects = Arc::new(objects::Server::start().unwrap());
        objects.add(BUCKET, objects::Bucket::new());
        let access = Access {
            endpoint_url: Some(streams.endpoint()),
            anonymous: true,
            ..Access::default()
        };
        Self {
            stream: KinesisStream::new(STREAM, access).unwrap(),
            runtime,
            streams,
            objects,
            table: Moto::start().map(|moto| {
                let forward = Forward::start(moto.port).unwrap();
                (moto, forward)
            }),
        }
    }

    pub(super) fn objects(&self) -> Arc<objects::Server> {
        Arc::clone(&self.objects)
    }

    /// Tells a command where the services are.
    pub(super) fn reach(&self, command: &mut Command) {
        command
            .env("AWS_ENDPOINT_URL_KINESIS", self.streams.endpoint())
            .env("AWS_ENDPOINT_URL_S3", self.objects.endpoint())
            .env("AWS_REGION", "us-east-1");
        if let Some((_, forward)) = &self.table {
            command.env("AWS_ENDPOINT_URL_DYNAMODB", forward.endpoint());
        }
    }

    /// Where leases are.
    pub(super) fn leases(&self, folder: &TempDir) -> String {
        match &self.table {
            Some(_) => "dynamodb://chaos".to_owned(),
            None => below(folder, "leases"),
        }
    }

    /// Whether a worker that sleeps may do so anywhere: in a folder, it may have the lock meanwhile, and
    /// nobody else gets it before it wakes or ends.
    pub(super) fn bear_sleepers(&self) -> bool {
        self.table.is_some()
    }

    pub(super) fn kind_of_leases(&self) -> &'static str {
        match &self.table {
            Some(_) => "DynamoDB (moto)",
            None => "a folder",
        }
    }

    /// Some requests of each service fail from now on. What has not failed yet of those before does
    /// not: else failures gather until a service is as good as gone.
    pub(super) fn strike(&self, random: &mut Random) {
        self.streams.mend();
        self.objects.mend();
        for _ in 0..3 {
            let fault = of_streams(random);
            self.streams.fail(fault);
            let fault = of_objects(random);
            self.objects.fail(fault);
        }
        if let Some((_, forward)) = &self.table {
            forward.mend();
            (0..2).for_each(|_| forward.fail(of_table(random)));
        }
        self.streams.deliver_again(random.below(3));
        self.streams.refuse_some(random.below(3));
    }

    /// Splits a shard, or merges two.
    pub(super) fn reshard(&self, random: &mut Random) {
        let work = async {
            let mut open = self.stream.shards().await.unwrap();
            open.retain(|shard| !shard.closed);
            open.sort_by_key(|shard| *shard.hash_keys.start());
            let id = |shard: &Shard| shard.id.to_string();
            let merges = open.len() >= MOST_SHARDS || open.len() > 1 && random.one_in(2);
            if merges {
                let at = random.below(open.len() - 1);
                let (low, high) = (id(&open[at]), id(&open[at + 1]));
                self.streams.merge(NAME, &low, &high).await.unwrap();
            } else {
                let shard = id(&open[random.below(open.len())]);
                self.streams.split(NAME, &shard).await.unwrap();
            }
        };
        self.runtime.block_on(work);
    }
}

/// Writes are refused at most: one whose answer is lost is made again, and its records come twice.
fn of_streams(random: &mut Random) -> Fault {
    let slow = |operation| {
        let code = "ProvisionedThroughputExceededException";
        Fault::status(operation, 400, code, "Rate exceeded for shard")
    };
    let times = 1 + random.below(3);
    let fault = match random.below(9) {
        0 => Fault::status("GetRecords", 500, "InternalFailure", ""),
        1 => slow("GetRecords"),
        2 => Fault::once("GetRecords", Wrong::BreakAfter(20)),
        3 => Fault::once("GetRecords", Wrong::LoseAnswer),
        4 => Fault::status(
            "GetRecords",
            400,
            "ExpiredIteratorException",
            "Iterator expired.",
        ),
        5 => Fault::status("ListShards", 500, "InternalFailure", ""),
        6 => Fault::once("GetShardIterator", Wrong::LoseAnswer),
        7 => slow("GetShardIterator"),
        _ => slow("PutRecords"),
    };
    fault.times(times).after(random.below(6))
}

fn of_objects(random: &mut Random) -> Fault {
    let times = 1 + random.below(3);
    let fault = match random.below(8) {
        0 => return Fault::slow_down("PutObject", 1 + random.below(6)).after(random.below(6)),
        1 => Fault::status("PutObject", 500, "InternalError", ""),
        2 | 3 => Fault::once("PutObject", Wrong::LoseAnswer),
        4 => Fault::once("PutObject", Wrong::BreakAfter(0)),
        5 => Fault::slow_down("GetObject", 1),
        6 => Fault::once("GetObject", Wrong::BreakAfter(10)),
        _ => Fault::once("", Wrong::LoseAnswer),
    };
    fault.times(times).after(random.below(6))
}

fn of_table(random: &mut Random) -> Fault {
    let times = 1 + random.below(3);
    let fault = match random.below(5) {
        0 => Fault::status("UpdateItem", 500, "InternalServerError", ""),
        1 => {
            let code = "ProvisionedThroughputExceededException";
            Fault::status("UpdateItem", 400, code, "too many")
        }
        2 => Fault::once("UpdateItem", Wrong::LoseAnswer),
        3 => Fault::status("Scan", 500, "InternalServerError", ""),
        _ => Fault::once("", Wrong::LoseAnswer),
    };
    fault.times(times).after(random.below(6))
}
