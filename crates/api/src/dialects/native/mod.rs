//! The product's own API, in the manner of Sendmator's: clients of theirs change nothing but the base address.

mod auth;
pub(crate) mod error;
pub(crate) mod failure;
pub(crate) mod operations;
mod request;
mod response;
pub(crate) mod schema;
mod words;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use actix_web::web::{Bytes, Payload};
use countersign_core::Quota;

use self::failure::Failure;
use self::request::Input;
use crate::body::{self, Body};
use crate::limit_headers::retry_after;
use crate::serve::{Call, Method};

const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What can be asked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Send,
    Verify,
    Resend,
    Next,
    Status,
    Cancel,
    List,
    Show,
}

/// Both mounts lead to the same operations.
pub(crate) fn find(path: &str) -> Option<(Operation, &str)> {
    let rest = path.strip_prefix("/api/v1/otp/").or_else(|| path.strip_prefix("/v1/otp/"))?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let operation = match rest {
        "send" => Operation::Send,
        "verify" => Operation::Verify,
        "resend" => Operation::Resend,
        "next" => Operation::Next,
        "status" => Operation::Status,
        "cancel" => Operation::Cancel,
        "sessions" => Operation::List,
        _ => {
            let name = rest.strip_prefix("sessions/").filter(|name| !name.is_empty() && !name.contains('/'))?;
            return Some((Operation::Show, name));
        }
    };
    Some((operation, ""))
}

impl Operation {
    /// For logs and metrics: the path without what callers put into it.
    pub(crate) const fn template(self) -> &'static str {
        match self {
            Self::Send => "/api/v1/otp/send",
            Self::Verify => "/api/v1/otp/verify",
            Self::Resend => "/api/v1/otp/resend",
            Self::Next => "/api/v1/otp/next",
            Self::Status => "/api/v1/otp/status",
            Self::Cancel => "/api/v1/otp/cancel",
            Self::List => "/api/v1/otp/sessions",
            Self::Show => "/api/v1/otp/sessions/{session}",
        }
    }

    /// How it is called.
    pub(crate) const fn method(self) -> Method {
        match self {
            Self::Send | Self::Verify | Self::Resend | Self::Next | Self::Status | Self::Cancel => Method::Post,
            Self::List | Self::Show => Method::Get,
        }
    }

    /// Whether it changes anything: what a key that only reads may not do.
    const fn writes(self) -> bool {
        match self {
            Self::Send | Self::Verify | Self::Resend | Self::Next | Self::Cancel => true,
            Self::Status | Self::List | Self::Show => false,
        }
    }
}

/// A reply of status 200.
pub(crate) struct Reply {
    body: Vec<u8>,
    replayed: bool,
}

impl Reply {
    /// Printed JSON. `replayed`: an earlier call with the same idempotency key was answered so.
    pub(crate) fn new(printed: Result<Vec<u8>, serde_json::Error>, replayed: bool) -> Result<Self, Failure> {
        printed.map(|body| Self { body, replayed }).map_err(|_| error::internal("a reply could not be printed"))
    }
}

/// Answers a call on an operation's path by the operation's method.
pub(crate) async fn answer(call: &Call<'_>, operation: Operation, name: &str, payload: Payload) -> HttpResponse {
    let mut quota = None;
    let outcome = run(call, operation, name, payload, &mut quota).await;
    match outcome {
        Ok(reply) => respond(call, reply, quota.as_ref()),
        Err(failure) => refuse_with(call, &failure, quota.as_ref()),
    }
}

/// Size, media type, form of the body, credentials, permissions, rate, fields, and what the verb says: in that order.
async fn run(
    call: &Call<'_>,
    operation: Operation,
    name: &str,
    payload: Payload,
    quota: &mut Option<Quota>,
) -> Result<Reply, Failure> {
    let body = match operation.method() {
        Method::Post => body::read(call.request, payload).await.map_err(error::of_body)?,
        Method::Get => Body::default(),
    };
    let caller = &auth::admit(call, operation.writes(), quota)?;
    let platform = &call.api.platform;
    let input = &Input { request: call.request, body: &body };
    match operation {
        Operation::Send => operations::send(platform, caller, input).await,
        Operation::Verify => operations::verify(platform, caller, input).await,
        Operation::Resend => operations::resend(platform, caller, input).await,
        Operation::Next => operations::next(platform, caller, input).await,
        Operation::Status => operations::status(platform, caller, input).await,
        Operation::Cancel => operations::cancel(platform, caller, input).await,
        Operation::List => operations::list(platform, caller, call.request).await,
        Operation::Show => operations::show(platform, caller, name).await,
    }
}

fn respond(call: &Call<'_>, reply: Reply, quota: Option<&Quota>) -> HttpResponse {
    let mut response = json(call, StatusCode::OK, "application/json", reply.body, quota);
    if reply.replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// An error to a caller whose standing is not known.
pub(crate) fn refuse(call: &Call<'_>, failure: &Failure) -> HttpResponse {
    refuse_with(call, failure, None)
}

fn refuse_with(call: &Call<'_>, failure: &Failure, quota: Option<&Quota>) -> HttpResponse {
    let (media, body) = failure.body(call.request, call.id.as_str());
    let mut response = json(call, failure.status, media, body, quota);
    let headers = response.headers_mut();
    if let Some(wait) = failure.retry_after {
        retry_after(headers, wait);
    }
    if let Some(allow) = failure.allow {
        headers.insert(ALLOW, HeaderValue::from_static(allow));
    }
    if failure.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("ApiKey realm=\"countersign\", header=\"X-API-Key\""));
    }
    response
}

fn json(call: &Call<'_>, status: StatusCode, media: &'static str, body: Vec<u8>, quota: Option<&Quota>) -> HttpResponse {
    let mut response = HttpResponse::with_body(status, BoxBody::new(Bytes::from(body)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    call.api.calls.stamp(headers, quota, call.api.platform.now());
    response
}

#[cfg(test)]
pub(crate) use self::request::{known_fields, known_parameters};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_mounts_lead_to_the_same_operations_with_or_without_a_slash_at_the_end() {
        for path in ["/api/v1/otp/send", "/v1/otp/send", "/api/v1/otp/send/", "/v1/otp/send/"] {
            assert_eq!(find(path), Some((Operation::Send, "")), "{path}");
        }
        assert_eq!(find("/v1/otp/sessions/"), Some((Operation::List, "")));
        assert_eq!(find("/v1/otp/sessions/ses_1/"), Some((Operation::Show, "ses_1")));
    }

    #[test]
    fn nothing_lives_beside_the_operations() {
        for path in [
            "/",
            "/api/v1/otp",
            "/api/v1/otp/",
            "/api/v1/otp/Send",
            "/api/v1/otp/send//",
            "/v1/otp/sessions/a/b",
            "/v2/otp/send",
            "//v1/otp/send",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }
}
