//! An error as this dialect prints it.

use std::time::Duration;

use actix_web::http::StatusCode;
use countersign_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// Why a call comes to nothing, in the vendor's words where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    InvalidRecipient,
    OtpInvalid,
    MalformedRequest,
    InvalidCredentials,
    /// The service: missing, no UUID, unknown, somebody else's.
    InvalidRequest,
    InsufficientBalance,
    Forbidden,
    NotFound,
    OtpNotFound,
    MethodNotAllowed,
    RequestTimeout,
    OtpPending,
    OtpExpired,
    PayloadTooLarge,
    UnsupportedMediaType,
    RateLimited,
    InternalError,
    /// No gateway took the message.
    ProviderUnavailable,
    ServiceUnavailable,
}

impl Word {
    /// Every word.
    #[cfg(test)]
    pub(super) const ALL: [Self; 19] = [
        Self::InvalidRecipient,
        Self::OtpInvalid,
        Self::MalformedRequest,
        Self::InvalidCredentials,
        Self::InvalidRequest,
        Self::InsufficientBalance,
        Self::Forbidden,
        Self::NotFound,
        Self::OtpNotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::OtpPending,
        Self::OtpExpired,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::RateLimited,
        Self::InternalError,
        Self::ProviderUnavailable,
        Self::ServiceUnavailable,
    ];

    /// Its status, the word for programs and the words for people.
    const fn told(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidRecipient => (StatusCode::BAD_REQUEST, "invalid_recipient", "Invalid Recipient"),
            Self::OtpInvalid => (StatusCode::BAD_REQUEST, "otp_invalid", "Otp Invalid"),
            Self::MalformedRequest => (StatusCode::BAD_REQUEST, "malformed_request", "Malformed Request"),
            Self::InvalidCredentials => (StatusCode::UNAUTHORIZED, "invalid_credentials", "Invalid Credentials"),
            Self::InvalidRequest => (StatusCode::UNAUTHORIZED, "invalid_request", "Invalid Request"),
            Self::InsufficientBalance => (StatusCode::PAYMENT_REQUIRED, "insufficient_balance", "Insufficient Balance"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Forbidden"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "Not Found"),
            Self::OtpNotFound => (StatusCode::NOT_FOUND, "otp_not_found", "Otp Not Found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method Not Allowed"),
            Self::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "request_timeout", "Request Timeout"),
            Self::OtpPending => (StatusCode::CONFLICT, "otp_pending", "Otp Pending"),
            Self::OtpExpired => (StatusCode::GONE, "otp_expired", "Otp Expired"),
            Self::PayloadTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", "Payload Too Large"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported Media Type")
            }
            Self::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Rate Limited"),
            Self::InternalError => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Internal Error"),
            Self::ProviderUnavailable => (StatusCode::INTERNAL_SERVER_ERROR, "provider_unavailable", "Provider Unavailable"),
            Self::ServiceUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "service_unavailable", "Service Unavailable"),
        }
    }
}

/// When another try makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    After(Duration),
    At(Timestamp),
}

/// Why a call comes to nothing, and what its headers tell.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    word: Word,
    again: Option<Again>,
    /// Only where the call was about a code of the sandbox.
    sandbox: bool,
    /// The methods that the path knows, where the call used another.
    pub(super) allow: Option<String>,
}

/// The one form of errors.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({"success": false, "errors": [{"message": "Invalid Request", "code": 401, "error": "invalid_request"}]})))]
pub(crate) struct ErrorReply {
    /// Always false.
    success: bool,
    /// Always one.
    errors: [Told; 1],
    /// Only where the call was about a code of the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub(crate) struct Told {
    /// For people.
    message: &'static str,
    /// The status of the reply.
    code: u16,
    /// For programs.
    error: &'static str,
}

impl Failure {
    /// How long callers are asked to leave a store that is away alone.
    const SHORTLY: Duration = Duration::from_secs(1);

    /// A part that the call needs is away.
    pub(super) fn away() -> Self {
        Self::from(Word::ServiceUnavailable).after(Self::SHORTLY)
    }

    /// The same, with a time to wait.
    pub(super) fn after(self, wait: Duration) -> Self {
        Self { again: Some(Again::After(wait)), ..self }
    }

    /// The same, with a moment to wait for.
    pub(super) fn at(self, moment: Timestamp) -> Self {
        Self { again: Some(Again::At(moment)), ..self }
    }

    /// The same, with the methods that the path knows.
    pub(super) fn allowing(self, methods: String) -> Self {
        Self { allow: Some(methods), ..self }
    }

    /// The same about a code, of the sandbox or not.
    pub(super) fn of_sandbox(self, sandbox: bool) -> Self {
        Self { sandbox, ..self }
    }

    /// Its status.
    pub(super) const fn status(&self) -> StatusCode {
        self.word.told().0
    }

    /// How long from `now` until another try makes sense.
    pub(super) fn wait(&self, now: Timestamp) -> Option<Duration> {
        match self.again? {
            Again::After(wait) => Some(wait),
            Again::At(moment) => Some(moment.since(now)),
        }
    }

    /// Printed.
    pub(super) fn body(&self) -> Vec<u8> {
        let (status, error, message) = self.word.told();
        let told = Told { message, code: status.as_u16(), error };
        let reply = ErrorReply { success: false, errors: [told], sandbox: self.sandbox.then_some(true) };
        serde_json::to_vec(&reply).unwrap_or_default()
    }
}

impl From<Word> for Failure {
    fn from(word: Word) -> Self {
        Self { word, again: None, sandbox: false, allow: None }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn printed(failure: &Failure) -> Value {
        serde_json::from_slice(&failure.body()).unwrap()
    }

    #[test]
    fn a_service_that_is_none_is_told_as_the_vendor_tells_it() {
        let told = printed(&Word::InvalidRequest.into());
        assert_eq!(
            told,
            json!({"success": false, "errors": [{"message": "Invalid Request", "code": 401, "error": "invalid_request"}]})
        );
    }

    #[test]
    fn every_word_for_programs_is_that_for_people_in_small_letters() {
        for word in Word::ALL {
            let (_, error, message) = word.told();
            assert_eq!(message.to_lowercase().replace(' ', "_"), error);
        }
    }

    #[test]
    fn what_is_about_a_code_of_the_sandbox_says_so() {
        assert_eq!(printed(&Failure::from(Word::OtpPending).of_sandbox(true))["sandbox"], json!(true));
        assert_eq!(printed(&Failure::from(Word::OtpPending).of_sandbox(false)).get("sandbox"), None);
    }

    #[test]
    fn a_wait_is_a_span_or_lasts_until_a_moment() {
        let now = Timestamp::from_millis(10_000);
        assert_eq!(Failure::from(Word::OtpExpired).wait(now), None);
        assert_eq!(Failure::away().wait(now), Some(Duration::from_secs(1)));
        assert_eq!(Failure::from(Word::RateLimited).at(Timestamp::from_millis(12_000)).wait(now), Some(Duration::from_secs(2)));
    }
}
