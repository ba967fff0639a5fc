//! Which windows and panes a time lies in. Times are microseconds since 1970-01-01 UTC.

use std::fmt::{self, Display};
use std::ops::Range;

/// Panes that lie in one window, at most: their number is what a window costs when rows are late.
const MOST_PANES: i64 = 1_000_000;

/// The windows of a statement. Windows are half open: the end does not belong to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) enum Windows {
    /// Windows of one size, of which one begins every `slide`, counted from 1970-01-01 UTC.
    Hop {
        /// Microseconds from the beginning of a window to that of the next.
        slide: i64,
        /// Microseconds of a window.
        size: i64,
    },
    /// Windows that end when nothing came for `gap` microseconds.
    Session {
        /// The pause that ends a session; its window ends so long after its last row.
        gap: i64,
    },
}

impl Windows {
    /// Windows that overlap or follow each other; the error says what is wrong with the lengths.
    pub(crate) fn hop(slide: i64, size: i64) -> Result<Self, String> {
        if slide <= 0 || size <= 0 {
            return Err("a window and its slide are longer than nothing".to_owned());
        }
        let windows = Self::Hop { slide, size };
        if size / windows.pane_width() > MOST_PANES {
            return Err(format!(
                "a window of {} has more than {MOST_PANES} panes of {}",
                Span(size),
                Span(windows.pane_width())
            ));
        }
        Ok(windows)
    }

    /// Sessions; the error says what is wrong with the gap.
    pub(crate) fn session(gap: i64) -> Result<Self, String> {
        match gap {
            ..=0 => Err("the gap of a session is longer than nothing".to_owned()),
            gap => Ok(Self::Session { gap }),
        }
    }

    /// The time before which rows lie only in windows that end at `done` or before.
    pub(crate) fn open_from(self, done: i64) -> i64 {
        match self {
            Self::Hop { slide, size } => {
                let ended = done.saturating_sub(size).div_euclid(slide);
                let next = ended.saturating_add(1).saturating_mul(slide);
                // Between windows that do not touch, rows lie in none, and are not late for any.
                next.min(next.saturating_sub(slide).saturating_add(size))
            }
            Self::Session { gap } => done.saturating_sub(gap).saturating_add(1),
        }
    }

    /// Microseconds of a pane. Of sessions, rows in one pane lie in one session.
    pub(crate) fn pane_width(self) -> i64 {
        match self {
            Self::Hop { slide, size } => greatest_common_divisor(slide, size),
            Self::Session { gap } => gap,
        }
    }
}

/// Windows of one size, by panes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hop {
    slide: i64,
    size: i64,
    width: i64,
}

impl Hop {
    pub(crate) fn new(slide: i64, size: i64) -> Self {
        Self {
            slide,
            size,
            width: greatest_common_divisor(slide, size),
        }
    }

    /// Panes of a window.
    pub(crate) fn panes_of_one(self) -> i64 {
        self.size / self.width
    }

    /// The panes of the window that begins at a time.
    pub(crate) fn panes(self, start: i64) -> Range<i64> {
        let first = start.div_euclid(self.width);
        first..first + self.panes_of_one()
    }

    /// The end of a window that begins at a time.
    pub(crate) fn end(self, start: i64) -> i64 {
        start.saturating_add(self.size)
    }

    /// When the windows begin that a pane lies in, in order.
    pub(crate) fn starts(self, pane: i64) -> impl Iterator<Item = i64> {
        let begin = pane.saturating_mul(self.width);
        let last = begin.div_euclid(self.slide).saturating_mul(self.slide);
        let first = begin.saturating_add(self.width).saturating_sub(self.size);
        // The first one that begins at `first` or later.
        let first = first.saturating_add(self.slide - 1).div_euclid(self.slide) * self.slide;
        (0..)
            .map(move |at| first.saturating_add(self.slide.saturating_mul(at)))
            .take_while(move |&start| start <= last)
    }

    /// The end of the last window that a pane lies in; None if it lies in none, which there is where
    /// windows are shorter than their slide.
    pub(crate) fn last_end(self, pane: i64) -> Option<i64> {
        self.starts(pane).last().map(|start| self.end(start))
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// Microseconds, in words.
struct Span(i64);

impl Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [
            (86_400_000_000, "d"),
            (3_600_000_000, "h"),
            (60_000_000, "m"),
            (1_000_000, "s"),
            (1000, "ms"),
        ];
        for (micros, unit) in units {
            if self.0 != 0 && self.0 % micros == 0 {
                return write!(out, "{}{unit}", self.0 / micros);
            }
        }
        write!(out, "{}us", self.0)
    }
}

impl Display for Windows {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Hop { slide, size } if slide == size => write!(out, "tumble {}", Span(size)),
            Self::Hop { slide, size } => write!(out, "hop {} by {}", Span(size), Span(slide)),
            Self::Session { gap } => write!(out, "session {}", Span(gap)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_window_has_the_panes_that_say_they_lie_in_it() {
        for (slide, size) in [(60, 300), (300, 300), (100, 250), (300, 60), (7, 3), (1, 1)] {
            let hop = Hop::new(slide, size);
            for pane in -20..20 {
                let begin = pane * hop.width;
                let expected: Vec<_> = (-2000..2000)
                    .map(|at| at * slide)
                    .filter(|&start| start <= begin && begin + hop.width <= start + size)
                    .collect();
                let starts: Vec<_> = hop.starts(pane).collect();
                assert_eq!(starts, expected, "{slide} {size} {pane}");
                assert!(starts.iter().all(|&start| hop.panes(start).contains(&pane)));
            }
        }
    }

    #[test]
    fn rows_are_late_when_all_their_windows_are_done() {
        for (slide, size) in [(60, 300), (300, 300), (100, 250), (300, 60), (7, 3)] {
            let (windows, hop) = (Windows::Hop { slide, size }, Hop::new(slide, size));
            for done in -1000..1000 {
                let open_from = windows.open_from(done);
                for time in done - 700..done + 700 {
                    let mut windows = hop.starts(time.div_euclid(hop.width)).peekable();
                    let lies_in_one = windows.peek().is_some();
                    let is_late = lies_in_one && windows.all(|start| hop.end(start) <= done);
                    assert!(
                        !lies_in_one || (time < open_from) == is_late,
                        "{slide} {size} {done} {time}"
                    );
                }
            }
        }
    }

    #[test]
    fn lengths_that_make_no_windows_are_refused() {
        assert!(Windows::hop(0, 5).is_err());
        assert!(Windows::hop(5, -1).is_err());
        assert!(Windows::hop(1, 10_000_000).is_err());
        assert!(Windows::session(0).is_err());
    }

    #[test]
    fn windows_are_named_with_their_lengths() {
        let minute = 60_000_000;
        let name = |windows: Windows| windows.to_string();
        assert_eq!(
            name(Windows::hop(minute, 5 * minute).unwrap()),
            "hop 5m by 1m"
        );
        assert_eq!(name(Windows::hop(minute, minute).unwrap()), "tumble 1m");
        assert_eq!(name(Windows::session(1_500_000).unwrap()), "session 1500ms");
    }
}
