//! GetOTP's API: the one under `/api/verify/` and its successor under `/v1`, which say the same.
//!
//! See docs/dialects/getotp.md for what the vendor leaves open or contradicts, and how it is read here.

mod auth;
mod error;
mod operations;
mod paths;
mod request;
mod response;
mod schema;
mod words;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use countersign_core::{Caller, Quota};

use self::error::Failure;
use self::paths::Operation;
use crate::body::Body;
use crate::call::{Call, allow_value};
use crate::dialect::{Edge, Reads, Route, Voice, retry_after};

/// How a caller who was not let in may show who it is.
const CHALLENGE: &str = "ApiKey realm=\"countersign\", header=\"X-OTP-Key\", Basic realm=\"countersign\", charset=\"UTF-8\"";

/// A reply that is no failure. Its body may hold a code or a secret.
pub(crate) struct Reply {
    status: StatusCode,
    body: Vec<u8>,
}

/// The dialect.
#[derive(Debug)]
pub(crate) struct GetOtp;

impl Voice for GetOtp {
    type Operation = Operation;
    type Reply = Reply;
    type Failure = Failure;

    fn name(&self) -> &'static str {
        "getotp"
    }

    fn owns(&self, path: &str, _: &HeaderMap) -> bool {
        paths::is_own(path)
    }

    /// Whoever shows this vendor's credentials under `/v1` is spoken to in its voice.
    fn adopts(&self, path: &str, headers: &HeaderMap) -> bool {
        paths::is_shared(path) && auth::are_shown(headers)
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

    /// A check consumes the code, which a `HEAD` must not.
    fn heads(&self, operation: Operation) -> bool {
        operation != Operation::Check
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
        let (platform, query) = (call.platform(), call.request().query_string());
        match operation {
            Operation::Create => operations::create(platform, caller, body).await,
            Operation::Check => operations::check(platform, caller, query).await,
            Operation::ListTemplates => operations::list_templates(platform, caller, query).await,
            Operation::CreateTemplate => operations::create_template(platform, caller, body).await,
            Operation::ShowTemplate => operations::show_template(platform, caller, name).await,
            Operation::ListSenders => operations::list_senders(platform, caller, query).await,
            Operation::ListWebhooks => operations::list_webhooks(platform, caller, query).await,
            Operation::CreateWebhook => operations::create_webhook(platform, caller, body).await,
            Operation::ShowWebhook => operations::show_webhook(platform, caller, name).await,
            Operation::UpdateWebhook => operations::update_webhook(platform, caller, name, body).await,
            Operation::RemoveWebhook => operations::remove_webhook(platform, caller, name).await,
        }
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

    fn openapi(&self) -> Option<String> {
        Some(schema::openapi_json())
    }
}

fn respond(call: &Call<'_>, reply: Reply, quota: Option<&Quota>) -> HttpResponse {
    let mut response = call.reply(reply.status, "application/json", reply.body, quota);
    if reply.status == StatusCode::NO_CONTENT {
        response.headers_mut().remove(CONTENT_TYPE);
    }
    response
}

fn refuse(call: &Call<'_>, failure: &Failure, quota: Option<&Quota>) -> HttpResponse {
    let status = failure.status();
    let mut response = call.reply(status, "application/json", error::body(failure, call), quota);
    let headers = response.headers_mut();
    if let Some(wait) = failure.retry_after {
        retry_after(headers, wait);
    }
    if let Some(allow) = &failure.allow {
        headers.insert(ALLOW, allow_value(allow));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    }
    response
}
