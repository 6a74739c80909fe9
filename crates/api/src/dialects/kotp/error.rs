//! A word for every way in which a call can come to nothing. No arm is a wildcard: a new refusal does not compile until it has its word.

use std::time::Duration;

use countersign_core::{About, AuthError, Refusal, RenderError, SendError, StoreError};
use countersign_model::{InvalidRecipient, LimitName};
use serde_json::Value;
use tracing::{error, warn};

use super::failure::Failure;
use super::words::{self, INVALID_EMAIL, INVALID_PARAMETER, INVALID_PHONE, TEMPLATE_NOT_FOUND};
use crate::body::BodyError;
use crate::dialect::Edge;
use crate::fields::Faults;

/// How long callers are asked to leave a store that is away, or a call that is still running, alone.
const SHORTLY: Duration = Duration::from_secs(1);

/// Where the fields stand that `core` may find fault with: the two APIs call them differently.
pub(super) struct Names {
    pub(super) to: &'static str,
    pub(super) life: &'static str,
    pub(super) template: &'static str,
    pub(super) sender: &'static str,
    pub(super) autofill: &'static str,
}

pub(super) fn of_edge(edge: Edge) -> Failure {
    match edge {
        Edge::NotFound => Failure::new(words::NOT_FOUND, "Nothing lives at this path"),
        Edge::MethodNotAllowed { allow } => {
            Failure::new(words::METHOD_NOT_ALLOWED, "This path does not know the method").allowing(allow)
        }
        Edge::Body(error) => of_body(error),
        Edge::ReadOnly => read_only(),
        Edge::Refused(refusal) => of_refusal(refusal),
        Edge::Internal => internal("a handler died"),
    }
}

/// The key only looks.
pub(super) fn read_only() -> Failure {
    Failure::new(words::FORBIDDEN, "This API key only reads")
}

pub(super) fn of_auth(error: AuthError) -> Failure {
    match error {
        AuthError::Refused => invalid_key(),
        AuthError::Unavailable => unavailable(),
        AuthError::TooMany { wait } => limited(LimitName::FailedAuthentication, wait),
    }
}

fn of_body(error: BodyError) -> Failure {
    match error {
        BodyError::TooLarge => Failure::new(words::PAYLOAD_TOO_LARGE, "The body is larger than 64 KiB"),
        BodyError::MediaType => {
            Failure::new(words::UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json in UTF-8, not compressed")
        }
        BodyError::Malformed(place) => Failure::new(words::INVALID_REQUEST, format!("The body cannot be read: {place}")),
        BodyError::Broken => Failure::new(words::INVALID_REQUEST, "The body broke off"),
        BodyError::TooSlow => Failure::new(words::REQUEST_TIMEOUT, "The body did not arrive in time"),
    }
}

/// What `core` finds wrong with a send. `given` looks a field of the call up.
pub(super) fn of_send(error: SendError, names: &Names, given: impl Fn(&str) -> Option<Value>) -> Failure {
    let mut faults = Faults::default();
    match error {
        SendError::UnknownService => return internal("the profile of calls that name none is missing"),
        SendError::FallbackAfterExpiry { .. } => return internal("a fallback that nobody asked for"),
        SendError::LifeAboveCeiling { ceiling } => {
            let seconds = ceiling.as_secs();
            faults.add(names.life, INVALID_PARAMETER, format!("{} must be at most {seconds} seconds here", names.life));
        }
        SendError::Recipient { reason, .. } => faults.add(names.to, of_recipient(reason), recipient_message(reason)),
        SendError::DestinationBlocked { .. } => faults.add(names.to, INVALID_PHONE, "Messages to this destination are blocked"),
        SendError::Message { source: source @ (RenderError::Words | RenderError::Wording(_)), .. } => {
            return internal(&source.to_string());
        }
        SendError::Message { source, .. } => {
            faults.add(names.autofill, INVALID_PARAMETER, format!("The message cannot be worded: {source}"));
        }
        SendError::UnknownTemplate => faults.add(names.template, TEMPLATE_NOT_FOUND, "There is no such template"),
        SendError::TemplateWithoutCode => {
            faults.add(names.template, TEMPLATE_NOT_FOUND, "This template has no place for the code");
        }
        SendError::TemplateForOtherChannel { channel } => {
            faults.add(names.template, TEMPLATE_NOT_FOUND, format!("This template is not for {channel}"));
        }
        SendError::UnknownSender => faults.add(names.sender, INVALID_PARAMETER, "There is no such sender"),
        SendError::Refused(refusal) => return of_refusal(refusal),
    }
    Failure::of_faults(faults, given)
}

/// The word for an address that is none.
pub(super) const fn of_recipient(reason: InvalidRecipient) -> &'static str {
    match reason {
        InvalidRecipient::Email => INVALID_EMAIL,
        InvalidRecipient::Phone => INVALID_PHONE,
    }
}

pub(super) const fn recipient_message(reason: InvalidRecipient) -> &'static str {
    match reason {
        InvalidRecipient::Email => "Not an email address that a message could reach",
        InvalidRecipient::Phone => "Not a phone number: write it in E.164 form, such as +12025550143",
    }
}

pub(super) fn of_refusal(refusal: Refusal) -> Failure {
    let elsewhere = "This OTP belongs to a session of several channels: verify it where it was opened";
    match refusal {
        Refusal::Unknown => Failure::new(words::OTP_NOT_FOUND, "There is no such OTP"),
        Refusal::AlreadyVerified(about) => Failure::new(words::OTP_ALREADY_VERIFIED, "This OTP was verified before").about(about),
        Refusal::Canceled(about) => Failure::new(words::OTP_NOT_FOUND, "This OTP was withdrawn").about(about),
        Refusal::Expired(about) => Failure::new(words::OTP_EXPIRED, "The life of this OTP is over").about(about),
        Refusal::Locked(about) => Failure::new(words::MAX_ATTEMPTS, "The attempts at this OTP are used up").about(about),
        Refusal::ChannelNotFound(about)
        | Refusal::ChannelVerified(about)
        | Refusal::ChannelNeeded(about)
        | Refusal::NoFallback(about) => Failure::new(words::INVALID_REQUEST, elsewhere).about(about),
        Refusal::Limited { limit, wait, about } => limited(limit, wait).about(about),
        Refusal::RecipientBlocked { wait, about } => {
            let failure = Failure::new(words::RATE_LIMITED, "Too many wrong codes for this recipient").after(wait);
            told_limit(failure.detail("limit", "recipient_blocked"), "perPhone", "platform", wait).about(about)
        }
        Refusal::SlotTaken { wait } => {
            Failure::new(words::CONFLICT, "An earlier OTP for this recipient is still open").after(wait)
        }
        Refusal::NothingSent(sent) => {
            Failure::new(words::PROVIDER_UNAVAILABLE, "No provider took the message").about(About::of(&sent.session))
        }
        Refusal::IdempotencyRunning => {
            let message = "An earlier call with this idempotency key is still running: repeat it with the same key";
            Failure::new(words::SERVICE_UNAVAILABLE, message).after(SHORTLY)
        }
        Refusal::IdempotencyMismatch => Failure::new(words::CONFLICT, "This idempotency key was used with another payload"),
        Refusal::Unavailable(failure) => of_store(&failure),
        Refusal::KeyRevoked => invalid_key(),
        Refusal::TooManyCalls { wait } => limited(LimitName::CallsPerKey, wait),
        Refusal::InsufficientBalance(about) => {
            let failure = Failure::new(words::INSUFFICIENT_CREDITS, "The balance does not cover the message");
            failure.data("code", "INSUFFICIENT_CREDIT").about(about)
        }
        Refusal::Unsettled => unavailable(),
        Refusal::RecordsAway(failure) => {
            warn!(%failure, "a call could not be served");
            unavailable()
        }
        Refusal::Internal(what) => internal(what),
    }
}

/// The key is not taken, whatever is wrong with it.
fn invalid_key() -> Failure {
    Failure::new(words::INVALID_API_KEY, "The API key is missing or not valid")
}

fn unavailable() -> Failure {
    Failure::new(words::SERVICE_UNAVAILABLE, "A part of the service is away: try again").after(SHORTLY)
}

fn of_store(failure: &StoreError) -> Failure {
    match failure {
        StoreError::Unavailable(_) => {
            warn!(%failure, "a call could not be served");
            unavailable()
        }
        StoreError::Unreadable(_) => internal(&failure.to_string()),
    }
}

/// A limit is used up.
pub(super) fn limited(limit: LimitName, wait: Duration) -> Failure {
    let (message, told, policy) = match limit {
        LimitName::CallsPerKey => ("Too many calls of this API key", "perKey", "key"),
        LimitName::FailedAuthentication => ("Too many calls with a wrong API key", "perIp", "platform"),
        LimitName::SendsPerIp => ("Too many messages for this end user's address", "perIp", "platform"),
        LimitName::SendsPerUser
        | LimitName::ActivePerUser
        | LimitName::ResendAfter
        | LimitName::SendsPerRecipient
        | LimitName::CodeMisses => ("Too many messages to this recipient", "perPhone", "platform"),
    };
    let failure = Failure::new(words::RATE_LIMITED, message).after(wait).detail("limit", limit.as_str());
    told_limit(failure, told, policy, wait)
}

/// What the SDK's API tells of a limit.
fn told_limit(failure: Failure, limit: &'static str, policy: &'static str, wait: Duration) -> Failure {
    let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
    failure.data("limit", limit).data("policy", policy).data("retryAfterMs", millis)
}

/// A defect. The log hears what it was; the caller only that it was one.
pub(super) fn internal(what: &str) -> Failure {
    error!(what, "internal error");
    Failure::new(words::INTERNAL_ERROR, "Internal error")
}
