//! Whose leases have run out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use loglens_engine::lease::Lease;

/// Counters of leases, and since when they stand still on the clock of whoever looks. Wall times are
/// never compared: clocks of machines differ.
#[derive(Debug, Default)]
pub struct Expiry {
    seen: HashMap<Arc<str>, Standing>,
}

#[derive(Debug)]
struct Standing {
    counter: u64,
    /// When the answer came in which it was seen first.
    since: Duration,
    /// When the last request was made whose answer showed it.
    until: Duration,
}

impl Expiry {
    /// Takes down all leases, as a listing showed them that was asked for and answered at these times.
    pub fn observe(&mut self, leases: &[Lease], asked: Duration, answered: Duration) {
        let mut before = std::mem::take(&mut self.seen);
        for lease in leases {
            let new = Standing {
                counter: lease.counter,
                since: answered,
                until: asked,
            };
            let standing = match before.remove(&lease.shard) {
                Some(standing) if standing.counter == lease.counter => Standing {
                    since: standing.since,
                    ..new
                },
                _ => new,
            };
            self.seen.insert(Arc::clone(&lease.shard), standing);
        }
    }

    /// Whether the counter of a lease stood still for so long that its owner must be gone.
    pub fn is_expired(&self, shard: &str, failover: Duration) -> bool {
        self.seen
            .get(shard)
            .is_some_and(|standing| standing.until.saturating_sub(standing.since) >= failover)
    }
}

#[cfg(test)]
mod tests {
    use loglens_engine::lease::Checkpoint;

    use super::super::tests::leased;
    use super::*;

    #[test]
    fn a_lease_runs_out_while_it_is_looked_at() {
        let seconds = Duration::from_secs;
        let failover = seconds(10);
        let mut expiry = Expiry::default();
        let mut lease = leased("a", &[], Checkpoint::End);
        let mut look = |lease: &Lease, asked, answered| {
            expiry.observe(
                std::slice::from_ref(lease),
                seconds(asked),
                seconds(answered),
            );
            expiry.is_expired("a", failover)
        };
        // The answer that showed it first was four seconds under way.
        assert!(!look(&lease, 1, 5));
        assert!(!look(&lease, 14, 16));
        assert!(look(&lease, 15, 16));
        lease.counter += 1;
        // However long nobody looked, it moved.
        assert!(!look(&lease, 900, 901));
        assert!(!look(&lease, 905, 920));
        assert!(look(&lease, 911, 912));
        assert!(!expiry.is_expired("b", failover));
    }
}
