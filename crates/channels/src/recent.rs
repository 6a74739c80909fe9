//! Whether what was signed was signed just now.

use std::time::Duration;

use countersign_model::Timestamp;

/// How far a signed time may lie from ours, in either direction: what the Standard Webhooks allow.
const WINDOW: Duration = Duration::from_secs(300);

/// Whether `text`, a signed time in whole seconds since 1970, is of these minutes. Only digits are taken: what else a parser would let through
/// could be moved about between the parts of a signed text.
pub(crate) fn is_recent(text: &str, now: Timestamp) -> bool {
    let is_plain = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(seconds) = is_plain.then(|| text.parse::<i64>().ok()).flatten() else { return false };
    let signed = Timestamp::from_millis(seconds * 1000);
    now.since(signed) <= WINDOW && signed.since(now) <= WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_time_is_taken_for_five_minutes_on_either_side() {
        let now = Timestamp::from_millis(1_768_473_900_000);
        for recent in ["1768473900", "1768474200", "1768473600"] {
            assert!(is_recent(recent, now), "{recent}");
        }
        for not in
            ["1768474201", "1768473599", "", "+1768473900", " 1768473900", "1768473900.0", "-1", "99999999999999999999", "0"]
        {
            assert!(!is_recent(not, now), "{not}");
        }
    }
}
