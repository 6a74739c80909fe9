//! What happened, in the words of the log. One entry a step, one or more events an entry.

use serde::{Deserialize, Serialize};

use std::fmt;
use std::time::Duration;

use crate::{
    Channel, Dialect, FailureReason, MessageId, Mode, Money, Partition, ProviderName, Recipient, Scope, ServiceId, SessionId,
    TenantId, Timestamp, Undelivered, VerificationMode,
};

/// What an entry of the log is about: the thing whose events are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Aggregate {
    /// One proof of control.
    Session(SessionId),
    /// A tenant's balance.
    Account(TenantId),
}

/// Names one event for ever: its aggregate and its number there. Written `evt_<ULID>_<number>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// What it happened to.
    pub of: Aggregate,
    /// Which of its events.
    pub number: u32,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.of {
            Aggregate::Session(id) => id.to_string(),
            Aggregate::Account(id) => id.to_string(),
        };
        let ulid = name.split_once('_').map_or(name.as_str(), |(_, ulid)| ulid);
        write!(f, "evt_{ulid}_{}", self.number)
    }
}

/// What one step caused. Appended in the same transaction as the step itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Where in the log: rises, without being dense. Zero until appended.
    pub sequence: u64,
    /// The tenant's partition: entries of one partition are read in order.
    pub partition: Partition,
    /// When the step was taken.
    pub at: Timestamp,
    /// Whose.
    pub scope: Scope,
    /// Live or sandbox.
    pub mode: Mode,
    /// What it happened to.
    pub of: Aggregate,
    /// What happened, in order; never empty.
    pub events: Vec<Event>,
}

/// One fact. Aggregate and number together name it for ever: see [`EventId`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counts from 1 in each aggregate, without gaps.
    pub number: u32,
    /// What happened.
    pub kind: EventKind,
}

/// The facts. None holds a code, a digest or a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// A session was opened.
    SessionCreated(Box<SessionFacts>),
    /// New codes were made.
    SessionResent {
        /// The new messages.
        messages: Vec<(MessageId, Channel)>,
        /// When the newest codes die.
        expires_at: Timestamp,
    },
    /// The next fallback channel was opened.
    FallbackStarted {
        /// Its message.
        message: MessageId,
        /// Which channel.
        channel: Channel,
    },
    /// The session is complete.
    SessionVerified {
        /// The channels that proved it.
        channels: Vec<Channel>,
    },
    /// The codes died before the session was complete.
    SessionExpired,
    /// The last allowed attempt was wrong.
    SessionLocked,
    /// The caller ended it.
    SessionCanceled,
    /// No message went out and none is left to try.
    SessionFailed,
    /// A right code for a channel.
    ChannelVerified {
        /// Which channel.
        channel: Channel,
    },
    /// A call with a wrong guess.
    GuessRefused {
        /// Attempts left after it.
        attempts_remaining: u8,
    },
    /// A provider took a message.
    MessageSent {
        /// Which message.
        message: MessageId,
        /// On which channel.
        channel: Channel,
        /// Who took it.
        provider: ProviderName,
        /// Its name there.
        provider_id: Option<String>,
    },
    /// A message may or may not have gone out.
    MessageUnclear {
        /// Which message.
        message: MessageId,
        /// On which channel.
        channel: Channel,
        /// Who may have it.
        provider: Option<ProviderName>,
    },
    /// A message did not go out.
    MessageFailed {
        /// Which message.
        message: MessageId,
        /// On which channel.
        channel: Channel,
        /// Why.
        reason: FailureReason,
    },
    /// Too many wrong guesses without a success: nothing is sent to or verified for this recipient until then.
    RecipientBlocked {
        /// On which channel it was reached.
        channel: Channel,
        /// When the block ends by itself.
        until: Timestamp,
    },
    /// The first channel of a session with `add_contact` verified.
    ContactDue {
        /// The channel that verified: its recipient stands in the session's facts.
        channel: Channel,
    },
    /// An amount left the balance for good.
    Captured {
        /// The message it was for; none: the verification fee.
        message: Option<MessageId>,
        /// How much.
        amount: Money,
    },
    /// What is left fell below the tenant's mark.
    BalanceLow {
        /// What is left beside what is held.
        available: Money,
    },
    /// The balance as the hot plane has it, for comparison with the ledger.
    BalanceCut {
        /// Credits less captures.
        balance: Money,
        /// The part of it that is held for messages on their way.
        held: Money,
        /// How many credits are in it.
        credits: u64,
    },
    /// A notice was opened: a message without a code, whose session is closed from the first.
    NoticeOpened(Box<SessionFacts>),
    /// A receipt says that a message arrived.
    MessageDelivered {
        /// Which message.
        message: MessageId,
        /// On which channel.
        channel: Channel,
        /// When, by the provider's clock; none: it does not say.
        at: Option<Timestamp>,
        /// Who carried it the last mile, where the provider says so.
        carrier: Option<String>,
    },
    /// A receipt says that a message did not arrive and will not.
    MessageUndelivered {
        /// Which message.
        message: MessageId,
        /// On which channel.
        channel: Channel,
        /// Why.
        reason: Undelivered,
    },
    /// A channel got a new message, through another provider: the last one did not arrive, or nobody said that it did.
    RetryStarted {
        /// The new message.
        message: MessageId,
        /// On which channel.
        channel: Channel,
    },
    /// A send that wants a contact named the language of its messages: the contact's, too.
    LocaleNamed {
        /// A BCP 47 tag.
        locale: String,
    },
}

/// What a session was opened with, as far as records keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFacts {
    /// The wire it was opened in.
    pub dialect: Dialect,
    /// The profile it was opened under.
    pub service: Option<ServiceId>,
    /// Its purpose.
    pub purpose: String,
    /// The caller's JSON object, as text.
    pub metadata: String,
    /// What completes it.
    pub verification_mode: VerificationMode,
    /// Calls with a wrong guess before it locks.
    pub max_attempts: u8,
    /// How long its codes live, from the entry's moment.
    pub life: Duration,
    /// A contact is wanted when the first channel verifies.
    pub add_contact: bool,
    /// The messages of the send.
    pub messages: Vec<(MessageId, Channel)>,
    /// Who is asked on which channel: at once or, behind those, as a fallback.
    pub recipients: Vec<(Channel, Recipient)>,
}

impl EventKind {
    /// The event's name for subscribers and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SessionCreated(_) => "session.created",
            Self::SessionResent { .. } => "session.resent",
            Self::FallbackStarted { .. } => "session.fallback",
            Self::SessionVerified { .. } => "session.verified",
            Self::SessionExpired => "session.expired",
            Self::SessionLocked => "session.locked",
            Self::SessionCanceled => "session.canceled",
            Self::SessionFailed => "session.failed",
            Self::ChannelVerified { .. } => "channel.verified",
            Self::GuessRefused { .. } => "guess.refused",
            Self::MessageSent { .. } => "message.sent",
            Self::MessageUnclear { .. } => "message.unclear",
            Self::MessageFailed { .. } => "message.failed",
            Self::RecipientBlocked { .. } => "recipient.blocked",
            Self::ContactDue { .. } => "contact.due",
            Self::Captured { .. } => "wallet.captured",
            Self::BalanceLow { .. } => "wallet.low",
            Self::BalanceCut { .. } => "wallet.cut",
            Self::NoticeOpened(_) => "notice.opened",
            Self::MessageDelivered { .. } => "message.delivered",
            Self::MessageUndelivered { .. } => "message.undelivered",
            Self::RetryStarted { .. } => "session.retry",
            Self::LocaleNamed { .. } => "session.locale",
        }
    }
}
