//! Leases in DynamoDB, over moto behind faults.

use std::collections::HashMap;
use std::slice;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};
use loglens_engine::Owner;
use loglens_engine::lease::{Checkpoint, Lease, LeaseStore};
use loglens_engine::shard::{Position, Sequence, Start};
use loglens_io::dynamodb::DynamoLeases;
use loglens_io::s3::access::Access;
use loglens_test_server::{Fault, Forward, Moto, Wrong};

use crate::leases::{lease, suite};
use crate::refusals::shown;

const TABLE: &str = "loglens-leases";

fn table(endpoint: &str) -> DynamoLeases {
    let access = Access {
        endpoint_url: Some(endpoint.to_owned()),
        anonymous: true,
        ..Access::default()
    };
    DynamoLeases::new(TABLE, access)
}

/// moto behind faults; None where it is not installed.
fn start() -> Option<(Moto, Forward)> {
    let moto = Moto::start()?;
    let forward = Forward::start(moto.port).unwrap();
    Some((moto, forward))
}

/// The SDK itself, as another program would use it.
fn client(forward: &Forward) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version_latest()
        .endpoint_url(forward.endpoint())
        .region(aws_sdk_dynamodb::config::Region::new("us-east-1"))
        .http_client(http)
        .allow_no_auth();
    Client::from_conf(config.build())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_table_keeps_its_word() {
    let Some((_moto, forward)) = start() else {
        return;
    };
    suite(Arc::new(table(&forward.endpoint()))).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_write_changes_nothing() {
    let Some((_moto, forward)) = start() else {
        return;
    };
    let leases = table(&forward.endpoint());
    forward.fail(Fault::once("CreateTable", Wrong::LoseAnswer));
    assert!(!leases.is_made().await.unwrap());
    leases.prepare().await.unwrap();
    assert!(leases.is_made().await.unwrap());
    let mine = Lease {
        owner: Some(Arc::from("me")),
        parents: vec![Arc::from("b"), Arc::from("a")],
        ..lease("shardId-0")
    };
    forward.fail(Fault::once("UpdateItem", Wrong::LoseAnswer));
    assert!(leases.create(&mine).await.unwrap(), "it is ours");
    let next = Lease {
        counter: 1,
        ..mine.clone()
    };
    forward.fail(Fault::once("UpdateItem", Wrong::BreakAfter(0)));
    assert!(leases.replace(&next, 0).await.unwrap(), "it is ours");
    forward.fail(Fault::once("DeleteItem", Wrong::LoseAnswer));
    assert!(leases.delete("shardId-0", 1).await.unwrap(), "it was ours");
    assert_eq!(leases.list().await.unwrap(), []);

    let code = "ProvisionedThroughputExceededException";
    forward.fail(Fault::status("UpdateItem", 400, code, "slow").times(2));
    forward.fail(Fault::status("Scan", 500, "InternalServerError", "").times(2));
    assert!(leases.create(&mine).await.unwrap());
    assert_eq!(leases.list().await.unwrap().len(), 1);
    assert_eq!(leases.retries().1, 2, "those that asked to slow down");
}

#[tokio::test]
async fn a_row_of_kcl_is_taken_over_and_what_we_do_not_know_survives() {
    let Some((_moto, forward)) = start() else {
        return;
    };
    let leases = table(&forward.endpoint());
    leases.prepare().await.unwrap();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |number: &str| AttributeValue::N(number.to_owned());
    let row = HashMap::from([
        ("leaseKey", text("shardId-000000000001")),
        ("leaseOwner", text("kcl-worker")),
        ("leaseCounter", number("17")),
        ("checkpoint", text("495903382714902566085596925383")),
        ("checkpointSubSequenceNumber", number("4")),
        ("ownerSwitchesSinceCheckpoint", number("2")),
        (
            "parentShardId",
            AttributeValue::Ss(vec!["shardId-000000000000".to_owned()]),
        ),
        ("startingHashKey", text("0")),
        (
            "endingHashKey",
            text("170141183460469231731687303715884105727"),
        ),
        ("throughputKBps", number("12.5")),
        ("pendingCheckpoint", text("495903382714902566085596925399")),
    ]);
    let client = client(&forward);
    let mut request = client.put_item().table_name(TABLE);
    for (name, value) in row {
        request = request.item(name, value);
    }
    request.send().await.unwrap();
    // What else KCL 3 keeps in the same table.
    let other = client
        .put_item()
        .table_name(TABLE)
        .item("leaseKey", text("worker-metrics"));
    other.item("cpu", number("1")).send().await.unwrap();

    let found = leases.list().await.unwrap();
    let expected = Lease {
        owner: Some(Arc::from("kcl-worker")),
        counter: 17,
        checkpoint: Checkpoint::At(Start::After(Position {
            sequence: Sequence::new("495903382714902566085596925383"),
            sub: Some(4),
        })),
        switches: 2,
        parents: vec![Arc::from("shardId-000000000000")],
        hash_keys: Some(0..=(u128::MAX >> 1)),
        ..lease("shardId-000000000001")
    };
    assert_eq!(found, slice::from_ref(&expected));

    let sequence = Sequence::new("495903382714902566085596925400");
    let taken = Lease {
        owner: None,
        counter: 18,
        checkpoint: Checkpoint::At(Start::After(Position {
            sequence,
            sub: None,
        })),
        ..expected
    };
    assert!(leases.replace(&taken, 17).await.unwrap());
    let row = client
        .get_item()
        .table_name(TABLE)
        .key("leaseKey", text(&taken.shard));
    let row = row.send().await.unwrap().item.unwrap();
    assert_eq!(row["throughputKBps"], number("12.5"));
    assert_eq!(
        row["pendingCheckpoint"],
        text("495903382714902566085596925399")
    );
    assert_eq!(row["checkpoint"], text("495903382714902566085596925400"));
    assert_eq!(
        row["checkpointSubSequenceNumber"],
        number("9223372036854775807")
    );
    assert!(!row.contains_key("leaseOwner"));
    assert_eq!(leases.list().await.unwrap(), [taken]);

    let at_time = client
        .put_item()
        .table_name(TABLE)
        .item("leaseKey", text("shardId-9"));
    let at_time = at_time
        .item("leaseCounter", number("1"))
        .item("checkpoint", text("AT_TIMESTAMP"));
    at_time.send().await.unwrap();
    assert_eq!(
        shown(&leases.list().await.unwrap_err()),
        "External: dynamodb://loglens-leases: lease shardId-9: it begins at a time that only the Kinesis Client Library's configuration knows\n  \
         does the table belong to another program? name one for loglens, or let the Kinesis Client Library mend it"
    );
}

#[tokio::test]
async fn what_is_refused_is_said() {
    let Some((_moto, forward)) = start() else {
        return;
    };
    let leases = table(&forward.endpoint());
    let error = leases.create(&lease("shardId-0")).await.unwrap_err();
    assert!(
        error.message.starts_with("dynamodb://loglens-leases: there is no table loglens-leases (UpdateItem in us-east-1, 400 ResourceNotFoundException"),
        "{error:?}"
    );
    forward.fail(Fault::status(
        "DescribeTable",
        400,
        "AccessDeniedException",
        "no",
    ));
    assert_eq!(
        shown(&leases.prepare().await.unwrap_err()),
        "External: dynamodb://loglens-leases: access denied: dynamodb:DescribeTable is not allowed \
         (DescribeTable in us-east-1, 400 AccessDeniedException, request TESTREQUEST)\n  \
         allow it in a policy of the user or role; a policy of the organisation may deny it too"
    );
    let key = KeySchemaElement::builder()
        .attribute_name("id")
        .key_type(KeyType::Hash);
    let attribute = AttributeDefinition::builder().attribute_name("id");
    let other = client(&forward)
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key.build().unwrap())
        .attribute_definitions(
            attribute
                .attribute_type(ScalarAttributeType::S)
                .build()
                .unwrap(),
        );
    other.send().await.unwrap();
    assert!(leases.is_made().await.is_err());
    let error = leases.prepare().await.unwrap_err();
    assert_eq!(
        (error.owner, error.message.as_str()),
        (
            Owner::Config,
            "dynamodb://loglens-leases: the table's key is not leaseKey"
        )
    );
}
