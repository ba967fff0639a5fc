//! How AWS is reached: credentials, Region, endpoint.

use std::sync::Arc;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_smithy_http_client::{Builder, tls};

use super::customer_key::CustomerKey;

/// The Region of requests where nothing names one: that of buckets without a Region of their own.
pub(crate) const DEFAULT_REGION: &str = "us-east-1";

/// How a service of AWS is reached, S3 before all. What is not said here comes from where the AWS CLI takes it: environment,
/// profiles, single sign-on, web identity, container, instance, process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The profile of the shared configuration files.
    pub profile: Option<String>,
    /// The Region of requests, until a bucket says that it lies in another.
    pub region: Option<String>,
    /// Another server than AWS's.
    pub endpoint_url: Option<String>,
    /// The bucket stands in the path and not in the host's name.
    pub path_style: bool,
    /// Requests are not signed.
    pub anonymous: bool,
    /// Whoever asks pays for requests and traffic.
    pub requester_pays: bool,
    /// FIPS endpoints.
    pub fips: bool,
    /// Endpoints with IPv6.
    pub dual_stack: bool,
    /// The role to take on, by its ARN.
    pub role_arn: Option<String>,
    /// The external id that the role asks for.
    pub external_id: Option<String>,
    /// The key that objects are encrypted with, where S3 does not keep it.
    pub customer_key: Option<CustomerKey>,
}

impl Access {
    /// The configuration of clients, with credentials that are asked for when they are needed.
    pub(crate) async fn load(&self) -> SdkConfig {
        // One HTTP stack and one TLS for everything, credentials included.
        let http = Builder::new()
            .tls_provider(tls::Provider::Rustls(
                tls::rustls_provider::CryptoMode::Ring,
            ))
            .build_https();
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if self.fips {
            loader = loader.use_fips(true);
        }
        if self.dual_stack {
            loader = loader.use_dual_stack(true);
        }
        if self.anonymous {
            loader = loader.no_credentials();
        }
        let loaded = loader.load().await;
        let Some(role) = self.role_arn.as_ref().filter(|_| !self.anonymous) else {
            return loaded;
        };
        let mut provider = AssumeRoleProvider::builder(role)
            .configure(&loaded)
            .session_name("loglens");
        if loaded.region().is_none() {
            provider = provider.region(Region::new(DEFAULT_REGION));
        }
        if let Some(id) = &self.external_id {
            provider = provider.external_id(id);
        }
        let credentials = provider.build().await;
        loaded
            .into_builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    /// The client for buckets in a Region; without one, in that of the configuration.
    pub(super) fn client(&self, loaded: &SdkConfig, region: Option<&str>) -> aws_sdk_s3::Client {
        let region = region
            .or(loaded.region().map(AsRef::as_ref))
            .unwrap_or(DEFAULT_REGION);
        let mut builder = aws_sdk_s3::config::Builder::from(loaded)
            .region(Region::new(region.to_owned()))
            // What fails is asked for again by `Pace`, which slows everything down if it must.
            .retry_config(RetryConfig::disabled())
            .force_path_style(self.path_style);
        if let Some(url) = &self.endpoint_url {
            builder = builder.endpoint_url(url);
        }
        if let Some(key) = &self.customer_key {
            builder = builder.interceptor(key.clone());
        }
        if self.anonymous {
            builder = builder.allow_no_auth();
        }
        aws_sdk_s3::Client::from_conf(builder.build())
    }
}

/// The Region that the configuration names, for messages.
pub(crate) fn region_of(loaded: &SdkConfig) -> Arc<str> {
    Arc::from(
        loaded
            .region()
            .map_or(DEFAULT_REGION, |region| region.as_ref()),
    )
}
