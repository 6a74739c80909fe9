//! Why a call on a session came to nothing. A wrong code is not in here: it is a judgement.

use std::time::Duration;

use countersign_model::LimitName;
use countersign_session::store::StoreError;

use crate::send::Sent;

/// The one list of refusals that every dialect has to have a word for.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The token or id is malformed, forged, foreign, of the other kind of key, unknown, or past its life. One answer for all.
    #[error("no session of this caller answers to that")]
    Unknown,
    /// The session is complete.
    #[error("session already verified")]
    AlreadyVerified {
        /// Attempts that were left.
        attempts_remaining: u8,
    },
    /// The session was ended.
    #[error("session canceled")]
    Canceled {
        /// Attempts that were left.
        attempts_remaining: u8,
    },
    /// The codes are dead.
    #[error("session expired")]
    Expired {
        /// Attempts that were left.
        attempts_remaining: u8,
    },
    /// The attempts are used up.
    #[error("session locked")]
    Locked,
    /// No named channel is in the session.
    #[error("channel not in session")]
    ChannelNotFound {
        /// Attempts left.
        attempts_remaining: u8,
    },
    /// The named channels were proved before.
    #[error("channel already verified")]
    ChannelVerified {
        /// Attempts left.
        attempts_remaining: u8,
    },
    /// The guess named no channel and more than one could be meant.
    #[error("the guess names no channel")]
    ChannelNeeded {
        /// Attempts left.
        attempts_remaining: u8,
    },
    /// No fallback channel is left.
    #[error("no fallback left")]
    NoFallback,
    /// A limit is used up.
    #[error("limit {} used up", limit.as_str())]
    Limited {
        /// Which one.
        limit: LimitName,
        /// How long until one more fits.
        wait: Duration,
    },
    /// Wrong guesses at a recipient are used up.
    #[error("failure budget of the recipient used up")]
    RecipientBlocked {
        /// How long.
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
    /// A secret could not do its work, or a task died. Nothing about it is told to callers.
    #[error("internal: {0}")]
    Internal(&'static str),
}
