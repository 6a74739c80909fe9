//! What a reply says about the limit of calls, in the old form and in that of the IETF's draft.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use countersign_core::Quota;
use countersign_model::{Limit, Timestamp};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
/// In seconds since the epoch, unlike the `t` of `RateLimit`, which counts from now.
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// The limit of calls per key, in the form of the headers that never change.
#[derive(Debug)]
pub(crate) struct CallPolicy {
    limit: Limit,
    maximum: HeaderValue,
    policy: HeaderValue,
}

impl CallPolicy {
    pub(crate) fn new(limit: Limit) -> Self {
        let policy = format!("\"calls\";q={};w={}", limit.max, limit.window.as_secs());
        Self { limit, maximum: HeaderValue::from(limit.max), policy: value(policy) }
    }

    /// Tells a caller where it stands. One that was not let in has no standing: it is told the rule, untouched.
    pub(crate) fn stamp(&self, headers: &mut HeaderMap, quota: Option<&Quota>, now: Timestamp) {
        let (remaining, resets_in) =
            quota.map_or((self.limit.max, self.limit.window), |quota| (quota.remaining, quota.resets_in));
        let resets_at = quota.map_or_else(|| now.plus(resets_in), |quota| quota.resets_at);
        // A tenant may have a rule of its own.
        if let Some(quota) = quota.filter(|quota| quota.limit != self.limit) {
            let own = Self::new(quota.limit);
            headers.insert(LIMIT, own.maximum);
            headers.insert(POLICY, own.policy);
        } else {
            headers.insert(LIMIT, self.maximum.clone());
            headers.insert(POLICY, self.policy.clone());
        }
        headers.insert(REMAINING, HeaderValue::from(remaining));
        headers.insert(RESET, HeaderValue::from(resets_at.plus(Duration::from_millis(999)).seconds()));
        headers.insert(STATE, value(format!("\"calls\";r={remaining};t={}", whole_seconds(resets_in))));
    }
}

/// Tells when another try makes sense: in whole seconds, never too early, at least one.
pub fn retry_after(headers: &mut HeaderMap, wait: Duration) {
    headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait).max(1)));
}

fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

/// Text that was put together here, of visible ASCII.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(quota: Option<&Quota>) -> Vec<String> {
        let limit = Limit { max: 1000, window: Duration::from_secs(60) };
        let mut headers = HeaderMap::new();
        CallPolicy::new(limit).stamp(&mut headers, quota, Timestamp::from_millis(1_000_000));
        [LIMIT, REMAINING, RESET, POLICY, STATE]
            .iter()
            .map(|name| headers.get(name).unwrap().to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_caller_is_told_what_is_left_and_until_when() {
        let limit = Limit { max: 1000, window: Duration::from_secs(60) };
        let resets_in = Duration::from_millis(29_400);
        let quota = Quota { limit, remaining: 999, resets_in, resets_at: Timestamp::from_millis(1_029_400) };
        assert_eq!(shown(Some(&quota)), ["1000", "999", "1030", "\"calls\";q=1000;w=60", "\"calls\";r=999;t=30"]);
    }

    #[test]
    fn a_caller_who_was_not_let_in_is_told_the_rule() {
        assert_eq!(shown(None), ["1000", "1000", "1060", "\"calls\";q=1000;w=60", "\"calls\";r=1000;t=60"]);
    }

    #[test]
    fn a_wait_is_rounded_up_and_never_nothing() {
        for (wait, told) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (86_400_000, "86400")] {
            let mut headers = HeaderMap::new();
            retry_after(&mut headers, Duration::from_millis(wait));
            assert_eq!(headers.get(RETRY_AFTER).unwrap(), told);
        }
    }
}
