//! Antryk's wire: clients of theirs change the base address and the credentials. See docs/dialects/antryk.md.

mod auth;
mod error;
mod failure;
mod openapi;
mod operations;
mod paths;
mod request;
mod response;
mod schema;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use countersign_core::{Caller, Quota};

use self::failure::Failure;
use self::paths::Operation;
use crate::body::Body;
use crate::call::{Call, allow_value};
use crate::dialect::{Edge, Reads, Route, Voice, retry_after};

/// Printed JSON with status 200.
pub(crate) struct Reply(Vec<u8>);

/// The dialect.
#[derive(Debug)]
pub(crate) struct Antryk;

impl Voice for Antryk {
    type Operation = Operation;
    type Reply = Reply;
    type Failure = Failure;

    fn name(&self) -> &'static str {
        "antryk"
    }

    /// A caller of our own API who strays in here is answered in our own voice.
    fn owns(&self, path: &str, headers: &HeaderMap) -> bool {
        paths::is_own(path) && !headers.contains_key("x-api-key")
    }

    fn find<'p>(&self, path: &'p str) -> Option<Route<'p, Operation>> {
        paths::find(path)
    }

    fn reads(&self, _: Operation) -> Reads {
        Reads::Body
    }

    /// A verification counts guesses.
    fn writes(&self, _: Operation) -> bool {
        true
    }

    async fn authenticate(&self, call: &Call<'_>, _: Operation, body: &Body) -> Result<Caller, Failure> {
        auth::authenticate(call, body).await
    }

    async fn run(&self, call: &Call<'_>, operation: Operation, _: &str, body: &Body, caller: &Caller) -> Result<Reply, Failure> {
        let (platform, fields) = (call.platform(), &body.object);
        match operation {
            Operation::SendOtp => operations::send_otp(platform, caller, fields).await,
            Operation::VerifyOtp => operations::verify_otp(platform, caller, fields).await,
            Operation::Send => operations::send(platform, caller, fields).await,
        }
    }

    fn stopped(&self, _: &Call<'_>, edge: Edge) -> Failure {
        error::of_edge(edge)
    }

    fn print(&self, call: &Call<'_>, outcome: Result<Reply, Failure>, quota: Option<&Quota>) -> HttpResponse {
        match outcome {
            Ok(Reply(body)) => call.reply(StatusCode::OK, "application/json", body, quota),
            Err(failure) => refuse(call, &failure, quota),
        }
    }

    fn openapi(&self) -> Option<String> {
        Some(openapi::json())
    }
}

fn refuse(call: &Call<'_>, failure: &Failure, quota: Option<&Quota>) -> HttpResponse {
    let mut response = call.reply(failure.status(), "application/json", failure.body(), quota);
    let headers = response.headers_mut();
    if let Some(wait) = failure.wait(call.platform().now()) {
        retry_after(headers, wait);
    }
    if let Some(allow) = &failure.allow {
        headers.insert(ALLOW, allow_value(allow));
    }
    if failure.status() == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("AccessKey realm=\"countersign\", header=\"x-access-key\""));
    }
    response
}
