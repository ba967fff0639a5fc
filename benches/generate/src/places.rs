//! Where logs come from: accounts and Regions.

/// Regions and the prefix of their availability zones' ids.
const REGIONS: [Region; 8] = [
    Region::new("us-east-1", "use1"),
    Region::new("us-west-2", "usw2"),
    Region::new("eu-central-1", "euc1"),
    Region::new("eu-west-1", "euw1"),
    Region::new("ap-northeast-1", "apne1"),
    Region::new("ap-southeast-2", "apse2"),
    Region::new("ca-central-1", "cac1"),
    Region::new("sa-east-1", "sae1"),
];

/// The greatest number of regions that logs can be spread over.
pub const MAX_REGIONS: u32 = REGIONS.len() as u32;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    pub(crate) name: &'static str,
    /// What the ids of its availability zones begin with.
    pub(crate) zone_prefix: &'static str,
}

impl Region {
    const fn new(name: &'static str, zone_prefix: &'static str) -> Self {
        Self { name, zone_prefix }
    }

    /// The region with this number; numbers beyond the last begin again.
    pub(crate) fn of(index: u64) -> Self {
        REGIONS[index as usize % REGIONS.len()]
    }
}

/// The ids of AWS's examples (111122223333, 444455556666, 777788889999), then on by the same step.
pub(crate) fn account_id(index: u64) -> String {
    let id = (111_122_223_333 + u128::from(index) * 333_333_333_333) % 1_000_000_000_000;
    format!("{id:012}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn account_ids_have_twelve_digits() {
        let ids: HashSet<_> = (0..1_000).map(account_id).collect();
        assert_eq!(ids.len(), 1_000);
        assert!(ids.contains("111122223333") && ids.contains("777788889999"));
        assert!(ids.iter().all(|id| id.len() == 12));
    }
}
