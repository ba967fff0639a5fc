//! One suite over everything that leases are kept in.

use std::slice;
use std::sync::Arc;

use futures::future::join_all;
use loglens_engine::lease::{Checkpoint, Lease, LeaseStore};
use loglens_engine::shard::{Position, Sequence, Start};
use loglens_io::local_leases::LocalLeases;
use tokio::sync::Barrier;

pub(crate) fn lease(shard: &str) -> Lease {
    Lease {
        shard: Arc::from(shard),
        owner: None,
        counter: 0,
        checkpoint: Checkpoint::At(Start::Oldest),
        switches: 0,
        parents: Vec::new(),
        children: Vec::new(),
        hash_keys: None,
    }
}

fn after(digits: &str, sub: Option<u64>) -> Checkpoint {
    let sequence = Sequence::new(digits);
    Checkpoint::At(Start::After(Position { sequence, sub }))
}

pub(crate) async fn suite(store: Arc<dyn LeaseStore>) {
    let (made, again) = tokio::join!(store.prepare(), store.prepare());
    made.unwrap();
    again.unwrap();
    store.prepare().await.unwrap();
    assert_eq!(store.list().await.unwrap(), []);
    whatever_a_lease_says_is_kept(&*store).await;
    conditions_hold(&*store).await;
    each_counter_is_won_once(&store).await;
}

async fn whatever_a_lease_says_is_kept(store: &dyn LeaseStore) {
    let number = "49590338271490256608559692538361571095921575989136588898";
    let full = Lease {
        owner: Some(Arc::from("worker-1")),
        counter: u64::from(u32::MAX) * 7,
        switches: 3,
        parents: vec![Arc::from("shardId-1"), Arc::from("shardId-2")],
        children: vec![Arc::from("shardId-9")],
        hash_keys: Some(0..=u128::MAX),
        ..lease("shardId-000000000000")
    };
    assert!(store.create(&full).await.unwrap());
    let mut seen = full.counter;
    for checkpoint in [
        Checkpoint::At(Start::Oldest),
        Checkpoint::At(Start::Latest),
        Checkpoint::At(Start::Time(1_700_000_000_123_456)),
        after(number, None),
        after(number, Some(0)),
        after(number, Some(41)),
        Checkpoint::End,
    ] {
        let next = Lease {
            counter: seen + 1,
            checkpoint,
            ..full.clone()
        };
        assert!(store.replace(&next, seen).await.unwrap());
        assert_eq!(store.list().await.unwrap(), slice::from_ref(&next));
        seen = next.counter;
    }
    // What is not known any more goes.
    let bare = Lease {
        counter: seen + 1,
        ..lease(&full.shard)
    };
    assert!(store.replace(&bare, seen).await.unwrap());
    assert_eq!(store.list().await.unwrap(), slice::from_ref(&bare));
    assert!(store.delete(&bare.shard, bare.counter).await.unwrap());
    assert_eq!(store.list().await.unwrap(), []);
}

async fn conditions_hold(store: &dyn LeaseStore) {
    let first = lease("shardId-1");
    let mine = Lease {
        owner: Some(Arc::from("me")),
        counter: 1,
        ..first.clone()
    };
    let yours = Lease {
        owner: Some(Arc::from("you")),
        ..mine.clone()
    };
    assert!(!store.replace(&mine, 0).await.unwrap(), "there is none");
    assert!(!store.delete("shardId-1", 0).await.unwrap());
    assert!(store.create(&first).await.unwrap());
    assert!(!store.create(&yours).await.unwrap());
    assert!(!store.create(&first).await.unwrap(), "it was there before");
    assert!(store.replace(&mine, 0).await.unwrap());
    assert!(!store.replace(&yours, 0).await.unwrap());
    assert!(
        store.replace(&mine, 0).await.unwrap(),
        "the same write again"
    );
    assert!(!store.delete("shardId-1", 0).await.unwrap());
    assert_eq!(store.list().await.unwrap(), [mine]);
    assert!(store.delete("shardId-1", 1).await.unwrap());
    assert!(!store.delete("shardId-1", 1).await.unwrap());
}

/// Eight workers want the same all the time.
async fn each_counter_is_won_once(store: &Arc<dyn LeaseStore>) {
    const WORKERS: usize = 8;
    const ROUNDS: u64 = 12;
    let created = Arc::new(Barrier::new(WORKERS));
    let worker = |number: usize, store: Arc<dyn LeaseStore>, created: Arc<Barrier>| async move {
        let mut won = Vec::new();
        let mine = Lease {
            owner: Some(Arc::from(format!("worker-{number}"))),
            ..lease("shardId-race")
        };
        if store.create(&mine).await.unwrap() {
            won.push("created".to_owned());
        }
        created.wait().await;
        for seen in 0..ROUNDS {
            let next = Lease {
                counter: seen + 1,
                ..mine.clone()
            };
            if store.replace(&next, seen).await.unwrap() {
                won.push(next.counter.to_string());
            }
        }
        if store.delete("shardId-race", ROUNDS).await.unwrap() {
            won.push("deleted".to_owned());
        }
        won
    };
    let workers = (0..WORKERS)
        .map(|number| tokio::spawn(worker(number, Arc::clone(store), Arc::clone(&created))));
    let won = join_all(workers).await;
    let mut won: Vec<_> = won.into_iter().flat_map(Result::unwrap).collect();
    won.sort();
    let mut expected: Vec<_> = (1..=ROUNDS).map(|counter| counter.to_string()).collect();
    expected.extend(["created", "deleted"].map(str::to_owned));
    expected.sort();
    assert_eq!(won, expected);
    assert_eq!(store.list().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_folder_keeps_its_word() {
    let folder = tempfile::tempdir().unwrap();
    suite(Arc::new(LocalLeases::new(folder.path().join("a/leases")))).await;
}

#[tokio::test]
async fn a_folder_is_shared_and_names_are_those_of_shards() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (
        LocalLeases::new(folder.path()),
        LocalLeases::new(folder.path()),
    );
    let strange = lease("../a b/ü%2f");
    assert!(one.create(&strange).await.unwrap());
    assert!(!other.create(&strange).await.unwrap());
    assert_eq!(other.list().await.unwrap(), [strange]);
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("lock"))
        .collect();
    assert_eq!(names, ["%2e%2e%2fa%20b%2f%c3%bc%252f.lease.json"]);

    std::fs::write(folder.path().join("x.lease.json"), "{").unwrap();
    let error = one.list().await.unwrap_err();
    assert!(error.message.contains("x.lease.json: EOF"), "{error:?}");
}
