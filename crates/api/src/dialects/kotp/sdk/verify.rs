//! `POST /v1/verify` with `issueId`.

use countersign_core::{About, Caller, Guess, Guesses, Handle, Platform, Refusal, Verified, Verify};
use countersign_model::{Mode, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::schema::ReasonCode;
use super::{mode, mode_of, sandbox};
use crate::body::Body;
use crate::dialects::kotp::failure::Failure;
use crate::dialects::kotp::reference::schema::VerifyRequest;
use crate::dialects::kotp::reference::verify::VerifyReply;
use crate::dialects::kotp::words::INVALID_PARAMETER;
use crate::dialects::kotp::{Reply, error, ids};
use crate::fields::{Faults, Fields, presentable};

/// What a guess came to. A wrong code is no error here.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "issueId": "otp_0195a0c2b7f40c9a6d1e8f3b5a7c9d00", "verified": false, "reasonCode": "MISMATCH", "attemptsRemaining": 4,
    "expiresAt": "2026-01-15T10:48:00.000Z", "mode": "live"
})))]
pub(crate) struct VerdictReply {
    issue_id: String,
    verified: bool,
    /// Only where it is not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ReasonCode>)]
    reason_code: Option<&'static str>,
    attempts_remaining: u8,
    /// Of an issue that nobody knows: the moment of the call.
    #[schema(value_type = String, format = DateTime)]
    expires_at: String,
    /// Only where this call verified it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    verified_at: Option<String>,
    /// `live` or `test`.
    mode: &'static str,
    /// Only in the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
    /// Only where the recipient is a test recipient of the service: nothing was sent, and the code proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_recipient: Option<bool>,
}

/// What is to be verified: the body says in which API.
#[derive(Serialize, ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[serde(untagged)]
pub(crate) enum AnyVerifyRequest {
    Reference(VerifyRequest),
    Sdk(SdkVerifyRequest),
}

/// What it came to.
#[derive(Serialize, ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[serde(untagged)]
pub(crate) enum AnyVerifyReply {
    Reference(VerifyReply),
    Sdk(VerdictReply),
}

/// What is to be verified in the SDK's API.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({"issueId": "otp_0195a0c2b7f40c9a6d1e8f3b5a7c9d00", "code": "482913"})))]
pub(crate) struct SdkVerifyRequest {
    /// From the issue.
    issue_id: String,
    #[schema(pattern = "^[0-9]{6}$")]
    code: String,
}

/// Verify an OTP
///
/// With `id` in the reference API: a wrong code is an error, 400 `INVALID_CODE`. With `issueId` in the SDK's API: it is a verdict, 200 with
/// `verified: false` and a `reasonCode`. With neither, the error is one of the reference API.
#[utoipa::path(
    post, path = "/v1/verify", tag = "otps", operation_id = "verifyOtp", security(("api_key" = [])), request_body = AnyVerifyRequest,
    responses((status = 200, description = "Right; in the SDK's API the verdict.", body = AnyVerifyReply),
              (status = 404, description = "`OTP_NOT_FOUND`: there is no such OTP. Reference API only."))
)]
pub(crate) async fn run(platform: &Platform, caller: &Caller, body: &Body) -> Result<Reply, Failure> {
    let given = |field: &str| body.object.get(field).cloned();
    let (id, guess) = parse(&body.object).map_err(|faults| Failure::of_faults(faults, given))?;
    let heard = match ids::session(id) {
        Some(session) => {
            let command = Verify { handle: Handle::Id(session), guesses: Guesses::Unnamed(guess), idempotency: None };
            platform.verify(caller, command).await
        }
        // A call like any other, though nothing was ever called that.
        None => platform.admit(caller).await.and(Err(Refusal::Unknown)),
    };
    Reply::new(&match heard {
        Ok(verified) => judged(id, &verified),
        Err(refusal) => refused(id, caller, refusal, platform.now())?,
    })
}

/// Which issue and what was typed.
fn parse(object: &Map<String, Value>) -> Result<(&str, Guess), Faults> {
    let fields = Fields::new(object, "", INVALID_PARAMETER);
    let mut faults = Faults::default();
    let id = fields.parsed("issueId", "a string", |text| Some(text.trim()), &mut faults);
    let six_digits = |text: &str| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    let must = "a string of 6 digits";
    if fields.get("code").is_none() {
        fields.refuse("code", must, &mut faults);
    }
    let guess = fields.parsed("code", must, |text| Guess::read(text).filter(|_| six_digits(text)), &mut faults);
    faults.or(id.zip(guess))
}

fn judged(id: &str, verified: &Verified) -> VerdictReply {
    let (session, judgement) = (&verified.session, &verified.judgement);
    let reason = match (judgement.session_verified, judgement.attempts_remaining) {
        (true, _) => None,
        (false, 0) => Some("MAX_ATTEMPTS"),
        (false, _) => Some("MISMATCH"),
    };
    VerdictReply {
        issue_id: id.to_owned(),
        verified: judgement.session_verified,
        reason_code: reason,
        attempts_remaining: judgement.attempts_remaining,
        expires_at: session.expires_at().to_string(),
        verified_at: judgement.verified_at.map(|moment| moment.to_string()),
        mode: mode(session.mode()),
        sandbox: sandbox(session.mode()),
        test_recipient: session.is_test().then_some(true),
    }
}

/// A refusal that is a verdict here; the rest are failures.
fn refused(id: &str, caller: &Caller, refusal: Refusal, now: Timestamp) -> Result<VerdictReply, Failure> {
    let verdict = |reason: &'static str, about: About| VerdictReply {
        issue_id: presentable(id),
        verified: false,
        reason_code: Some(reason),
        attempts_remaining: about.attempts_remaining,
        expires_at: about.expires_at.to_string(),
        verified_at: None,
        mode: mode(about.mode),
        sandbox: sandbox(about.mode),
        test_recipient: None,
    };
    match refusal {
        Refusal::AlreadyVerified(about) => Ok(verdict("ALREADY_VERIFIED", about)),
        Refusal::Canceled(about) => Ok(verdict("REPLACED", about)),
        // Attempts that were used up stay used up, as the status tells it.
        Refusal::Expired(about) if about.attempts_remaining > 0 => Ok(verdict("EXPIRED", about)),
        Refusal::Expired(about) | Refusal::Locked(about) => Ok(verdict("MAX_ATTEMPTS", about)),
        Refusal::Unknown => {
            let nobodys = About { mode: Mode::Live, attempts_remaining: 0, expires_at: now };
            Ok(VerdictReply { mode: mode_of(caller.scope.keys), ..verdict("NOT_FOUND", nobodys) })
        }
        failure @ (Refusal::ChannelNotFound(_)
        | Refusal::ChannelVerified(_)
        | Refusal::ChannelNeeded(_)
        | Refusal::NoFallback(_)
        | Refusal::Limited { .. }
        | Refusal::RecipientBlocked { .. }
        | Refusal::SlotTaken { .. }
        | Refusal::NothingSent(_)
        | Refusal::IdempotencyRunning
        | Refusal::IdempotencyMismatch
        | Refusal::Unavailable(_)
        | Refusal::KeyRevoked
        | Refusal::TooManyCalls { .. }
        | Refusal::InsufficientBalance(_)
        | Refusal::Unsettled
        | Refusal::RecordsAway(_)
        | Refusal::Internal(_)) => Err(error::of_refusal(failure)),
    }
}
