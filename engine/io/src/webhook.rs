//! Servers that are told something: a POST of JSON.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use loglens_engine::{Error, Owner};

use crate::aws::network::Task;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that is told something.
#[derive(Clone)]
pub struct Webhook {
    url: String,
    name: String,
    connector: Arc<Connector>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Webhook").field(&self.name).finish()
    }
}

impl Webhook {
    /// A server by its `http://` or `https://` address.
    pub fn new(url: &str) -> Self {
        let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        Self {
            url: url.to_owned(),
            name: name_of(url),
            connector: Arc::new(Connector::builder().tls_provider(ring).build()),
        }
    }

    /// What it is called: paths and queries of such addresses are secrets.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells it a text of JSON.
    ///
    /// # Errors
    ///
    /// It was not told, or it is not known whether it was.
    pub async fn post(&self, json: String) -> Result<(), Error> {
        let failed = |why: String| {
            Error::new(Owner::External, format!("{}: {why}", self.name))
                .hint("whoever is told has to answer with 200 within 10 s")
        };
        let mut request = HttpRequest::new(SdkBody::from(json));
        let wrong = |error: String| Error::new(Owner::Config, format!("{}: {error}", self.name));
        request
            .set_method("POST")
            .map_err(|error| wrong(error.to_string()))?;
        request
            .set_uri(self.url.as_str())
            .map_err(|error| wrong(error.to_string()))?;
        let headers = request.headers_mut();
        headers.insert("content-type", "application/json");
        headers.insert("user-agent", concat!("loglens/", env!("CARGO_PKG_VERSION")));
        let connector = Arc::clone(&self.connector);
        let asked = async move { tokio::time::timeout(PATIENCE, connector.call(request)).await };
        let answer = match Task::start(asked)?.done().await? {
            Err(_) => return Err(failed("it did not answer".to_owned())),
            Ok(Err(error)) => {
                let error = std::error::Error::source(&error)
                    .map_or_else(|| error.to_string(), ToString::to_string);
                return Err(failed(format!("it cannot be reached: {error}")));
            }
            Ok(Ok(answer)) => answer,
        };
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            other => Err(failed(format!("it answered {other}"))),
        }
    }
}

/// Scheme and host, and what tells addresses of one host apart.
fn name_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    format!("{scheme}://{host} ({:08x})", hasher.finish() as u32)
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn names_hold_no_secrets() {
        for url in [
            "https://hooks.example.com/services/SECRET",
            "https://user:SECRET@hooks.example.com/?key=SECRET",
        ] {
            let name = name_of(url);
            assert!(name.starts_with("https://hooks.example.com ("), "{name}");
            assert!(!name.contains("SECRET"), "{name}");
        }
        assert_ne!(name_of("http://h/a"), name_of("http://h/b"));
    }
}
