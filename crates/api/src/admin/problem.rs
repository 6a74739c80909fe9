//! The shape of an error of the admin API: RFC 9457, always.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use countersign_core::AuthError;
use countersign_core::manage::{AdminScope, ManageError};
use countersign_model::Flaw;
use serde::Serialize;
use tracing::{error, warn};
use utoipa::ToSchema;

use crate::body::BodyError;
use crate::call::Call;
use crate::fields::Faults;
use crate::limit_headers::retry_after;

/// When a call that could not be served may be worth another try.
const SHORTLY: Duration = Duration::from_secs(1);

/// Why a call came to nothing.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// For programs; never changes its meaning.
    code: &'static str,
    /// For people.
    detail: Cow<'static, str>,
    /// Every value that is wrong.
    errors: Vec<Wrong>,
    retry_after: Option<Duration>,
    allow: Option<String>,
}

/// A value that is wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldError)]
pub(crate) struct Wrong {
    /// Where: `profile.code_length`, a header or a parameter.
    #[schema(examples("profile.code_length"))]
    field: String,
    /// What, for people.
    #[schema(examples("profile.code_length must be 4 to 10 digits"))]
    message: String,
}

/// An error (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProblemReply<'a> {
    /// `urn:countersign:problem:` and a word that never changes its meaning.
    #[serde(rename = "type")]
    #[schema(examples("urn:countersign:problem:invalid_field"))]
    kind: String,
    /// The status in words.
    #[schema(examples("Bad Request"))]
    title: &'a str,
    #[schema(examples(400))]
    status: u16,
    /// What is wrong, for people.
    detail: &'a str,
    /// `urn:countersign:request:` and the request's id.
    instance: String,
    /// Every value that is wrong; empty when the fault lies elsewhere.
    errors: &'a [Wrong],
    /// The same as `X-Request-Id`.
    request_id: &'a str,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), retry_after: None, allow: None }
    }

    fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Nothing lives at the path.
    pub(super) fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Nothing lives at this path")
    }

    /// There is no such thing.
    pub(super) fn missing(what: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}"))
    }

    /// The path does not know the method.
    pub(super) fn method_not_allowed(allow: String) -> Self {
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "The path does not know this method");
        Self { allow: Some(allow), ..problem }
    }

    /// The token was taken and does not reach so far.
    pub(super) fn out_of_scope(needed: AdminScope) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", format!("This token lacks the scope {needed}"))
    }

    /// A defect. The log hears what it was; the caller only that it was one.
    pub(super) fn internal(what: &str) -> Self {
        error!(what, "internal error");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Internal error")
    }

    fn away() -> Self {
        let detail = "The installation cannot do this right now; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).after(SHORTLY)
    }

    fn invalid(errors: Vec<Wrong>) -> Self {
        let detail = errors.first().map_or_else(|| "Bad request".to_owned(), |first| first.message.clone());
        Self { errors, ..Self::new(StatusCode::BAD_REQUEST, "invalid_field", detail) }
    }

    /// As it goes out.
    pub(super) fn respond(&self, call: &Call<'_>) -> HttpResponse {
        let reply = ProblemReply {
            kind: format!("urn:countersign:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            detail: &self.detail,
            instance: format!("urn:countersign:request:{}", call.id.as_str()),
            errors: &self.errors,
            request_id: call.id.as_str(),
        };
        let body = serde_json::to_vec(&reply).unwrap_or_default();
        let mut response = HttpResponse::with_body(self.status, BoxBody::new(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            retry_after(headers, wait);
        }
        if let Some(allow) = self.allow.as_ref().and_then(|allow| HeaderValue::try_from(allow).ok()) {
            headers.insert(ALLOW, allow);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"countersign-admin\""));
        }
        response
    }
}

impl From<Faults> for Problem {
    fn from(faults: Faults) -> Self {
        let wrong = faults.into_vec().into_iter().map(|fault| Wrong { field: fault.field, message: fault.message });
        Self::invalid(wrong.collect())
    }
}

impl From<Vec<Flaw>> for Problem {
    fn from(flaws: Vec<Flaw>) -> Self {
        let wrong = |flaw: Flaw| Wrong { message: flaw.to_string(), field: flaw.field };
        Self::invalid(flaws.into_iter().map(wrong).collect())
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", "The body is larger than 64 KiB")
            }
            BodyError::MediaType => {
                let detail = "The body must be declared as application/json in UTF-8";
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
            }
            BodyError::Malformed(place) => {
                Self::new(StatusCode::BAD_REQUEST, "malformed_body", format!("The body is not a JSON object: {place}"))
            }
            BodyError::TooSlow | BodyError::Broken => {
                Self::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "The body did not arrive in time")
            }
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Refused => Self::new(StatusCode::UNAUTHORIZED, "invalid_token", "An admin token is needed"),
            AuthError::TooMany { wait } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many failed authentications").after(wait)
            }
            AuthError::Unavailable => Self::away(),
        }
    }
}

impl From<ManageError> for Problem {
    fn from(error: ManageError) -> Self {
        match error {
            ManageError::Invalid(flaws) => flaws.into(),
            ManageError::Missing(what) => Self::missing(what),
            ManageError::Exists(what) => {
                Self::new(StatusCode::CONFLICT, "exists", format!("There is a {what} with this name or id already"))
            }
            ManageError::State(why) => Self::new(StatusCode::CONFLICT, "conflict", why),
            ManageError::IdempotencyMismatch => {
                let detail = "Idempotency-Key was used with another body";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_mismatch", detail)
            }
            ManageError::Busy => {
                let detail = "Others are changing the same records; try again";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).after(SHORTLY)
            }
            ManageError::Records(failure) => {
                warn!(%failure, "an operator's call could not be served");
                Self::away()
            }
            ManageError::Store(failure) => {
                warn!(%failure, "an operator's call could not be served");
                Self::away()
            }
            ManageError::Internal(what) => Self::internal(what),
        }
    }
}
