//! A word for every way in which a call can come to nothing. No arm is a wildcard: a new refusal does not compile until it has its word.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use countersign_core::{Refusal, RenderError, SendError, StoreError};
use serde::Serialize;
use tracing::{error, warn};
use utoipa::ToSchema;

use super::words::{self, Fault};
use crate::body::BodyError;
use crate::call::Call;
use crate::dialect::Edge;

/// How long callers are asked to leave a store that is away alone.
pub(super) const SHORTLY: Duration = Duration::from_secs(1);

/// Why a call came to nothing: one fault at least.
#[derive(Debug)]
pub(crate) struct Failure {
    first: Fault,
    more: Vec<Fault>,
    /// When another try makes sense.
    pub(super) retry_after: Option<Duration>,
    /// The methods of a path that was called with another one.
    pub(super) allow: Option<String>,
}

impl From<Fault> for Failure {
    fn from(first: Fault) -> Self {
        Self { first, more: Vec::new(), retry_after: None, allow: None }
    }
}

impl Failure {
    /// The same, with a time to wait.
    pub(super) fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// All faults of one call have one status.
    pub(super) const fn status(&self) -> StatusCode {
        self.first.status
    }
}

/// What is wrong with the fields of a call.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Adds one more.
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// `value` if nothing was wrong; else every fault once, the lowest number first.
    pub(super) fn or<T>(mut self, value: Option<T>) -> Result<T, Failure> {
        self.0.sort_unstable();
        self.0.dedup();
        let mut faults = self.0.into_iter();
        match (value, faults.next()) {
            (Some(value), None) => Ok(value),
            (None, None) => Err(internal("a call was neither read nor refused")),
            (_, Some(first)) => Err(Failure { more: faults.collect(), ..first.into() }),
        }
    }

    #[cfg(test)]
    pub(super) fn numbers(self) -> Vec<u16> {
        let Err(failure) = self.or(None::<()>) else { return Vec::new() };
        failure.numbers()
    }
}

/// An error reply.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErrorReply {
    /// Everything that is wrong, the lowest number first.
    errors: Vec<ErrorEntry>,
}

/// One thing that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErrorEntry {
    /// Now, in UTC.
    #[schema(examples("2025-08-18 00:00:00"))]
    timestamp: String,
    /// The path called, without its query.
    #[schema(examples("/api/verify/"))]
    path: String,
    /// The method called.
    #[schema(examples("POST"))]
    method: String,
    /// The status once more.
    #[schema(examples(401))]
    status: u16,
    /// What is wrong, for people.
    #[schema(examples("User Not Authorized"))]
    message: Cow<'static, str>,
    /// What is wrong, for programs.
    #[schema(examples("1136"))]
    code: String,
}

/// Prints a failure. The query holds codes and numbers: it is not told.
pub(super) fn body(failure: &Failure, call: &Call<'_>) -> Vec<u8> {
    let timestamp = call.platform().now().spaced_seconds();
    let entry = |fault: &Fault| ErrorEntry {
        timestamp: timestamp.clone(),
        path: call.request().path().to_owned(),
        method: call.request().method().as_str().to_owned(),
        status: fault.status.as_u16(),
        message: fault.message.clone(),
        code: fault.number.to_string(),
    };
    let errors = std::iter::once(&failure.first).chain(&failure.more).map(entry).collect();
    serde_json::to_vec(&ErrorReply { errors }).unwrap_or_default()
}

pub(super) fn of_edge(edge: Edge) -> Failure {
    match edge {
        Edge::NotFound => words::NOT_FOUND.into(),
        Edge::MethodNotAllowed { allow } => Failure { allow: Some(allow), ..words::METHOD_NOT_ALLOWED.into() },
        Edge::Body(error) => of_body(error),
        Edge::ReadOnly => words::FORBIDDEN.into(),
        Edge::Refused(refusal) => of_refusal(refusal),
        Edge::Internal => internal("a handler died"),
    }
}

fn of_body(error: BodyError) -> Failure {
    let fault = match error {
        BodyError::TooLarge => words::TOO_LARGE,
        BodyError::MediaType => words::MEDIA_TYPE,
        BodyError::Malformed(place) => words::MALFORMED.saying(format!("Malformed body: {place}")),
        BodyError::Broken => words::MALFORMED.saying("Malformed body: broke off"),
        BodyError::TooSlow => words::TOO_SLOW,
    };
    fault.into()
}

pub(super) fn of_send(error: SendError) -> Failure {
    let fault = match error {
        SendError::UnknownTemplate => words::TEMPLATE_NOT_FOUND,
        SendError::TemplateWithoutCode => words::TEMPLATE_WITHOUT_CODE,
        SendError::TemplateForOtherChannel { channel } => {
            let channel = channel.as_str().to_ascii_uppercase();
            words::TEMPLATE_FOR_OTHER_CHANNEL.saying(format!("Template is for another channel than {channel}"))
        }
        SendError::UnknownSender => words::SENDER_MISSING.saying("'sender' is not known"),
        SendError::Recipient { .. } | SendError::DestinationBlocked { .. } => words::INVALID_RECIPIENT,
        SendError::LifeAboveCeiling { ceiling } => {
            let most = ceiling.as_secs();
            words::TTL_OUT_OF_RANGE.saying(format!("'data.ttl_in_seconds' must be at most {most}"))
        }
        SendError::Message { source: RenderError::TooLong, .. } => words::MALFORMED.saying("The message is too long"),
        SendError::Message { source, .. } => return internal(&source.to_string()),
        SendError::UnknownService => return internal("a call that names no service is told that it is unknown"),
        SendError::FallbackAfterExpiry { .. } => return internal("a call without a fallback is told that it is late"),
        SendError::Refused(refusal) => return of_refusal(refusal),
    };
    fault.into()
}

pub(super) fn of_refusal(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Limited { wait, .. } | Refusal::RecipientBlocked { wait, .. } | Refusal::TooManyCalls { wait } => {
            Failure::from(words::TOO_MANY).after(wait)
        }
        Refusal::NothingSent(_) => words::NOT_SENT.into(),
        Refusal::InsufficientBalance(_) => words::INSUFFICIENT_BALANCE.into(),
        Refusal::KeyRevoked => words::NOT_AUTHORIZED.into(),
        Refusal::Unavailable(failure) => of_store(&failure),
        Refusal::RecordsAway(failure) => {
            warn!(%failure, "a call could not be served");
            unavailable()
        }
        Refusal::Unsettled => unavailable(),
        Refusal::Unknown => words::NOT_FOUND.into(),
        Refusal::Internal(what) => internal(what),
        // This dialect names no session and no idempotency key, so it can be told nothing of theirs.
        Refusal::AlreadyVerified(_)
        | Refusal::Canceled(_)
        | Refusal::Expired(_)
        | Refusal::Locked(_)
        | Refusal::ChannelNotFound(_)
        | Refusal::ChannelVerified(_)
        | Refusal::ChannelNeeded(_)
        | Refusal::NoFallback(_)
        | Refusal::SlotTaken { .. }
        | Refusal::IdempotencyRunning
        | Refusal::IdempotencyMismatch => internal("a refusal that this dialect cannot cause"),
    }
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

fn unavailable() -> Failure {
    Failure::from(words::UNAVAILABLE).after(SHORTLY)
}

/// A defect. The log hears what it was; the caller only that it was one.
pub(super) fn internal(what: &str) -> Failure {
    error!(what, "internal error");
    words::INTERNAL.into()
}

#[cfg(test)]
impl Failure {
    /// The numbers told.
    pub(super) fn numbers(&self) -> Vec<u16> {
        std::iter::once(&self.first).chain(&self.more).map(|fault| fault.number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_once_each_and_the_lowest_first() {
        let mut faults = Faults::default();
        for fault in [words::INVALID_PAYLOAD, words::PHONE_MISSING, words::INVALID_CHANNEL, words::PHONE_MISSING] {
            faults.add(fault);
        }
        assert_eq!(faults.numbers(), [1515, 1621, 1705]);
    }

    #[test]
    fn what_says_when_to_come_back_keeps_it() {
        let wait = Duration::from_secs(7);
        let failure = of_refusal(Refusal::TooManyCalls { wait });
        assert_eq!((failure.numbers(), failure.retry_after, failure.status().as_u16()), (vec![1429], Some(wait), 429));
    }

    #[test]
    fn a_defect_is_not_told() {
        assert_eq!(of_refusal(Refusal::Internal("secret")).first.message, "Internal error");
    }
}
