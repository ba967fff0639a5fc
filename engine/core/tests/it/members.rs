//! Columns within structs: the scan reads what a statement names of a struct, and nothing else.

use loglens_engine::Engine;

use crate::ask::ask;
use crate::faults::scan;
use crate::memory::{MemoryObject, over};

/// Events of several users; in some of them the identity is missing, is no object, or is written
/// with escapes.
fn events() -> Vec<u8> {
    let identities = [
        r#"{"type":"IAMUser","arn":"arn:aws:iam::1:user/alice","userName":"alice"}"#,
        r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/Deploy/s","sessionContext":{"sessionIssuer":{"userName":"Deploy"}}}"#,
        r#"{"type":"IAMUser","arn":"arn:aws:iam::1:user\/alice","userName":"\u0061lice"}"#,
        r#""none""#,
        "null",
    ];
    let event = |number: usize| {
        let identity = match number {
            0..40 => identities[number % identities.len()],
            _ => r#"{"type":"AWSService"}"#,
        };
        let error = if number % 3 == 0 {
            r#","errorCode":"AccessDenied""#
        } else {
            ""
        };
        format!(
            r#"{{"eventVersion":"1.08","userIdentity":{identity},"eventTime":"2026-01-31T00:00:00Z","eventName":"E{}"{error},"eventType":"AwsApiCall"}}"#,
            number % 7
        )
    };
    let events: Vec<_> = (0..400).map(event).collect();
    format!("{{\"Records\":[{}]}}", events.join(",")).into_bytes()
}

fn engine() -> Engine {
    Engine::new(over(vec![MemoryObject::new("trail.json", events())])).unwrap()
}

#[tokio::test]
async fn plans_show_the_members_that_are_read() {
    let engine = engine();
    let table = "DataSourceExec: table=cloudtrail_logs, objects=1, ";
    for (sql, expected) in [
        (
            "SELECT eventname, useridentity.arn FROM cloudtrail_logs",
            "projection=[eventname, useridentity.arn]",
        ),
        (
            "SELECT useridentity.sessioncontext.sessionissuer.username AS who FROM cloudtrail_logs",
            "projection=[useridentity.sessioncontext.sessionissuer.username]",
        ),
        (
            "SELECT useridentity.arn, count(*) FROM cloudtrail_logs GROUP BY 1",
            "projection=[useridentity.arn]",
        ),
        (
            "SELECT upper(useridentity.arn) AS a, count(*) FROM cloudtrail_logs GROUP BY 1",
            "projection=[useridentity.arn]",
        ),
        // One projection that also computes is DataFusion's own, and needs the whole struct.
        (
            "SELECT upper(useridentity.arn) AS a, eventname FROM cloudtrail_logs",
            "projection=[useridentity, eventname]",
        ),
        (
            "SELECT useridentity FROM cloudtrail_logs",
            "projection=[useridentity]",
        ),
        (
            "SELECT eventname FROM cloudtrail_logs WHERE useridentity.arn = 'arn:aws:iam::1:user/alice'",
            "projection=[eventname], literals=[\"arn:aws:iam::1:user/alice\", \"\\/\", \"\\u\"], filter=useridentity.arn@0 = arn:aws:iam::1:user/alice",
        ),
        (
            "SELECT eventname FROM cloudtrail_logs WHERE useridentity.arn LIKE '%user/al%'",
            "projection=[eventname], literals=[\"user/al\", \"\\/\", \"\\u\"], filter=useridentity.arn@0 LIKE %user/al%",
        ),
        (
            "SELECT eventname FROM cloudtrail_logs WHERE errorcode = 'AccessDenied'",
            "projection=[eventname], literals=[\"AccessDenied\", \"\\u\"], filter=errorcode@0 = AccessDenied",
        ),
        (
            "SELECT eventid FROM cloudtrail_logs WHERE eventname IN ('DeleteTrail', 'StopLogging')",
            "projection=[eventid], literals=[\"DeleteTrail\", \"StopLogging\", \"\\u\"], filter=eventname@0 = DeleteTrail OR eventname@0 = StopLogging",
        ),
    ] {
        let plan = scan(&engine, sql).await;
        assert_eq!(plan, format!("{table}{expected}"), "{sql}");
    }
}

#[tokio::test]
async fn members_give_what_the_whole_struct_gives() {
    let engine = engine();
    for (member, whole) in [
        (
            "SELECT useridentity.type AS x, count(*) FROM cloudtrail_logs GROUP BY 1",
            "SELECT u['type'] AS x, count(*) FROM whole GROUP BY 1",
        ),
        (
            "SELECT useridentity.arn AS x, useridentity.sessioncontext.sessionissuer.username AS y, useridentity.arn AS z, eventname AS e FROM cloudtrail_logs",
            "SELECT u['arn'] AS x, u['sessioncontext']['sessionissuer']['username'] AS y, u['arn'] AS z, eventname AS e FROM whole",
        ),
        (
            "SELECT count(*) FROM cloudtrail_logs WHERE useridentity.arn = 'arn:aws:iam::1:user/alice'",
            "SELECT count(*) FROM whole WHERE u['arn'] = 'arn:aws:iam::1:user/alice'",
        ),
        (
            "SELECT eventname, errorcode FROM cloudtrail_logs WHERE useridentity.username LIKE 'al%' AND useridentity.type IS NOT NULL",
            "SELECT eventname, errorcode FROM whole WHERE u['username'] LIKE 'al%' AND u['type'] IS NOT NULL",
        ),
        (
            "SELECT eventname, useridentity FROM cloudtrail_logs WHERE useridentity.username = 'alice'",
            "SELECT eventname, u AS useridentity FROM whole WHERE u['username'] = 'alice'",
        ),
        (
            "SELECT useridentity.arn AS a, event_time AS t FROM cloudtrail_logs WHERE useridentity IS NULL ORDER BY 1 LIMIT 7",
            "SELECT u['arn'] AS a, event_time AS t FROM whole WHERE u IS NULL ORDER BY 1 LIMIT 7",
        ),
        (
            "SELECT a.useridentity.username AS n, count(*) FROM cloudtrail_logs a JOIN cloudtrail_logs b ON a.useridentity.arn = b.useridentity.arn GROUP BY 1",
            "SELECT a.u['username'] AS n, count(*) FROM whole a JOIN whole b ON a.u['arn'] = b.u['arn'] GROUP BY 1",
        ),
    ] {
        // Behind a volatile column that is kept, all of the struct has to be read.
        let whole = whole.replace(
            "whole",
            "(SELECT useridentity AS u, eventname, errorcode, event_time, random() AS r FROM cloudtrail_logs LIMIT 1000000)",
        );
        let found = ask(&engine, member).await.unwrap();
        let expected = ask(&engine, &whole).await.unwrap();
        assert!(!found.rows.is_empty(), "{member}");
        assert_eq!(found.columns, expected.columns, "{member}");
        assert_eq!(found.sorted(), expected.sorted(), "{member}");
    }
}

/// What is no object is counted whichever way it is read, once a record.
#[tokio::test]
async fn what_does_not_fit_is_counted_once() {
    for sql in [
        "SELECT useridentity FROM cloudtrail_logs",
        "SELECT useridentity.arn FROM cloudtrail_logs",
        "SELECT useridentity.arn, useridentity.type FROM cloudtrail_logs",
        "SELECT useridentity.type FROM cloudtrail_logs WHERE useridentity.arn IS NULL",
    ] {
        let answer = ask(&engine(), sql).await.unwrap();
        assert_eq!(answer.totals.counts.values, 8, "{sql}");
    }
}
