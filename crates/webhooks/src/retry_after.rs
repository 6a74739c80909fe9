use std::time::{Duration, UNIX_EPOCH};

use countersign_model::Timestamp;

/// When a receiver wants to be asked again: the header `Retry-After` (RFC 9110).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// So long after its reply.
    Delay(Duration),
    /// From that moment on, by its own clock.
    At(Timestamp),
}

impl RetryAfter {
    /// From the header's value; none if it is of neither form.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            // More digits than fit are as long a time as any.
            return Some(Self::Delay(Duration::from_secs(value.parse().unwrap_or(u64::MAX))));
        }
        let since_epoch = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self::At(Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).ok()?)))
    }

    /// The moment it means to somebody who hears it at `now`.
    #[must_use]
    pub fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Delay(delay) => now.plus(delay),
            Self::At(moment) => moment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_every_form_of_date_are_understood() {
        let moment = RetryAfter::At(Timestamp::from_millis(784_111_777_000));
        assert_eq!(RetryAfter::parse("120"), Some(RetryAfter::Delay(Duration::from_secs(120))));
        assert_eq!(RetryAfter::parse(" 0 "), Some(RetryAfter::Delay(Duration::ZERO)));
        for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(RetryAfter::parse(date), Some(moment), "{date}");
        }
    }

    #[test]
    fn what_is_neither_is_not_guessed_at() {
        for value in ["", "-1", "1.5", "soon", "2026-01-15T10:45:00Z"] {
            assert_eq!(RetryAfter::parse(value), None, "{value:?}");
        }
    }

    #[test]
    fn a_number_too_large_to_count_is_for_ever_and_not_nothing() {
        let now = Timestamp::from_millis(1);
        let asked = RetryAfter::parse("99999999999999999999999").unwrap();
        assert_eq!(asked.moment(now), Timestamp::from_millis(i64::MAX));
    }
}
