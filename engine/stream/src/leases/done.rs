//! Leases that are not needed any more.

use std::collections::HashMap;

use loglens_engine::lease::{Checkpoint, Lease};
use loglens_engine::shard::{Shard, Start};

use super::cover::cover;
use super::family::Family;

/// The leases that can be deleted: of shards that are at their end, once all of their children have
/// begun, and of shards that the stream no longer has. Where shards wait for a lease
/// ([`wanted`](super::wanted)), leases of the latter kind are still needed to see where those begin.
pub fn unneeded<'a>(shards: &[Shard], leases: &'a [Lease]) -> Vec<&'a Lease> {
    let done = Done {
        family: Family::new(shards, leases),
        listed: shards.iter().map(|shard| (&*shard.id, shard)).collect(),
        leases: leases.iter().map(|lease| (&*lease.shard, lease)).collect(),
    };
    // A stream has a shard at least: a listing without any says nothing.
    let leases = leases.iter().filter(|_| !shards.is_empty());
    leases.filter(|lease| done.is_unneeded(lease)).collect()
}

struct Done<'a> {
    family: Family<'a>,
    listed: HashMap<&'a str, &'a Shard>,
    leases: HashMap<&'a str, &'a Lease>,
}

impl Done<'_> {
    fn is_unneeded(&self, lease: &Lease) -> bool {
        let children = self.family.children(&lease.shard);
        let Some(shard) = self.listed.get(&*lease.shard) else {
            return children.iter().all(|child| self.has_lease_or_had(child));
        };
        lease.checkpoint == Checkpoint::End
            && self.are_all(shard, children)
            && children.iter().all(|child| self.has_begun(child))
    }

    fn has_lease_or_had(&self, shard: &str) -> bool {
        let mut later = self.family.descendants(shard).into_iter();
        self.leases.contains_key(shard) || later.any(|later| self.leases.contains_key(later))
    }

    fn has_begun(&self, shard: &str) -> bool {
        match self.leases.get(shard).map(|lease| &lease.checkpoint) {
            Some(checkpoint) => matches!(
                checkpoint,
                Checkpoint::End | Checkpoint::At(Start::After(_))
            ),
            None => self.has_lease_or_had(shard),
        }
    }

    /// Whether the children take all hash keys of a shard: a listing may show one before the other.
    fn are_all(&self, shard: &Shard, children: &[&str]) -> bool {
        let listed = children.iter().filter_map(|child| self.listed.get(child));
        cover(&shard.hash_keys, listed.map(|child| &child.hash_keys))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{leased, shard, started};
    use super::*;

    fn deleted(shards: &[Shard], leases: &[Lease]) -> Vec<String> {
        let unneeded = unneeded(shards, leases).into_iter();
        unneeded.map(|lease| lease.shard.to_string()).collect()
    }

    #[test]
    fn a_parent_goes_when_all_its_children_have_begun() {
        let both = [
            shard("a", &[], 0..=9, true),
            shard("b", &["a"], 0..=4, false),
            shard("c", &["a"], 5..=9, false),
        ];
        let end_of_a = || leased("a", &[], Checkpoint::End);
        let b = || leased("b", &["a"], started("3"));
        let c = |checkpoint| leased("c", &["a"], checkpoint);
        let not_yet = Checkpoint::At(Start::Oldest);

        assert_eq!(deleted(&both, &[end_of_a(), b()]), [""; 0]);
        assert_eq!(deleted(&both, &[end_of_a(), b(), c(not_yet)]), [""; 0]);
        assert_eq!(deleted(&both, &[end_of_a(), b(), c(started("4"))]), ["a"]);
        let a_goes_on = leased("a", &[], started("1"));
        assert_eq!(deleted(&both, &[a_goes_on, b(), c(started("4"))]), [""; 0]);
        // The listing does not show `c` yet.
        assert_eq!(deleted(&both[..2], &[end_of_a(), b()]), [""; 0]);
        assert_eq!(deleted(&both[..1], &[end_of_a()]), [""; 0]);
    }

    #[test]
    fn what_the_stream_no_longer_has_goes_unless_children_wait_for_it() {
        let now = [shard("b", &["a"], 0..=9, false)];
        let of_a = leased("a", &[], started("1"));
        assert_eq!(deleted(&now, std::slice::from_ref(&of_a)), [""; 0]);
        let begun = [of_a, leased("b", &["a"], Checkpoint::At(Start::Oldest))];
        assert_eq!(deleted(&now, &begun), ["a"]);
        assert_eq!(deleted(&[], &begun), [""; 0]);
    }
}
