//! Durations as a mergeable histogram with buckets of equal relative width: percentiles of any window, over any number
//! of processes, are within [`ACCURACY`] of the exact ones.

use std::collections::BTreeMap;

/// The largest relative error of a percentile.
///
/// With 2 % a message type whose durations spread over a factor of ten fills some 60 buckets, half a kilobyte a row;
/// 1 % doubles that for digits nobody reads.
pub const ACCURACY: f64 = 0.02;

/// Durations below are one: no handler is that quick, and a logarithm wants a floor.
const SHORTEST_MS: f64 = 1e-3;
/// Durations above are one: 31 years.
const LONGEST_MS: f64 = 1e12;

/// How many durations fell into which bucket. Bucket `i` holds those in `(γ^(i-1), γ^i]` ms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    buckets: BTreeMap<i16, u64>,
}

impl Histogram {
    /// Adds one duration in milliseconds.
    pub fn record(&mut self, millis: f64) {
        *self.buckets.entry(bucket_of(millis)).or_default() += 1;
    }

    /// Adds so many durations to one bucket.
    pub fn add(&mut self, bucket: i16, count: u64) {
        if count > 0 {
            *self.buckets.entry(bucket).or_default() += count;
        }
    }

    /// Adds another histogram.
    pub fn merge(&mut self, other: &Self) {
        other.iter().for_each(|(bucket, count)| self.add(bucket, count));
    }

    /// The buckets that hold anything, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (i16, u64)> + '_ {
        self.buckets.iter().map(|(bucket, count)| (*bucket, *count))
    }

    /// How many durations it holds.
    pub fn count(&self) -> u64 {
        self.buckets.values().sum()
    }

    /// How many durations are at most this many milliseconds, within [`ACCURACY`] of them.
    pub fn up_to(&self, millis: f64) -> u64 {
        self.iter().take_while(|(bucket, _)| middle_of(*bucket) <= millis).map(|(_, count)| count).sum()
    }

    /// The duration in milliseconds below which a share from 0 to 1 of all lies; `None` when there are none.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let rank = (share.clamp(0.0, 1.0) * self.count() as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        self.iter().find_map(|(bucket, count)| {
            seen += count;
            (seen >= rank).then(|| middle_of(bucket))
        })
    }
}

fn growth() -> f64 {
    (1.0 + ACCURACY) / (1.0 - ACCURACY)
}

fn bucket_of(millis: f64) -> i16 {
    // Between -173 and 691; what is not a number becomes 0, a millisecond.
    (millis.clamp(SHORTEST_MS, LONGEST_MS).ln() / growth().ln()).ceil() as i16
}

/// The value whose relative distance to both ends of the bucket is the same.
fn middle_of(bucket: i16) -> f64 {
    2.0 * growth().powi(i32::from(bucket)) / (growth() + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHARES: [f64; 5] = [0.01, 0.5, 0.9, 0.95, 0.99];

    fn of(durations: &[f64]) -> Histogram {
        let mut histogram = Histogram::default();
        durations.iter().for_each(|it| histogram.record(*it));
        histogram
    }

    fn exact(sorted: &[f64], share: f64) -> f64 {
        let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
        sorted[rank - 1]
    }

    /// A standard normal value, by Box and Muller.
    fn normal(random: &mut fastrand::Rng) -> f64 {
        let (a, b) = (1.0 - random.f64(), random.f64());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }

    /// The largest relative error over all shares, of 100,000 durations spread over 40 rollups and merged again.
    fn worst(mut draw: impl FnMut(&mut fastrand::Rng) -> f64) -> f64 {
        let mut random = fastrand::Rng::with_seed(7);
        let mut durations: Vec<f64> = (0..100_000).map(|_| draw(&mut random)).collect();
        let mut merged = Histogram::default();
        durations.chunks(2_500).for_each(|part| merged.merge(&of(part)));
        durations.sort_by(f64::total_cmp);
        let error = |share: f64| {
            let exact = exact(&durations, share);
            (merged.quantile(share).unwrap() - exact).abs() / exact
        };
        SHARES.iter().map(|share| error(*share)).fold(0.0, f64::max)
    }

    #[test]
    fn percentiles_of_100_000_durations_are_within_two_percent_of_exact_ones() {
        let lognormal = worst(|random| (3.0 + 1.2 * normal(random)).exp());
        let bimodal = worst(|random| {
            let (mean, spread) = if random.f64() < 0.7 { (5.0, 0.5) } else { (800.0, 60.0) };
            (mean + spread * normal(random)).max(0.01)
        });
        let exponential = worst(|random| -40.0 * (1.0 - random.f64()).ln());
        let uniform = worst(|random| 1.0 + 999.0 * random.f64());
        for (name, error) in
            [("lognormal", lognormal), ("bimodal", bimodal), ("exponential", exponential), ("uniform", uniform)]
        {
            assert!(error <= ACCURACY + 1e-9, "{name}: {error}");
            assert!(error > 0.0, "{name}: nothing was compared");
        }
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Histogram::default().quantile(0.5), None);
    }

    proptest! {
        #[test]
        fn any_duration_is_found_again(millis in prop_oneof![1e-3..1e12_f64, 1e-3..10.0_f64]) {
            let found = of(&[millis]).quantile(0.5).unwrap();
            prop_assert!((found - millis).abs() <= millis * (ACCURACY + 1e-9), "{millis} became {found}");
        }

        #[test]
        fn no_number_breaks_it(millis in any::<f64>()) {
            prop_assert!(of(&[millis]).quantile(1.0).unwrap() > 0.0);
        }

        #[test]
        fn merging_is_recording_all_in_one(left in prop::collection::vec(0.0..1e6_f64, 0..50),
                                           right in prop::collection::vec(0.0..1e6_f64, 0..50)) {
            let mut merged = of(&left);
            merged.merge(&of(&right));
            prop_assert_eq!(merged, of(&[left, right].concat()));
        }
    }
}
