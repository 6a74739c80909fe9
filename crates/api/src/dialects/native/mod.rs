//! The product's own API, in the manner of Sendmator's: clients of theirs change nothing but the base address.

mod auth;
pub(crate) mod error;
pub(crate) mod failure;
pub(crate) mod operations;
mod paths;
mod request;
mod response;
pub(crate) mod schema;
mod words;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use actix_web::web::{Bytes, Payload};
use countersign_core::{Caller, Quota};

use self::failure::Failure;
use self::operations::contacts;
use self::paths::Reads;
use self::request::Input;
use crate::body::{self, Body};
use crate::limit_headers::retry_after;
use crate::serve::{Call, allow_value};

pub(crate) use self::paths::{Operation, Path, find};

const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A reply that is no failure.
pub(crate) struct Reply {
    status: StatusCode,
    body: Vec<u8>,
    replayed: bool,
}

impl Reply {
    /// Printed JSON with status 200. `replayed`: an earlier call with the same idempotency key was answered so.
    pub(crate) fn new(printed: Result<Vec<u8>, serde_json::Error>, replayed: bool) -> Result<Self, Failure> {
        let reply = |body| Self { status: StatusCode::OK, body, replayed };
        printed.map(reply).map_err(|_| error::internal("a reply could not be printed"))
    }

    /// The same with status 201.
    pub(crate) fn created(self) -> Self {
        Self { status: StatusCode::CREATED, ..self }
    }
}

/// Answers a call on an operation's path by the operation's method.
///
/// Size, media type, form of the body, credentials, permissions, rate, fields, and what the verb says: in that order. The rate is counted
/// within the verb's step, so that a call costs one round to the store; a call that falls for its fields is counted afterwards.
pub(crate) async fn answer(call: &Call<'_>, operation: Operation, name: &str, payload: Payload) -> HttpResponse {
    let body = match operation.reads() {
        Reads::Body => body::read(call.request, payload).await,
        Reads::MaybeBody => body::read_if_any(call.request, payload).await,
        Reads::NoBody => Ok(Body::default()),
    };
    let body = match body {
        Ok(body) => body,
        Err(error) => return refuse(call, &error::of_body(error)),
    };
    let caller = match auth::authenticate(call, operation.writes()).await {
        Ok(caller) => caller,
        Err(failure) => return refuse(call, &failure),
    };
    match run(call, operation, name, &body, &caller).await {
        Ok(reply) => respond(call, reply, caller.quota()),
        Err(failure) => {
            let failure = auth::count(call, &caller, failure).await;
            refuse_with(call, &failure, caller.quota())
        }
    }
}

/// Fields, and what the verb says.
async fn run(call: &Call<'_>, operation: Operation, name: &str, body: &Body, caller: &Caller) -> Result<Reply, Failure> {
    let platform = &call.api.platform;
    let input = &Input { request: call.request, body };
    match operation {
        Operation::Send => operations::send(platform, caller, input).await,
        Operation::Verify => operations::verify(platform, caller, input).await,
        Operation::Resend => operations::resend(platform, caller, input).await,
        Operation::Next => operations::next(platform, caller, input).await,
        Operation::Status => operations::status(platform, caller, input).await,
        Operation::Cancel => operations::cancel(platform, caller, input).await,
        Operation::ListSessions => operations::list(platform, caller, call.request).await,
        Operation::ShowSession => operations::show(platform, caller, name).await,
        Operation::ListContacts => contacts::list(platform, caller, call.request).await,
        Operation::CreateContact => contacts::create(platform, caller, input).await,
        Operation::BulkContacts => contacts::bulk(platform, caller, input).await,
        Operation::ShowContact => contacts::show(platform, caller, name).await,
        Operation::PatchContact => contacts::patch(platform, caller, name, input).await,
        Operation::PutContact => contacts::put(platform, caller, name, input).await,
        Operation::RemoveContact => contacts::remove(platform, caller, name, input).await,
        Operation::ShowContactByExternalId => contacts::show_external(platform, caller, name).await,
        Operation::PatchContactByExternalId => contacts::patch_external(platform, caller, name, input).await,
        Operation::PutContactByExternalId => contacts::put_external(platform, caller, name, input).await,
        Operation::RemoveContactByExternalId => contacts::remove_external(platform, caller, name, input).await,
        Operation::UnsubscribeContact => contacts::unsubscribe(platform, caller, name, input).await,
        Operation::ShowAccount => operations::account(platform, caller).await,
    }
}

fn respond(call: &Call<'_>, reply: Reply, quota: Option<&Quota>) -> HttpResponse {
    let mut response = json(call, reply.status, "application/json", reply.body, quota);
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
    if let Some(allow) = &failure.allow {
        headers.insert(ALLOW, allow_value(allow));
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
