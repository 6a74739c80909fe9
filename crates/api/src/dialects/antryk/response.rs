//! From what a verb answered to the JSON of this dialect.

use countersign_core::{Posted, Sent, Verified};
use countersign_model::{Channel, Code, Mode, PhoneNumber};
use serde::Serialize;
use utoipa::ToSchema;

use super::Reply;
use super::error::internal;
use super::failure::Failure;

/// A code on its way.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "success": true, "message": "Otp Sent Successfully!",
    "data": {"to": "+919876543210", "serviceId": "7d1f0c52-3a4b-4c5d-8e6f-0123456789ab", "status": "pending"}
})))]
pub(crate) struct SentReply<'a> {
    /// Always true.
    success: bool,
    message: &'static str,
    data: SentData<'a>,
    /// Only in the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
    /// Only where the recipient is a test recipient of the service: nothing was sent, and the code proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_recipient: Option<bool>,
}

/// What was asked, and where it stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SentData<'a> {
    to: &'a str,
    /// As the call wrote it.
    #[schema(format = "uuid")]
    service_id: &'a str,
    /// Always `pending`.
    status: &'static str,
    /// The code, only in the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    otp: Option<&'a str>,
}

/// What a guess came to.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "success": true, "message": "Otp Verified Successfully!", "data": {"valid": true, "to": "+919876543210", "status": "verified"}
})))]
pub(crate) struct VerdictReply<'a> {
    /// Always true: the call was heard, whatever the guess came to.
    success: bool,
    /// `null` for a wrong code.
    message: Option<&'static str>,
    data: VerdictData<'a>,
    /// Only in the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
    /// Only where the recipient is a test recipient of the service: nothing was sent, and the code proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_recipient: Option<bool>,
}

/// The verdict.
#[derive(Serialize, ToSchema)]
pub(crate) struct VerdictData<'a> {
    valid: bool,
    to: &'a str,
    /// `verified`, or `pending` for a wrong code.
    status: &'static str,
}

/// A plain message on its way.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "success": true, "messageId": "msg_01J9ZQ3V8MTRX4N6D5B7C9E0FG", "to": "+919876543210", "queuedAt": "2026-01-15T10:45:00.000Z"
})))]
pub(crate) struct PostedReply<'a> {
    /// Always true.
    success: bool,
    message_id: String,
    to: &'a str,
    #[schema(format = DateTime)]
    queued_at: String,
    /// Only in the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
}

fn sandbox(mode: Mode) -> Option<bool> {
    (mode == Mode::Sandbox).then_some(true)
}

fn printed(reply: &impl Serialize) -> Result<Reply, Failure> {
    serde_json::to_vec(reply).map(Reply).map_err(|_| internal("a reply could not be printed"))
}

/// `service`: as the call wrote it.
pub(super) fn sent(sent: &Sent, to: &PhoneNumber, service: &str) -> Result<Reply, Failure> {
    let code = sent.codes.as_ref().and_then(|codes| codes.get(&Channel::Sms));
    printed(&SentReply {
        success: true,
        message: "Otp Sent Successfully!",
        data: SentData { to: to.as_str(), service_id: service, status: "pending", otp: code.map(Code::expose) },
        sandbox: sandbox(sent.session.mode()),
        test_recipient: sent.session.is_test().then_some(true),
    })
}

/// The vendor's page shows a wrong code as a success whose `valid` is false; its table of errors disagrees. See docs/dialects/antryk.md, "Wrong code".
pub(super) fn verdict(verified: &Verified, to: &PhoneNumber) -> Result<Reply, Failure> {
    let valid = verified.judgement.session_verified;
    let (message, status) = if valid { (Some("Otp Verified Successfully!"), "verified") } else { (None, "pending") };
    let data = VerdictData { valid, to: to.as_str(), status };
    let (sandbox, test_recipient) = (sandbox(verified.session.mode()), verified.session.is_test().then_some(true));
    printed(&VerdictReply { success: true, message, data, sandbox, test_recipient })
}

pub(super) fn posted(posted: &Posted, to: &PhoneNumber) -> Result<Reply, Failure> {
    printed(&PostedReply {
        success: true,
        message_id: posted.message.shown(posted.mode).to_string(),
        to: to.as_str(),
        queued_at: posted.at.to_string(),
        sandbox: sandbox(posted.mode),
    })
}
