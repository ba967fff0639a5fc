//! The scale of a measure.

use super::number;

/// Marks that a scale has, or a few more.
const TICKS: f64 = 5.0;
/// Beyond this values are drawn at the edge, so that no arithmetic here overflows.
const LIMIT: f64 = 1e300;

/// From the lowest to the highest value. Zero is always part of it: a bar's length, and a line's
/// height, is its value.
pub(super) struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    /// The scale of finite values.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high, mut is_whole) = (0.0_f64, 0.0_f64, true);
        for value in values {
            let value = value.clamp(-LIMIT, LIMIT);
            low = low.min(value);
            high = high.max(value);
            is_whole &= value.fract() == 0.0;
        }
        if high - low < 1.0 / LIMIT {
            (low, high) = (0.0, 1.0);
        }
        let step = nice((high - low) / TICKS);
        Self {
            low,
            high,
            // Nothing is counted in halves.
            step: if is_whole { step.max(1.0) } else { step },
        }
    }

    /// The same, up and down to its next marks.
    pub(super) fn rounded(self) -> Self {
        Self {
            low: (self.low / self.step).floor() * self.step,
            high: (self.high / self.step).ceil() * self.step,
            ..self
        }
    }

    /// Where a value is: 0 at the lowest, 1 at the highest.
    pub(super) fn place(&self, value: f64) -> f64 {
        ((value.clamp(-LIMIT, LIMIT) - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Whether there are negative values.
    pub(super) fn has_negative(&self) -> bool {
        self.low < 0.0
    }

    /// The marks, from the lowest to the highest, with their text.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let largest = self.high.max(-self.low);
        // A mark on the edge is one, whatever the rounding.
        let (first, last) = (self.low / self.step - 1e-6, self.high / self.step + 1e-6);
        (first.ceil() as i64..=last.floor() as i64)
            .map(|multiple| multiple as f64 * self.step)
            .map(|value| (value, number::tick(value, self.step, largest)))
            .collect()
    }
}

/// The next of 1, 2, 5, 10, 20, 50, ...
fn nice(rough: f64) -> f64 {
    let magnitude = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|digit| digit * magnitude)
        .find(|&step| step >= rough)
        .unwrap_or(10.0 * magnitude)
}
