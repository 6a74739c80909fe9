//! The shape of a native error.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, HeaderMap};
use countersign_core::About;
use countersign_model::Mode;
use serde::Serialize;
use utoipa::ToSchema;

use super::response::ByChannel;
use super::response::send::ChannelSent;
use crate::fields::{Fault, Faults};

/// Why a call came to nothing, as its reply tells it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    /// For programs; never changes its meaning.
    pub(crate) code: &'static str,
    /// For people.
    pub(crate) message: Cow<'static, str>,
    pub(crate) details: Box<Details>,
    /// The call was about a sandbox session.
    pub(crate) sandbox: Option<bool>,
    /// When another try makes sense.
    pub(crate) retry_after: Option<Duration>,
    /// The methods of a path that was called with another one.
    pub(crate) allow: Option<String>,
}

/// What is known beyond the message. Each member is there when it says something.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Details {
    /// The first field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    /// Every field that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<Fault>,
    /// Calls with a wrong code that would still be heard, where the session is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempts_remaining: Option<u8>,
    /// Which limit is used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<&'static str>,
    /// How handing over went, when no message went out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<std::collections::BTreeMap<String, ChannelSent>>)]
    pub(crate) channels_sent: Option<ByChannel<ChannelSent>>,
}

/// An error reply.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorReply<'a> {
    /// The status once more.
    #[schema(examples(400))]
    status_code: u16,
    /// What is wrong, for people.
    #[schema(examples("Invalid recipient email address"))]
    message: &'a str,
    /// The status in words.
    #[schema(examples("Bad Request"))]
    error: &'a str,
    /// What is wrong, for programs.
    #[schema(examples("invalid_recipient"))]
    code: &'a str,
    details: &'a Details,
    /// The same as `X-Request-Id`.
    request_id: &'a str,
    /// Only where the call was about a sandbox session.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
}

/// The same in the form of RFC 9457, for callers whose `Accept` names it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemReply<'a> {
    /// `urn:countersign:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(examples("urn:countersign:problem:invalid_recipient"))]
    kind: String,
    /// The status in words.
    title: &'a str,
    status: u16,
    /// What is wrong, for people.
    detail: &'a str,
    /// `urn:countersign:request:` and the request's id.
    instance: String,
    /// What is wrong, for programs.
    code: &'a str,
    details: &'a Details,
    /// Only where the call was about a sandbox session.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
}

impl Failure {
    /// A failure that has nothing more to say.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), details: Box::default(), sandbox: None, retry_after: None, allow: None }
    }

    /// The same, with a time to wait.
    pub(crate) fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// The same, with what may be told of the session, if the call named one.
    pub(crate) fn about(mut self, about: impl Into<Option<About>>) -> Self {
        if let Some(about) = about.into() {
            self.details.attempts_remaining = Some(about.attempts_remaining);
            self.sandbox = (about.mode == Mode::Sandbox).then_some(true);
        }
        self
    }

    /// The body and its media type, in the form that the caller asks for.
    pub(crate) fn body(&self, request: &HttpRequest, request_id: &str) -> (&'static str, Vec<u8>) {
        let title = self.status.canonical_reason().unwrap_or_default();
        let (status, message, details) = (self.status.as_u16(), self.message.as_ref(), self.details.as_ref());
        let sandbox = self.sandbox;
        let (media, body) = if wants_problem(request.headers()) {
            let kind = format!("urn:countersign:problem:{}", self.code);
            let instance = format!("urn:countersign:request:{request_id}");
            let problem = ProblemReply { kind, title, status, detail: message, instance, code: self.code, details, sandbox };
            ("application/problem+json", serde_json::to_vec(&problem))
        } else {
            let error = ErrorReply { status_code: status, message, error: title, code: self.code, details, request_id, sandbox };
            ("application/json", serde_json::to_vec(&error))
        };
        (media, body.unwrap_or_default())
    }
}

impl From<Faults> for Failure {
    /// All of them, led by the first.
    fn from(faults: Faults) -> Self {
        let errors = faults.into_vec();
        let Some(first) = errors.first() else { return Self::new(StatusCode::BAD_REQUEST, "invalid_request", "Bad request") };
        let mut failure = Self::new(StatusCode::BAD_REQUEST, first.code, first.message.clone());
        failure.details.field = Some(first.field.clone());
        failure.details.errors = errors;
        failure
    }
}

/// Whether `Accept` names the form of RFC 9457 without ruling it out.
fn wants_problem(headers: &HeaderMap) -> bool {
    let ranges = headers.get_all(ACCEPT).filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    ranges.into_iter().any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/problem+json"));
        let ruled_out = parts.filter_map(|part| part.strip_prefix("q=")).any(|q| q.parse() == Ok(0.0_f32));
        named && !ruled_out
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use countersign_model::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    fn printed(failure: &Failure, accept: &str) -> (&'static str, Value) {
        let request = TestRequest::post().insert_header((ACCEPT, accept)).to_http_request();
        let (media, body) = failure.body(&request, "req_12345678");
        (media, serde_json::from_slice(&body).unwrap())
    }

    fn two_faults() -> Failure {
        let mut faults = Faults::default();
        faults.add("recipients.email", "invalid_recipient", "Invalid recipient email address");
        faults.add("config.otp_length", "invalid_config", "config.otp_length must be an integer from 4 to 8");
        faults.into()
    }

    #[test]
    fn an_error_is_led_by_its_first_fault_and_lists_all() {
        let expected = json!({
            "statusCode": 400, "message": "Invalid recipient email address", "error": "Bad Request", "code": "invalid_recipient",
            "details": {"field": "recipients.email", "errors": [
                {"field": "recipients.email", "code": "invalid_recipient", "message": "Invalid recipient email address"},
                {"field": "config.otp_length", "code": "invalid_config", "message": "config.otp_length must be an integer from 4 to 8"},
            ]},
            "requestId": "req_12345678",
        });
        assert_eq!(printed(&two_faults(), "*/*"), ("application/json", expected));
    }

    #[test]
    fn callers_that_ask_for_problem_details_get_them() {
        let failure = Failure::new(StatusCode::GONE, "session_expired", "Session expired").about(About {
            mode: Mode::Sandbox,
            attempts_remaining: 2,
            expires_at: Timestamp::from_millis(0),
        });
        let expected = json!({
            "type": "urn:countersign:problem:session_expired", "title": "Gone", "status": 410, "detail": "Session expired",
            "instance": "urn:countersign:request:req_12345678", "code": "session_expired", "details": {"attempts_remaining": 2}, "sandbox": true,
        });
        for accept in ["application/problem+json", "application/json, application/problem+json;q=0.5"] {
            assert_eq!(printed(&failure, accept), ("application/problem+json", expected.clone()), "{accept}");
        }
    }

    #[test]
    fn whatever_else_callers_accept_they_get_json() {
        for accept in ["text/html", "", "application/problem+json;q=0", "application/xml"] {
            assert_eq!(printed(&two_faults(), accept).0, "application/json", "{accept}");
        }
    }
}
