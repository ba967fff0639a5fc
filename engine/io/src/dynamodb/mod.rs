//! Leases in a table of DynamoDB, as the Kinesis Client Library keeps them.
//!
//! - `row`: a lease as a row of the table.
//! - `table`: making the table.
//!
//! Every write is one conditional `UpdateItem` or `DeleteItem`, so that what KCL keeps in a row beside
//! what we know survives. Requests that fail for a passing reason are made again for some seconds,
//! not for ever: a worker that cannot renew its leases must know it.

mod row;
mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use loglens_engine::lease::{Lease, LeaseStore};
use loglens_engine::{Error, Owner};

use crate::aws::reason::reason;
use crate::aws::refusal::Refusal;
use crate::aws::service::{Patience, Service, build_client};
use crate::s3::access::Access;
use row::{COUNTER, KEY, Row, Update};

/// What the place of such a table begins with.
pub const SCHEME: &str = "dynamodb://";

/// How often a request is made that fails for a passing reason: for about half a minute.
const TRIES: Patience = Patience::Tries(9);

/// What became of a write under a condition.
#[derive(Debug)]
enum Outcome {
    Done,
    /// The condition did not hold: this is there, if anything. `again`: it was not the first try, and
    /// the answer to the first may have been lost.
    Refused {
        found: Option<Row>,
        again: bool,
    },
}

/// Leases in a table of DynamoDB.
#[derive(Debug, Clone)]
pub struct DynamoLeases {
    table: String,
    service: Arc<Service<Client>>,
}

impl DynamoLeases {
    /// The leases in this table. Nothing is asked for yet. Of `access`, what is about objects and
    /// buckets does not count.
    pub fn new(table: &str, access: Access) -> Self {
        Self {
            table: table.to_owned(),
            service: Arc::new(Service::new(access, build_client!(aws_sdk_dynamodb))),
        }
    }

    /// Whether the table is there; nothing is made.
    ///
    /// # Errors
    ///
    /// DynamoDB's; a table of another kind.
    pub async fn is_made(&self) -> Result<bool, Error> {
        table::is_made(self).await
    }

    /// Requests made again so far, and answers that asked to slow down.
    pub fn retries(&self) -> (u64, u64) {
        self.service.counts()
    }

    async fn ask<T, F>(
        &self,
        operation: &'static str,
        request: impl Fn(Client) -> F + Send + Sync + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refusal>> + Send,
    {
        let answer = self.service.ask(TRIES, request).await?;
        answer.map_err(|refusal| self.error(operation, &refusal))
    }

    /// A write under a condition, which is none of the errors if it does not hold.
    async fn write<F>(
        &self,
        operation: &'static str,
        request: impl Fn(Client) -> F + Send + Sync + 'static,
    ) -> Result<Outcome, Error>
    where
        F: Future<Output = Result<Option<Option<Row>>, Refusal>> + Send,
    {
        let tries = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&tries);
        let answer = self.ask(operation, move |client| {
            counted.fetch_add(1, Relaxed);
            request(client)
        });
        Ok(match answer.await? {
            None => Outcome::Done,
            Some(found) => Outcome::Refused {
                found,
                again: tries.load(Relaxed) > 1,
            },
        })
    }

    /// Writes a row if the condition of the update holds.
    async fn update(&self, shard: &str, update: Update) -> Result<Outcome, Error> {
        let (table, key) = (self.table.clone(), AttributeValue::S(shard.to_owned()));
        let request = move |client: Client| {
            let request = client
                .update_item()
                .table_name(&table)
                .key(KEY, key.clone())
                .update_expression(&update.expression)
                .condition_expression(&update.condition)
                .set_expression_attribute_names(Some(update.names.clone()))
                .set_expression_attribute_values(Some(update.values.clone()))
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
            async move {
                match request.send().await {
                    Ok(_) => Ok(None),
                    Err(error) => match error.as_service_error() {
                        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                            Ok(Some(failed.item.clone()))
                        }
                        _ => Err(Refusal::from(error)),
                    },
                }
            }
        };
        self.write("UpdateItem", request).await
    }

    fn error(&self, operation: &str, refusal: &Refusal) -> Error {
        let table = &self.table;
        let (owner, what, hint) = match refusal.code.as_deref().unwrap_or_default() {
            "ResourceNotFoundException" => (
                Owner::External,
                format!("there is no table {table}"),
                "it was there when the worker began: start it again, and it is made",
            ),
            _ => reason(refusal, "DynamoDB", &format!("dynamodb:{operation}")),
        };
        let place = format!("{SCHEME}{table}");
        let message = refusal.told(&place, &what, operation, self.service.region());
        Error::new(owner, message).hint(hint)
    }

    /// A row that cannot be read as a lease.
    fn lease(&self, row: &Row) -> Result<Lease, Error> {
        row::lease(row).map_err(|what| {
            Error::new(Owner::External, format!("{SCHEME}{}: {what}", self.table)).hint(
                "does the table belong to another program? name one for loglens, or let the Kinesis Client Library mend it",
            )
        })
    }
}

#[async_trait]
impl LeaseStore for DynamoLeases {
    async fn prepare(&self) -> Result<(), Error> {
        table::prepare(self).await
    }

    async fn list(&self) -> Result<Vec<Lease>, Error> {
        let mut leases = Vec::new();
        let mut after = None;
        loop {
            let (table, from) = (self.table.clone(), after);
            let page = self.ask("Scan", move |client| {
                let request = client
                    .scan()
                    .table_name(&table)
                    .consistent_read(true)
                    .set_exclusive_start_key(from.clone());
                async move { request.send().await.map_err(Refusal::from) }
            });
            let page = page.await?;
            // KCL 3 may keep other things of its own in the table.
            let rows = page.items().iter().filter(|row| row.contains_key(COUNTER));
            for row in rows {
                leases.push(self.lease(row)?);
            }
            after = page.last_evaluated_key;
            if after.is_none() {
                return Ok(leases);
            }
        }
    }

    async fn create(&self, lease: &Lease) -> Result<bool, Error> {
        match self.update(&lease.shard, Update::create(lease)).await? {
            Outcome::Done => Ok(true),
            Outcome::Refused { found, again } => {
                Ok(again && found.is_some_and(|row| row::says(&row, lease)))
            }
        }
    }

    async fn replace(&self, lease: &Lease, seen: u64) -> Result<bool, Error> {
        match self
            .update(&lease.shard, Update::replace(lease, seen))
            .await?
        {
            Outcome::Done => Ok(true),
            // The answer to the same write may have been lost, here or in an earlier call.
            Outcome::Refused { found, .. } => Ok(found.is_some_and(|row| row::says(&row, lease))),
        }
    }

    async fn delete(&self, shard: &str, seen: u64) -> Result<bool, Error> {
        let (table, key) = (self.table.clone(), AttributeValue::S(shard.to_owned()));
        let request = move |client: Client| {
            let request = client
                .delete_item()
                .table_name(&table)
                .key(KEY, key.clone())
                .condition_expression("#counter = :seen")
                .expression_attribute_names("#counter", COUNTER)
                .expression_attribute_values(":seen", AttributeValue::N(seen.to_string()))
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
            async move {
                match request.send().await {
                    Ok(_) => Ok(None),
                    Err(error) => match error.as_service_error() {
                        Some(DeleteItemError::ConditionalCheckFailedException(failed)) => {
                            Ok(Some(failed.item.clone()))
                        }
                        _ => Err(Refusal::from(error)),
                    },
                }
            }
        };
        match self.write("DeleteItem", request).await? {
            Outcome::Done => Ok(true),
            Outcome::Refused { found, again } => Ok(again && found.is_none()),
        }
    }
}
