//! Whether S3 answers, step by step, and what to mend where it does not: for `loglens doctor`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature as From;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_types::date_time::{DateTime, Format};
use futures::TryStreamExt;
use loglens_engine::object::{Object, ObjectFolders, ObjectSource};
use loglens_engine::{Error, Owner};

use super::S3Source;
use super::access::{Access, DEFAULT_REGION};
use super::failure::Ask;
use super::read;
use crate::aws::refusal::Refusal;

/// A step, and what was found.
#[derive(Debug)]
pub struct Step {
    /// What was looked at.
    pub name: &'static str,
    /// What was found.
    pub found: Found,
}

/// What a step found.
#[derive(Debug)]
pub enum Found {
    /// All is well.
    Well(String),
    /// Something is not, and how to mend it.
    Wrong(Error),
    /// It was not looked at, and why.
    Passed(String),
}

impl Found {
    /// Whether nothing is wrong.
    pub fn is_well(&self) -> bool {
        !matches!(self, Self::Wrong(_))
    }
}

impl std::convert::From<Result<String, Error>> for Found {
    fn from(result: Result<String, Error>) -> Self {
        match result {
            Ok(text) => Self::Well(text),
            Err(error) => Self::Wrong(error),
        }
    }
}

/// A clock that is this far from S3's is worth a word: from 15 minutes on S3 refuses.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// Folders that are looked into for `AWSLogs`.
const FOLDERS: usize = 20;

/// Folders of `AWSLogs`, and accounts in one, that are shown.
const SHOWN: usize = 3;

/// What is wanted of a level at most.
const MOST: usize = 1000;

/// Looks at what all places share: Region, credentials, and who they are.
pub async fn account(access: &Access) -> Vec<Step> {
    let loaded = access.load().await;
    let region = Found::Well(region(access, &loaded));
    let (credentials, identity) = if access.anonymous {
        let none = || Found::Passed("not used: --anonymous".to_owned());
        (none(), none())
    } else {
        match credentials(&loaded).await {
            Ok(found) => (Found::Well(origin(&found)), identity(access, &loaded).await),
            Err(error) => {
                let passed = Found::Passed("there are no credentials".to_owned());
                (Found::Wrong(error), passed)
            }
        }
    };
    vec![
        step("Region", region),
        step("credentials", credentials),
        step("identity", identity),
    ]
}

/// The Region of requests, and who says so.
fn region(access: &Access, loaded: &SdkConfig) -> String {
    let is_set = |name: &&str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let Some(region) = loaded.region() else {
        return format!(
            "none is named: {DEFAULT_REGION} is asked, and a bucket's own Region is found"
        );
    };
    let variable = ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .into_iter()
        .find(is_set);
    let from = match variable {
        _ if access.region.is_some() => "--region or loglens.toml",
        Some(name) => name,
        None => "AWS's configuration files, or this instance",
    };
    format!("{region}, from {from}")
}

async fn credentials(loaded: &SdkConfig) -> Result<Credentials, Error> {
    let Some(provider) = loaded.credentials_provider() else {
        return Err(no_credentials());
    };
    let error = match provider.provide_credentials().await {
        Ok(found) => return Ok(found),
        Err(CredentialsError::CredentialsNotLoaded(_)) => return Err(no_credentials()),
        Err(error) => error,
    };
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(found) = cause {
        words = format!("{words}: {found}");
        cause = found.source();
    }
    Err(Error::new(Owner::Config, words).hint(
        "look at the profile, at `aws sso login`, and whether the role trusts you and asks for an external id",
    ))
}

fn no_credentials() -> Error {
    let refusal = Refusal {
        no_credentials: true,
        ..Refusal::default()
    };
    let (owner, what, hint) = Ask::new("GetCallerIdentity", "").reason(&refusal, "");
    Error::new(owner, what).hint(hint)
}

/// Where credentials come from.
fn origin(found: &Credentials) -> String {
    let key = found.access_key_id();
    let features = found.get_property::<Vec<From>>();
    let steps = features.into_iter().flatten().filter_map(|from| {
        Some(match from {
            From::CredentialsEnvVars => "environment variables",
            From::CredentialsEnvVarsStsWebIdToken
            | From::CredentialsProfileStsWebIdToken
            | From::CredentialsStsAssumeRoleWebId => "a web identity token",
            From::CredentialsStsAssumeRole => "a role that is taken on",
            From::CredentialsProfile
            | From::CredentialsProfileSourceProfile
            | From::CredentialsProfileNamedProvider => "a profile",
            From::CredentialsProfileSso | From::CredentialsSso => "single sign-on",
            From::CredentialsProfileProcess | From::CredentialsProcess => "a process",
            From::CredentialsProfileLogin | From::CredentialsLogin => "aws login",
            From::CredentialsHttp => "the container",
            From::CredentialsImds => "this instance",
            _ => return None,
        })
    });
    let mut steps: Vec<_> = steps.collect();
    steps.dedup();
    match steps.is_empty() {
        true => format!("key {key}"),
        false => format!("{}, key {key}", steps.join(", then ")),
    }
}

/// Who the credentials are.
async fn identity(access: &Access, loaded: &SdkConfig) -> Found {
    if access.endpoint_url.is_some() {
        let why = "not asked for: --endpoint-url names another server than AWS's";
        return Found::Passed(why.to_owned());
    }
    let mut config = aws_sdk_sts::config::Builder::from(loaded);
    if loaded.region().is_none() {
        config = config.region(Region::new(DEFAULT_REGION));
    }
    let client = aws_sdk_sts::Client::from_conf(config.build());
    let refusal = match client.get_caller_identity().send().await {
        Ok(caller) => {
            let (arn, account) = (caller.arn(), caller.account());
            let unknown = "unknown";
            return Found::Well(format!(
                "{}, account {}",
                arn.unwrap_or(unknown),
                account.unwrap_or(unknown)
            ));
        }
        Err(error) => Refusal::from(error),
    };
    if refusal.status.is_none() {
        let message = format!("AWS's STS cannot be reached: {}", refusal.message);
        return Found::Wrong(
            Error::new(Owner::External, message)
                .hint("look at the network, its proxy and --region"),
        );
    }
    let (owner, what, hint) = Ask::new("GetCallerIdentity", "").reason(&refusal, "");
    let code = refusal.code.unwrap_or_default();
    Found::Wrong(Error::new(owner, format!("{what} (GetCallerIdentity, {code})")).hint(hint))
}

/// Looks at a place: the bucket, the clock, whether it can be listed and read, and what lies there.
pub async fn place(place: &str, access: &Access) -> Result<Vec<Step>, Error> {
    let source = S3Source::new(place, access.clone())?;
    let clock = Clock::default();
    let bucket = bucket(&source, &clock).await;
    let answers = bucket.is_ok();
    let mut steps = vec![step("bucket", bucket), step("clock", clock.found())];
    if !answers {
        steps.extend(passed(
            &["list", "read", "logs"],
            "the bucket does not answer",
        ));
        return Ok(steps);
    }
    let object = match first(&source).await {
        Ok(object) => object,
        Err(error) => {
            steps.push(step("list", Found::Wrong(error)));
            steps.extend(passed(&["read", "logs"], "nothing was listed"));
            return Ok(steps);
        }
    };
    let listed = format!("allowed; the first object is {}", object.key);
    steps.extend([
        step("list", Found::Well(listed)),
        step("read", first_byte(&source, &object).await),
        step("logs", logs(&source).await),
    ]);
    Ok(steps)
}

fn step(name: &'static str, found: impl Into<Found>) -> Step {
    Step {
        name,
        found: found.into(),
    }
}

/// Steps that were not taken.
fn passed(names: &[&'static str], why: &str) -> impl Iterator<Item = Step> {
    names
        .iter()
        .map(move |name| step(name, Found::Passed(why.to_owned())))
}

/// Whether the bucket answers, and where it lies.
async fn bucket(source: &S3Source, clock: &Clock) -> Result<String, Error> {
    let connection = &source.connection;
    let (name, clock) = (connection.bucket.clone(), clock.clone());
    let answer = connection.ask(Ask::new("HeadBucket", ""), move |client| {
        let request = client.head_bucket().bucket(&name);
        let request = request.customize().interceptor(clock.clone());
        async move {
            match request.send().await {
                Ok(answer) => Ok(answer.bucket_region().map(str::to_owned)),
                Err(error) => Err(of_bucket(error.into())),
            }
        }
    });
    let region = answer.await?;
    let region = region
        .as_deref()
        .map_or_else(|| connection.region(), Arc::from);
    Ok(format!("{} in {region}", connection.bucket))
}

/// The answer to HEAD has no body that would say what is wrong.
fn of_bucket(refusal: Refusal) -> Refusal {
    let code = match refusal.status {
        Some(404) => "NoSuchBucket",
        Some(403) => "AccessDenied",
        _ => return refusal,
    };
    Refusal {
        code: Some(code.to_owned()),
        ..refusal
    }
}

/// The first object that has bytes.
async fn first(source: &S3Source) -> Result<Object, Error> {
    let mut objects = source.below(source.root(), None);
    while let Some(object) = objects.try_next().await? {
        if object.size != Some(0) {
            return Ok(object);
        }
    }
    let message = format!("{}: nothing lies there", source.name());
    Err(Error::new(Owner::Usage, message).hint(
        "look for a typing mistake: a prefix is taken byte for byte, and keys are case sensitive",
    ))
}

/// Reading one byte needs all that reading needs, the KMS key too.
async fn first_byte(source: &S3Source, object: &Object) -> Result<String, Error> {
    let key = source.raw(&object.key)?;
    read::range(&source.connection, key, object, 0..1).await?;
    Ok("allowed; its first byte came".to_owned())
}

/// The first folders of logs.
async fn logs(source: &S3Source) -> Result<String, Error> {
    if source.root().contains("AWSLogs/") {
        return services(source, source.root()).await;
    }
    let found = folders_of_logs(source).await?;
    if found.is_empty() {
        return Ok(format!(
            "no AWSLogs folder in the first {FOLDERS} folders; objects are recognised by their names and first bytes"
        ));
    }
    let mut shown = Vec::new();
    for folder in found.iter().take(SHOWN) {
        let accounts = inner(source, folder).await?;
        for account in accounts.iter().take(SHOWN) {
            shown.push(services(source, account).await?);
        }
        if accounts.len() > SHOWN {
            shown.push(format!("{folder} has {} more", accounts.len() - SHOWN));
        }
    }
    Ok(shown.join("; "))
}

/// What lies in a folder, by the names of its folders.
async fn services(source: &S3Source, folder: &str) -> Result<String, Error> {
    let inner = inner(source, folder).await?;
    let names: Vec<_> = inner.iter().map(|key| last(key)).collect();
    Ok(match names.is_empty() {
        true => format!("{folder} has no folders"),
        false => format!("{folder} has {}", names.join(", ")),
    })
}

/// The first folders that hold a folder for each account.
async fn folders_of_logs(source: &S3Source) -> Result<Vec<String>, Error> {
    let mut waiting = VecDeque::from([source.root().to_owned()]);
    let mut found = Vec::new();
    for _ in 0..FOLDERS {
        let Some(folder) = waiting.pop_front() else {
            break;
        };
        for inner in inner(source, &folder).await? {
            match last(&inner) == "AWSLogs" {
                true => found.push(inner),
                false => waiting.push_back(inner),
            }
        }
    }
    Ok(found)
}

/// The folders in a folder; of one that holds very many, none.
async fn inner(source: &S3Source, folder: &str) -> Result<Vec<String>, Error> {
    let level = source.level(folder, MOST).await?;
    Ok(level.map(|level| level.folders).unwrap_or_default())
}

/// The last part of a folder's key.
fn last(folder: &str) -> &str {
    let folder = folder.trim_end_matches('/');
    folder.rsplit('/').next().unwrap_or(folder)
}

/// How far this machine's clock is from that of the server, by its last answer.
#[derive(Debug, Clone, Default)]
struct Clock(Arc<Mutex<Option<Skew>>>);

/// How far, and whether this machine is ahead.
#[derive(Debug, Clone, Copy)]
struct Skew {
    by: Duration,
    is_ahead: bool,
}

impl Skew {
    /// What the date of an answer says that came now.
    fn of(date: &str) -> Option<Self> {
        let server = DateTime::from_str(date, Format::HttpDate).ok()?;
        let server = SystemTime::try_from(server).ok()?;
        Some(match SystemTime::now().duration_since(server) {
            Ok(by) => Self { by, is_ahead: true },
            Err(error) => Self {
                by: error.duration(),
                is_ahead: false,
            },
        })
    }
}

impl Clock {
    fn found(&self) -> Found {
        let skew = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match skew {
            None => Found::Passed("no answer had a date".to_owned()),
            Some(Skew { by, .. }) if by < SKEW => {
                Found::Well("within five minutes of the server's".to_owned())
            }
            Some(Skew { by, is_ahead }) => {
                let message = format!(
                    "this machine's clock is {} minutes {} the server's",
                    by.as_secs() / 60,
                    if is_ahead { "ahead of" } else { "behind" }
                );
                Found::Wrong(
                    Error::new(Owner::External, message)
                        .hint("set the clock: from 15 minutes on S3 refuses all requests"),
                )
            }
        }
    }
}

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Skew::of(date);
        }
        Ok(())
    }
}
