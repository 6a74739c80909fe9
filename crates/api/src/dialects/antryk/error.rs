//! A word for every way in which a call can come to nothing. No arm is a wildcard: a new refusal does not compile until it has its word.

use countersign_core::{About, PostError, Refusal, SendError};
use countersign_model::Mode;
use tracing::{error, warn};

use super::failure::{Failure, Word};
use crate::body::BodyError;
use crate::dialect::Edge;

pub(super) fn of_edge(edge: Edge) -> Failure {
    match edge {
        Edge::NotFound => Word::NotFound.into(),
        Edge::MethodNotAllowed { allow } => Failure::from(Word::MethodNotAllowed).allowing(allow),
        Edge::Body(BodyError::TooLarge) => Word::PayloadTooLarge.into(),
        Edge::Body(BodyError::MediaType) => Word::UnsupportedMediaType.into(),
        Edge::Body(BodyError::Malformed(_) | BodyError::Broken) => Word::MalformedRequest.into(),
        Edge::Body(BodyError::TooSlow) => Word::RequestTimeout.into(),
        Edge::ReadOnly => Word::Forbidden.into(),
        Edge::Refused(refusal) => of_refusal(refusal, Mode::Live),
        Edge::Internal => internal("a handler died"),
    }
}

/// `mode`: which codes the caller sees.
pub(super) fn of_send(error: SendError, mode: Mode) -> Failure {
    match error {
        SendError::UnknownService => Word::InvalidRequest.into(),
        SendError::LifeAboveCeiling { ceiling } => {
            warn!(
                ceiling_s = ceiling.as_secs(),
                "a service allows no life as long as this dialect's codes have: set its life_minutes"
            );
            Word::InvalidRequest.into()
        }
        SendError::Recipient { .. } | SendError::DestinationBlocked { .. } => Word::InvalidRecipient.into(),
        SendError::Message { source, .. } => internal(&format!("a message cannot be put into words: {source}")),
        SendError::FallbackAfterExpiry { .. }
        | SendError::UnknownTemplate
        | SendError::TemplateWithoutCode
        | SendError::TemplateForOtherChannel { .. }
        | SendError::UnknownSender => internal("a send was refused for what it did not ask"),
        SendError::Refused(refusal) => of_refusal(refusal, mode),
    }
}

/// `mode`: that of the caller's messages.
pub(super) fn of_post(error: PostError, mode: Mode) -> Failure {
    match error {
        PostError::UnknownService => Word::InvalidRequest.into(),
        PostError::Recipient(_) | PostError::DestinationBlocked => Word::InvalidRecipient.into(),
        PostError::NothingSent => Failure::from(Word::ProviderUnavailable).of_sandbox(mode == Mode::Sandbox),
        PostError::Refused(refusal) => of_refusal(refusal, mode),
    }
}

/// `mode`: which codes the caller sees.
pub(super) fn of_refusal(refusal: Refusal, mode: Mode) -> Failure {
    let of_code = |word: Word, mode| Failure::from(word).of_sandbox(mode == Mode::Sandbox);
    match refusal {
        // A code that was used is as little there as one that never was.
        Refusal::Unknown | Refusal::AlreadyVerified(_) | Refusal::Canceled(_) => Word::OtpNotFound.into(),
        Refusal::Expired(About { mode, .. }) => of_code(Word::OtpExpired, mode),
        Refusal::Locked(About { mode, expires_at, .. }) => of_code(Word::RateLimited, mode).at(expires_at),
        Refusal::SlotTaken { wait } => of_code(Word::OtpPending, mode).after(wait),
        Refusal::Limited { wait, .. } | Refusal::RecipientBlocked { wait, .. } => of_code(Word::RateLimited, mode).after(wait),
        Refusal::NothingSent(_) => of_code(Word::ProviderUnavailable, mode),
        Refusal::InsufficientBalance(_) => Word::InsufficientBalance.into(),
        Refusal::KeyRevoked => Word::InvalidCredentials.into(),
        Refusal::TooManyCalls { wait } => Failure::from(Word::RateLimited).after(wait),
        Refusal::Unsettled => Failure::away(),
        Refusal::Unavailable(failure) => {
            warn!(%failure, "a call could not be served");
            Failure::away()
        }
        Refusal::RecordsAway(failure) => {
            warn!(%failure, "a call could not be served");
            Failure::away()
        }
        Refusal::Internal(what) => internal(what),
        Refusal::ChannelNotFound(_)
        | Refusal::ChannelVerified(_)
        | Refusal::ChannelNeeded(_)
        | Refusal::NoFallback(_)
        | Refusal::IdempotencyRunning
        | Refusal::IdempotencyMismatch => internal("a call was refused for what it did not ask"),
    }
}

pub(super) fn internal(what: &str) -> Failure {
    error!(what, "internal error");
    Word::InternalError.into()
}
