//! What S3 refuses, in words for people.

use loglens_engine::{Error, Owner};

use crate::aws::refusal::Refusal;

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// As S3 calls it.
    pub(super) operation: &'static str,
    /// The key, or the prefix of a listing.
    pub(super) key: String,
    /// The listing said that the object is there.
    pub(super) was_listed: bool,
}

impl Ask {
    pub(super) fn new(operation: &'static str, key: &str) -> Self {
        Self {
            operation,
            key: key.to_owned(),
            was_listed: false,
        }
    }

    /// Who can do something about a refusal, what it means, and the next step.
    pub(super) fn reason(&self, refusal: &Refusal, bucket: &str) -> (Owner, String, &'static str) {
        let code = refusal.code.as_deref().unwrap_or_default();
        let says = |text: &str| refusal.message.contains(text);
        if refusal.no_credentials {
            (
                Owner::Config,
                "no credentials were found".to_owned(),
                "name a profile (--profile), set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws sso login`; \
                 a public bucket needs none: --anonymous",
            )
        } else if self.was_listed && refusal.is_missing() {
            (
                Owner::External,
                "the object was listed and is not there any more".to_owned(),
                "ask again: an answer without it would be wrong",
            )
        } else if self.was_listed && refusal.is_condition() {
            (
                Owner::External,
                "the object was changed after it was listed".to_owned(),
                "ask again: an answer of both contents would be wrong",
            )
        } else {
            match code {
                "NoSuchBucket" => (
                    Owner::Usage,
                    format!("there is no bucket {bucket}"),
                    "look for a typing mistake; `aws s3 ls` shows your buckets",
                ),
                "NoSuchKey" | "NotFound" => (
                    Owner::Usage,
                    "there is no such object".to_owned(),
                    "look for a typing mistake; keys are case sensitive",
                ),
                "AccessDenied" | "AllAccessDisabled" if says("kms:") => (
                    Owner::External,
                    "the KMS key of the object may not be used".to_owned(),
                    "allow kms:Decrypt on the key, in its key policy too if it is another account's",
                ),
                "AccessDenied" | "AllAccessDisabled" | "Forbidden" => (
                    Owner::External,
                    format!("access denied: {} is not allowed", self.action()),
                    match self.operation {
                        "ListObjectsV2" | "HeadBucket" => {
                            "allow s3:ListBucket on the bucket itself; if its owner lets others pay, say --requester-pays"
                        }
                        "GetObject" => {
                            "allow s3:GetObject on the objects (bucket/*); if the owner lets others pay, say --requester-pays"
                        }
                        "GetCallerIdentity" => {
                            "a policy of the organisation or of the VPC endpoint denies it: allow it there"
                        }
                        _ => "allow it on the objects (bucket/*)",
                    },
                ),
                "InvalidRequest" if says("Server Side Encryption") => (
                    Owner::Config,
                    "the object is encrypted with a key that S3 does not keep (SSE-C)".to_owned(),
                    "say with which: --sse-c-key FILE",
                ),
                "InvalidObjectState" => (
                    Owner::External,
                    "the object is archived (Glacier or Deep Archive) and cannot be read as it is"
                        .to_owned(),
                    "restore it first (aws s3api restore-object), or leave it out with a time range",
                ),
                "KMS.DisabledException"
                | "KMS.NotFoundException"
                | "KMS.KMSInvalidStateException" => (
                    Owner::External,
                    "the KMS key of the object is disabled or deleted".to_owned(),
                    "enable the key, or leave the object out with a time range",
                ),
                "PermanentRedirect"
                | "TemporaryRedirect"
                | "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException"
                | "MovedPermanently" => (
                    Owner::Config,
                    "the bucket lies in another Region".to_owned(),
                    "name its Region: --region; `aws s3api head-bucket` shows it",
                ),
                "InvalidAccessKeyId"
                | "InvalidClientTokenId"
                | "SignatureDoesNotMatch"
                | "InvalidToken" => (
                    Owner::Config,
                    "AWS does not know these credentials".to_owned(),
                    "look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or name a profile: --profile",
                ),
                "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => (
                    Owner::Config,
                    "the credentials have expired".to_owned(),
                    "get new ones: `aws sso login`, or ask for a new session token",
                ),
                "RequestTimeTooSkewed" => (
                    Owner::External,
                    "this machine's clock differs from S3's by more than 15 minutes".to_owned(),
                    "set the clock",
                ),
                "InvalidRange" => (
                    Owner::External,
                    "the object is shorter than it was when it was listed".to_owned(),
                    "ask again: an answer without the rest would be wrong",
                ),
                "SlowDown" => (
                    Owner::External,
                    "S3 asks to slow down".to_owned(),
                    "something else reads the same prefix: ask again later, or of a shorter time range",
                ),
                _ if refusal.status == Some(403) => (
                    Owner::External,
                    format!("access denied: {} is not allowed", self.action()),
                    "look at the policies of the user, the bucket and the organisation",
                ),
                _ if refusal.status.is_none() => (
                    Owner::External,
                    format!("S3 cannot be reached: {}", refusal.message),
                    "look at the network, --endpoint-url and --region",
                ),
                _ => (
                    Owner::External,
                    format!("S3 refused: {} {}", code, refusal.message)
                        .trim()
                        .to_owned(),
                    "the request id tells AWS's support which request it was",
                ),
            }
        }
    }

    /// The error for people: what was asked of a bucket in a Region, and what became of it.
    pub(super) fn error(&self, refusal: &Refusal, bucket: &str, region: &str) -> Error {
        let place = format!("s3://{bucket}/{}", self.key);
        let (owner, what, hint) = self.reason(refusal, bucket);
        let message = refusal.told(&place, &what, self.operation, region);
        Error::new(owner, message).hint(hint)
    }

    /// What a policy must allow for it.
    fn action(&self) -> &'static str {
        match self.operation {
            "ListObjectsV2" | "HeadBucket" => "s3:ListBucket",
            "GetObject" => "s3:GetObject",
            "GetCallerIdentity" => "sts:GetCallerIdentity",
            "DeleteObject" => "s3:DeleteObject",
            "AbortMultipartUpload" => "s3:AbortMultipartUpload",
            _ => "s3:PutObject",
        }
    }
}
