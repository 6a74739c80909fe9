use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Channel, Code, Country, KeyKind, MessageId, Mode, Recipient, Reference, Scope, ServiceId, SessionId, TenantId, Timestamp,
};

/// The name an operator gave to a configured provider, such as `mail` or `sms-backup`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProviderName(Arc<str>);

impl ProviderName {
    /// Who "takes" messages to test recipients: nobody. No configured provider may have this name.
    pub const TEST_RECIPIENT: &'static str = "test_recipient";

    /// Takes the name as configured.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a message did not go out: what a caller is told, no provider's internals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The provider says for certain that this recipient gets nothing. No other provider is tried.
    Refused,
    /// Every provider asked to slow down.
    Throttled,
    /// No provider could be reached.
    Unreachable,
    /// Providers answered, none took it: wrong credentials, wrong set-up, an unknown answer, or none configured.
    ProviderUnavailable,
}

impl FailureReason {
    /// The word used on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::ProviderUnavailable => "provider_unavailable",
        }
    }
}

/// How handing a message to the providers of its channel ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attempt {
    /// Under way. Written before a byte leaves.
    Sending,
    /// A provider took it.
    Accepted {
        /// Which one.
        provider: ProviderName,
        /// Its name for the message, when it gave one; of one that went in parts their names, with spaces between them.
        provider_id: Option<String>,
    },
    /// It may have gone out: the process died, or time ran out after bytes had left. Counts as sent; never repeated by itself.
    Unclear {
        /// Which provider may have it; none when the process died.
        provider: Option<ProviderName>,
    },
    /// It did not go out.
    Failed(FailureReason),
}

impl Attempt {
    /// The word used in status replies and events.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Accepted { .. } => "accepted",
            Self::Unclear { .. } => "unclear",
            Self::Failed(reason) => reason.as_str(),
        }
    }

    /// One text for the names of a message's parts, in order: a provider's name never holds a space. Parts of one name are told by one.
    #[must_use]
    pub fn join_names(mut names: Vec<String>) -> String {
        names.dedup();
        names.join(" ")
    }

    /// The names in a `provider_id`: one for each part in which the message went.
    pub fn names(provider_id: &str) -> impl Iterator<Item = &str> {
        provider_id.split(' ')
    }

    /// Who has it, or may have it.
    #[must_use]
    pub const fn provider(&self) -> Option<&ProviderName> {
        match self {
            Self::Accepted { provider, .. } | Self::Unclear { provider: Some(provider) } => Some(provider),
            Self::Sending | Self::Unclear { provider: None } | Self::Failed(_) => None,
        }
    }
}

/// What is known of a message's way to its recipient. It only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// Not known to have been taken by a provider.
    Pending,
    /// Taken by a provider.
    Sent,
    /// A receipt says it arrived.
    Delivered,
    /// It did not go out, or a receipt says it did not arrive.
    Failed,
}

impl MessageStatus {
    /// The word used on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// How a phone or a mailbox can pick the code out by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Autofill {
    /// The web origin's host for the `@domain #code` last line.
    pub domain: Option<String>,
    /// The 11 characters that end a message for Android's SMS Retriever.
    pub app_hash: Option<String>,
}

/// What the sandbox makes of a message, so that an integrator can see each outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rehearsal {
    /// The provider refuses it for good.
    DeliveryFails,
    /// Providers answer, and none takes it.
    NobodyTakes,
    /// The provider asks to slow down.
    Throttled,
    /// No provider can be reached.
    Unreachable,
    /// It takes its time to be taken.
    Slow,
    /// Nobody knows whether it went out.
    Ambiguous,
    /// It is taken, and a receipt is waited for in vain.
    Silent,
}

/// Whose message it is and where it goes, as far as the choice of providers depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// Who sends it, with which kind of key.
    pub scope: Scope,
    /// The session that the message is of.
    pub session: SessionId,
    /// Under which profile.
    pub service: Option<ServiceId>,
    /// The country of the number; none: the recipient is a mailbox, or the number is of no country or of several.
    pub country: Option<Country>,
    /// Providers that took an earlier message of the channel in vain: they are not asked again.
    pub passed_over: Vec<ProviderName>,
}

impl Errand {
    /// Nobody's: for previews and samples, which never leave the house.
    #[must_use]
    pub const fn of_nobody() -> Self {
        Self {
            scope: Scope { tenant: TenantId::from_bits(0), keys: KeyKind::Live },
            session: SessionId::from_bits(0),
            service: None,
            country: None,
            passed_over: Vec::new(),
        }
    }

    /// Names `message` to providers.
    #[must_use]
    pub const fn reference(&self, message: MessageId) -> Reference {
        Reference { scope: self.scope, session: self.session, message }
    }
}

/// A text without a code, to one phone.
#[derive(Debug, Clone)]
pub struct OutgoingText {
    /// Its id, also handed to providers that take a reference.
    pub id: MessageId,
    /// Whose it is.
    pub errand: Errand,
    /// Live, or sandbox: selects the providers.
    pub mode: Mode,
    /// The way: one that goes to phones.
    pub channel: Channel,
    /// The person.
    pub recipient: Recipient,
    /// Whom it comes from, where the provider lets callers choose.
    pub sender: Option<String>,
    /// The name shown as the sender.
    pub app_name: String,
    /// BCP 47 tag.
    pub locale: String,
    /// What is said, word by word.
    pub text: String,
    /// What the sandbox makes of it. Providers that reach people do not look at it.
    pub rehearsal: Option<Rehearsal>,
}

/// All that rendering and routing need to get one code to one person.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Its id, also handed to providers that take a reference.
    pub id: MessageId,
    /// Whose it is.
    pub errand: Errand,
    /// Live, or sandbox: selects the providers.
    pub mode: Mode,
    /// The way.
    pub channel: Channel,
    /// The person.
    pub recipient: Recipient,
    /// Whom it comes from, where the provider lets callers choose; none: whoever the provider is set up with.
    pub sender: Option<String>,
    /// What is sent.
    pub code: Code,
    /// The name shown as the sender of the code.
    pub app_name: String,
    /// BCP 47 tag asked for.
    pub locale: String,
    /// When the code dies.
    pub expires_at: Timestamp,
    /// Its life in whole minutes, as people are told.
    pub minutes: u32,
    /// Last lines for autofill.
    pub autofill: Autofill,
    /// Whether the built-in words warn against giving the code away. A tenant's own say what they say.
    pub never_share: bool,
    /// The tenant's own words; none: the built-in ones.
    pub wording: Option<Wording>,
    /// What the sandbox makes of it. Providers that reach people do not look at it.
    pub rehearsal: Option<Rehearsal>,
}

/// A tenant's own words for one message: a template that has not been filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// The subject line; e-mail only.
    pub subject: Option<String>,
    /// The text.
    pub body: String,
}
