//! Which leases a worker takes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use loglens_engine::lease::{Checkpoint, Lease};

use crate::random::Random;

/// The leases that `worker` should take now. `is_free` says of a lease that nobody holds it.
///
/// Only shards count that can be read: not at their end, and all of whose parents are. Each worker
/// should have as many as all others, rounded up. Free leases are taken up to that; where there are
/// none, one is stolen from the worker that has the most, if that has two more at least.
pub(super) fn to_take(
    leases: &[Lease],
    is_free: impl Fn(&Lease) -> bool,
    worker: &str,
    random: &mut Random,
) -> Vec<Arc<str>> {
    let all: HashMap<&str, &Lease> = leases.iter().map(|lease| (&*lease.shard, lease)).collect();
    let readable = leases.iter().filter(|lease| is_readable(lease, &all));
    let (mut free, held): (Vec<&Lease>, Vec<&Lease>) = readable.partition(|lease| is_free(lease));
    let mut owned: BTreeMap<&str, Vec<&Lease>> = BTreeMap::from([(worker, Vec::new())]);
    for lease in &held {
        let owner = lease.owner.as_deref().unwrap_or_default();
        owned.entry(owner).or_default().push(lease);
    }
    let mine = owned.get(worker).map_or(0, Vec::len);
    let target = (free.len() + held.len()).div_ceil(owned.len());
    if !free.is_empty() {
        random.shuffle(&mut free);
        free.truncate(target.saturating_sub(mine));
    } else if let Some(stolen) = to_steal(owned, mine, random) {
        free.push(stolen);
    }
    free.iter().map(|lease| Arc::clone(&lease.shard)).collect()
}

fn is_readable(lease: &Lease, all: &HashMap<&str, &Lease>) -> bool {
    let is_at_end = |parent: &Arc<str>| {
        let parent = all.get(&**parent);
        parent.is_none_or(|parent| parent.checkpoint == Checkpoint::End)
    };
    lease.checkpoint != Checkpoint::End && lease.parents.iter().all(is_at_end)
}

fn to_steal<'a>(
    owned: BTreeMap<&str, Vec<&'a Lease>>,
    mine: usize,
    random: &mut Random,
) -> Option<&'a Lease> {
    let most = owned.into_values().max_by_key(Vec::len)?;
    (most.len() >= mine + 2).then(|| most[random.below(most.len())])
}

#[cfg(test)]
mod tests {
    use super::super::tests::{leased, started};
    use super::*;

    fn owned(shard: &str, owner: &str) -> Lease {
        Lease {
            owner: Some(Arc::from(owner)),
            ..leased(shard, &[], started("1"))
        }
    }

    fn taken(leases: &[Lease]) -> Vec<String> {
        let is_free = |lease: &Lease| lease.owner.is_none();
        let taken = to_take(leases, is_free, "me", &mut Random::new(1));
        let mut taken: Vec<_> = taken.iter().map(ToString::to_string).collect();
        taken.sort();
        taken
    }

    #[test]
    fn free_leases_are_taken_up_to_a_fair_share() {
        let free = |shard| leased(shard, &[], started("1"));
        assert_eq!(taken(&[free("a"), free("b")]), ["a", "b"]);
        let shared = [owned("a", "other"), free("b"), free("c"), free("d")];
        assert_eq!(taken(&shared).len(), 2);
        let enough = [
            owned("a", "me"),
            owned("b", "me"),
            owned("c", "x"),
            free("d"),
        ];
        assert_eq!(taken(&enough), [""; 0]);
    }

    #[test]
    fn one_is_stolen_from_the_most_loaded() {
        let other = |shard| owned(shard, "other");
        let mut leases = vec![other("a"), other("b"), other("c"), owned("d", "third")];
        let stolen = taken(&leases);
        assert_eq!(stolen.len(), 1);
        assert_ne!(stolen, ["d"]);
        // One more than ours is no reason: it would only go back and forth.
        leases.push(owned("e", "me"));
        leases.push(owned("f", "me"));
        assert_eq!(taken(&leases), [""; 0]);
    }

    #[test]
    fn only_what_can_be_read_is_taken() {
        let leases = [
            leased("a", &[], Checkpoint::End),
            leased("b", &["a", "gone"], started("1")),
            owned("c", "other"),
            leased("d", &["c"], started("1")),
        ];
        assert_eq!(taken(&leases), ["b"]);
    }
}
