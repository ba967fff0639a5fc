//! How long to wait before something is asked for again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The first pause; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The pause after the `tries`th try that failed. Half of it is by chance, so that those who wait do
/// not come back together.
pub(crate) fn pause(tries: u32) -> Duration {
    let pause = PAUSE.saturating_mul(1 << tries.min(12)).min(LONGEST_PAUSE) / 2;
    // The keys of a hasher are by chance, and differ between processes.
    let random = RandomState::new().hash_one(());
    pause + pause.mul_f64((random >> 40) as f64 / f64::from(1 << 24))
}
