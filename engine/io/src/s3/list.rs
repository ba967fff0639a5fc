//! Listing: pages of keys, as they are.

use std::sync::Arc;

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;
use futures::future::{TryFutureExt, ready};
use futures::stream::{BoxStream, Stream, StreamExt, TryStreamExt, iter, once, try_unfold};
use loglens_engine::Error;
use loglens_engine::object::{Level, Object};

use super::connection::Connection;
use super::failure::Ask;
use crate::aws::refusal::Refusal;

/// Ranges of one listing that are asked for at a time.
const RANGES_AT_ONCE: usize = 32;

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
    each(pages)
}

/// The objects of pages.
fn each(
    pages: impl Stream<Item = Result<Vec<Object>, Error>> + Send + 'static,
) -> BoxStream<'static, Result<Object, Error>> {
    pages
        .map_ok(|objects| iter(objects.into_iter().map(Ok)))
        .try_flatten()
        .boxed()
}

/// All objects below a prefix, in their order. Where they are more than one page, the rest is listed
/// in ranges, from one of the marks to another, side by side: each takes about one page, if keys lie
/// as densely there as in the first.
pub(super) fn side_by_side(
    connection: Arc<Connection>,
    prefix: String,
    marks: Vec<String>,
) -> BoxStream<'static, Result<Object, Error>> {
    let pages = async move {
        let listing = Listing {
            prefix,
            ..Listing::default()
        };
        let first = page(&connection, listing.clone(), None).await?;
        let root = root(&connection);
        let last = first.level.objects.last();
        let last = last.and_then(|object| object.key.strip_prefix(root.as_str()));
        let ranges = ranges(first.next, last, &marks).into_iter();
        let rest = ranges.map(move |range| range.objects(Arc::clone(&connection), listing.clone()));
        let rest = iter(rest.collect::<Vec<_>>()).buffered(RANGES_AT_ONCE);
        Ok::<_, Error>(once(ready(Ok(first.level.objects))).chain(rest))
    };
    each(pages.try_flatten_stream())
}

/// Some of the keys of a listing.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    /// What asks for its first page, if it follows on one that is there.
    token: Option<String>,
    /// Only keys behind this one.
    after: Option<String>,
    /// Up to this key; None without an end.
    until: Option<String>,
}

/// What is left to be listed behind the first page, whose last key is `last`.
fn ranges(next: Option<String>, last: Option<&str>, marks: &[String]) -> Vec<Range> {
    let Some(token) = next else {
        return Vec::new();
    };
    let passed = marks.partition_point(|mark| last.is_some_and(|last| mark.as_str() <= last));
    // The first page does not hold all up to the next mark.
    let of_a_page = passed.saturating_sub(1).max(1);
    let bounds = marks.iter().skip(passed.saturating_sub(1) + of_a_page);
    let bounds = bounds.step_by(of_a_page).cloned();
    let mut ranges = vec![Range {
        token: Some(token),
        after: None,
        until: None,
    }];
    for bound in bounds {
        if let Some(before) = ranges.last_mut() {
            before.until = Some(bound.clone());
        }
        ranges.push(Range {
            token: None,
            after: Some(bound),
            until: None,
        });
    }
    ranges
}

impl Range {
    async fn objects(
        self,
        connection: Arc<Connection>,
        listing: Listing,
    ) -> Result<Vec<Object>, Error> {
        let listing = Listing {
            after: self.after,
            ..listing
        };
        let end = self.until.map(|until| root(&connection) + &until);
        let (mut all, mut token) = (Vec::new(), self.token);
        loop {
            let Page { mut level, next } = page(&connection, listing.clone(), token).await?;
            let of_page = level.objects.len();
            let is_within = |object: &Object| end.as_deref().is_none_or(|end| *object.key <= *end);
            level.objects.retain(is_within);
            let is_last = level.objects.len() < of_page || next.is_none();
            all.append(&mut level.objects);
            if is_last {
                return Ok(all);
            }
            token = next;
        }
    }
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
    let root = root(connection);
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

/// What the keys of all objects begin with.
fn root(connection: &Connection) -> String {
    format!("{}{}/", super::SCHEME, connection.bucket)
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
    use super::{Range, decoded, ranges};

    #[test]
    fn ranges_of_about_a_page() {
        let days: Vec<_> = (1..=9).map(|day| format!("0{day}/")).collect();
        let of = |next: Option<&str>, last| {
            let ranges = ranges(next.map(str::to_owned), last, &days).into_iter();
            let ranges = ranges.map(
                |Range {
                     token,
                     after,
                     until,
                 }| {
                    let from = token.or(after).unwrap_or_default();
                    format!("{from}-{}", until.unwrap_or_default())
                },
            );
            ranges.collect::<Vec<_>>().join(" ")
        };
        for (last, expected) in [
            (Some("03/b"), "next-05/ 05/-07/ 07/-09/ 09/-"),
            (
                Some("02/b"),
                "next-03/ 03/-04/ 04/-05/ 05/-06/ 06/-07/ 07/-08/ 08/-09/ 09/-",
            ),
            (Some("05/"), "next-09/ 09/-"),
            (Some("09/b"), "next-"),
            (Some("others"), "next-"),
            (
                None,
                "next-02/ 02/-03/ 03/-04/ 04/-05/ 05/-06/ 06/-07/ 07/-08/ 08/-09/ 09/-",
            ),
        ] {
            assert_eq!(of(Some("next"), last), expected, "{last:?}");
        }
        assert_eq!(of(None, Some("03/b")), "");
        assert_eq!(ranges(Some("next".to_owned()), Some("a"), &[]).len(), 1);
    }

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
