//! Why a call on a session came to nothing. A wrong code is not in here: it is a judgement.

use std::time::Duration;

use countersign_model::{LimitName, Mode, Timestamp};
use countersign_session::Session;
use countersign_session::store::StoreError;

use crate::send::Sent;

/// What a refusal tells of a session that the caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Live or sandbox.
    pub mode: Mode,
    /// Calls with a wrong guess that it would still hear.
    pub attempts_remaining: u8,
    /// When its newest codes die.
    pub expires_at: Timestamp,
}

impl About {
    /// Of a session as it stands.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        Self { mode: session.mode(), attempts_remaining: session.attempts_remaining(), expires_at: session.expires_at() }
    }
}

/// The one list of refusals that every dialect has to have a word for.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The token or id is malformed, forged, foreign, of the other kind of key, unknown, or past its life. One answer for all.
    #[error("no session of this caller answers to that")]
    Unknown,
    /// The session is complete.
    #[error("session already verified")]
    AlreadyVerified(About),
    /// The session was ended.
    #[error("session canceled")]
    Canceled(About),
    /// The codes are dead.
    #[error("session expired")]
    Expired(About),
    /// The attempts are used up.
    #[error("session locked")]
    Locked(About),
    /// No named channel is in the session.
    #[error("channel not in session")]
    ChannelNotFound(About),
    /// The named channels were proved before.
    #[error("channel already verified")]
    ChannelVerified(About),
    /// The guess named no channel and more than one could be meant.
    #[error("the guess names no channel")]
    ChannelNeeded(About),
    /// No fallback channel is left.
    #[error("no fallback left")]
    NoFallback(About),
    /// A limit is used up.
    #[error("limit {} used up", limit.as_str())]
    Limited {
        /// Which one.
        limit: LimitName,
        /// How long until one more fits.
        wait: Duration,
        /// The session, when the call named one.
        about: Option<About>,
    },
    /// Wrong guesses at a recipient are used up.
    #[error("failure budget of the recipient used up")]
    RecipientBlocked {
        /// How long.
        wait: Duration,
        /// The session, when the call named one.
        about: Option<About>,
    },
    /// Another session of the same service and recipient waits for its code. Nothing was sent or counted.
    #[error("an earlier session holds the slot")]
    SlotTaken {
        /// How long until its code dies.
        wait: Duration,
    },
    /// No provider took any message.
    #[error("no message went out")]
    NothingSent(Box<Sent>),
    /// A call with the same idempotency key is still running.
    #[error("a call with this idempotency key is running")]
    IdempotencyRunning,
    /// The idempotency key was used with another body.
    #[error("the idempotency key was used with another body")]
    IdempotencyMismatch,
    /// The store is away.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// The caller's API key was revoked while the call was on its way.
    #[error("the API key was revoked")]
    KeyRevoked,
    /// The caller's API key has no call left.
    #[error("too many calls of this API key")]
    TooManyCalls {
        /// How long until one more fits.
        wait: Duration,
    },
    /// The tenant's balance does not cover the messages. Nothing was sent or counted.
    #[error("the balance does not cover it")]
    InsufficientBalance(Option<About>),
    /// The tenant's records changed again and again while the call was planned.
    #[error("the records keep changing")]
    Unsettled,
    /// The records are away.
    #[error("the records are unavailable")]
    RecordsAway(#[source] countersign_records::RecordsError),
    /// A secret could not do its work, or a task died. Nothing about it is told to callers.
    #[error("internal: {0}")]
    Internal(&'static str),
}
