//! Multipart uploads.

use std::fmt::Write;

use bytes::{Bytes, BytesMut};

use crate::bucket::{Bucket, Content};
use crate::checksum::etag;

/// Begins an upload; the answer is its id.
pub(crate) fn begin(bucket: &mut Bucket, key: &str) -> String {
    bucket.clock += 1;
    let id = format!("upload-{}", bucket.clock);
    bucket
        .uploads
        .insert(id.clone(), (key.to_owned(), [].into()));
    id
}

/// Takes a part; its etag, if there is such an upload.
pub(crate) fn part(bucket: &mut Bucket, id: &str, number: u32, bytes: Bytes) -> Option<String> {
    let etag = etag(&bytes);
    bucket.uploads.get_mut(id)?.1.insert(number, bytes);
    Some(etag)
}

/// Makes an object of an upload; its etag, or the code of what is wrong.
pub(crate) fn complete(bucket: &mut Bucket, id: &str) -> Result<String, &'static str> {
    const LEAST: usize = 5 << 20;
    let (key, parts) = bucket.uploads.get(id).ok_or("NoSuchUpload")?.clone();
    let last = parts.keys().next_back().copied();
    if parts
        .iter()
        .any(|(number, part)| Some(*number) != last && part.len() < LEAST)
    {
        return Err("EntityTooSmall");
    }
    let mut all = BytesMut::new();
    for part in parts.values() {
        all.extend_from_slice(part);
    }
    let etag = format!("{}-{}\"", etag(&all).trim_end_matches('"'), parts.len());
    bucket.uploads.remove(id);
    bucket.store(&key, Content::Bytes(all.freeze()), etag.clone());
    Ok(etag)
}

/// The uploads that are not complete, as XML.
pub(crate) fn open(bucket: &Bucket) -> String {
    let mut page = "<ListMultipartUploadsResult>".to_owned();
    for (id, (key, _)) in &bucket.uploads {
        let _ = write!(
            page,
            "<Upload><Key>{key}</Key><UploadId>{id}</UploadId></Upload>"
        );
    }
    page + "</ListMultipartUploadsResult>"
}
