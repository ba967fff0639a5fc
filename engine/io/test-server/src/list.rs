//! Listings.

use std::fmt::Write;
use std::ops::Bound;

use chrono::{DateTime, SecondsFormat};

use crate::bucket::Bucket;

/// What a listing asks for.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) prefix: String,
    pub(crate) delimiter: Option<String>,
    /// Only what comes behind: `start-after`, or the token of a page.
    pub(crate) after: String,
    pub(crate) most: Option<usize>,
    pub(crate) encoded: bool,
}

/// The page as XML.
pub(crate) fn page(name: &str, bucket: &Bucket, listing: &Listing) -> String {
    let text = |key: &str| match listing.encoded {
        true => encoded(key),
        false => escaped(key),
    };
    let most = listing.most.unwrap_or(1000).min(bucket.page);
    let (mut contents, mut folders) = (String::new(), String::new());
    let (mut count, mut last, mut truncated) = (0, String::new(), false);
    let mut from = listing.after.clone();
    if from < listing.prefix {
        from.clone_from(&listing.prefix);
    }
    let mut lower = if listing.after == from {
        Bound::Excluded(from)
    } else {
        Bound::Included(from)
    };
    loop {
        let next = bucket
            .objects
            .range((lower.clone(), Bound::Unbounded))
            .next();
        let Some((key, stored)) = next.filter(|(key, _)| key.starts_with(&listing.prefix)) else {
            break;
        };
        lower = Bound::Excluded(key.clone());
        let rest = &key[listing.prefix.len()..];
        let end = listing
            .delimiter
            .as_ref()
            .and_then(|delimiter| rest.find(delimiter.as_str()).map(|at| at + delimiter.len()));
        if end.is_none() && bucket.unlisted.contains(key) {
            continue;
        }
        if count == most {
            truncated = true;
            break;
        }
        count += 1;
        match end {
            Some(end) => {
                let folder = &key[..listing.prefix.len() + end];
                let _ = write!(
                    folders,
                    "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
                    text(folder)
                );
                // Behind everything in the folder.
                last = format!("{folder}\u{10ffff}");
                lower = Bound::Excluded(last.clone());
            }
            None => {
                last.clone_from(key);
                let _ = write!(
                    contents,
                    "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag>\
                     <Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                    text(key),
                    time(stored.modified),
                    escaped(&stored.etag),
                    stored.content.size(),
                );
            }
        }
    }
    let mut page = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{name}</Name>\
         <Prefix>{}</Prefix><KeyCount>{count}</KeyCount><MaxKeys>{most}</MaxKeys>\
         <IsTruncated>{truncated}</IsTruncated>",
        text(&listing.prefix)
    );
    if listing.encoded {
        page.push_str("<EncodingType>url</EncodingType>");
    }
    if truncated {
        // A token tells nothing to those who see it.
        let token: String = last.bytes().map(|byte| format!("{byte:02x}")).collect();
        let _ = write!(
            page,
            "<NextContinuationToken>{token}</NextContinuationToken>"
        );
    }
    page + &contents + &folders + "</ListBucketResult>"
}

/// The key that a token stands for.
pub(crate) fn of_token(token: &str) -> Option<String> {
    let digits: Option<Vec<u8>> = (0..token.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(token.get(at..at + 2)?, 16).ok())
        .collect();
    String::from_utf8(digits?).ok()
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// As S3 encodes keys: a blank as `+`, and `/` as it is.
fn encoded(key: &str) -> String {
    let mut text = String::new();
    for byte in key.bytes() {
        match byte {
            b' ' => text.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"-._*/".contains(&byte) => {
                text.push(char::from(byte));
            }
            byte => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// A Unix time as `2026-01-31T00:00:00.000Z`.
fn time(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
