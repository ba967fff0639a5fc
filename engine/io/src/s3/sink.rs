//! Writing to S3: under conditions, in parts, and nothing half.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use loglens_engine::sink::{Condition, Content, ObjectSink, Upload, Written};
use loglens_engine::{Error, Owner};

use super::S3Source;
use super::connection::Connection;
use super::failure::Ask;
use crate::aws::network::Task;
use crate::aws::refusal::Refusal;

/// The two headers of a condition: If-Match and If-None-Match.
fn headers(condition: &Condition) -> (Option<String>, Option<String>) {
    match condition {
        Condition::Always => (None, None),
        Condition::Absent => (None, Some("*".to_owned())),
        Condition::Matches(etag) => (Some(etag.clone()), None),
    }
}

/// Whether S3 refused because a condition did not hold: also where the object that it names is
/// not there any more.
fn did_not_hold(condition: &Condition, refusal: &Refusal) -> bool {
    refusal.is_condition() || (matches!(condition, Condition::Matches(_)) && refusal.is_missing())
}

async fn get(
    connection: &Arc<Connection>,
    key: &str,
    unless: Option<String>,
) -> Result<Option<Content>, Error> {
    let ask = Ask::new("GetObject", key);
    let (bucket, raw, payer) = (
        connection.bucket.clone(),
        key.to_owned(),
        connection.payer(),
    );
    let answer = connection.try_ask(&ask, move |client| {
        let request = client
            .get_object()
            .bucket(&bucket)
            .key(&raw)
            .set_if_none_match(unless.clone())
            .set_request_payer(payer.clone());
        async move {
            let answer = request.send().await?;
            let etag = answer.e_tag().map(str::to_owned);
            let bytes = answer.body.collect().await;
            let bytes = bytes.map_err(|error| Refusal::on_the_way(error.to_string()))?;
            Ok(Content {
                bytes: bytes.into_bytes(),
                etag,
            })
        }
    });
    match answer.await? {
        Ok(content) => Ok(Some(content)),
        Err(refusal) if refusal.is_missing() || refusal.status == Some(304) => Ok(None),
        Err(refusal) => Err(connection.error(&ask, &refusal)),
    }
}

#[async_trait]
impl ObjectSink for S3Source {
    async fn get(&self, key: &str) -> Result<Option<Content>, Error> {
        get(&self.connection, self.raw(key)?, None).await
    }

    async fn get_if_changed(&self, key: &str, etag: &str) -> Result<Option<Content>, Error> {
        get(&self.connection, self.raw(key)?, Some(etag.to_owned())).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, Error> {
        let raw = self.raw(key)?.to_owned();
        let ask = Ask::new("PutObject", &raw);
        let (bucket, payer) = (self.connection.bucket.clone(), self.connection.payer());
        let (if_match, if_none_match) = headers(&condition);
        let (to, body) = (raw.clone(), bytes.clone());
        let answer = self.connection.try_ask(&ask, move |client| {
            let request = client
                .put_object()
                .bucket(&bucket)
                .key(&to)
                .set_if_match(if_match.clone())
                .set_if_none_match(if_none_match.clone())
                .set_request_payer(payer.clone())
                .body(ByteStream::from(body.clone()));
            async move { request.send().await.map_err(Refusal::from) }
        });
        match answer.await? {
            Ok(answer) => Ok(Written::Done {
                etag: answer.e_tag().map(str::to_owned),
            }),
            Err(refusal) if did_not_hold(&condition, &refusal) => {
                // The answer to an earlier try may have been lost: then what is there is ours.
                if refusal.tries > 1
                    && let Some(found) = get(&self.connection, &raw, None).await?
                    && found.bytes == bytes
                {
                    return Ok(Written::Done { etag: found.etag });
                }
                Ok(Written::Refused)
            }
            Err(refusal) => Err(self.connection.error(&ask, &refusal)),
        }
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn Upload>, Error> {
        let raw = self.raw(key)?.to_owned();
        let ask = Ask::new("CreateMultipartUpload", &raw);
        let (bucket, to, payer) = (
            self.connection.bucket.clone(),
            raw.clone(),
            self.connection.payer(),
        );
        let answer = self.connection.ask(ask.clone(), move |client| {
            let request = client
                .create_multipart_upload()
                .bucket(&bucket)
                .key(&to)
                .set_request_payer(payer.clone());
            async move { request.send().await.map_err(Refusal::from) }
        });
        let Some(id) = answer.await?.upload_id else {
            let refusal = Refusal::on_the_way("the answer has no upload id");
            return Err(self.connection.error(&ask, &refusal));
        };
        Ok(Box::new(S3Upload {
            connection: Arc::clone(&self.connection),
            key: raw,
            id: Some(id),
            parts: Vec::new(),
            bytes: 0,
        }))
    }

    async fn copy(&self, from: &str, to: &str, condition: Condition) -> Result<Written, Error> {
        if condition != Condition::Always {
            // CopyObject's conditions are about the source; S3 knows none about the target.
            let Some(content) = self.get(from).await? else {
                return Err(Error::new(
                    Owner::Usage,
                    format!("{from}: there is no such object"),
                ));
            };
            return self.put(to, content.bytes, condition).await;
        }
        let (raw, to) = (self.raw(from)?.to_owned(), self.raw(to)?.to_owned());
        let ask = Ask::new("CopyObject", &raw);
        let (bucket, payer) = (self.connection.bucket.clone(), self.connection.payer());
        let answer = self.connection.ask(ask, move |client| {
            let request = client
                .copy_object()
                .bucket(&bucket)
                .copy_source(format!("{bucket}/{}", encoded(&raw)))
                .key(&to)
                .set_request_payer(payer.clone());
            async move { request.send().await.map_err(Refusal::from) }
        });
        let result = answer.await?.copy_object_result;
        Ok(Written::Done {
            etag: result.and_then(|result| result.e_tag),
        })
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let raw = self.raw(key)?.to_owned();
        let ask = Ask::new("DeleteObject", &raw);
        let (bucket, payer) = (self.connection.bucket.clone(), self.connection.payer());
        let answer = self.connection.ask(ask, move |client| {
            let request = client
                .delete_object()
                .bucket(&bucket)
                .key(&raw)
                .set_request_payer(payer.clone());
            async move { request.send().await.map_err(Refusal::from) }
        });
        answer.await.map(|_| ())
    }
}

/// A key as the header of a copy wants it.
fn encoded(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// A multipart upload.
struct S3Upload {
    connection: Arc<Connection>,
    key: String,
    /// None when it was completed or aborted.
    id: Option<String>,
    parts: Vec<CompletedPart>,
    bytes: u64,
}

impl S3Upload {
    /// Whether the object is there, although nobody answered that it is completed.
    async fn is_there(&self) -> Result<Option<Written>, Error> {
        let ask = Ask::new("HeadObject", &self.key);
        let (bucket, key) = (self.connection.bucket.clone(), self.key.clone());
        let answer = self.connection.try_ask(&ask, move |client| {
            let request = client.head_object().bucket(&bucket).key(&key);
            async move { request.send().await.map_err(Refusal::from) }
        });
        let Ok(found) = answer.await? else {
            return Ok(None);
        };
        let etag = found.e_tag().unwrap_or_default();
        let ours = format!("-{}\"", self.parts.len());
        let size = u64::try_from(found.content_length().unwrap_or(-1)).ok();
        Ok(
            (etag.ends_with(&ours) && size == Some(self.bytes)).then(|| Written::Done {
                etag: Some(etag.to_owned()),
            }),
        )
    }
}

async fn abort(connection: Arc<Connection>, key: String, id: String) -> Result<(), Error> {
    let ask = Ask::new("AbortMultipartUpload", &key);
    let bucket = connection.bucket.clone();
    let answer = connection
        .try_ask(&ask, move |client| {
            let request = client
                .abort_multipart_upload()
                .bucket(&bucket)
                .key(&key)
                .upload_id(&id);
            async move { request.send().await.map_err(Refusal::from) }
        })
        .await?;
    match answer {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.is_missing() => Ok(()),
        Err(refusal) => Err(connection.error(&ask, &refusal)),
    }
}

#[async_trait]
impl Upload for S3Upload {
    async fn part(&mut self, bytes: Bytes) -> Result<(), Error> {
        let ask = Ask::new("UploadPart", &self.key);
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let (bucket, key, id) = (
            self.connection.bucket.clone(),
            self.key.clone(),
            self.id.clone(),
        );
        let size = bytes.len() as u64;
        let answer = self.connection.ask(ask, move |client| {
            let request = client
                .upload_part()
                .bucket(&bucket)
                .key(&key)
                .set_upload_id(id.clone())
                .part_number(number)
                .body(ByteStream::from(bytes.clone()));
            async move { request.send().await.map_err(Refusal::from) }
        });
        let answer = answer.await?;
        self.bytes += size;
        self.parts.push(
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(answer.e_tag)
                .set_checksum_crc32(answer.checksum_crc32)
                .build(),
        );
        Ok(())
    }

    async fn complete(mut self: Box<Self>, condition: Condition) -> Result<Written, Error> {
        let ask = Ask::new("CompleteMultipartUpload", &self.key);
        let (bucket, key, id) = (
            self.connection.bucket.clone(),
            self.key.clone(),
            self.id.clone(),
        );
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(self.parts.clone()))
            .build();
        let (if_match, if_none_match) = headers(&condition);
        let answer = self.connection.try_ask(&ask, move |client| {
            let request = client
                .complete_multipart_upload()
                .bucket(&bucket)
                .key(&key)
                .set_upload_id(id.clone())
                .multipart_upload(parts.clone())
                .set_if_match(if_match.clone())
                .set_if_none_match(if_none_match.clone());
            async move { request.send().await.map_err(Refusal::from) }
        });
        match answer.await? {
            Ok(answer) => {
                self.id = None;
                Ok(Written::Done {
                    etag: answer.e_tag().map(str::to_owned),
                })
            }
            Err(refusal) => {
                if refusal.tries > 1
                    && (refusal.is_missing() || refusal.is_condition())
                    && let Some(written) = self.is_there().await?
                {
                    self.id = None;
                    return Ok(written);
                }
                let refused = did_not_hold(&condition, &refusal) && !refusal.is("NoSuchUpload");
                let error = self.connection.error(&ask, &refusal);
                self.abort().await?;
                if refused {
                    Ok(Written::Refused)
                } else {
                    Err(error)
                }
            }
        }
    }

    async fn abort(mut self: Box<Self>) -> Result<(), Error> {
        match self.id.take() {
            Some(id) => abort(Arc::clone(&self.connection), self.key.clone(), id).await,
            None => Ok(()),
        }
    }
}

impl Drop for S3Upload {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            let (connection, key) = (Arc::clone(&self.connection), self.key.clone());
            // Nobody waits for it: what is left after a crash is swept by age in any case.
            let _ = Task::detach(async move { abort(connection, key, id).await });
        }
    }
}
