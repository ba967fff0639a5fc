//! What all services of AWS share.
//!
//! - `refusal`: requests that were refused, or that nobody answered.
//! - `reason`: what that means where it is the same for all services.
//! - `backoff`: when they are made again.
//! - `network`: the threads that wait for the answers.
//! - `service`: a client of a service that makes its requests again.
//!
//! Credentials, Region and endpoint are in [`Access`](crate::s3::access::Access).

pub(crate) mod backoff;
pub(crate) mod network;
pub(crate) mod reason;
pub(crate) mod refusal;
pub(crate) mod service;
