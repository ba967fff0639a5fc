//! Watermarks: the time up to which nothing more is expected.

use std::time::{Duration, Instant};

/// The watermarks of all inputs of a stream, and of the stream. Times are microseconds since 1970.
#[derive(Debug)]
pub(super) struct Watermarks {
    /// How much earlier than the latest one before it a row may be.
    bound: i64,
    /// An input from which nothing came for so long does not hold the others up.
    idle: Duration,
    inputs: Vec<Input>,
    /// It never goes back.
    current: i64,
    /// There may always come more inputs.
    endless: bool,
}

#[derive(Debug, Clone, Copy)]
struct Input {
    /// The greatest time of a row.
    latest: Option<i64>,
    /// When something came.
    heard: Instant,
    ended: bool,
}

impl Watermarks {
    pub(super) fn new(inputs: usize, bound: i64, idle: Duration, now: Instant) -> Self {
        let input = Input {
            latest: None,
            heard: now,
            ended: false,
        };
        Self {
            bound,
            idle,
            inputs: vec![input; inputs],
            current: i64::MIN,
            endless: false,
        }
    }

    /// The same without inputs: they are added, and there may always come more.
    pub(super) fn endless(&mut self) {
        self.inputs.clear();
        self.endless = true;
    }

    /// Another input; gives its number.
    pub(super) fn add(&mut self, now: Instant) -> usize {
        self.inputs.push(Input {
            latest: None,
            heard: now,
            ended: false,
        });
        self.inputs.len() - 1
    }

    /// How many inputs there are.
    pub(super) fn inputs(&self) -> usize {
        self.inputs.len()
    }

    /// Takes down that rows came from an input, and the greatest time of them.
    pub(super) fn came(&mut self, input: usize, latest: Option<i64>, now: Instant) {
        let input = &mut self.inputs[input];
        input.latest = input.latest.max(latest);
        input.heard = now;
        input.ended = false;
    }

    /// Takes down that nothing more comes from an input.
    pub(super) fn ended(&mut self, input: usize) {
        self.inputs[input].ended = true;
    }

    /// The time up to which nothing more is expected.
    pub(super) fn current(&mut self, now: Instant) -> i64 {
        if !self.endless && self.inputs.iter().all(|input| input.ended) {
            // Not kept: whoever goes on from here may find more.
            return i64::MAX;
        }
        let is_idle = |input: &&Input| now.duration_since(input.heard) >= self.idle;
        let alive = self
            .inputs
            .iter()
            .filter(|input| !input.ended && !is_idle(input));
        let least = match alive.map(|input| input.latest).min() {
            // Of one that is alive nothing has come yet.
            Some(least) => least,
            // Time goes on where nothing comes from anywhere.
            None => {
                let last = self.inputs.iter().filter(|input| input.latest.is_some());
                last.map(|input| {
                    let silent = now.duration_since(input.heard).as_micros();
                    let silent = i64::try_from(silent).unwrap_or(i64::MAX);
                    input.latest.map(|latest| latest.saturating_add(silent))
                })
                .max()
                .flatten()
            }
        };
        if let Some(least) = least {
            self.current = self.current.max(least.saturating_sub(self.bound));
        }
        self.current
    }

    /// The time up to which nothing more was expected before all inputs ended.
    pub(super) fn passed(&self) -> i64 {
        self.current
    }

    /// The greatest times of all inputs, to be kept.
    pub(super) fn latest(&self) -> Vec<Option<i64>> {
        self.inputs.iter().map(|input| input.latest).collect()
    }

    /// Goes on from what was kept.
    pub(super) fn resume(&mut self, latest: &[Option<i64>], current: i64) {
        for (input, latest) in self.inputs.iter_mut().zip(latest) {
            input.latest = *latest;
        }
        self.current = current;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(10);

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn the_slowest_input_decides_and_a_silent_one_only_for_a_while() {
        let start = Instant::now();
        let mut watermarks = Watermarks::new(4, 100, IDLE, start);
        for input in 0..3 {
            watermarks.came(input, Some(1000 + input as i64), after(start, 1));
        }
        assert_eq!(
            watermarks.current(after(start, 2)),
            i64::MIN,
            "one said nothing yet"
        );
        assert_eq!(watermarks.current(after(start, 10)), 900);
        watermarks.came(3, Some(500), after(start, 10));
        assert_eq!(
            watermarks.current(after(start, 10)),
            900,
            "it does not go back"
        );
        watermarks.came(3, Some(5000), after(start, 10));
        watermarks.came(0, Some(2000), after(start, 10));
        watermarks.came(1, Some(2001), after(start, 10));
        watermarks.came(2, Some(1500), after(start, 10));
        assert_eq!(watermarks.current(after(start, 10)), 1400);
    }

    #[test]
    fn time_goes_on_where_nothing_comes() {
        let start = Instant::now();
        let mut watermarks = Watermarks::new(2, 0, IDLE, start);
        watermarks.came(0, Some(0), start);
        watermarks.came(1, Some(7), start);
        assert_eq!(watermarks.current(start), 0);
        assert_eq!(watermarks.current(after(start, 12)), 12_000_007);
        let mut nothing = Watermarks::new(1, 0, IDLE, start);
        assert_eq!(nothing.current(after(start, 60)), i64::MIN);
    }

    #[test]
    fn where_more_inputs_may_come_time_has_no_end() {
        let start = Instant::now();
        let mut watermarks = Watermarks::new(1, 10, IDLE, start);
        watermarks.endless();
        assert_eq!(watermarks.current(start), i64::MIN);
        let first = watermarks.add(start);
        watermarks.came(first, Some(1000), start);
        watermarks.ended(first);
        assert_eq!(watermarks.current(start), 990);
        let next = watermarks.add(start);
        watermarks.came(next, Some(500), start);
        assert_eq!(watermarks.current(start), 990);
        watermarks.came(next, Some(2000), start);
        assert_eq!(watermarks.current(start), 1990);
    }

    #[test]
    fn when_all_inputs_ended_all_time_has_passed() {
        let start = Instant::now();
        let mut watermarks = Watermarks::new(2, 0, IDLE, start);
        watermarks.came(0, Some(5), start);
        watermarks.came(1, Some(9), start);
        watermarks.ended(0);
        assert_eq!(watermarks.current(start), 9);
        watermarks.ended(1);
        assert_eq!(watermarks.current(start), i64::MAX);
    }
}
