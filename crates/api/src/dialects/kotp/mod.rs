//! K-OTP's API, both of them: the one of the vendor's reference page and the one that its SDK speaks. They share an address, the keys and
//! `/v1/verify`; see `docs/dialects/kotp.md`.

mod auth;
mod error;
mod failure;
mod form;
mod ids;
mod openapi;
mod page;
mod paths;
mod query;
mod reference;
mod sdk;
mod words;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use countersign_core::{Caller, Quota};
use serde::Serialize;

use self::failure::Failure;
use self::form::Form;
use self::paths::Operation;
use crate::body::Body;
use crate::call::{Call, allow_value};
use crate::dialect::{Edge, Reads, Route, Voice, retry_after};

/// By how many seconds the records lag behind what the list should show.
const RECORDS_LAG: HeaderName = HeaderName::from_static("x-records-lag");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A reply that is no failure. Its status is 200.
#[derive(Debug)]
pub(crate) struct Reply {
    body: Vec<u8>,
    lag: Option<Duration>,
    replayed: bool,
}

impl Reply {
    fn new(reply: &impl Serialize) -> Result<Self, Failure> {
        let printed = serde_json::to_vec(reply).map_err(|_| error::internal("a reply could not be printed"));
        printed.map(|body| Self { body, lag: None, replayed: false })
    }

    /// The same, of records that lag behind.
    fn lagging(self, lag: Option<Duration>) -> Self {
        Self { lag, ..self }
    }

    /// The same; `replayed`: an earlier call with the same idempotency key was answered so.
    fn replayed(self, replayed: bool) -> Self {
        Self { replayed, ..self }
    }
}

/// The dialect.
#[derive(Debug)]
pub(crate) struct Kotp;

impl Voice for Kotp {
    type Operation = Operation;
    type Reply = Reply;
    type Failure = Failure;

    fn name(&self) -> &'static str {
        "kotp"
    }

    fn owns(&self, path: &str, _: &HeaderMap) -> bool {
        paths::is_own(path)
    }

    /// Whatever else is called under `/v1`, by callers who show nobody else's credentials: the dialects that know those are asked first.
    fn adopts(&self, path: &str, _: &HeaderMap) -> bool {
        path.starts_with("/v1/")
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

    async fn authenticate(&self, call: &Call<'_>, operation: Operation, body: &Body) -> Result<Caller, Failure> {
        if operation == Operation::Verify {
            Form::chosen_by(body).note(call.request);
        }
        auth::authenticate(call, operation).await
    }

    async fn run(
        &self,
        call: &Call<'_>,
        operation: Operation,
        name: &str,
        body: &Body,
        caller: &Caller,
    ) -> Result<Reply, Failure> {
        let platform = call.platform();
        match operation {
            Operation::Send => reference::send::run(platform, caller, body).await,
            Operation::Verify => match Form::of(call.request) {
                Form::Reference => reference::verify::run(platform, caller, body).await,
                Form::Sdk => sdk::verify::run(platform, caller, body).await,
            },
            Operation::ShowOtp => reference::status::run(platform, caller, name).await,
            Operation::ListOtps => reference::list::run(platform, caller, call.request).await,
            Operation::Issue => sdk::issue::run(call, caller, body).await,
            Operation::ShowStatus => sdk::status::run(platform, caller, call.request).await,
            Operation::ListIssues => sdk::issues::list(platform, caller, call.request).await,
            Operation::ShowIssue => sdk::issues::show(platform, caller, name).await,
            Operation::ShowBalance => sdk::balance::run(platform, caller).await,
            Operation::ListLedger => sdk::ledger::run(platform, caller, call.request).await,
            Operation::ListTemplates => sdk::templates::list(platform, caller).await,
            Operation::ShowTemplate => sdk::templates::show(platform, caller, name).await,
        }
    }

    fn stopped(&self, _: &Call<'_>, edge: Edge) -> Failure {
        error::of_edge(edge)
    }

    fn print(&self, call: &Call<'_>, outcome: Result<Reply, Failure>, quota: Option<&Quota>) -> HttpResponse {
        let mut response = match outcome {
            Ok(reply) => respond(call, reply, quota),
            Err(failure) => refuse(call, &failure, quota),
        };
        page::stamp(call.request, response.headers_mut());
        response
    }

    fn options(&self, call: &Call<'_>, allow: &str) -> HttpResponse {
        let mut response = call.reply(StatusCode::NO_CONTENT, "application/json", Vec::new(), None);
        let headers = response.headers_mut();
        headers.remove(CONTENT_TYPE);
        if !page::preflight(call.request, headers) {
            headers.insert(ALLOW, allow_value(allow));
        }
        response
    }

    fn openapi(&self) -> Option<String> {
        Some(openapi::json())
    }
}

fn respond(call: &Call<'_>, reply: Reply, quota: Option<&Quota>) -> HttpResponse {
    let mut response = call.reply(StatusCode::OK, "application/json", reply.body, quota);
    let headers = response.headers_mut();
    if reply.replayed {
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    if let Some(lag) = reply.lag {
        headers.insert(RECORDS_LAG, HeaderValue::from(lag.as_secs() + u64::from(lag.subsec_nanos() > 0)));
    }
    response
}

fn refuse(call: &Call<'_>, failure: &Failure, quota: Option<&Quota>) -> HttpResponse {
    let body = failure.body(Form::of(call.request));
    let mut response = call.reply(failure.word.status, "application/json", body, quota);
    let headers = response.headers_mut();
    if let Some(wait) = failure.retry_after {
        retry_after(headers, wait);
    }
    if let Some(allow) = &failure.allow {
        headers.insert(ALLOW, allow_value(allow));
    }
    if failure.word.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"countersign\""));
    }
    response
}
