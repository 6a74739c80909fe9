//! A word for every way in which a call can come to nothing. No arm is a wildcard: a new refusal does not compile until it has its word.

use std::time::Duration;

use actix_web::http::StatusCode;
use countersign_core::{About, ContactError, Refusal, RenderError, SendError, StoreError};
use countersign_model::LimitName;
use tracing::{error, warn};

use super::failure::Failure;
use super::response::send::channels_sent;
use super::words;
use crate::body::BodyError;
use crate::dialect::Edge;
use crate::fields::Faults;

/// How long callers are asked to leave a store that is away, or a call that is still running, alone.
pub(super) const SHORTLY: Duration = Duration::from_secs(1);
/// A part that the call needs is away.
pub(super) const UNAVAILABLE: &str = "Service unavailable, try again";

pub(super) fn of_edge(edge: Edge) -> Failure {
    match edge {
        Edge::NotFound => Failure::new(StatusCode::NOT_FOUND, "not_found", "Not found"),
        Edge::MethodNotAllowed { allow } => {
            let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed");
            Failure { allow: Some(allow), ..failure }
        }
        Edge::Body(error) => of_body(error),
        Edge::ReadOnly => Failure::new(StatusCode::FORBIDDEN, "forbidden", "This API key only reads"),
        Edge::Refused(refusal) => of_refusal(refusal),
        Edge::Internal => internal("a handler died"),
    }
}

fn of_body(error: BodyError) -> Failure {
    let bad = |code, message: String| Failure::new(StatusCode::BAD_REQUEST, code, message);
    match error {
        BodyError::TooLarge => Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", "Body larger than 64 KiB"),
        BodyError::MediaType => {
            let message = "Content-Type must be application/json in UTF-8, not compressed";
            Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
        }
        BodyError::Malformed(place) => bad("malformed_body", format!("Malformed body: {place}")),
        BodyError::Broken => bad("malformed_body", "Malformed body: broke off".to_owned()),
        BodyError::TooSlow => Failure::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "Body did not arrive in time"),
    }
}

pub(super) fn of_send(error: SendError) -> Failure {
    let mut faults = Faults::default();
    match error {
        SendError::UnknownService => faults.add("service_id", "unknown_service", "Unknown service"),
        SendError::LifeAboveCeiling { ceiling } => {
            let minutes = ceiling.as_secs() / 60;
            let message = format!("config.expiry_minutes must be at most {minutes} for this service");
            faults.add("config.expiry_minutes", "invalid_config", message);
        }
        SendError::FallbackAfterExpiry { channel } => {
            let message = format!("fallback {channel}: after_seconds must be shorter than the codes' life");
            faults.add("fallback", "invalid_field", message);
        }
        SendError::Recipient { channel, reason } => {
            faults.add(format!("recipients.{channel}"), "invalid_recipient", reason.to_string());
        }
        SendError::DestinationBlocked { channel } => {
            let field = format!("recipients.{channel}");
            faults.add(field, "destination_blocked", format!("Messages to this destination are blocked for {channel}"));
            return Failure { status: StatusCode::FORBIDDEN, ..Failure::from(faults) };
        }
        SendError::Message { source: RenderError::Words, .. } => return internal("a message cannot be put into words"),
        SendError::Message { source: source @ RenderError::Wording(_), .. } => return internal(&source.to_string()),
        SendError::Message { channel, source } => {
            faults.add("autofill", "invalid_field", format!("Message for {channel} cannot be worded: {source}"));
        }
        SendError::UnknownTemplate
        | SendError::TemplateWithoutCode
        | SendError::TemplateForOtherChannel { .. }
        | SendError::UnknownSender => return internal("a template or sender was refused that no native call names"),
        SendError::Refused(refusal) => return of_refusal(refusal),
    }
    faults.into()
}

pub(super) fn of_contact(error: ContactError) -> Failure {
    let mut faults = Faults::default();
    match error {
        ContactError::NotFound => return Failure::new(StatusCode::NOT_FOUND, "contact_not_found", "Contact not found"),
        ContactError::Exists { field } => {
            let field = field.as_str();
            faults.add(field, "contact_exists", format!("A contact with this {field} exists already"));
            return Failure { status: StatusCode::CONFLICT, ..Failure::from(faults) };
        }
        ContactError::NoAddress => faults.add("email", "missing_address", words::NO_ADDRESS),
        ContactError::Refused(refusal) => return of_refusal(refusal),
    }
    faults.into()
}

pub(super) fn of_refusal(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Unknown => Failure::new(StatusCode::UNAUTHORIZED, "session_not_recognised", "Session token not recognised"),
        Refusal::AlreadyVerified(about) => {
            Failure::new(StatusCode::CONFLICT, "already_verified", "Session already verified").about(about)
        }
        Refusal::Canceled(about) => Failure::new(StatusCode::GONE, "session_canceled", "Session canceled").about(about),
        Refusal::Expired(about) => Failure::new(StatusCode::GONE, "session_expired", "Session expired").about(about),
        Refusal::Locked(about) => {
            let message = "Maximum verification attempts exceeded";
            Failure::new(StatusCode::TOO_MANY_REQUESTS, "session_locked", message).about(about)
        }
        Refusal::ChannelNotFound(about) => {
            Failure::new(StatusCode::BAD_REQUEST, "channel_not_found", words::CHANNEL_NOT_FOUND).about(about)
        }
        Refusal::ChannelVerified(about) => {
            Failure::new(StatusCode::CONFLICT, "channel_verified", words::CHANNEL_VERIFIED).about(about)
        }
        Refusal::ChannelNeeded(about) => {
            let mut faults = Faults::default();
            faults.add("channel", "channel_needed", "Name the channel of the code");
            Failure::from(faults).about(about)
        }
        Refusal::NoFallback(about) => {
            Failure::new(StatusCode::CONFLICT, "no_fallback", "No fallback channel to open now").about(about)
        }
        Refusal::Limited { limit, wait, about } => limited(limit, wait).about(about),
        Refusal::RecipientBlocked { wait, about } => {
            let message = "Too many wrong codes for this recipient";
            Failure::new(StatusCode::TOO_MANY_REQUESTS, "recipient_blocked", message).after(wait).about(about)
        }
        Refusal::SlotTaken { .. } => internal("a slot was taken that no native session holds"),
        Refusal::NothingSent(sent) => {
            let mut failure = Failure::new(StatusCode::BAD_GATEWAY, "all_channels_failed", "All channels failed");
            failure.details.channels_sent = Some(channels_sent(&sent));
            failure.about(About::of(&sent.session))
        }
        Refusal::IdempotencyRunning => {
            let message = "A call with this Idempotency-Key is still running";
            Failure::new(StatusCode::CONFLICT, "idempotency_running", message).after(SHORTLY)
        }
        Refusal::IdempotencyMismatch => {
            let message = "Idempotency-Key was used with another body";
            Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_mismatch", message)
        }
        Refusal::Unavailable(failure) => of_store(&failure),
        Refusal::KeyRevoked => invalid_key(),
        Refusal::TooManyCalls { wait } => limited(LimitName::CallsPerKey, wait),
        Refusal::InsufficientBalance(about) => {
            Failure::new(StatusCode::PAYMENT_REQUIRED, "insufficient_balance", "Insufficient balance").about(about)
        }
        Refusal::Unsettled => Failure::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", UNAVAILABLE).after(SHORTLY),
        Refusal::RecordsAway(failure) => {
            warn!(%failure, "a call could not be served");
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", UNAVAILABLE).after(SHORTLY)
        }
        Refusal::Internal(what) => internal(what),
    }
}

/// The key is not taken, whatever is wrong with it.
pub(super) fn invalid_key() -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, "invalid_api_key", "Invalid API key")
}

fn of_store(failure: &StoreError) -> Failure {
    match failure {
        StoreError::Unavailable(_) => {
            warn!(%failure, "a call could not be served");
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", UNAVAILABLE).after(SHORTLY)
        }
        StoreError::Unreadable(_) => internal(&failure.to_string()),
    }
}

/// A limit is used up.
pub(super) fn limited(limit: LimitName, wait: Duration) -> Failure {
    let mut failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Rate limit exceeded").after(wait);
    failure.details.limit = Some(limit.as_str());
    failure
}

/// A defect. The log hears what it was; the caller only that it was one.
pub(super) fn internal(what: &str) -> Failure {
    error!(what, "internal error");
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Internal error")
}

#[cfg(test)]
mod tests;
