//! A request to AWS that was refused, or that nobody answered.

use std::error::Error as StdError;
use std::fmt::Write;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

/// The header in which S3 says where a bucket lies.
const REGION_HEADER: &str = "x-amz-bucket-region";

/// What services call it if they are asked for too much.
const SLOW: [&str; 8] = [
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "KMSThrottlingException",
];

/// A request that was refused, or that nobody answered.
#[derive(Debug, Default, Clone)]
pub(crate) struct Refusal {
    /// The status of the answer; none if there was no answer.
    pub(crate) status: Option<u16>,
    /// AWS's name of what is wrong.
    pub(crate) code: Option<String>,
    /// AWS's words, or what failed on the way.
    pub(crate) message: String,
    pub(crate) request_id: Option<String>,
    /// Where the bucket lies, if S3 says so.
    pub(crate) region: Option<String>,
    /// Nobody gave credentials.
    pub(crate) no_credentials: bool,
    /// It was never sent: the SDK knows that it is wrong.
    pub(crate) unsent: bool,
    /// Some of what was asked for came.
    pub(crate) progress: bool,
    /// How often it was asked for.
    pub(crate) tries: u32,
}

/// Whether asking again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passing {
    /// It is asked for too much.
    SlowDown,
    /// It may go well the next time.
    Yes,
    /// It will not.
    No,
}

impl Refusal {
    /// What failed on the way, and may go well the next time.
    pub(crate) fn on_the_way(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// The same with how often it was asked for.
    pub(crate) fn after(mut self, tries: u32) -> Self {
        self.tries = tries;
        self
    }

    pub(crate) fn passing(&self) -> Passing {
        if self.no_credentials || self.unsent {
            return Passing::No;
        }
        match (self.status, self.code.as_deref()) {
            (Some(429 | 503), _) => Passing::SlowDown,
            (_, Some(code)) if SLOW.contains(&code) => Passing::SlowDown,
            (None | Some(500 | 502 | 504), _)
            | (
                _,
                Some(
                    "RequestTimeout"
                    | "InternalError"
                    | "InternalFailureException"
                    | "RequestTimeTooSkewed",
                ),
            ) => Passing::Yes,
            _ => Passing::No,
        }
    }

    /// Whether this is what AWS calls it.
    pub(crate) fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether there is no such object.
    pub(crate) fn is_missing(&self) -> bool {
        self.status == Some(404) && !self.is("NoSuchBucket")
    }

    /// Whether a condition did not hold.
    pub(crate) fn is_condition(&self) -> bool {
        self.status == Some(412) || self.is("ConditionalRequestConflict")
    }

    /// The message for people: what was asked of a place in a Region, and what became of it.
    pub(crate) fn told(&self, place: &str, what: &str, operation: &str, region: &str) -> String {
        let mut message = format!("{place}: {what} ({operation} in {region}");
        if let Some(status) = self.status {
            let _ = write!(message, ", {status}");
            if let Some(code) = &self.code {
                let _ = write!(message, " {code}");
            }
        }
        if self.tries > 1 {
            let _ = write!(message, ", asked {} times", self.tries);
        }
        if let Some(id) = &self.request_id {
            let _ = write!(message, ", request {id}");
        }
        message.push(')');
        message
    }
}

impl<E> From<SdkError<E, HttpResponse>> for Refusal
where
    E: ProvideErrorMetadata + RequestId + StdError + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let response = error.raw_response();
        let header = |name| response.and_then(|response| response.headers().get(name));
        // An answer that broke off is none, although its status came.
        let broke = matches!(error, SdkError::ResponseError(_))
            && response.is_some_and(|response| response.status().is_success());
        let mut refusal = Self {
            status: response
                .filter(|_| !broke)
                .map(|response| response.status().as_u16()),
            unsent: matches!(error, SdkError::ConstructionFailure(_)),
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
