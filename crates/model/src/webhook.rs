use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{EndpointId, TenantId, Timestamp};

/// What subscribers can hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WebhookEvent {
    /// A session was opened.
    #[serde(rename = "session.created")]
    SessionCreated,
    /// A session is complete.
    #[serde(rename = "session.verified")]
    SessionVerified,
    /// A session's codes died first.
    #[serde(rename = "session.expired")]
    SessionExpired,
    /// A session's attempts are used up.
    #[serde(rename = "session.locked")]
    SessionLocked,
    /// A session was ended by its caller.
    #[serde(rename = "session.canceled")]
    SessionCanceled,
    /// A provider took a message.
    #[serde(rename = "message.sent")]
    MessageSent,
    /// A message arrived.
    #[serde(rename = "message.delivered")]
    MessageDelivered,
    /// A message did not go out, or did not arrive.
    #[serde(rename = "message.failed")]
    MessageFailed,
    /// A contact was made.
    #[serde(rename = "contact.created")]
    ContactCreated,
    /// The balance fell below the tenant's mark.
    #[serde(rename = "wallet.low")]
    WalletLow,
    /// Only ever sent on request, to try an endpoint.
    #[serde(rename = "webhook.test")]
    Test,
}

/// The text names no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an event that endpoints can subscribe to")]
pub struct UnknownEvent;

impl WebhookEvent {
    /// What an endpoint can subscribe to.
    pub const ALL: [Self; 10] = [
        Self::SessionCreated,
        Self::SessionVerified,
        Self::SessionExpired,
        Self::SessionLocked,
        Self::SessionCanceled,
        Self::MessageSent,
        Self::MessageDelivered,
        Self::MessageFailed,
        Self::ContactCreated,
        Self::WalletLow,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionCreated => "session.created",
            Self::SessionVerified => "session.verified",
            Self::SessionExpired => "session.expired",
            Self::SessionLocked => "session.locked",
            Self::SessionCanceled => "session.canceled",
            Self::MessageSent => "message.sent",
            Self::MessageDelivered => "message.delivered",
            Self::MessageFailed => "message.failed",
            Self::ContactCreated => "contact.created",
            Self::WalletLow => "wallet.low",
            Self::Test => "webhook.test",
        }
    }
}

impl fmt::Display for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for WebhookEvent {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().chain([Self::Test]).find(|event| event.as_str() == text).ok_or(UnknownEvent)
    }
}

/// Where a tenant's events are posted to. Its secrets are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEndpoint {
    /// Its id.
    pub id: EndpointId,
    /// Whose it is.
    pub tenant: TenantId,
    /// An `https` address, or `http` where the configuration allows that.
    pub url: String,
    /// For people.
    pub description: String,
    /// What it hears of; empty: everything.
    pub events: Vec<WebhookEvent>,
    /// Why nothing is posted to it any more, if so: `operator`, `gone` (it answered 410).
    pub disabled: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl WebhookEndpoint {
    /// Whether it wants to hear of `event`.
    #[must_use]
    pub fn wants(&self, event: WebhookEvent) -> bool {
        self.disabled.is_none() && (self.events.is_empty() || self.events.contains(&event))
    }
}
