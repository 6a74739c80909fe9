//! What can go wrong, in the words of both APIs.

use actix_web::http::StatusCode;

/// One thing that can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) status: StatusCode,
    /// `error.code` of the reference API.
    pub(super) reference: &'static str,
    /// `code` of the SDK's API.
    pub(super) sdk: &'static str,
}

const fn word(status: StatusCode, reference: &'static str, sdk: &'static str) -> Word {
    Word { status, reference, sdk }
}

/// What the reference API calls a field that is not what it must be, where it has no word of its own.
pub(super) const INVALID_PARAMETER: &str = "INVALID_PARAMETER";
/// And those that have one.
pub(super) const INVALID_PHONE: &str = "INVALID_PHONE";
pub(super) const INVALID_EMAIL: &str = "INVALID_EMAIL";
pub(super) const INVALID_METADATA: &str = "INVALID_METADATA";
pub(super) const TEMPLATE_NOT_FOUND: &str = "TEMPLATE_NOT_FOUND";

/// A field is not what it must be; `code` says so in the reference API.
pub(super) const fn field(code: &'static str) -> Word {
    word(StatusCode::BAD_REQUEST, code, "BAD_REQUEST")
}

pub(super) const INVALID_REQUEST: Word = field("INVALID_REQUEST");
pub(super) const OTP_EXPIRED: Word = field("OTP_EXPIRED");
pub(super) const INVALID_CODE: Word = field("INVALID_CODE");
pub(super) const MAX_ATTEMPTS: Word = field("MAX_ATTEMPTS");
pub(super) const OTP_ALREADY_VERIFIED: Word = field("OTP_ALREADY_VERIFIED");
pub(super) const INVALID_API_KEY: Word = word(StatusCode::UNAUTHORIZED, "INVALID_API_KEY", "UNAUTHORIZED");
pub(super) const INSUFFICIENT_CREDITS: Word = word(StatusCode::PAYMENT_REQUIRED, "INSUFFICIENT_CREDITS", "PAYMENT_REQUIRED");
pub(super) const FORBIDDEN: Word = word(StatusCode::FORBIDDEN, "FORBIDDEN", "FORBIDDEN");
pub(super) const NOT_FOUND: Word = word(StatusCode::NOT_FOUND, "NOT_FOUND", "NOT_FOUND");
pub(super) const OTP_NOT_FOUND: Word = word(StatusCode::NOT_FOUND, "OTP_NOT_FOUND", "NOT_FOUND");
pub(super) const METHOD_NOT_ALLOWED: Word = word(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "METHOD_NOT_ALLOWED");
pub(super) const REQUEST_TIMEOUT: Word = word(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "TIMEOUT");
pub(super) const CONFLICT: Word = word(StatusCode::CONFLICT, "CONFLICT", "CONFLICT");
pub(super) const PAYLOAD_TOO_LARGE: Word = word(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", "PAYLOAD_TOO_LARGE");
pub(super) const UNSUPPORTED_MEDIA_TYPE: Word =
    word(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", "UNSUPPORTED_MEDIA_TYPE");
pub(super) const RATE_LIMITED: Word = word(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", "TOO_MANY_REQUESTS");
pub(super) const INTERNAL_ERROR: Word = word(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "INTERNAL_SERVER_ERROR");
pub(super) const PROVIDER_UNAVAILABLE: Word = word(StatusCode::BAD_GATEWAY, "PROVIDER_UNAVAILABLE", "PROVIDER_UNAVAILABLE");
pub(super) const SERVICE_UNAVAILABLE: Word = word(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", "SERVICE_UNAVAILABLE");

/// Whether the SDK's own description of its API lists a code: what `defined` says.
pub(super) fn is_defined(sdk: &str) -> bool {
    let listed = [
        "BAD_REQUEST",
        "UNAUTHORIZED",
        "PAYMENT_REQUIRED",
        "FORBIDDEN",
        "NOT_FOUND",
        "CONFLICT",
        "TOO_MANY_REQUESTS",
        "INTERNAL_SERVER_ERROR",
        "SERVICE_UNAVAILABLE",
    ];
    listed.contains(&sdk)
}
