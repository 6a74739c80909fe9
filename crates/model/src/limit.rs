use std::time::Duration;

use serde::{Deserialize, Serialize};

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
        }
    }
}
