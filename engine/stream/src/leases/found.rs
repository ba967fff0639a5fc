//! Leases of shards that have none yet.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use loglens_engine::lease::{Checkpoint, Lease};
use loglens_engine::shard::{Shard, Start};

use super::family::Family;

/// The leases that shards without one should get now. `first` says where shards begin of whose
/// family nothing was read yet.
///
/// A shard that came from others gets its lease when all of these are at their end (those that are
/// gone are), and begins at its oldest record, or at the time that `first` says. It does not matter
/// in how many steps leases are added: whoever is interrupted, the next one goes on.
pub fn wanted(shards: &[Shard], leases: &[Lease], first: &Start) -> Vec<Lease> {
    let found = Found {
        family: Family::new(shards, leases),
        listed: shards.iter().map(|shard| &*shard.id).collect(),
        leases: leases.iter().map(|lease| (&*lease.shard, lease)).collect(),
    };
    let without = shards
        .iter()
        .filter(|shard| !found.leases.contains_key(&*shard.id));
    without
        .filter_map(|shard| Some(new(shard, found.start(shard, first)?)))
        .collect()
}

fn new(shard: &Shard, start: Start) -> Lease {
    Lease {
        shard: shard.id.clone(),
        owner: None,
        counter: 0,
        checkpoint: Checkpoint::At(start),
        switches: 0,
        parents: shard.parents.clone(),
        children: Vec::new(),
        hash_keys: Some(shard.hash_keys.clone()),
    }
}

struct Found<'a> {
    family: Family<'a>,
    listed: HashSet<&'a str>,
    leases: HashMap<&'a str, &'a Lease>,
}

impl Found<'_> {
    /// Where a shard without a lease begins; None if it should not begin yet, or at all.
    fn start(&self, shard: &Shard, first: &Start) -> Option<Start> {
        let mut ancestors = self.family.ancestors(&shard.id).into_iter();
        let is_ready = shard.parents.iter().all(|parent| self.is_at_end(parent));
        if ancestors.any(|shard| self.has_lease(shard)) || self.follows_one_that_is_gone(shard) {
            return is_ready.then(|| match first {
                // The family may have begun before that time; later shards have nothing before it.
                Start::Time(_) => first.clone(),
                _ => Start::Oldest,
            });
        }
        if self.lies_before_a_lease(&shard.id) {
            return None;
        }
        let is_first = match first {
            Start::Latest => !shard.closed,
            _ => is_ready,
        };
        is_first.then(|| first.clone())
    }

    fn is_listed(&self, shard: &str) -> bool {
        self.listed.contains(shard)
    }

    fn has_lease(&self, shard: &str) -> bool {
        self.leases.contains_key(shard)
    }

    fn is_at_end(&self, parent: &str) -> bool {
        let is_at_end = match self.leases.get(parent) {
            Some(lease) => lease.checkpoint == Checkpoint::End,
            None => self.lies_before_a_lease(parent),
        };
        is_at_end || !self.is_listed(parent)
    }

    /// Whether a shard without a lease was read to its end, or lies before all that is read.
    fn lies_before_a_lease(&self, shard: &str) -> bool {
        let mut descendants = self.family.descendants(shard).into_iter();
        descendants.any(|later| self.has_lease(later))
    }

    /// Whether its parents came and went while nobody looked, and it follows on a shard that was
    /// read before.
    fn follows_one_that_is_gone(&self, shard: &Shard) -> bool {
        let is_known = |parent: &str| self.is_listed(parent) || self.has_lease(parent);
        if shard.parents.is_empty() || shard.parents.iter().any(|parent| is_known(parent)) {
            return false;
        }
        self.leases.values().any(|lease| {
            let keys = lease.hash_keys.as_ref();
            !self.is_listed(&lease.shard) && keys.is_none_or(|keys| overlap(keys, &shard.hash_keys))
        })
    }
}

fn overlap(one: &RangeInclusive<u128>, other: &RangeInclusive<u128>) -> bool {
    one.start() <= other.end() && other.start() <= one.end()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{leased, shard, started};
    use super::*;

    fn found(shards: &[Shard], leases: &[Lease], first: &Start) -> Vec<(String, Start)> {
        let wanted = wanted(shards, leases, first).into_iter();
        let wanted = wanted.map(|lease| match lease.checkpoint {
            Checkpoint::At(start) => (lease.shard.to_string(), start),
            Checkpoint::End => unreachable!("a new lease is not at its end"),
        });
        wanted.collect()
    }

    fn at(shard: &str, start: &Start) -> (String, Start) {
        (shard.to_owned(), start.clone())
    }

    /// `a` was split into `b` and `c`; `b` and `d` were merged into `e`.
    fn stream() -> Vec<Shard> {
        vec![
            shard("a", &["gone"], 0..=5, true),
            shard("b", &["a"], 0..=2, true),
            shard("c", &["a"], 3..=5, false),
            shard("d", &[], 6..=9, true),
            shard("e", &["b", "d"], 0..=9, false),
        ]
    }

    #[test]
    fn a_new_application_begins_where_it_is_told_to() {
        let (oldest, latest, time) = (Start::Oldest, Start::Latest, Start::Time(7));
        let stream = stream();
        let roots = |start| vec![at("a", start), at("d", start)];
        assert_eq!(found(&stream, &[], &oldest), roots(&oldest));
        assert_eq!(found(&stream, &[], &time), roots(&time));
        let open = vec![at("c", &latest), at("e", &latest)];
        assert_eq!(found(&stream, &[], &latest), open);
    }

    #[test]
    fn who_goes_on_with_the_first_leases_adds_the_same() {
        let latest = Start::Latest;
        let some = [leased("c", &["a"], Checkpoint::At(latest.clone()))];
        assert_eq!(found(&stream(), &some, &latest), [at("e", &latest)]);
    }

    #[test]
    fn children_wait_for_the_end_of_all_parents() {
        let (end, going_on) = (Checkpoint::End, started("4"));
        let stream = stream();
        for first in [Start::Oldest, Start::Latest] {
            let read = [leased("a", &[], end.clone()), leased("d", &[], end.clone())];
            let children = [at("b", &Start::Oldest), at("c", &Start::Oldest)];
            assert_eq!(found(&stream, &read, &first), children);

            let b_goes_on = [
                leased("b", &["a"], going_on.clone()),
                leased("c", &["a"], going_on.clone()),
                leased("d", &[], end.clone()),
            ];
            assert_eq!(found(&stream, &b_goes_on, &first), []);

            let both_ended = [
                leased("b", &["a"], end.clone()),
                leased("c", &["a"], going_on.clone()),
                leased("d", &[], end.clone()),
            ];
            let child = [at("e", &Start::Oldest)];
            assert_eq!(found(&stream, &both_ended, &first), child);
        }
    }

    #[test]
    fn parents_that_are_gone_are_at_their_end() {
        let now = [
            shard("b", &["a"], 0..=4, false),
            shard("z", &["x", "y"], 5..=9, false),
        ];
        let mut of_a = leased("a", &[], started("1"));
        of_a.hash_keys = Some(0..=9);
        // `b` is a child of it; `z` of others that came and went, but its keys were those of `a`.
        let oldest = [at("b", &Start::Oldest), at("z", &Start::Oldest)];
        assert_eq!(found(&now, &[of_a.clone()], &Start::Latest), oldest);
        of_a.hash_keys = Some(0..=4);
        let z_is_new = [at("b", &Start::Oldest), at("z", &Start::Latest)];
        assert_eq!(found(&now, &[of_a], &Start::Latest), z_is_new);
    }

    #[test]
    fn a_lease_that_was_lost_comes_back() {
        let left = [leased("b", &["a"], started("1"))];
        let stream = &stream()[..3];
        assert_eq!(
            found(stream, &left, &Start::Oldest),
            [at("c", &Start::Oldest)]
        );
        assert_eq!(
            found(stream, &left, &Start::Latest),
            [at("c", &Start::Latest)]
        );
    }

    #[test]
    fn what_was_read_and_deleted_does_not_come_back() {
        let stream = stream();
        let left = [
            leased("c", &["a"], started("1")),
            leased("e", &["b", "d"], started("1")),
        ];
        for first in [Start::Oldest, Start::Latest, Start::Time(7)] {
            assert_eq!(found(&stream, &left, &first), []);
        }
    }
}
