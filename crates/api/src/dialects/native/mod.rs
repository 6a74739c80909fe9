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

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use countersign_core::{Caller, Quota};

use self::failure::Failure;
use self::operations::contacts;
use self::paths::Operation;
use self::request::Input;
use crate::body::Body;
use crate::call::{Call, allow_value};
use crate::dialect::{Edge, Reads, Route, Voice, retry_after};

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

/// The product's own dialect.
#[derive(Debug)]
pub(crate) struct Native;

impl Voice for Native {
    type Operation = Operation;
    type Reply = Reply;
    type Failure = Failure;

    fn name(&self) -> &'static str {
        "native"
    }

    fn owns(&self, path: &str, _: &HeaderMap) -> bool {
        paths::is_own(path)
    }

    /// Whoever shows our own header is spoken to in our own voice.
    fn adopts(&self, _: &str, headers: &HeaderMap) -> bool {
        headers.contains_key(auth::X_API_KEY)
    }

    fn find<'p>(&self, path: &'p str) -> Option<Route<'p, Operation>> {
        let (found, name) = paths::find(path)?;
        Some(Route { template: found.template(), name, operations: found.operations() })
    }

    fn reads(&self, operation: Operation) -> Reads {
        operation.reads()
    }

    fn writes(&self, operation: Operation) -> bool {
        operation.writes()
    }

    async fn authenticate(&self, call: &Call<'_>, _: Operation, _: &Body) -> Result<Caller, Failure> {
        auth::authenticate(call).await
    }

    async fn run(
        &self,
        call: &Call<'_>,
        operation: Operation,
        name: &str,
        body: &Body,
        caller: &Caller,
    ) -> Result<Reply, Failure> {
        run(call, operation, name, body, caller).await
    }

    fn stopped(&self, _: &Call<'_>, edge: Edge) -> Failure {
        error::of_edge(edge)
    }

    fn print(&self, call: &Call<'_>, outcome: Result<Reply, Failure>, quota: Option<&Quota>) -> HttpResponse {
        match outcome {
            Ok(reply) => respond(call, reply, quota),
            Err(failure) => refuse(call, &failure, quota),
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
    let mut response = call.reply(reply.status, "application/json", reply.body, quota);
    if reply.replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

fn refuse(call: &Call<'_>, failure: &Failure, quota: Option<&Quota>) -> HttpResponse {
    let (media, body) = failure.body(call.request, call.id.as_str());
    let mut response = call.reply(failure.status, media, body, quota);
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

#[cfg(test)]
pub(crate) use self::request::{known_fields, known_parameters};

/// An error on one of the pages beside the dialects, which are ours.
pub(crate) fn turn_away(call: &Call<'_>, edge: Edge) -> HttpResponse {
    refuse(call, &error::of_edge(edge), None)
}

/// A method that such a page does not know.
pub(crate) fn method_not_allowed(call: &Call<'_>, allow: &str) -> HttpResponse {
    turn_away(call, Edge::MethodNotAllowed { allow: allow.to_owned() })
}

/// A post that shows nothing by which its sender could be known. It says no more: whoever signs wrongly is told nothing of what is missing.
pub(crate) fn not_signed(call: &Call<'_>) -> HttpResponse {
    refuse(call, &Failure::new(StatusCode::FORBIDDEN, "forbidden", "Not signed by the provider"), None)
}

/// A post that is no receipt of the provider it names.
pub(crate) fn no_receipt(call: &Call<'_>) -> HttpResponse {
    refuse(call, &Failure::new(StatusCode::BAD_REQUEST, "malformed_body", "Not a receipt of this provider"), None)
}

/// What cannot be taken at the moment.
pub(crate) fn not_now(call: &Call<'_>, wait: Duration) -> HttpResponse {
    let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", error::UNAVAILABLE);
    refuse(call, &Failure { retry_after: Some(wait), ..failure }, None)
}
