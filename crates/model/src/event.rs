//! What happened, in the words of the log. One entry a step, one or more events an entry.

use serde::{Deserialize, Serialize};

use crate::{
    Channel, FailureReason, MessageId, Mode, Partition, ProviderName, Recipient, Scope, ServiceId, SessionId, Timestamp,
};

/// What one step on one session caused. Appended in the same transaction as the step itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Where in the log: rises, without being dense. Zero until appended.
    pub sequence: u64,
    /// The session's partition: entries of one partition are read in order.
    pub partition: Partition,
    /// When the step was taken.
    pub at: Timestamp,
    /// Whose session.
    pub scope: Scope,
    /// Live or sandbox.
    pub mode: Mode,
    /// Which session.
    pub session: SessionId,
    /// What happened, in order; never empty.
    pub events: Vec<Event>,
}

/// One fact of a session. Session id and number together name it for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counts from 1 in each session, without gaps.
    pub number: u32,
    /// What happened.
    pub kind: EventKind,
}

/// The facts. None holds a code, a digest or a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// A session was opened.
    SessionCreated {
        /// The profile it was opened under.
        service: Option<ServiceId>,
        /// Its purpose.
        purpose: String,
        /// Who is asked, and how.
        recipients: Vec<(Channel, Recipient)>,
        /// A contact is wanted when the first channel verifies.
        add_contact: bool,
    },
    /// New codes were made for these channels.
    SessionResent {
        /// Which channels.
        channels: Vec<Channel>,
    },
    /// The next fallback channel was opened.
    FallbackStarted {
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
        /// The channel that verified.
        channel: Channel,
        /// The address it proved.
        recipient: Recipient,
    },
}

impl EventKind {
    /// The event's name for subscribers and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SessionCreated { .. } => "session.created",
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
        }
    }
}
