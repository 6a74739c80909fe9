use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Flaw, Timestamp};

/// At most `max` in any stretch of `window`: exact, never more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// How many are let through.
    pub max: u32,
    /// The length of the stretch.
    pub window: Duration,
}

/// Which limit refused a call: what `details.limit` of a reply says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitName {
    /// Calls of one API key.
    CallsPerKey,
    /// Failed authentications of one peer address.
    FailedAuthentication,
    /// Sends to one user.
    SendsPerUser,
    /// Sessions of one user that are still open.
    ActivePerUser,
    /// Sends asked for by one end-user address.
    SendsPerIp,
    /// A resend before its time.
    ResendAfter,
    /// Sends to one recipient.
    SendsPerRecipient,
    /// Codes that were checked without saying whose they are, and that opened nothing.
    CodeMisses,
}

impl LimitName {
    /// The word used in replies and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CallsPerKey => "calls_per_key",
            Self::FailedAuthentication => "failed_authentication",
            Self::SendsPerUser => "sends_per_user",
            Self::ActivePerUser => "active_per_user",
            Self::SendsPerIp => "sends_per_ip",
            Self::ResendAfter => "resend_after",
            Self::SendsPerRecipient => "sends_per_recipient",
            Self::CodeMisses => "code_misses",
        }
    }
}

/// How many calls a key has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The rule.
    pub limit: Limit,
    /// Calls left.
    pub remaining: u32,
    /// How long until more are left than now.
    pub resets_in: Duration,
    /// When that is.
    pub resets_at: Timestamp,
}

/// Limits that a tenant or a service has of its own; what is left open, the wider rule decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitRules {
    /// Calls of one API key. A tenant's alone: a service has no keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_key: Option<LimitRule>,
    /// Sends to one user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sends_per_user: Option<LimitRule>,
    /// Open sessions of one user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_per_user: Option<u32>,
    /// Sends asked for by one end-user address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sends_per_ip: Option<LimitRule>,
    /// Sends to one recipient, in the dialects that count by recipients and not by users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sends_per_recipient: Option<LimitRule>,
    /// Wrong codes that were checked without saying whose they are. A tenant's alone: what opens nothing has no service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_misses: Option<LimitRule>,
}

/// A limit as people write it: whole seconds, at most a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitRule {
    /// How many are let through, at least one.
    pub max: u32,
    /// In any stretch of so many seconds, 1 to 86,400.
    pub seconds: u32,
}

impl LimitRules {
    /// Everything that is out of range.
    #[must_use]
    pub fn check(&self) -> Vec<Flaw> {
        let rules = [
            ("calls_per_key", self.calls_per_key),
            ("sends_per_user", self.sends_per_user),
            ("sends_per_ip", self.sends_per_ip),
            ("sends_per_recipient", self.sends_per_recipient),
            ("code_misses", self.code_misses),
        ];
        let rules = rules.into_iter().filter_map(|(name, rule)| Some((name, rule?)));
        let mut found: Vec<Flaw> =
            rules.flat_map(|(name, rule)| rule.check().into_iter().map(move |flaw| flaw.under(name))).collect();
        if self.active_per_user == Some(0) {
            found.push(Flaw::new("active_per_user", "must be at least 1, else no session can be opened"));
        }
        found
    }
}

impl LimitRule {
    /// What a store keeps of a count.
    const MAX_SECONDS: u32 = 86_400;

    /// Everything that is out of range.
    #[must_use]
    pub fn check(&self) -> Vec<Flaw> {
        let mut found = Vec::new();
        if self.max == 0 {
            found.push(Flaw::new("max", "must be at least 1"));
        }
        if !(1..=Self::MAX_SECONDS).contains(&self.seconds) {
            found.push(Flaw::new("seconds", "must be 1 to 86400"));
        }
        found
    }
}

impl From<LimitRule> for Limit {
    fn from(rule: LimitRule) -> Self {
        Self { max: rule.max, window: Duration::from_secs(rule.seconds.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_lets_nothing_through_or_looks_back_too_far_is_told() {
        let rules = LimitRules {
            calls_per_key: Some(LimitRule { max: 1, seconds: 86_400 }),
            sends_per_user: Some(LimitRule { max: 0, seconds: 0 }),
            sends_per_ip: Some(LimitRule { max: 1, seconds: 86_401 }),
            active_per_user: Some(0),
            ..LimitRules::default()
        };
        let found: Vec<_> = rules.check().into_iter().map(|flaw| flaw.field).collect();
        assert_eq!(found, ["sends_per_user.max", "sends_per_user.seconds", "sends_per_ip.seconds", "active_per_user"]);
        assert_eq!(LimitRules::default().check(), Vec::new());
    }
}
