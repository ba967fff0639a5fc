//! Logs made a table: each object once, whatever ends it in between.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use loglens_engine::convert::Convert;
use loglens_engine::{Engine, EngineOptions};
use loglens_io::places::WritablePlaces;

use crate::ask::ask;
use crate::logs::HEADER;
use crate::memory::{MemoryObject, over};

/// Objects, each with two rows of one second of their own.
fn engine(objects: usize) -> Engine {
    let objects = (0..objects).map(|number| {
        let start = 1_767_225_600 + number;
        let row = |bytes| {
            format!("2 1 eni-1 10.0.0.1 10.0.0.2 1 443 6 1 {bytes} {start} {start} ACCEPT OK\n")
        };
        let text = format!("{HEADER}\n{}{}", row(number), row(7));
        MemoryObject::new(&format!("logs/{number:05}.log"), text)
    });
    Engine::new(EngineOptions {
        places: Some(Arc::new(WritablePlaces::default())),
        threads: Some(2),
        ..over(objects.collect())
    })
    .unwrap()
}

fn convert(place: &Path, chunk_bytes: u64) -> Convert {
    Convert {
        to: place.to_str().unwrap().to_owned(),
        chunk_bytes: Some(chunk_bytes),
        ..Convert::default()
    }
}

/// How many objects are converted, as the entries of chunks say that are decided.
fn converted(place: &Path) -> usize {
    let entries = fs::read_dir(place.join("_loglens")).into_iter().flatten();
    let texts = entries.filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok());
    let committed = texts.filter(|text| text.contains("\"state\":\"committed\""));
    committed.map(|text| text.matches("\"key\"").count()).sum()
}

/// Rows, objects and the sum of bytes of what was written.
async fn written(place: &Path) -> Vec<String> {
    let engine = Engine::new(EngineOptions {
        sources: vec![loglens_io::source(place.to_str().unwrap()).unwrap()],
        ..EngineOptions::default()
    })
    .unwrap();
    let sql = "SELECT count(*), count(DISTINCT start), sum(bytes) FROM lake";
    ask(&engine, sql).await.unwrap().rows.remove(0)
}

fn expected(objects: usize) -> Vec<String> {
    let bytes = (0..objects).sum::<usize>() + 7 * objects;
    [objects * 2, objects, bytes]
        .map(|number| number.to_string())
        .into()
}

/// Ten thousand keys, ended at the half: each once, and what was done is not done again.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_keys_ended_at_the_half() {
    const OBJECTS: usize = 10_000;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("lake");
    let to = place.clone();
    let first = tokio::spawn(async move {
        let engine = engine(OBJECTS);
        let mut conversion = engine.conversion(convert(&to, 100_000)).await.unwrap();
        conversion.run().await.unwrap();
    });
    while converted(&place) < OBJECTS / 2 {
        assert!(!first.is_finished());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let half = converted(&place);
    assert!((OBJECTS / 2..OBJECTS).contains(&half), "{half}");

    let engine = engine(OBJECTS);
    let mut conversion = engine.conversion(convert(&place, 100_000)).await.unwrap();
    assert_eq!(conversion.converted.already_done, half as u64);
    assert_eq!(conversion.converted.to_do, (OBJECTS - half) as u64);
    conversion.run().await.unwrap();
    assert_eq!(
        conversion.ledger().totals().objects,
        (OBJECTS - half) as u64
    );
    assert_eq!(converted(&place), OBJECTS);
    assert_eq!(written(&place).await, expected(OBJECTS));
}

/// Two that both see nothing converted: the second finds the first entry taken, and keeps nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_stops() {
    const OBJECTS: usize = 20;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("lake");
    let engine = engine(OBJECTS);
    let mut first = engine.conversion(convert(&place, 2000)).await.unwrap();
    let mut second = engine.conversion(convert(&place, 2000)).await.unwrap();
    first.run().await.unwrap();
    let error = second.run().await.unwrap_err();
    assert_eq!(
        error.message,
        format!(
            "{}: another loglens is writing there: this one has stopped, and what it was writing is \
             not kept",
            place.display()
        )
    );
    assert_eq!(converted(&place), OBJECTS);
    assert_eq!(written(&place).await, expected(OBJECTS));
}

/// A writer that is slow, and is taken for one that was killed: it sees it when it wants to commit.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_taken_for_dead_stops() {
    const OBJECTS: usize = 20;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("lake");
    let engine = engine(OBJECTS);
    engine
        .conversion(convert(&place, 2000))
        .await
        .unwrap()
        .run()
        .await
        .unwrap();
    // The newest entry as it is while files become visible.
    let mut entries: Vec<_> = fs::read_dir(place.join("_loglens"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    let newest = entries.last().unwrap();
    let text = fs::read_to_string(newest).unwrap();
    fs::write(newest, text.replace("committed", "claimed")).unwrap();
    let undone = text.matches("\"key\"").count();
    let mut first = engine.conversion(convert(&place, 2000)).await.unwrap();
    let mut second = engine.conversion(convert(&place, 2000)).await.unwrap();
    assert_eq!(first.converted.to_do, undone as u64);
    first.run().await.unwrap();
    let error = second.run().await.unwrap_err();
    assert!(
        error.message.contains("another loglens is writing there"),
        "{error}"
    );
    assert_eq!(written(&place).await, expected(OBJECTS));
}
