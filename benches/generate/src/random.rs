//! Random numbers that never change: a dependency's update must not alter what a seed means.
//!
//! The generator is `SplitMix64`: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number
//! generators", OOPSLA 2014, with the constants of S. Vigna's public-domain `splitmix64.c`
//! (<https://prng.di.unimi.it/splitmix64.c>). Its state is one word that may have any value, so a
//! stream of numbers for "connection 12345 of seed 7" costs nothing to set up, and things that
//! recur are derived again instead of being stored.

/// What a keyed stream of numbers describes; two subjects never share a stream.
#[derive(Clone, Copy)]
pub(crate) enum Subject {
    Interface = 1,
    Vpc,
    Subnet,
    FlowLog,
    Object,
    PublicHost,
    Connection,
    Events,
    Balancer,
    TargetGroup,
    Outage,
    Client,
    Session,
    Account,
    Principal,
    Event,
    Resource,
    Endpoint,
}

/// A stream of random numbers.
pub(crate) struct Random {
    state: u64,
}

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Random {
    /// The stream that belongs to one thing, for as long as the seed stays the same.
    pub(crate) fn keyed(seed: u64, subject: Subject, key: u64) -> Self {
        let subject_seed = mix(seed.wrapping_add((subject as u64).wrapping_mul(GOLDEN_GAMMA)));
        Self {
            state: mix(subject_seed ^ mix(key.wrapping_add(GOLDEN_GAMMA))),
        }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        mix(self.state)
    }

    /// Uniform in `0..bound`; 0 when the bound is 0.
    ///
    /// The product's high word (D. Lemire, "Fast random integer generation in an interval", 2019),
    /// without its rejection step: the bias is below `bound / 2^64`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// Uniform in `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True with a probability in parts per million.
    pub(crate) fn chance(&mut self, parts_per_million: u32) -> bool {
        self.below(1_000_000) < u64::from(parts_per_million)
    }

    /// Uniform in `(0, 1]`, with 53 random bits.
    pub(crate) fn unit(&mut self) -> f64 {
        const SCALE: f64 = 1.0 / (1u64 << 53) as f64;
        ((self.next() >> 11) + 1) as f64 * SCALE
    }

    /// A heavy-tailed factor of at least 1: Pareto with the shape 4/3, which has a mean (4) but no
    /// variance. `unit^(-3/4)` from square roots, which round alike everywhere.
    pub(crate) fn pareto(&mut self) -> f64 {
        let root = self.unit().sqrt();
        1.0 / (root * root.sqrt())
    }

    /// One of the table's values, by weight.
    pub(crate) fn weighted<T: Copy, const N: usize>(&mut self, table: &[(u32, T); N]) -> T {
        table[self.weighted_index(table)].1
    }

    /// The index of one of the table's values, by weight.
    pub(crate) fn weighted_index<T, const N: usize>(&mut self, table: &[(u32, T); N]) -> usize {
        const { assert!(N > 0) };
        let total: u64 = table.iter().map(|&(weight, _)| u64::from(weight)).sum();
        let mut left = self.below(total);
        for (index, &(weight, _)) in table.iter().enumerate() {
            if left < u64::from(weight) {
                return index;
            }
            left -= u64::from(weight);
        }
        N - 1
    }

    /// One of the values, all equally likely.
    pub(crate) fn one_of<T: Copy, const N: usize>(&mut self, values: &[T; N]) -> T {
        const { assert!(N > 0) };
        values[self.below(N as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_reference_implementation() {
        // The first outputs of splitmix64.c for the seed 1234567.
        let mut random = Random { state: 1_234_567 };
        let numbers: Vec<u64> = (0..5).map(|_| random.next()).collect();
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    #[test]
    fn streams_differ_by_seed_subject_and_key() {
        let first = |seed, subject, key| Random::keyed(seed, subject, key).next();
        let numbers = [
            first(1, Subject::Vpc, 0),
            first(2, Subject::Vpc, 0),
            first(1, Subject::Subnet, 0),
            first(1, Subject::Vpc, 1),
        ];
        for (i, number) in numbers.iter().enumerate() {
            assert!(!numbers[i + 1..].contains(number));
        }
    }

    #[test]
    fn weights_are_kept() {
        let mut random = Random::keyed(1, Subject::Events, 0);
        let table = [(1, 'a'), (0, 'b'), (3, 'c')];
        let drawn: Vec<char> = (0..10_000).map(|_| random.weighted(&table)).collect();
        let count = |c| drawn.iter().filter(|&&d| d == c).count();
        assert!((2_300..2_700).contains(&count('a')), "{}", count('a'));
        assert_eq!(count('b'), 0);
    }

    #[test]
    fn the_unit_interval_excludes_zero() {
        let mut random = Random::keyed(1, Subject::Events, 0);
        assert!(
            (0..10_000)
                .map(|_| random.unit())
                .all(|u| u > 0.0 && u <= 1.0)
        );
        assert!((0..10_000).map(|_| random.pareto()).all(|p| p >= 1.0));
    }
}
