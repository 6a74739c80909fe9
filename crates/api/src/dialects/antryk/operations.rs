//! The operations: parse, one verb, print.

use std::sync::Arc;

use countersign_core::{Caller, Guesses, Handle, Platform, Post, Send, Verify};
use countersign_model::{Channel, Dialect, Mode, Recipient, Service, ServiceId, WrongCode};
use serde_json::{Map, Value};

use super::failure::{ErrorReply, Failure, Word};
use super::response::{self, PostedReply, SentReply, VerdictReply};
use super::schema::{SendOtpRequest, SendRequest, VerifyOtpRequest};
use super::{Reply, error, request};

/// Send a code
///
/// While an earlier code for the same number and service lives, nothing is sent.
#[utoipa::path(
    post, path = "/api/v1/sms/send-otp", tag = "otp", operation_id = "sendOtp", security(("access_key" = [], "secret_key" = []), ()),
    request_body = SendOtpRequest,
    responses((status = 200, description = "A code is on its way.", body = SentReply),
              (status = 402, description = "`insufficient_balance`", body = ErrorReply),
              (status = 409, description = "`otp_pending`: an earlier code lives. `Retry-After` says how long.", body = ErrorReply))
)]
pub(super) async fn send_otp(platform: &Arc<Platform>, caller: &Caller, fields: &Map<String, Value>) -> Result<Reply, Failure> {
    let named = request::service(fields)?;
    known(platform, caller, named.id).await?;
    let to = request::to(fields)?;
    let command = Send { service: Some(named.id), ..Send::to(Dialect::Antryk, Channel::Sms, Recipient::Phone(to.clone())) };
    let sent = platform.send(caller, command).await.map_err(|error| error::of_send(error, caller.mode()))?;
    response::sent(&sent, &to, named.written)
}

/// Verify a code
///
/// A wrong code answers 200 with `valid: false`, or 400 `otp_invalid` where the service says so.
#[utoipa::path(
    post, path = "/api/v1/sms/verify-otp", tag = "otp", operation_id = "verifyOtp", security(("access_key" = [], "secret_key" = []), ()),
    request_body = VerifyOtpRequest,
    responses((status = 200, description = "The verdict.", body = VerdictReply),
              (status = 404, description = "`otp_not_found`: nothing is pending for that number and service.", body = ErrorReply),
              (status = 410, description = "`otp_expired`", body = ErrorReply))
)]
pub(super) async fn verify_otp(platform: &Arc<Platform>, caller: &Caller, fields: &Map<String, Value>) -> Result<Reply, Failure> {
    let service = request::service(fields)?.id;
    let profile = known(platform, caller, service).await?;
    let to = request::to(fields)?;
    let command = Verify {
        handle: Handle::Slot { service, recipient: Recipient::Phone(to.clone()) },
        guesses: Guesses::Unnamed(request::otp(fields)?),
        idempotency: None,
    };
    let verified = platform.verify(caller, command).await.map_err(|refusal| error::of_refusal(refusal, caller.mode()))?;
    match profile.wrong_code {
        WrongCode::Error if !verified.judgement.session_verified => {
            Err(Failure::from(Word::OtpInvalid).of_sandbox(verified.session.mode() == Mode::Sandbox))
        }
        WrongCode::Verdict | WrongCode::Error => response::verdict(&verified, &to),
    }
}

/// Send a message
///
/// Any words, no code.
#[utoipa::path(
    post, path = "/api/v1/sms/send", tag = "messages", operation_id = "sendSms", security(("access_key" = [], "secret_key" = []), ()),
    request_body = SendRequest,
    responses((status = 200, description = "The message is on its way.", body = PostedReply),
              (status = 402, description = "`insufficient_balance`", body = ErrorReply))
)]
pub(super) async fn send(platform: &Arc<Platform>, caller: &Caller, fields: &Map<String, Value>) -> Result<Reply, Failure> {
    let service = request::service(fields)?.id;
    known(platform, caller, service).await?;
    let to = request::to(fields)?;
    let command = Post {
        dialect: Dialect::Antryk,
        service: Some(service),
        recipient: to.clone(),
        body: request::body(fields)?,
        idempotency: None,
    };
    let posted = platform.post(caller, command).await.map_err(|error| error::of_post(error, caller.mode()))?;
    response::posted(&posted, &to)
}

/// The service, before the rest of the call is read: whoever names none of its own hears of nothing else.
async fn known(platform: &Platform, caller: &Caller, id: ServiceId) -> Result<Service, Failure> {
    if let Some(service) = platform.service(caller, Some(id)) {
        return Ok(service);
    }
    // Made a moment ago at another node, perhaps.
    let newer = platform.admit(caller).await.map_err(|refusal| error::of_refusal(refusal, caller.mode()))?;
    platform.service(&newer, Some(id)).ok_or_else(|| Word::InvalidRequest.into())
}
