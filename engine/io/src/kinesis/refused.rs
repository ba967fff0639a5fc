//! What is asked of Kinesis, and what it refuses for good, in words for people.

use loglens_engine::{Error, Owner};

use super::place::SCHEME;
use crate::aws::reason::{Reason, reason};
use crate::aws::refusal::Refusal;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    /// As Kinesis calls it.
    operation: &'static str,
    /// The shard that it is about, if it is about one.
    shard: Option<&'a str>,
}

impl<'a> Ask<'a> {
    pub(super) fn new(operation: &'static str) -> Self {
        Self {
            operation,
            shard: None,
        }
    }

    pub(super) fn of(operation: &'static str, shard: &'a str) -> Self {
        Self {
            operation,
            shard: Some(shard),
        }
    }

    /// The error for people: what was asked of a stream in a Region, and what became of it.
    pub(super) fn error(&self, refusal: &Refusal, stream: &str, region: &str) -> Error {
        let (owner, what, hint) = self.reason(refusal, stream);
        let place = match self.shard {
            None => format!("{SCHEME}{stream}"),
            Some(shard) => format!("{SCHEME}{stream}, {shard}"),
        };
        Error::new(owner, refusal.told(&place, &what, self.operation, region)).hint(hint)
    }

    fn reason(&self, refusal: &Refusal, stream: &str) -> Reason {
        match refusal.code.as_deref().unwrap_or_default() {
            // Kinesis does not say which of the two.
            "ResourceNotFoundException" if self.shard.is_some() => (
                Owner::External,
                format!("there is no such shard, or no stream {stream}"),
                "a shard goes when the last of its records does; `aws kinesis list-shards` shows which there are",
            ),
            "ResourceNotFoundException" => (
                Owner::Usage,
                format!("there is no stream {stream}"),
                "look for a typing mistake, and at the Region (--region); `aws kinesis list-streams` shows your streams",
            ),
            "KMSAccessDeniedException" => (
                Owner::External,
                "the KMS key of the stream may not be used".to_owned(),
                "allow kms:Decrypt on the key to read, kms:GenerateDataKey to write; in its key policy too, if it is another account's",
            ),
            "KMSDisabledException"
            | "KMSNotFoundException"
            | "KMSInvalidStateException"
            | "KMSOptInRequired" => (
                Owner::External,
                "the KMS key of the stream is disabled or deleted".to_owned(),
                "enable the key: what was encrypted with it cannot be read before",
            ),
            "InvalidArgumentException" if self.operation == "GetShardIterator" => (
                Owner::External,
                format!("the shard has no such place: {}", refusal.message),
                "the checkpoint may be of an earlier stream of this name: begin anew with other leases",
            ),
            "ResourceInUseException" => (
                Owner::External,
                "the stream or its consumer is being made, changed or deleted".to_owned(),
                "wait until it is ACTIVE (aws kinesis describe-stream-summary)",
            ),
            "LimitExceededException" if self.operation == "RegisterStreamConsumer" => (
                Owner::External,
                "the stream has as many consumers as it may have".to_owned(),
                "remove one (aws kinesis deregister-stream-consumer), or read without enhanced fan-out",
            ),
            _ => reason(refusal, "Kinesis", &format!("kinesis:{}", self.operation)),
        }
    }
}
