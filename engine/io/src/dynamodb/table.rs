//! The table of leases: looking for it, and making it.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TableDescription, TableStatus,
};
use loglens_engine::{Error, Owner};

use super::row::KEY;
use super::{DynamoLeases, SCHEME, TRIES};
use crate::aws::refusal::Refusal;

/// How often a table that is being made is looked at.
const LOOKS: u32 = 120;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// Makes the table if there is none, and waits until it is there to be used.
pub(super) async fn prepare(leases: &DynamoLeases) -> Result<(), Error> {
    for _ in 0..LOOKS {
        match look(leases).await? {
            None => make(leases).await?,
            Some(table) => {
                check(leases, &table)?;
                let usable = [TableStatus::Active, TableStatus::Updating];
                if table
                    .table_status
                    .is_some_and(|status| usable.contains(&status))
                {
                    return Ok(());
                }
            }
        }
        tokio::time::sleep(LOOK).await;
    }
    let message = format!("{SCHEME}{}: the table does not become active", leases.table);
    Err(Error::new(Owner::External, message).hint("look at it: aws dynamodb describe-table"))
}

/// Whether there is a table of leases.
pub(super) async fn is_made(leases: &DynamoLeases) -> Result<bool, Error> {
    match look(leases).await? {
        None => Ok(false),
        Some(table) => check(leases, &table).map(|()| true),
    }
}

async fn look(leases: &DynamoLeases) -> Result<Option<TableDescription>, Error> {
    let table = leases.table.clone();
    let found = leases.service.ask(TRIES, move |client| {
        let request = client.describe_table().table_name(&table);
        async move { request.send().await.map_err(Refusal::from) }
    });
    match found.await? {
        Ok(found) => Ok(Some(
            found
                .table
                .unwrap_or_else(|| TableDescription::builder().build()),
        )),
        Err(refusal) if refusal.is("ResourceNotFoundException") => Ok(None),
        Err(refusal) => Err(leases.error("DescribeTable", &refusal)),
    }
}

/// A table of another kind must not be written to.
fn check(leases: &DynamoLeases, table: &TableDescription) -> Result<(), Error> {
    let keys: Vec<_> = table
        .key_schema()
        .iter()
        .map(KeySchemaElement::attribute_name)
        .collect();
    if keys == [KEY] {
        return Ok(());
    }
    let message = format!("{SCHEME}{}: the table's key is not {KEY}", leases.table);
    Err(Error::new(Owner::Config, message)
        .hint("it holds something else than leases: name another table, which is made"))
}

async fn make(leases: &DynamoLeases) -> Result<(), Error> {
    let wrong =
        |error: aws_sdk_dynamodb::error::BuildError| Error::new(Owner::Internal, error.to_string());
    let key = KeySchemaElement::builder()
        .attribute_name(KEY)
        .key_type(KeyType::Hash);
    let key = key.build().map_err(wrong)?;
    let attribute = AttributeDefinition::builder()
        .attribute_name(KEY)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .map_err(wrong)?;
    let table = leases.table.clone();
    let made = leases.service.ask(TRIES, move |client| {
        let request = client
            .create_table()
            .table_name(&table)
            .key_schema(key.clone())
            .attribute_definitions(attribute.clone())
            .billing_mode(BillingMode::PayPerRequest);
        async move { request.send().await.map_err(Refusal::from) }
    });
    match made.await? {
        // Another worker makes it at the same time.
        Err(refusal) if refusal.is("ResourceInUseException") => Ok(()),
        Err(refusal) => Err(leases.error("CreateTable", &refusal)),
        Ok(_) => Ok(()),
    }
}
