//! Listing: pages of keys, as they are.

use std::sync::Arc;

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;
use futures::stream::{BoxStream, StreamExt, try_unfold};
use loglens_engine::Error;
use loglens_engine::object::{Level, Object};

use super::connection::Connection;
use super::failure::Ask;
use crate::aws::refusal::Refusal;

/// What is to be listed.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    /// What the keys begin with.
    pub(super) prefix: String,
    /// Folders are given by their names and not looked into.
    pub(super) by_folder: bool,
    /// Only keys behind this one.
    pub(super) after: Option<String>,
}

/// One page.
struct Page {
    level: Level,
    /// What asks for the next one.
    next: Option<String>,
}

/// All objects of a listing.
pub(super) fn objects(
    connection: Arc<Connection>,
    listing: Listing,
) -> BoxStream<'static, Result<Object, Error>> {
    let pages = try_unfold(Some(None), move |next: Option<Option<String>>| {
        let (connection, listing) = (Arc::clone(&connection), listing.clone());
        async move {
            let Some(token) = next else {
                return Ok(None);
            };
            let page = page(&connection, listing, token).await?;
            Ok::<_, Error>(Some((page.level.objects, page.next.map(Some))))
        }
    });
    pages
        .flat_map(|page| {
            let objects: Vec<Result<Object, Error>> = match page {
                Ok(objects) => objects.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            };
            futures::stream::iter(objects)
        })
        .boxed()
}

/// What lies directly below a prefix; None if that is more than `most`.
pub(super) async fn level(
    connection: &Arc<Connection>,
    prefix: &str,
    most: usize,
) -> Result<Option<Level>, Error> {
    let listing = Listing {
        prefix: prefix.to_owned(),
        by_folder: true,
        after: None,
    };
    let mut all = Level::default();
    let mut token = None;
    loop {
        let mut page = page(connection, listing.clone(), token).await?;
        all.folders.append(&mut page.level.folders);
        all.objects.append(&mut page.level.objects);
        if all.folders.len().max(all.objects.len()) > most {
            return Ok(None);
        }
        if page.next.is_none() {
            return Ok(Some(all));
        }
        token = page.next;
    }
}

async fn page(
    connection: &Arc<Connection>,
    listing: Listing,
    token: Option<String>,
) -> Result<Page, Error> {
    let ask = Ask::new("ListObjectsV2", &listing.prefix);
    let root = format!("{}{}/", super::SCHEME, connection.bucket);
    let (bucket, payer) = (connection.bucket.clone(), connection.payer());
    let answer = connection
        .ask(ask, move |client| {
            let request = client
                .list_objects_v2()
                .bucket(&bucket)
                .prefix(&listing.prefix)
                .set_delimiter(listing.by_folder.then(|| "/".to_owned()))
                .set_start_after(listing.after.clone().filter(|_| token.is_none()))
                .set_continuation_token(token.clone())
                // Keys may hold characters that XML cannot.
                .encoding_type(EncodingType::Url)
                .set_request_payer(payer.clone());
            async move { request.send().await.map_err(Refusal::from) }
        })
        .await?;
    Ok(read(&answer, &root))
}

fn read(answer: &ListObjectsV2Output, root: &str) -> Page {
    let encoded = answer.encoding_type() == Some(&EncodingType::Url);
    let raw = |key: &str| match encoded {
        true => format!("{root}{}", decoded(key)),
        false => format!("{root}{key}"),
    };
    let folders = answer.common_prefixes().iter();
    let folders = folders.filter_map(|folder| folder.prefix().map(raw));
    let objects = answer.contents().iter().filter_map(|found| {
        let key = raw(found.key()?);
        let size = u64::try_from(found.size().unwrap_or(0)).unwrap_or(0);
        // The console's folders are empty objects.
        if size == 0 && key.ends_with('/') {
            return None;
        }
        let modified = found.last_modified();
        let modified =
            modified.map(|time| time.secs() * 1_000_000 + i64::from(time.subsec_nanos() / 1000));
        Some(Object {
            key: Arc::from(key),
            size: Some(size),
            modified,
            etag: found.e_tag().map(Arc::from),
        })
    });
    Page {
        level: Level {
            folders: folders.collect(),
            objects: objects.collect(),
        },
        next: answer
            .is_truncated()
            .unwrap_or(false)
            .then(|| answer.next_continuation_token().map(str::to_owned))
            .flatten(),
    }
}

/// A key without its URL encoding, in which S3 writes a blank as `+`.
fn decoded(key: &str) -> String {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail
            .get(..2)
            .filter(|hex| hex.iter().all(u8::is_ascii_hexdigit))
            .and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn encoded_keys() {
        for (encoded, raw) in [
            ("//AWSLogs/a+b%2Bc%25", "//AWSLogs/a b+c%"),
            ("%C3%A9%", "é%"),
            ("%zz%+1", "%zz% 1"),
        ] {
            assert_eq!(decoded(encoded), raw);
        }
    }
}
