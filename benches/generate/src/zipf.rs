//! Ranks by a power law: few addresses carry most of the traffic.
//!
//! Rejection-inversion: W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from
//! monotone discrete distributions", ACM Transactions on Modeling and Computer Simulation 6(3),
//! 1996. It needs no table, however many ranks there are, and rejects seldom.
//!
//! The exponent is fixed at 9/8: with it the integral of `x^-s` and its inverse are `x^(-1/8)` and
//! `x^-8`, that is square roots and products, so that no platform's `pow` can change the numbers.

use crate::random::Random;

/// The ranks `1..=count`, rank `k` as likely as `k^(-9/8)`.
pub(crate) struct Zipf {
    count: u64,
    integral_at_first: f64,
    integral_at_last: f64,
    squeeze: f64,
}

/// The weight of a rank, `x^(-9/8)`.
fn weight(x: f64) -> f64 {
    1.0 / (x * x.sqrt().sqrt().sqrt())
}

/// An antiderivative of the weight, `-8 x^(-1/8)`.
fn integral(x: f64) -> f64 {
    -8.0 / x.sqrt().sqrt().sqrt()
}

fn inverse_integral(y: f64) -> f64 {
    let root = -8.0 / y;
    let square = root * root;
    let fourth = square * square;
    fourth * fourth
}

impl Zipf {
    /// At least one rank.
    pub(crate) fn new(count: u64) -> Self {
        let count = count.max(1);
        Self {
            count,
            integral_at_first: integral(1.5) - 1.0,
            integral_at_last: integral(count as f64 + 0.5),
            squeeze: 2.0 - inverse_integral(integral(2.5) - weight(2.0)),
        }
    }

    pub(crate) fn sample(&self, random: &mut Random) -> u64 {
        loop {
            let y = self.integral_at_last
                + random.unit() * (self.integral_at_first - self.integral_at_last);
            let x = inverse_integral(y);
            let rank = ((x + 0.5) as u64).clamp(1, self.count);
            let k = rank as f64;
            if k - x <= self.squeeze || y >= integral(k + 0.5) - weight(k) {
                return rank;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Subject;

    /// The oracle: the distribution by its definition.
    fn expected(count: u64) -> Vec<f64> {
        let weights: Vec<f64> = (1..=count).map(|k| (k as f64).powf(-1.125)).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|w| w / total).collect()
    }

    #[test]
    fn ranks_follow_the_law() {
        const DRAWS: usize = 200_000;
        for count in [1, 2, 3, 50, 1000] {
            let zipf = Zipf::new(count);
            let mut random = Random::keyed(42, Subject::Events, count);
            let mut seen = vec![0u32; count as usize];
            for _ in 0..DRAWS {
                seen[zipf.sample(&mut random) as usize - 1] += 1;
            }
            for (rank, share) in expected(count).into_iter().enumerate().take(20) {
                let mean = share * DRAWS as f64;
                let difference = (f64::from(seen[rank]) - mean).abs();
                assert!(
                    difference <= 5.0 * mean.sqrt(),
                    "rank {} of {count}: {} drawn, {mean} expected",
                    rank + 1,
                    seen[rank]
                );
            }
        }
    }
}
