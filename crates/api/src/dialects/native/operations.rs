//! The operations: parse, one verb, print.

pub(crate) mod contacts;

use std::sync::Arc;

use actix_web::HttpRequest;
use countersign_core::{Caller, Platform};

use super::failure::Failure;
use super::request::{self, Input};
use super::response;
use super::schema::{CancelRequest, ListParameters, NextRequest, ResendRequest, SendRequest, StatusRequest, VerifyRequest};
use super::{Reply, error, words};
use crate::dialects::native::response::account::AccountReply;
use crate::dialects::native::response::list::ListReply;
use crate::dialects::native::response::send::SendReply;
use crate::dialects::native::response::status::StatusReply;
use crate::dialects::native::response::verify::VerifyReply;

/// Send codes
///
/// Opens a session and sends a code on every asked channel. One accepted channel is enough in `any` mode.
#[utoipa::path(
    post, path = "/api/v1/otp/send", tag = "otp", operation_id = "sendOtp", security(("api_key" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours."),
           ("Prefer" = Option<String>, Header, description = "`handling=strict` refuses unknown fields.")),
    request_body = SendRequest,
    responses((status = 200, description = "Codes are on their way.", body = SendReply),
              (status = 402, description = "The balance does not cover the messages."),
              (status = 409, description = "A call with this idempotency key is still running."),
              (status = 422, description = "The idempotency key was used with another body."),
              (status = 502, description = "No provider took any message; nothing is charged."))
)]
pub(crate) async fn send(platform: &Arc<Platform>, caller: &Caller, input: &Input<'_>) -> Result<Reply, Failure> {
    let sent = platform.send(caller, request::send::parse(input)?).await.map_err(error::of_send)?;
    Reply::new(response::send::body(&sent, words::SENT), sent.replayed)
}

/// Verify codes
///
/// A wrong code answers 200 with `verified: false`; it is a verdict, not an error.
#[utoipa::path(
    post, path = "/api/v1/otp/verify", tag = "otp", operation_id = "verifyOtp", security(("api_key" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours."),
           ("Prefer" = Option<String>, Header, description = "`handling=strict` refuses unknown fields.")),
    request_body = VerifyRequest,
    responses((status = 200, description = "The verdict.", body = VerifyReply),
              (status = 409, description = "The session, or the only named channel, was verified before."),
              (status = 410, description = "The session expired or was canceled."),
              (status = 422, description = "The idempotency key was used with another body."))
)]
pub(crate) async fn verify(platform: &Arc<Platform>, caller: &Caller, input: &Input<'_>) -> Result<Reply, Failure> {
    let submitted = request::verify::parse(input)?;
    let verified = platform.verify(caller, submitted.command).await.map_err(error::of_refusal)?;
    Reply::new(response::verify::body(&verified, submitted.strangers), verified.replayed)
}

/// Send new codes
///
/// New codes and a new expiry under the same token; attempts start again. Works after expiry and, unless the service says otherwise, when
/// locked.
#[utoipa::path(
    post, path = "/api/v1/otp/resend", tag = "otp", operation_id = "resendOtp", security(("api_key" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours."),
           ("Prefer" = Option<String>, Header, description = "`handling=strict` refuses unknown fields.")),
    request_body = ResendRequest,
    responses((status = 200, description = "New codes are on their way.", body = SendReply),
              (status = 409, description = "The session was verified before."),
              (status = 410, description = "The session was canceled."),
              (status = 422, description = "The idempotency key was used with another body."),
              (status = 502, description = "No provider took any message; the old codes stay."))
)]
pub(crate) async fn resend(platform: &Arc<Platform>, caller: &Caller, input: &Input<'_>) -> Result<Reply, Failure> {
    let sent = platform.resend(caller, request::resend::parse(input)?).await.map_err(error::of_refusal)?;
    Reply::new(response::send::body(&sent, words::RESENT), sent.replayed)
}

/// Go to the next fallback channel now
#[utoipa::path(
    post, path = "/api/v1/otp/next", tag = "otp", operation_id = "nextOtp", security(("api_key" = [])),
    params(("Prefer" = Option<String>, Header, description = "`handling=strict` refuses unknown fields.")),
    request_body = NextRequest,
    responses((status = 200, description = "A code is on its way on the next channel.", body = SendReply),
              (status = 409, description = "No fallback channel is left, or the session was verified before."),
              (status = 410, description = "The session expired or was canceled."),
              (status = 502, description = "No provider took the message."))
)]
pub(crate) async fn next(platform: &Arc<Platform>, caller: &Caller, input: &Input<'_>) -> Result<Reply, Failure> {
    let sent = platform.next(caller, request::next(input)?).await.map_err(error::of_refusal)?;
    Reply::new(response::send::body(&sent, words::SENT), sent.replayed)
}

/// Look at a session
#[utoipa::path(
    post, path = "/api/v1/otp/status", tag = "otp", operation_id = "sessionStatus", security(("api_key" = [])),
    params(("Prefer" = Option<String>, Header, description = "`handling=strict` refuses unknown fields.")),
    request_body = StatusRequest,
    responses((status = 200, description = "The session as it stands.", body = StatusReply))
)]
pub(crate) async fn status(platform: &Arc<Platform>, caller: &Caller, input: &Input<'_>) -> Result<Reply, Failure> {
    let session = platform.status(caller, &request::looked_up(input)?).await.map_err(error::of_refusal)?;
    Reply::new(response::status::body(&session, platform.now(), platform.currency()), false)
}

/// End a session
///
/// Ending it again is no error.
#[utoipa::path(
    post, path = "/api/v1/otp/cancel", tag = "otp", operation_id = "cancelOtp", security(("api_key" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours."),
           ("Prefer" = Option<String>, Header, description = "`handling=strict` refuses unknown fields.")),
    request_body = CancelRequest,
    responses((status = 200, description = "The session as it stands.", body = StatusReply),
              (status = 409, description = "The session was verified before."),
              (status = 422, description = "The idempotency key was used with another body."))
)]
pub(crate) async fn cancel(platform: &Arc<Platform>, caller: &Caller, input: &Input<'_>) -> Result<Reply, Failure> {
    let (handle, idempotency) = request::cancel(input)?;
    let (session, replayed) = platform.cancel(caller, &handle, idempotency.as_ref()).await.map_err(error::of_refusal)?;
    Reply::new(response::status::body(&session, platform.now(), platform.currency()), replayed)
}

/// List sessions
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/v1/otp/sessions", tag = "otp", operation_id = "listSessions", security(("api_key" = [])),
    params(ListParameters),
    responses((status = 200, description = "A page.", body = ListReply))
)]
pub(crate) async fn list(platform: &Arc<Platform>, caller: &Caller, request: &HttpRequest) -> Result<Reply, Failure> {
    let list = request::list::parse(request)?;
    let page = platform.list(caller, list.filter, list.limit).await.map_err(error::of_refusal)?;
    Reply::new(response::list::body(&page, platform.now(), platform.currency()), false)
}

/// Look at a session by its name in the path
#[utoipa::path(
    get, path = "/api/v1/otp/sessions/{session}", tag = "otp", operation_id = "showSession", security(("api_key" = [])),
    params(("session" = String, Path, description = "A session's id (`ses_…`) or its token.")),
    responses((status = 200, description = "The session as it stands.", body = StatusReply))
)]
pub(crate) async fn show(platform: &Arc<Platform>, caller: &Caller, name: &str) -> Result<Reply, Failure> {
    let session = platform.status(caller, &request::from_path(name)).await.map_err(error::of_refusal)?;
    Reply::new(response::status::body(&session, platform.now(), platform.currency()), false)
}

/// Look at your account
#[utoipa::path(
    get, path = "/api/v1/account", tag = "account", operation_id = "showAccount", security(("api_key" = [])),
    responses((status = 200, description = "Your account.", body = AccountReply))
)]
pub(crate) async fn account(platform: &Arc<Platform>, caller: &Caller) -> Result<Reply, Failure> {
    let account = platform.account(caller).await.map_err(error::of_refusal)?;
    Reply::new(response::account::body(&account, platform.currency()), false)
}
