//! Numbers as they are read in a chart.

use crate::output::grouped::grouped;

/// A value that was read or added up.
pub(super) fn value(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return format!("{number:e}");
    }
    grouped(&number.to_string())
}

/// Units of large numbers on a scale.
const UNITS: [(f64, &str); 5] = [
    (1e18, "E"),
    (1e15, "P"),
    (1e12, "T"),
    (1e9, "G"),
    (1e6, "M"),
];

/// A mark on a scale that has one every `step`, the largest at `largest`.
pub(super) fn tick(number: f64, step: f64, largest: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    if largest >= 1e21 || step < 1e-6 {
        return format!("{number:.1e}");
    }
    let (size, unit) = UNITS
        .into_iter()
        .find(|(size, _)| largest >= *size)
        .unwrap_or((1.0, ""));
    // As many decimals as tell one mark from the next.
    let decimals = (-(step / size).log10().floor()).clamp(0.0, 9.0) as usize;
    grouped(&format!("{:.decimals$}", number / size)) + unit
}
