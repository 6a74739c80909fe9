//! How often something happened lately, exactly enough that a maximum is never passed.

use std::time::Duration;

use countersign_model::{Limit, Timestamp};
use serde::{Deserialize, Serialize};

/// Above this maximum, moments are kept in buckets instead of one by one.
const EXACT_UP_TO: u32 = 64;
/// Buckets in a window.
const BUCKETS: u32 = 60;

/// Counts over a sliding window. In a bucketed window the oldest bucket counts as full, so the maximum is never passed, only reached early.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Start of a bucket (or the moment itself), and how often, oldest first.
    counts: Vec<(Timestamp, u32)>,
}

/// The width of a bucket under `limit`; zero where each moment is kept.
fn width(limit: Limit) -> Duration {
    if limit.max <= EXACT_UP_TO { Duration::ZERO } else { limit.window / BUCKETS }
}

impl Window {
    /// How many still count at `now`.
    #[must_use]
    pub fn count(&self, limit: Limit, now: Timestamp) -> u32 {
        let live = self.counts.iter().filter(|(start, _)| leaves_at(*start, limit) > now);
        live.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// None when `more` fit at `now`; otherwise how long until they do. More than the maximum never fit: then the whole window.
    #[must_use]
    pub fn wait(&self, limit: Limit, more: u32, now: Timestamp) -> Option<Duration> {
        let mut taken = self.count(limit, now);
        if taken.saturating_add(more) <= limit.max {
            return None;
        }
        for (start, count) in &self.counts {
            let leaves = leaves_at(*start, limit);
            if leaves > now {
                taken -= count;
                if taken.saturating_add(more) <= limit.max {
                    return Some(leaves.since(now));
                }
            }
        }
        Some(limit.window)
    }

    /// Counts `more` at `now` and forgets what no longer counts.
    pub fn add(&mut self, limit: Limit, more: u32, now: Timestamp) {
        self.counts.retain(|(start, _)| leaves_at(*start, limit) > now);
        let width = i64::try_from(width(limit).as_millis()).unwrap_or(i64::MAX);
        let start = if width == 0 { now } else { Timestamp::from_millis(now.millis() - now.millis().rem_euclid(width)) };
        match self.counts.last_mut() {
            Some((last, count)) if *last >= start => *count = count.saturating_add(more),
            _ => self.counts.push((start, more)),
        }
    }
}

/// A bucket leaves when its last moment has.
fn leaves_at(start: Timestamp, limit: Limit) -> Timestamp {
    start.plus(width(limit)).plus(limit.window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIVE: Limit = Limit { max: 5, window: Duration::from_secs(300) };

    #[test]
    fn the_sixth_of_five_waits_for_the_first_to_leave() {
        let mut window = Window::default();
        let start = Timestamp::from_millis(1_000_000);
        for second in 0..5 {
            let now = start.plus(Duration::from_secs(second));
            assert_eq!(window.wait(FIVE, 1, now), None);
            window.add(FIVE, 1, now);
        }
        let now = start.plus(Duration::from_secs(10));
        assert_eq!(window.wait(FIVE, 1, now), Some(Duration::from_secs(290)));
        assert_eq!(window.wait(FIVE, 1, start.plus(Duration::from_secs(300))), None);
    }

    #[test]
    fn a_clock_that_steps_back_loses_no_count() {
        let mut window = Window::default();
        let start = Timestamp::from_millis(1_000_000);
        window.add(FIVE, 1, start);
        window.add(FIVE, 4, start.minus(Duration::from_secs(60)));
        assert!(window.wait(FIVE, 1, start.minus(Duration::from_secs(60))).is_some());
    }

    proptest! {
        #[test]
        fn no_stretch_ever_holds_more_than_the_maximum(
            max in 1_u32..200,
            steps in prop::collection::vec((0_u64..3_000, 1_u32..4), 1..400),
        ) {
            let limit = Limit { max, window: Duration::from_secs(60) };
            let mut window = Window::default();
            let mut now = Timestamp::from_millis(0);
            let mut let_through: Vec<Timestamp> = Vec::new();
            for (pause, more) in steps {
                now = now.plus(Duration::from_millis(pause));
                if window.wait(limit, more, now).is_none() {
                    window.add(limit, more, now);
                    let_through.extend(std::iter::repeat_n(now, more as usize));
                }
                let recent = let_through.iter().filter(|at| at.plus(limit.window) > now).count();
                prop_assert!(recent <= max as usize);
            }
        }

        #[test]
        fn after_the_told_wait_there_is_room(max in 1_u32..200, pauses in prop::collection::vec(0_u64..2_000, 1..300)) {
            let limit = Limit { max, window: Duration::from_secs(60) };
            let mut window = Window::default();
            let mut now = Timestamp::from_millis(0);
            for pause in pauses {
                now = now.plus(Duration::from_millis(pause));
                match window.wait(limit, 1, now) {
                    None => window.add(limit, 1, now),
                    Some(wait) => prop_assert_eq!(window.wait(limit, 1, now.plus(wait)), None),
                }
            }
        }
    }
}
