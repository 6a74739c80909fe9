//! When a delivery is tried again. Nothing here knows a delivery; whoever keeps them asks after each attempt.

use std::time::Duration;

use countersign_model::{Rng, Timestamp};

use crate::outcome::Outcome;

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// From the end of one attempt to the next: the schedule of Standard Webhooks, 75 h 35 min 5 s in all.
const GAPS: [Duration; 9] = [
    Duration::from_secs(5),
    minutes(5),
    minutes(30),
    minutes(2 * 60),
    minutes(5 * 60),
    minutes(10 * 60),
    minutes(14 * 60),
    minutes(20 * 60),
    minutes(24 * 60),
];

/// How often a delivery is tried at most.
#[expect(clippy::cast_possible_truncation, reason = "ten")]
pub const ATTEMPTS: u32 = GAPS.len() as u32 + 1;

/// The longest a receiver can put an attempt off by `Retry-After`.
const LONGEST_ASKED: Duration = minutes(24 * 60);

/// How long a delivery may wait in all. Longer than every attempt with the longest `Retry-After` takes: it ends only what waits for ever behind an
/// open circuit.
pub const DELIVERY_LIFE: Duration = minutes(10 * 24 * 60);

/// What follows an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it was delivered.
    Delivered,
    /// Another attempt, not before this moment.
    Retry(Timestamp),
    /// Nothing: the attempts are used up, the delivery has failed.
    Failed,
    /// Nothing for any delivery of this endpoint: it said that it is gone. The delivery has failed; the endpoint must be disabled.
    Disable,
}

/// What follows when attempt number `attempt` (from 1) ended at `now` with `outcome`. The gap varies by up to a tenth either way, so that what
/// failed together does not come again together.
#[must_use]
pub fn next(attempt: u32, now: Timestamp, outcome: &Outcome, rng: &dyn Rng) -> Next {
    let asked = match outcome {
        Outcome::Delivered { .. } => return Next::Delivered,
        Outcome::Gone { .. } => return Next::Disable,
        Outcome::Unsigned => return Next::Failed,
        Outcome::Refused { retry_after, .. } => *retry_after,
        Outcome::Unreachable(_) | Outcome::TimedOut | Outcome::Forbidden(_) => None,
    };
    let gap = usize::try_from(attempt.saturating_sub(1)).ok().and_then(|index| GAPS.get(index));
    let Some(gap) = gap else { return Next::Failed };
    let planned = now.plus(vary(*gap, rng));
    let asked = asked.map_or(planned, |asked| asked.moment(now).min(now.plus(LONGEST_ASKED)));
    Next::Retry(planned.max(asked))
}

/// 90 % to 110 % of `gap`.
fn vary(gap: Duration, rng: &dyn Rng) -> Duration {
    let mut bytes = [0; 4];
    rng.fill(&mut bytes);
    let thousandths = 900 + u32::from_le_bytes(bytes) % 201;
    gap * thousandths / 1000
}

#[cfg(test)]
mod tests {
    use countersign_model::SeededRng;

    use super::*;
    use crate::guard::Forbidden;
    use crate::networks::Network;
    use crate::outcome::Unreachable;
    use crate::retry_after::RetryAfter;

    const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_000);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// Always the same word.
    struct Fixed(u32);

    impl Rng for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.copy_from_slice(&self.0.to_le_bytes());
        }
    }

    const EVEN: Fixed = Fixed(100);

    fn refused(status: u16, retry_after: Option<RetryAfter>) -> Outcome {
        Outcome::Refused { status, retry_after, response: String::new() }
    }

    fn gap(attempt: u32, outcome: &Outcome, rng: &dyn Rng) -> Duration {
        match next(attempt, NOW, outcome, rng) {
            Next::Retry(at) => at.since(NOW),
            other @ (Next::Delivered | Next::Failed | Next::Disable) => panic!("attempt {attempt}: {other:?}"),
        }
    }

    #[test]
    fn the_attempts_follow_the_table_and_then_the_delivery_has_failed() {
        let seconds: Vec<_> = (1..ATTEMPTS).map(|attempt| gap(attempt, &Outcome::TimedOut, &EVEN).as_secs()).collect();
        assert_eq!(seconds, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
        assert_eq!(seconds.iter().sum::<u64>(), 75 * 3600 + 35 * 60 + 5);
        for attempt in [ATTEMPTS, ATTEMPTS + 1, u32::MAX] {
            assert_eq!(next(attempt, NOW, &Outcome::TimedOut, &EVEN), Next::Failed, "{attempt}");
        }
    }

    #[test]
    fn a_gap_varies_by_a_tenth_at_most_and_reaches_both_ends() {
        assert_eq!(gap(2, &Outcome::TimedOut, &Fixed(0)), Duration::from_secs(270));
        assert_eq!(gap(2, &Outcome::TimedOut, &Fixed(200)), Duration::from_secs(330));
        let rng = SeededRng::new(7);
        for _ in 0..1000 {
            let gap = gap(2, &Outcome::TimedOut, &rng);
            assert!((270..=330).contains(&gap.as_secs()), "{gap:?}");
        }
    }

    #[test]
    fn every_failure_is_tried_again_but_that_of_an_endpoint_that_is_gone() {
        let failures = [
            refused(301, None),
            refused(400, None),
            refused(500, None),
            Outcome::TimedOut,
            Outcome::Unreachable(Unreachable::Name),
            Outcome::Forbidden(Forbidden::Address(Network::Private)),
        ];
        for outcome in failures {
            assert_eq!(gap(1, &outcome, &EVEN), Duration::from_secs(5), "{outcome}");
        }
        assert_eq!(next(1, NOW, &Outcome::Gone { response: String::new() }, &EVEN), Next::Disable);
        assert_eq!(next(1, NOW, &Outcome::Unsigned, &EVEN), Next::Failed);
        assert_eq!(next(1, NOW, &Outcome::Delivered { status: 204 }, &EVEN), Next::Delivered);
    }

    #[test]
    fn a_receiver_that_asks_for_time_gets_it_but_a_day_at_most() {
        let delay = |seconds| Some(RetryAfter::Delay(Duration::from_secs(seconds)));
        assert_eq!(gap(1, &refused(429, delay(60)), &EVEN), Duration::from_secs(60));
        assert_eq!(gap(1, &refused(503, Some(RetryAfter::At(NOW.plus(minutes(7))))), &EVEN), minutes(7));
        assert_eq!(gap(1, &refused(429, delay(u64::MAX)), &EVEN), DAY);
        assert_eq!(gap(1, &refused(429, Some(RetryAfter::At(NOW.plus(DAY * 30)))), &EVEN), DAY);
    }

    #[test]
    fn asking_for_less_than_the_table_or_for_the_past_changes_nothing() {
        assert_eq!(gap(2, &refused(429, Some(RetryAfter::Delay(Duration::from_secs(1)))), &EVEN), minutes(5));
        assert_eq!(gap(2, &refused(429, Some(RetryAfter::At(NOW.minus(DAY)))), &EVEN), minutes(5));
        assert_eq!(gap(9, &refused(429, Some(RetryAfter::Delay(DAY))), &Fixed(200)), DAY * 11 / 10);
    }

    #[test]
    fn asking_for_time_gives_no_further_attempt() {
        assert_eq!(next(ATTEMPTS, NOW, &refused(429, Some(RetryAfter::Delay(DAY))), &EVEN), Next::Failed);
    }
}
