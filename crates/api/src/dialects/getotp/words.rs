//! The numbers of this dialect, with their words and statuses: the vendor's own, those of the platform that it relabels, and, for what neither
//! names, a number made of the status.

use std::borrow::Cow;

use actix_web::http::StatusCode;

/// One thing that is wrong with a call. Sorted by its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fault {
    /// For programs.
    pub(super) number: u16,
    pub(super) status: StatusCode,
    /// For people.
    pub(super) message: Cow<'static, str>,
}

impl Fault {
    const fn new(number: u16, status: StatusCode, message: &'static str) -> Self {
        Self { number, status, message: Cow::Borrowed(message) }
    }

    const fn bad(number: u16, message: &'static str) -> Self {
        Self::new(number, StatusCode::BAD_REQUEST, message)
    }

    /// The same number, said more closely.
    pub(super) fn saying(self, message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), ..self }
    }
}

pub(super) const NOT_AUTHORIZED: Fault = Fault::new(1136, StatusCode::UNAUTHORIZED, "User Not Authorized");
pub(super) const INVALID_TEMPLATE_ID: Fault = Fault::bad(1512, "Invalid template id");
pub(super) const TEMPLATE_NOT_FOUND: Fault = Fault::bad(1513, "Template is not found");
pub(super) const INVALID_CHANNEL: Fault = Fault::bad(1515, "Invalid channel specified");
pub(super) const INVALID_RECIPIENT: Fault = Fault::bad(1523, "Invalid recipient number(s)");
pub(super) const SENDER_MISSING: Fault = Fault::bad(1620, "'sender' is missing");
pub(super) const PHONE_MISSING: Fault = Fault::bad(1621, "'phone' is missing");
pub(super) const TEMPLATE_MISSING: Fault = Fault::bad(1622, "'template' is missing");
pub(super) const INVALID_CODE_LENGTH: Fault = Fault::bad(1623, "Invalid code length");
pub(super) const TEMPLATE_WITHOUT_CODE: Fault = Fault::bad(1624, "Template does not contain keyword {code}");
pub(super) const TEMPLATE_FOR_OTHER_CHANNEL: Fault = Fault::bad(1628, "Template is for another channel");
pub(super) const CODE_AND_LENGTH: Fault = Fault::bad(1629, "Provide either 'data.code' or 'data.code_length' but not both");
pub(super) const INVALID_CODE: Fault =
    Fault::bad(1631, "When 'data.channel' is not VOICE 'data.code' must be valid and 4 to 8 characters long");
pub(super) const CODE_NOT_NUMERIC: Fault = Fault::bad(1632, "'data.code' should be numeric if provided");
pub(super) const TTL_NOT_NUMERIC: Fault = Fault::bad(1640, "'data.ttl_in_seconds' should be numeric");
pub(super) const TTL_FOR_VOICE: Fault = Fault::bad(1641, "'data.ttl_in_seconds' is not supported for VOICE");
pub(super) const TTL_FOR_SMS: Fault = Fault::bad(1642, "'data.ttl_in_seconds' is not supported for SMS");
pub(super) const TTL_FOR_WHATSAPP: Fault = Fault::bad(1643, "'data.ttl_in_seconds' is not supported for WHATSAPP");
pub(super) const TTL_OUT_OF_RANGE: Fault = Fault::bad(1644, "'data.ttl_in_seconds' is out of range");
pub(super) const INVALID_PAYLOAD: Fault = Fault::bad(1705, "Invalid payload");

pub(super) const MALFORMED: Fault = Fault::bad(1400, "Malformed request");
pub(super) const INSUFFICIENT_BALANCE: Fault = Fault::new(1402, StatusCode::PAYMENT_REQUIRED, "Insufficient balance");
pub(super) const FORBIDDEN: Fault = Fault::new(1403, StatusCode::FORBIDDEN, "This API key only reads");
pub(super) const NOT_FOUND: Fault = Fault::new(1404, StatusCode::NOT_FOUND, "Not found");
pub(super) const METHOD_NOT_ALLOWED: Fault = Fault::new(1405, StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
pub(super) const TOO_SLOW: Fault = Fault::new(1408, StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time");
pub(super) const TOO_LARGE: Fault = Fault::new(1413, StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 64 KiB");
pub(super) const MEDIA_TYPE: Fault =
    Fault::new(1415, StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json in UTF-8");
pub(super) const TOO_MANY: Fault = Fault::new(1429, StatusCode::TOO_MANY_REQUESTS, "Too many requests");
pub(super) const INTERNAL: Fault = Fault::new(1500, StatusCode::INTERNAL_SERVER_ERROR, "Internal error");
pub(super) const NOT_SENT: Fault = Fault::new(1502, StatusCode::BAD_GATEWAY, "No provider took the message");
pub(super) const UNAVAILABLE: Fault = Fault::new(1503, StatusCode::SERVICE_UNAVAILABLE, "Service unavailable, try again");
