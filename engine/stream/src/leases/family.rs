//! Which shards came from which.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use loglens_engine::lease::Lease;
use loglens_engine::shard::Shard;

/// The parents and children of shards, as the stream and the leases name them.
#[derive(Debug, Default)]
pub(super) struct Family<'a> {
    parents: HashMap<&'a str, Vec<&'a str>>,
    children: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Family<'a> {
    pub(super) fn new(shards: &'a [Shard], leases: &'a [Lease]) -> Self {
        let of_shards = shards.iter().map(|shard| (&shard.id, &shard.parents));
        let of_leases = leases.iter().map(|lease| (&lease.shard, &lease.parents));
        let mut family = Self::default();
        for (shard, parents) in of_shards.chain(of_leases) {
            for parent in parents {
                family.add(shard, parent);
            }
        }
        family
    }

    fn add(&mut self, shard: &'a Arc<str>, parent: &'a Arc<str>) {
        let parents = self.parents.entry(shard).or_default();
        if !parents.contains(&&**parent) {
            parents.push(parent);
            self.children.entry(parent).or_default().push(shard);
        }
    }

    /// The shards that `shard` was split or merged into.
    pub(super) fn children(&self, shard: &str) -> &[&'a str] {
        self.children.get(shard).map_or(&[], Vec::as_slice)
    }

    /// Those that it came from, and those that these came from, and so on.
    pub(super) fn ancestors(&self, shard: &str) -> BTreeSet<&'a str> {
        reached(&self.parents, shard)
    }

    /// Its children, and their children, and so on.
    pub(super) fn descendants(&self, shard: &str) -> BTreeSet<&'a str> {
        reached(&self.children, shard)
    }
}

fn reached<'a>(edges: &HashMap<&'a str, Vec<&'a str>>, shard: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = edges.get(shard).cloned().unwrap_or_default();
    while let Some(shard) = next.pop() {
        if reached.insert(shard) {
            next.extend(edges.get(shard).into_iter().flatten());
        }
    }
    reached
}
