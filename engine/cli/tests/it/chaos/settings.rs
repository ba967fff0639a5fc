//! How long a run is, and by which seed.

use std::time::Duration;

/// How a run is.
pub(super) struct Settings {
    pub(super) kills: u64,
    pub(super) reshards: u64,
    pub(super) seed: u64,
    /// Log records a second.
    pub(super) rate: u64,
    pub(super) failover: Duration,
    pub(super) cut_age: Duration,
}

impl Settings {
    /// The short form, unless the environment says more: `cargo xtask chaos` sets it.
    pub(super) fn of_environment() -> Self {
        let number = |name: &str, short: u64| {
            let text = std::env::var(name).ok();
            text.map_or(short, |text| text.parse().unwrap())
        };
        Self {
            kills: number("LOGLENS_CHAOS_KILLS", 5),
            reshards: number("LOGLENS_CHAOS_RESHARDS", 2),
            seed: number("LOGLENS_CHAOS_SEED", 1),
            rate: 200,
            failover: Duration::from_secs(2),
            cut_age: Duration::from_secs(1),
        }
    }

    /// Whether shards split or merge at this kill: all do so in equal distances.
    pub(super) fn reshards_after(&self, kill: u64) -> bool {
        let done = |kills: u64| kills * self.reshards / self.kills;
        done(kill + 1) > done(kill)
    }
}
