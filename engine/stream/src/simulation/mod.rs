//! Stories of workers that are played through under a scheduler with a seed.
//!
//! The workers are the real ones; what is outside of them is in memory ([`world`]), and each request
//! to it is applied and answered when the scheduler wants. `LOGLENS_SIMULATION_SEED` plays one story
//! again; `LOGLENS_SIMULATION_STORIES` says how many are played.

#![allow(clippy::unwrap_used)]

mod cluster;
mod leases;
mod maker;
mod objects;
mod stream;
mod tasks;
mod world;

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use self::cluster::{Cluster, FAILOVER, is_all_ended, is_all_there};
use self::world::{Broken, SEED, World};

/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::from_secs(100_000);

/// How long it may take until all is there, when nothing goes wrong any more: a lease runs out, is
/// looked at twice, and what failed before may wait.
const RECOVERY: Duration = Duration::from_secs(3 + 20);

/// For so long may be under way what a worker has sent that crashed or sleeps.
const LATE: Duration = Duration::from_secs(3 * 4);

/// Everything goes wrong for a while, and then nothing does.
fn chaos(seed: u64, broken: Option<Broken>) -> Result<(), String> {
    let mut cluster = Cluster::new(seed, broken);
    let shards = 1 + cluster.below(3) as u64;
    let lost = cluster.below(6);
    cluster.with(|world| {
        world.stream.begin(shards);
        world.stream.repeats = true;
        world.lost = lost;
    });
    for _ in 0..=cluster.below(3) {
        cluster.start();
    }
    let trouble = 20 + cluster.below(60);
    for _ in 0..300 + cluster.below(900) {
        if cluster.below(4) == 0 {
            cluster.with(World::produce);
        }
        if cluster.below(trouble) == 0 {
            make_trouble(&mut cluster);
        }
        cluster.step()?;
    }
    cluster.with(|world| world.lost = 0);
    // One is there, and awake; others may sleep on.
    cluster.start();
    let most = (RECOVERY + LATE) * generations(&cluster);
    cluster.until(most, "all there", is_all_there)?;
    cluster.with(|world| world.stream.close_all());
    cluster.until(FOR_EVER, "all ended", is_all_ended)?;
    cluster.check_logs()?;
    // Whoever slept through all of it wakes.
    cluster.with(|world| world.paused.clear());
    cluster.pass(FAILOVER * 5)?;
    cluster.check_logs()
}

/// Shards are read after their parents: each generation may take its time.
fn generations(cluster: &Cluster) -> u32 {
    u32::try_from(cluster.with(|world| world.stream.rows().count())).unwrap()
}

fn make_trouble(cluster: &mut Cluster) {
    let workers = cluster.working.len();
    match cluster.below(8) {
        0 | 1 if workers > 0 => {
            let chosen = cluster.below(workers);
            cluster.crash(chosen, LATE);
        }
        2..=4 if workers > 0 => {
            let chosen = cluster.below(workers);
            let end = cluster.with(|world| match world.one_in(4) {
                true => Duration::MAX,
                false => world.now + world.up_to(FAILOVER * 3),
            });
            cluster.pause(chosen, end, LATE);
        }
        5 if workers > 0 => {
            let chosen = cluster.below(workers);
            cluster.stop(chosen);
        }
        6 => cluster.with(World::reshard),
        _ if workers < 4 => cluster.start(),
        _ => (),
    }
}

/// Workers that are stopped and followed by others, one at a time.
fn planned_stops(seed: u64, _: Option<Broken>) -> Result<(), String> {
    let mut cluster = Cluster::new(seed, None);
    cluster.with(|world| world.stream.begin(2));
    for _ in 0..3 {
        cluster.start();
        for _ in 0..100 + cluster.below(200) {
            if cluster.below(4) == 0 {
                cluster.with(World::produce);
            }
            if cluster.below(100) == 0 {
                cluster.with(World::reshard);
            }
            cluster.step()?;
        }
        let stopped = cluster.stop(0);
        let mut left = 0;
        while !cluster.has_stopped(stopped) {
            cluster.step()?;
            left += 1;
        }
        if left > 400 {
            return Err(format!("it took {left} steps to leave"));
        }
    }
    cluster.start();
    cluster.until(FOR_EVER, "all there", is_all_there)?;
    cluster.with(|world| world.stream.close_all());
    cluster.until(FOR_EVER, "all ended", is_all_ended)?;
    cluster.check_logs()?;
    let came = cluster.with(|world| world.stream.came.clone());
    let records = cluster.with(|world| world.stream.record_count());
    match came.len() == records && came.values().all(|times| *times == 1) {
        true => Ok(()),
        false => Err(format!("records were read again: {came:?}")),
    }
}

/// One of two workers is killed while records come.
fn kill(seed: u64, _: Option<Broken>) -> Result<(), String> {
    let mut cluster = Cluster::new(seed, None);
    cluster.with(|world| world.stream.begin(3));
    cluster.start();
    cluster.start();
    for _ in 0..200 + cluster.below(300) {
        if cluster.below(4) == 0 {
            cluster.with(World::produce);
        }
        cluster.step()?;
    }
    let chosen = cluster.below(2);
    cluster.crash(chosen, Duration::ZERO);
    let left = format!("worker-{}", cluster.working[0].0);
    // A lease runs out while it is looked at every third of that time.
    cluster.until(FAILOVER * 2, "taken over", |world| {
        let owners = world.leases.values().map(|lease| lease.owner.as_deref());
        owners.eq(std::iter::repeat_n(Some(&*left), world.leases.len()))
    })?;
    cluster.until(RECOVERY, "all there", is_all_there).map(drop)
}

/// The stream loses all records while a claim is not finished. Gives how many are said to be missing.
fn gone(seed: u64) -> Result<u64, String> {
    let mut cluster = Cluster::new(seed, None);
    cluster.with(|world| {
        world.stream.begin(1);
        (0..30).for_each(|_| world.produce());
    });
    cluster.start();
    cluster.until(FOR_EVER, "claimed", |world| world.objects.is_claimed())?;
    cluster.crash(0, Duration::ZERO);
    cluster.with(|world| {
        world.stream.lose_all();
        (0..3).for_each(|_| world.produce());
        world.stream.close_all();
    });
    cluster.start();
    cluster.until(FOR_EVER, "all ended", is_all_ended)?;
    cluster.missing()
}

type Story = fn(u64, Option<Broken>) -> Result<(), String>;

/// Plays as many stories, or the one that the environment asks for.
fn play(story: Story, stories: u64) {
    if let Ok(seed) = env::var(SEED) {
        story(seed.parse().unwrap(), None).unwrap();
        return;
    }
    let stories =
        env::var("LOGLENS_SIMULATION_STORIES").map_or(stories, |all| all.parse().unwrap());
    if let Some((seed, why)) = first_failure(story, stories, None) {
        panic!("{SEED}={seed}: {why}");
    }
}

/// The first story that fails, and why.
fn first_failure(story: Story, stories: u64, broken: Option<Broken>) -> Option<(u64, String)> {
    let next = AtomicU64::new(0);
    let play = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= stories {
                return None;
            }
            if let Err(why) = story(seed, broken) {
                next.store(stories, Ordering::Relaxed);
                return Some((seed, why));
            }
        }
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(play), scope.spawn(play)];
        let failed = threads
            .into_iter()
            .filter_map(|thread| thread.join().unwrap());
        failed.min()
    })
}

#[test]
fn each_record_is_seen_once_whatever_happens() {
    play(chaos, 2_000);
}

#[test]
fn a_planned_stop_reads_nothing_again() {
    play(planned_stops, 300);
}

#[test]
fn another_worker_goes_on_within_the_failover_time() {
    play(kill, 300);
}

#[test]
fn records_that_are_gone_are_counted() {
    let missing: u64 = (0..50).map(|seed| gone(seed).unwrap()).sum();
    assert!(missing > 0);
}

#[test]
fn promises_that_are_not_kept_are_found_out() {
    for (broken, expected) in [
        (Broken::Claims, "is in"),
        (Broken::Commits, "was written and changes"),
        (Broken::Lake, "was written and changes"),
        (Broken::Floors, "is in"),
        (Broken::Leases, "goes back"),
        (Broken::Names, "not all there"),
        (Broken::Configurations, "not all there"),
        (Broken::Parents, "a child is read before the end of"),
    ] {
        let failure = first_failure(chaos, 2_000, Some(broken));
        let (seed, why) = failure.unwrap_or_else(|| panic!("{broken:?} is not found"));
        assert!(why.contains(expected), "{broken:?}, seed {seed}: {why}");
    }
}
