use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{EndpointId, KeyKind, TenantId, Timestamp};

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

/// Whose spelling an endpoint expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookFormat {
    /// Ours: Standard Webhooks 1.0.
    #[default]
    Native,
    /// K-OTP's: the OTP object at each turn of its life.
    Kotp,
    /// GetOTP's: delivery reports of what was opened in that dialect.
    GetOtp,
}

/// The text names no format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a format that endpoints can have: native, kotp or getotp")]
pub struct UnknownFormat;

impl WebhookFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Native, Self::Kotp, Self::GetOtp];

    /// The word in records and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Kotp => "kotp",
            Self::GetOtp => "getotp",
        }
    }

    /// Whether the format has a word for `event`. Of an event it has none for, its endpoints hear nothing.
    #[must_use]
    pub const fn says(self, event: WebhookEvent) -> bool {
        match self {
            Self::Native => true,
            Self::Kotp => matches!(
                event,
                WebhookEvent::MessageSent
                    | WebhookEvent::MessageDelivered
                    | WebhookEvent::MessageFailed
                    | WebhookEvent::SessionVerified
                    | WebhookEvent::SessionExpired
                    | WebhookEvent::SessionLocked
                    | WebhookEvent::Test
            ),
            Self::GetOtp => matches!(
                event,
                WebhookEvent::MessageDelivered | WebhookEvent::MessageFailed | WebhookEvent::SessionExpired | WebhookEvent::Test
            ),
        }
    }
}

impl fmt::Display for WebhookFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for WebhookFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or(UnknownFormat)
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
    /// How what is posted to it is spelt and signed.
    #[serde(default)]
    pub format: WebhookFormat,
    /// For people.
    pub description: String,
    /// What it hears of; empty: everything that its format has a word for.
    pub events: Vec<WebhookEvent>,
    /// Only what came of calls with such keys; none: with any.
    #[serde(default)]
    pub keys: Option<KeyKind>,
    /// Why nothing is posted to it any more, if so: `operator`, `gone` (it answered 410).
    pub disabled: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody last changed it.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
}

impl WebhookEndpoint {
    /// Whether it may hear of what came of a call with a key of this kind; none: of nothing that a key did.
    #[must_use]
    pub fn hears_of(&self, keys: Option<KeyKind>) -> bool {
        self.keys.is_none() || self.keys == keys
    }

    /// Whether it wants to hear of `event`.
    #[must_use]
    pub fn wants(&self, event: WebhookEvent) -> bool {
        self.disabled.is_none() && self.format.says(event) && (self.events.is_empty() || self.events.contains(&event))
    }
}
