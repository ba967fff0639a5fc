//! Keys that S3 encrypts with and does not keep (SSE-C): whoever reads or writes brings them along.

use std::fmt;
use std::fs;
use std::path::Path;

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_types::base64;
use loglens_engine::{Error, Owner};
use md5::{Digest, Md5};

/// Bytes of a key: S3 knows AES-256 only.
const KEY_BYTES: usize = 32;

/// Operations on what is encrypted; a key is told to no others.
const OPERATIONS: [&str; 7] = [
    "GetObject",
    "HeadObject",
    "PutObject",
    "CopyObject",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
];

/// The headers that say a key: of what is read or written, and of what a copy is made of.
const HEADERS: [&str; 2] = [
    "x-amz-server-side-encryption-customer-",
    "x-amz-copy-source-server-side-encryption-customer-",
];

/// A key of the customer's own.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerKey([u8; KEY_BYTES]);

impl CustomerKey {
    /// The key in a file: 32 bytes as they are, or in base64.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let name = file.display();
        let bytes = fs::read(file)
            .map_err(|error| Error::new(Owner::Usage, format!("key {name}: {error}")))?;
        Self::of(&bytes).ok_or_else(|| {
            let found = bytes.len();
            let message = format!("key {name}: expected 32 bytes, or these in base64, found {found} bytes");
            Error::new(Owner::Usage, message)
                .hint("such a file is made by `openssl rand 32`; it must be the key that the objects were written with")
        })
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        if let Ok(key) = bytes.try_into() {
            return Some(Self(key));
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let decoded = base64::decode(text.trim()).ok()?;
        decoded.try_into().ok().map(Self)
    }

    /// The ends of the headers, and their values.
    fn headers(&self) -> [(&'static str, String); 3] {
        [
            ("algorithm", "AES256".to_owned()),
            ("key", base64::encode(self.0)),
            ("key-md5", base64::encode(Md5::digest(self.0))),
        ]
    }
}

/// A key is shown to nobody.
impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey(..)")
    }
}

impl Intercept for CustomerKey {
    fn name(&self) -> &'static str {
        "CustomerKey"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map(Metadata::name);
        let Some(operation) = operation.filter(|name| OPERATIONS.contains(name)) else {
            return Ok(());
        };
        let of_source = if operation == "CopyObject" { 2 } else { 1 };
        let headers = context.request_mut().headers_mut();
        for prefix in HEADERS.iter().take(of_source) {
            for (name, value) in self.headers() {
                headers.insert(format!("{prefix}{name}"), value);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_are_bytes_or_base64() {
        let key = CustomerKey::of(b"0123456789abcdef0123456789abcdef").unwrap();
        let text = b"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n";
        assert_eq!(CustomerKey::of(text), Some(key.clone()));
        let [algorithm, text, digest] = key.headers().map(|(_, value)| value);
        assert_eq!(algorithm, "AES256");
        assert_eq!(text, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
        // `md5sum | xxd -r -p | base64` says the same.
        assert_eq!(digest, "hRasmdxgYDKV3nvbahU1MA==");
        assert_eq!(format!("{key:?}"), "CustomerKey(..)");
        for wrong in [&b""[..], b"short", b"MDEy", &[0; 33]] {
            assert_eq!(CustomerKey::of(wrong), None);
        }
    }
}
