//! What S3 refuses, in words for people.

use std::error::Error as StdError;
use std::fmt::Write;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use loglens_engine::{Error, Owner};

/// The header in which S3 says where a bucket lies.
const REGION_HEADER: &str = "x-amz-bucket-region";

/// A request that was refused, or that nobody answered.
#[derive(Debug, Default, Clone)]
pub(super) struct Refusal {
    /// The status of the answer; none if there was no answer.
    pub(super) status: Option<u16>,
    /// S3's name of what is wrong.
    pub(super) code: Option<String>,
    /// S3's words, or what failed on the way.
    pub(super) message: String,
    pub(super) request_id: Option<String>,
    /// Where the bucket lies, if the answer says so.
    pub(super) region: Option<String>,
    /// Nobody gave credentials.
    pub(super) no_credentials: bool,
    /// Some of what was asked for came.
    pub(super) progress: bool,
    /// How often it was asked for.
    pub(super) tries: u32,
}

/// Whether asking again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passing {
    /// It is asked for too much.
    SlowDown,
    /// It may go well the next time.
    Yes,
    /// It will not.
    No,
}

impl Refusal {
    /// What failed on the way, and may go well the next time.
    pub(super) fn on_the_way(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// The same with how often it was asked for.
    pub(super) fn after(mut self, tries: u32) -> Self {
        self.tries = tries;
        self
    }

    pub(super) fn passing(&self) -> Passing {
        if self.no_credentials {
            return Passing::No;
        }
        let slow = ["SlowDown", "Throttling", "RequestLimitExceeded"];
        match (self.status, self.code.as_deref()) {
            (Some(429 | 503), _) => Passing::SlowDown,
            (_, Some(code)) if slow.contains(&code) => Passing::SlowDown,
            (None | Some(500 | 502 | 504), _)
            | (_, Some("RequestTimeout" | "InternalError" | "RequestTimeTooSkewed")) => {
                Passing::Yes
            }
            _ => Passing::No,
        }
    }

    /// Whether there is no such object.
    pub(super) fn is_missing(&self) -> bool {
        self.status == Some(404) && self.code.as_deref() != Some("NoSuchBucket")
    }

    /// Whether a condition did not hold.
    pub(super) fn is_condition(&self) -> bool {
        self.status == Some(412) || self.code.as_deref() == Some("ConditionalRequestConflict")
    }
}

impl<E> From<SdkError<E, HttpResponse>> for Refusal
where
    E: ProvideErrorMetadata + RequestId + StdError + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let response = error.raw_response();
        let header = |name| response.and_then(|response| response.headers().get(name));
        let mut refusal = Self {
            status: response.map(|response| response.status().as_u16()),
            region: header(REGION_HEADER).map(str::to_owned),
            ..Self::default()
        };
        let request_id = header("x-amz-request-id").map(str::to_owned);
        if let Some(service) = error.as_service_error() {
            refusal.code = service.code().map(str::to_owned);
            refusal.message = service.message().unwrap_or_default().to_owned();
            refusal.request_id = service.request_id().map(str::to_owned).or(request_id);
        } else {
            refusal.request_id = request_id;
            let mut causes: Vec<String> = Vec::new();
            let mut cause: Option<&(dyn StdError + 'static)> = error.source();
            while let Some(found) = cause {
                refusal.no_credentials |= found.is::<CredentialsError>();
                let words = found.to_string();
                if causes.last().is_none_or(|last| !last.contains(&words)) {
                    causes.push(words);
                }
                cause = found.source();
            }
            refusal.message = causes.join(": ");
        }
        refusal
    }
}

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
        let code = refusal.code.as_deref().unwrap_or_default();
        let (owner, what, hint) = self.reason(refusal, bucket);
        let mut message = format!("{place}: {what} ({}", self.operation);
        let _ = write!(message, " in {region}");
        if let Some(status) = refusal.status {
            let _ = write!(message, ", {status}");
            if !code.is_empty() {
                let _ = write!(message, " {code}");
            }
        }
        if refusal.tries > 1 {
            let _ = write!(message, ", asked {} times", refusal.tries);
        }
        if let Some(id) = &refusal.request_id {
            let _ = write!(message, ", request {id}");
        }
        message.push(')');
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
