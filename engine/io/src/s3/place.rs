//! Places on S3: `s3://bucket/prefix`.

use loglens_engine::{Error, Owner};

/// What a place on S3 begins with.
pub const SCHEME: &str = "s3://";

/// A bucket and the beginning of keys in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bucket: its name, or the ARN of an access point.
    pub bucket: String,
    /// What the keys begin with, byte for byte; empty is all of the bucket.
    pub prefix: String,
}

impl Place {
    /// Reads `s3://bucket/prefix`. The prefix is raw: nothing in it is decoded.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |what: &str| {
            Error::new(Owner::Usage, format!("{text}: {what}"))
                .hint("write s3://BUCKET, s3://BUCKET/FOLDER/ or s3://BUCKET/KEY")
        };
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| wrong("not a place on S3"))?;
        // The ARN of an access point has slashes of its own.
        let end = match rest.strip_prefix("arn:").and(rest.find(":accesspoint/")) {
            Some(at) => {
                let name = at + ":accesspoint/".len();
                name + rest[name..].find('/').unwrap_or(rest.len() - name)
            }
            None => rest.find('/').unwrap_or(rest.len()),
        };
        let (bucket, prefix) = rest.split_at(end);
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:/".contains(&byte);
        if bucket.len() < 3 || !bucket.bytes().all(sound) {
            return Err(wrong("no bucket is called so"));
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.strip_prefix('/').unwrap_or("").to_owned(),
        })
    }

    /// What the keys of all objects of the bucket begin with.
    pub fn bucket_root(&self) -> String {
        format!("{SCHEME}{}/", self.bucket)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn places_are_taken_byte_for_byte() {
        for (text, bucket, prefix) in [
            ("s3://org-logs", "org-logs", ""),
            ("s3://org-logs/", "org-logs", ""),
            ("s3://org-logs//AWSLogs/", "org-logs", "/AWSLogs/"),
            ("s3://org-logs/a%20b/c d", "org-logs", "a%20b/c d"),
            (
                "s3://arn:aws:s3:us-east-1:123456789012:accesspoint/logs/AWSLogs/",
                "arn:aws:s3:us-east-1:123456789012:accesspoint/logs",
                "AWSLogs/",
            ),
        ] {
            let place = Place::parse(text).unwrap();
            assert_eq!((&*place.bucket, &*place.prefix), (bucket, prefix), "{text}");
        }
        for text in ["s3://", "s3:///key", "s3://a b/", "s3://x/y"] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }
}
