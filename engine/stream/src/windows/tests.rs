//! Windows are those of all records together, whatever the shards, the cuts and the owners.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use loglens_engine::archive::Given;
use loglens_engine::arrow::array::{AsArray, RecordBatch};
use loglens_engine::arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use loglens_engine::arrow::util::display::array_value_to_string;
use loglens_engine::error::Error;
use loglens_engine::lease::{Checkpoint, Lease, LeaseStore};
use loglens_engine::shard::{
    Fetched, Sequence, Shard, ShardReader, ShardRecord, ShardSource, Start,
};
use loglens_engine::sink::{Condition, Content, ObjectSink, Upload, Written};
use loglens_engine::stream::StreamOptions;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::notices::Notified;
use super::{StandingWindow, Standings};
use crate::application::{Application, Place};
use crate::clock::SystemClock;
use crate::cut::{Beginning, CutMaker, CutState};
use crate::event::{Event, Observer};
use crate::lake::maker::{Lake, LakeSettings, Partitioning, WindowStatement};
use crate::random::Random;
use crate::shard_log::{Claim, Commit, CutRange, Entry, ShardLog, Writer};
use crate::stop::stopper;

/// A full minute.
const NOON: i64 = 1_767_268_800;

const FLOWS: &str = "SELECT window_end, srcaddr, count(*) AS flows, sum(bytes) AS bytes \
                     FROM vpc_flow_logs GROUP BY hop(event_time, INTERVAL '1' MINUTE, INTERVAL '3' MINUTE), srcaddr";

const MANY: &str = "SELECT window_end, srcaddr, count(*) AS flows FROM vpc_flow_logs \
                    GROUP BY tumble(event_time, INTERVAL '1' MINUTE), srcaddr HAVING count(*) >= 4";

/// Everything outside: objects, leases, and what was told. Each answer takes its time.
#[derive(Debug, Default)]
struct World {
    objects: Mutex<BTreeMap<String, (Bytes, u64)>>,
    leases: Mutex<Vec<Lease>>,
    random: Option<Mutex<Random>>,
    told: Mutex<Vec<String>>,
    seen: Mutex<Vec<String>>,
}

impl World {
    async fn takes_time(&self) {
        if let Some(random) = &self.random {
            let millis = random.lock().unwrap().below(400) as u64;
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
    }
}

#[derive(Debug, Clone)]
struct Net(Arc<World>);

#[async_trait]
impl ObjectSink for Net {
    async fn get(&self, key: &str) -> Result<Option<Content>, Error> {
        self.0.takes_time().await;
        let found = self.0.objects.lock().unwrap().get(key).cloned();
        self.0.takes_time().await;
        Ok(found.map(|(bytes, etag)| Content {
            bytes,
            etag: Some(etag.to_string()),
        }))
    }

    async fn get_if_changed(&self, key: &str, etag: &str) -> Result<Option<Content>, Error> {
        let found = self.get(key).await?;
        Ok(found.filter(|found| found.etag.as_deref() != Some(etag)))
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, Error> {
        self.0.takes_time().await;
        let written = {
            let mut objects = self.0.objects.lock().unwrap();
            let etag = objects.get(key).map(|(_, etag)| *etag);
            let holds = match condition {
                Condition::Always => true,
                Condition::Absent => etag.is_none(),
                Condition::Matches(seen) => etag.is_some_and(|etag| etag.to_string() == seen),
            };
            let next = etag.unwrap_or(0) + 1;
            if holds {
                objects.insert(key.to_owned(), (bytes, next));
            }
            match holds {
                true => Written::Done {
                    etag: Some(next.to_string()),
                },
                false => Written::Refused,
            }
        };
        self.0.takes_time().await;
        Ok(written)
    }

    async fn begin(&self, _: &str) -> Result<Box<dyn Upload>, Error> {
        unreachable!("nobody asks")
    }

    async fn copy(&self, _: &str, _: &str, _: Condition) -> Result<Written, Error> {
        unreachable!("nobody asks")
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.0.objects.lock().unwrap().remove(key);
        Ok(())
    }
}

#[async_trait]
impl LeaseStore for Net {
    async fn prepare(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn list(&self) -> Result<Vec<Lease>, Error> {
        self.0.takes_time().await;
        Ok(self.0.leases.lock().unwrap().clone())
    }

    async fn create(&self, _: &Lease) -> Result<bool, Error> {
        unreachable!("nobody asks")
    }

    async fn replace(&self, _: &Lease, _: u64) -> Result<bool, Error> {
        unreachable!("nobody asks")
    }

    async fn delete(&self, _: &str, _: u64) -> Result<bool, Error> {
        unreachable!("nobody asks")
    }
}

fn lease(shard: &str, parents: &[&str], hash_keys: RangeInclusive<u128>) -> Lease {
    Lease {
        shard: Arc::from(shard),
        owner: None,
        counter: 0,
        checkpoint: Checkpoint::At(Start::Oldest),
        switches: 0,
        parents: parents.iter().map(|parent| Arc::from(*parent)).collect(),
        children: Vec::new(),
        hash_keys: Some(hash_keys),
    }
}

#[async_trait]
impl ShardSource for Net {
    fn name(&self) -> &'static str {
        "kinesis://flows"
    }

    async fn shards(&self) -> Result<Vec<Shard>, Error> {
        unreachable!("nobody asks")
    }

    async fn open(&self, _: &str, _: &Start) -> Result<Box<dyn ShardReader>, Error> {
        unreachable!("nobody asks")
    }
}

impl Observer for Net {
    fn observe(&self, event: &Event<'_>) {
        if !matches!(event, Event::WindowsGiven(_)) {
            self.0.seen.lock().unwrap().push(format!("{event:?}"));
        }
    }
}

#[async_trait]
impl Notified for Net {
    fn name(&self) -> &'static str {
        "listener"
    }

    async fn give(&self, notices: &[String]) -> Result<(), Error> {
        self.0.takes_time().await;
        self.0.told.lock().unwrap().extend_from_slice(notices);
        self.0.takes_time().await;
        Ok(())
    }
}

fn as_json(rows: &RecordBatch) -> Result<Vec<String>, Error> {
    let text = |row: usize| {
        let columns = rows.columns().iter();
        let texts = columns.map(|column| array_value_to_string(column, row).unwrap());
        serde_json::to_string(&texts.collect::<Vec<_>>()).unwrap()
    };
    Ok((0..rows.num_rows()).map(text).collect())
}

async fn lake(lateness: Duration) -> Lake {
    let window = |name: &str, sql: &str| WindowStatement {
        name: Arc::from(name),
        sql: Arc::from(sql),
        options: StreamOptions {
            disorder: Some(Duration::ZERO),
            lateness,
            idle: Duration::from_secs(3600),
        },
    };
    let windows = vec![window("flows", FLOWS), window("many", MANY)];
    Lake::new(settings(windows)).await.unwrap()
}

fn settings(windows: Vec<WindowStatement>) -> LakeSettings {
    LakeSettings {
        stream: Arc::from("kinesis://flows"),
        given: Given::default(),
        partitioned_by: Partitioning::default(),
        keep_resent: false,
        cut_bytes: 1 << 20,
        cut_age: Duration::from_secs(60),
        memory_limit: None,
        threads: Some(2),
        windows,
    }
}

fn application(world: &Arc<World>, lake: Arc<Lake>) -> Arc<Application> {
    let net = Net(Arc::clone(world));
    let place = |root| Place {
        sink: Arc::new(net.clone()),
        root: Arc::from(root),
    };
    let mut windows = Vec::new();
    for (at, (name, sql)) in [("flows", FLOWS), ("many", MANY)].into_iter().enumerate() {
        let is_alert = name == "many";
        windows.push(StandingWindow {
            name: Arc::from(name),
            sql: Arc::from(sql),
            open: lake.opens(at),
            files: true,
            is_alert,
            notified: match is_alert {
                true => vec![Arc::new(net.clone())],
                false => Vec::new(),
            },
            as_json,
        });
    }
    Arc::new(Application {
        name: Arc::from("app"),
        program: Arc::from("0"),
        source: Arc::new(net.clone()),
        leases: Arc::new(net.clone()),
        lake: place("lake"),
        control: place("control"),
        maker: lake,
        clock: Arc::new(SystemClock::default()),
        observer: Arc::new(net),
        kept_cuts: 100,
        windows: Arc::new(Standings::new(windows)),
    })
}

/// Second, address, bytes.
type Flow = (i64, u8, i64);

fn line((second, address, bytes): Flow) -> String {
    let start = NOON + second;
    format!(
        "2 123456789010 eni-1 10.0.0.{address} 10.0.0.2 1 443 6 1 {bytes} {start} {start} ACCEPT OK"
    )
}

/// The log of a shard that is written cut by cut.
struct Cuts {
    shard: Arc<str>,
    log: ShardLog,
    cut: u64,
    records: u64,
}

impl Cuts {
    fn new(application: &Application, shard: &Arc<str>) -> Self {
        Self {
            shard: Arc::clone(shard),
            log: application.log(shard),
            cut: 0,
            records: 0,
        }
    }

    /// Commits a cut of some records.
    async fn commit(&mut self, lake: &Lake, flows: &[Flow], ended: bool) {
        let configuration = lake.configuration();
        let beginning = Beginning {
            shard: &self.shard,
            after: &Start::Oldest,
            hash_keys: None,
            state: None,
            configuration: &configuration,
        };
        let mut making = lake.begin(beginning).await.unwrap();
        let mut range = CutRange::new(Start::Oldest);
        let records = flows.iter().map(|flow| {
            self.records += 1;
            ShardRecord {
                sequence: Sequence::new(&self.records.to_string()),
                partition_key: Arc::from("key"),
                data: Bytes::from(line(*flow)),
                arrived: 7,
            }
        });
        let records: Vec<_> = records.collect();
        records
            .iter()
            .for_each(|record| assert!(range.add(&record.sequence)));
        let fetched = Fetched {
            records,
            ..Fetched::default()
        };
        making.take(fetched, Duration::ZERO).await.unwrap();
        let names = making.names(&range).await.unwrap();
        for name in &names {
            making.object(name).await.unwrap();
        }
        let CutState { state, .. } = making.state().await.unwrap();
        let claim = Claim {
            range: range.clone(),
            objects: names,
            configuration,
            hash_keys: None,
            ended,
        };
        assert!(self.log.claim(self.cut, &entry(claim)).await.unwrap());
        let commit = Commit {
            next: range.next(),
            range,
            ended,
            missing: 0,
            watermark: None,
            outputs: Vec::new(),
            state,
        };
        assert!(self.log.commit(self.cut, &entry(commit)).await.unwrap());
        self.cut += 1;
    }
}

fn entry<T>(says: T) -> Entry<T> {
    let writer = Writer {
        worker: Arc::from("w"),
        epoch: 1,
        program: Arc::from("0"),
    };
    Entry::new(writer, says)
}

/// Flows and bytes by window and address.
type Rows = BTreeMap<(i64, String), (i64, i64)>;

/// What must be in the windows that ended.
fn expected(flows: &[Flow], size: i64, until: i64) -> Rows {
    let mut rows = Rows::new();
    for &(second, address, bytes) in flows {
        let first = second - second % 60 + 60;
        for end in (first..first + size)
            .step_by(60)
            .filter(|end| *end <= until)
        {
            let key = ((NOON + end) * 1_000_000, format!("10.0.0.{address}"));
            let row = rows.entry(key).or_default();
            *row = (row.0 + 1, row.1 + bytes);
        }
    }
    rows
}

/// What is in the files of a window. No window is in two of them.
fn given(world: &World, name: &str) -> Rows {
    let mut rows = Rows::new();
    let mut ends = BTreeSet::new();
    let prefix = format!("lake/windows/{name}/day=2026-01-01/2026");
    for (key, (bytes, _)) in &*world.objects.lock().unwrap() {
        if !key.starts_with("lake/windows") || !key.contains(&format!("/{name}/")) {
            continue;
        }
        assert!(key.starts_with(&prefix), "{key}");
        let mut in_file = BTreeSet::new();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            let end = batch.column_by_name("window_end").unwrap();
            let end = end.as_primitive::<TimestampMicrosecondType>();
            let numbers = |name: &str| {
                let column = batch.column_by_name(name)?;
                Some(column.as_primitive::<Int64Type>().clone())
            };
            let (flows, bytes) = (numbers("flows").unwrap(), numbers("bytes"));
            let address = batch.column_by_name("srcaddr").unwrap();
            for row in 0..batch.num_rows() {
                in_file.insert(end.value(row));
                let key = (end.value(row), array_value_to_string(address, row).unwrap());
                let row = (
                    flows.value(row),
                    bytes.as_ref().map_or(0, |bytes| bytes.value(row)),
                );
                assert_eq!(rows.insert(key, row), None);
            }
        }
        assert!(in_file.len() <= 1 && ends.is_disjoint(&in_file), "{key}");
        ends.extend(in_file);
    }
    rows
}

/// Some ten minutes of flows for each shard, in cuts that follow on one another in time.
fn story(random: &mut Random, shards: usize) -> Vec<Vec<Vec<Flow>>> {
    let shard = |random: &mut Random| {
        let mut second = 0;
        let mut cuts = Vec::new();
        for _ in 0..3 + random.below(6) {
            let mut cut = Vec::new();
            for _ in 0..random.below(30) {
                second += random.below(8) as i64;
                cut.push((second, random.below(4) as u8, random.below(1000) as i64));
            }
            cuts.push(cut);
        }
        cuts
    };
    (0..shards).map(|_| shard(random)).collect()
}

/// The time that ends all windows before it.
const END: i64 = 3600;

#[tokio::test(start_paused = true)]
async fn windows_are_those_of_all_records_whoever_owns_them() {
    let lake = Arc::new(lake(Duration::ZERO).await);
    assert!(!lake.is_alert(0).await.unwrap());
    assert!(lake.is_alert(1).await.unwrap());
    for seed in 0..12 {
        let mut random = Random::new(seed);
        let shards: Vec<Arc<str>> = vec![Arc::from("shard-1"), Arc::from("shard-2")];
        let stories = story(&mut random, shards.len());
        let leases = shards.iter().map(|shard| lease(shard, &[], 0..=9));
        let world = Arc::new(World {
            leases: Mutex::new(leases.collect()),
            random: Some(Mutex::new(Random::new(seed + 1000))),
            ..World::default()
        });
        let app = application(&world, Arc::clone(&lake));
        let mut cuts: Vec<_> = shards.iter().map(|shard| Cuts::new(&app, shard)).collect();
        let (stopper, stop) = stopper();
        // Each has its own view of what is used, as workers have.
        let start = |number: u64, app: Arc<Application>| {
            let (stop, worker) = (stop.clone(), Arc::from(format!("worker-{number}")));
            tokio::spawn(async move { app.windows.run(&app, &worker, &stop).await })
        };
        let mut owners = Vec::new();
        for number in 0..2 {
            owners.push(start(number, application(&world, Arc::clone(&lake))));
        }
        let mut left: Vec<_> = stories.iter().map(|story| story.iter()).collect();
        let mut number = 2;
        while left.iter().any(|story| story.len() > 0) {
            let shard = random.below(left.len());
            if let Some(flows) = left[shard].next() {
                cuts[shard].commit(&lake, flows, false).await;
            }
            if random.below(3) == 0 {
                let killed = random.below(owners.len());
                owners[killed].abort();
                owners[killed] = start(number, application(&world, Arc::clone(&lake)));
                number += 1;
            }
            let pause = random.below(20_000) as u64;
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        for cuts in &mut cuts {
            cuts.commit(&lake, &[(END, 9, 0)], seed % 2 == 0).await;
        }
        tokio::time::sleep(Duration::from_secs(120)).await;
        stopper.stop();
        for owner in owners {
            owner.await.unwrap();
        }
        let all: Vec<Flow> = stories.into_iter().flatten().flatten().collect();
        assert_eq!(
            given(&world, "flows"),
            expected(&all, 180, END),
            "seed {seed}"
        );
        let mut many = expected(&all, 60, END);
        many.retain(|_, (flows, _)| *flows >= 4);
        many.values_mut().for_each(|(_, bytes)| *bytes = 0);
        assert_eq!(given(&world, "many"), many, "seed {seed}");
        let told: BTreeSet<_> = world.told.lock().unwrap().iter().cloned().collect();
        assert_eq!(told, episodes(&many), "seed {seed}");
        assert_eq!(*world.seen.lock().unwrap(), [""; 0], "seed {seed}");
    }
}

/// What must be told of a condition that holds in these windows.
fn episodes(rows: &Rows) -> BTreeSet<String> {
    let time = |micros: i64| super::time::rfc3339(micros);
    let holds = |end: i64, address: &String| rows.contains_key(&(end, address.clone()));
    let minute = 60_000_000;
    let mut told = BTreeSet::new();
    for ((end, address), (flows, _)) in rows {
        if !holds(end - minute, address) {
            let mut until = *end;
            while holds(until, address) {
                until += minute;
            }
            let key = format!("[\"{address}\"]");
            let (since, until) = (time(*end), time(until));
            let id = format!("many/{since}/{key}").replace('"', "\\\"");
            let row = format!("[\"{since}\",\"{address}\",\"{flows}\"]");
            told.insert(format!(
                "{{\"alert\":\"many\",\"id\":\"{id}/began\",\"state\":\"began\",\"since\":\"{since}\",\"key\":{key},\"row\":{row}}}"
            ));
            told.insert(format!(
                "{{\"alert\":\"many\",\"id\":\"{id}/ended\",\"state\":\"ended\",\"since\":\"{since}\",\"until\":\"{until}\",\"key\":{key}}}"
            ));
        }
    }
    told
}

#[tokio::test(start_paused = true)]
async fn late_rows_revise_windows_and_later_ones_are_counted() {
    #[derive(Debug, Default)]
    struct Counts(Mutex<(u64, u64)>);
    impl Observer for Counts {
        fn observe(&self, event: &Event<'_>) {
            if let Event::WindowsGiven(given) = event {
                let mut counts = self.0.lock().unwrap();
                counts.0 += given.revisions;
                counts.1 += given.merged.late;
            }
        }
    }
    let lake = Arc::new(lake(Duration::from_secs(600)).await);
    let shard: Arc<str> = Arc::from("shard-1");
    let world = Arc::new(World {
        leases: Mutex::new(vec![lease(&shard, &[], 0..=9)]),
        ..World::default()
    });
    let counts = Arc::new(Counts::default());
    let mut app = Arc::into_inner(application(&world, Arc::clone(&lake))).unwrap();
    app.observer = Arc::clone(&counts) as _;
    let app = Arc::new(app);
    let mut cuts = Cuts::new(&app, &shard);
    let run = || async {
        let (stopper, stop) = stopper();
        stopper.stop();
        app.windows.run(&app, &Arc::from("w"), &stop).await;
    };
    cuts.commit(&lake, &[(10, 1, 5), (300, 1, 0)], false).await;
    run().await;
    assert_eq!(given(&world, "flows"), expected(&[(10, 1, 5)], 180, 300));
    // Five minutes late, and within the allowance.
    cuts.commit(&lake, &[(20, 1, 7)], false).await;
    run().await;
    assert_eq!(
        given(&world, "flows"),
        expected(&[(10, 1, 5), (20, 1, 7)], 180, 300)
    );
    assert_eq!(*counts.0.lock().unwrap(), (4, 0));
    cuts.commit(&lake, &[(END, 1, 0)], false).await;
    run().await;
    let before = given(&world, "flows");
    cuts.commit(&lake, &[(30, 1, 9)], false).await;
    run().await;
    assert_eq!(given(&world, "flows"), before);
    assert_eq!(counts.0.lock().unwrap().1, 2, "of two statements");
}

/// Those that follow on a shard are read after it, and are not there before: time waits for them.
#[tokio::test(start_paused = true)]
async fn time_waits_for_shards_that_follow() {
    let lake = Arc::new(lake(Duration::ZERO).await);
    let world = Arc::new(World {
        leases: Mutex::new(vec![lease("a", &[], 0..=9), lease("b", &[], 10..=19)]),
        ..World::default()
    });
    let app = application(&world, Arc::clone(&lake));
    let cuts = |shard: &str| Cuts::new(&app, &Arc::from(shard));
    let (mut a, mut b, mut c, mut d) = (cuts("a"), cuts("b"), cuts("c"), cuts("d"));
    let run = || async {
        let (stopper, stop) = stopper();
        stopper.stop();
        app.windows.run(&app, &Arc::from("w"), &stop).await;
    };
    let last = |flows: &[Flow], until| expected(flows, 180, until);
    a.commit(&lake, &[(10, 1, 5)], true).await;
    b.commit(&lake, &[(2000, 1, 1)], false).await;
    run().await;
    assert_eq!(given(&world, "flows"), Rows::new());
    assert!(!app.windows.are_done_with("a"));
    // One of two.
    world.leases.lock().unwrap().push(lease("c", &["a"], 0..=4));
    c.commit(&lake, &[(1000, 2, 5)], false).await;
    run().await;
    assert_eq!(given(&world, "flows"), Rows::new());
    world.leases.lock().unwrap().push(lease("d", &["a"], 5..=9));
    run().await;
    assert_eq!(
        given(&world, "flows"),
        Rows::new(),
        "nothing came of it yet"
    );
    assert!(app.windows.are_done_with("a"));
    d.commit(&lake, &[(20, 3, 5), (900, 3, 5)], false).await;
    run().await;
    let flows = [(10, 1, 5), (20, 3, 5)];
    assert_eq!(given(&world, "flows"), last(&flows, 900));
    assert_eq!(*world.seen.lock().unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_statement_that_cannot_stand_is_refused() {
    for (sql, lateness, expected) in [
        (
            "SELECT srcaddr FROM vpc_flow_logs",
            0,
            "window w: its statement has no window",
        ),
        (
            "SELECT count(*) FROM vpc_flow_logs GROUP BY tumble(event_time, INTERVAL '1' MINUTE)",
            0,
            "window w: its statement does not say which window a row is of",
        ),
        (
            "SELECT window_end, count(*) FROM vpc_flow_logs GROUP BY session(event_time, INTERVAL '1' MINUTE)",
            5,
            "window w: sessions cannot be given again",
        ),
        (
            "SELECT window_end, count(*) FROM (SELECT event_time FROM vpc_flow_logs \
             UNION ALL SELECT event_time FROM tgw_flow_logs) GROUP BY tumble(event_time, INTERVAL '1' MINUTE)",
            0,
            "window w: the statement reads vpc_flow_logs and tgw_flow_logs",
        ),
        ("SELECT 1; SELECT 2", 0, "window w: expected one statement"),
        ("SELECT x FROM vpc_flow_logs", 0, "window w: "),
    ] {
        let window = WindowStatement {
            name: Arc::from("w"),
            sql: Arc::from(sql),
            options: StreamOptions {
                disorder: None,
                lateness: Duration::from_secs(lateness),
                idle: Duration::from_secs(60),
            },
        };
        let error = Lake::new(settings(vec![window])).await.unwrap_err();
        assert!(error.message.starts_with(expected), "{sql}: {error}");
    }
}
