//! The colours of series: those of Okabe and Ito, which people who see fewer colours tell apart.

/// Series that have a colour of their own.
pub(super) const SERIES: usize = 6;

/// On a page, light or dark; the last one is for the rest of the series.
pub(super) const PAGE: [&str; SERIES + 1] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#808080",
];

/// Such as every terminal has, as escape sequences, in the same order.
pub(super) const TERMINAL: [&str; SERIES + 1] = [
    "\x1b[36m", "\x1b[31m", "\x1b[32m", "\x1b[35m", "\x1b[33m", "\x1b[34m", "\x1b[90m",
];
