//! An issue as its status and its rows in lists show it.

use countersign_core::{Issue, SessionState, amount_json, otp_id};
use countersign_model::{MessageStatus, Mode};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::schema::{BillingStatus, DeliveryStatus, OverallStatus, VerificationStatus};
use super::templates::DEFAULT_TEMPLATE;
use super::{CURRENCY, mode, sandbox};

/// What both have in common.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssueFacts {
    issue_id: String,
    purpose: String,
    /// The one that the call chose, as far as it is known still; else the default one.
    template_id: String,
    #[schema(value_type = VerificationStatus)]
    verification_status: &'static str,
    #[schema(value_type = DeliveryStatus)]
    delivery_status: &'static str,
    /// The verification's status unless that is `issued`; then how far the message is.
    #[schema(value_type = OverallStatus)]
    overall_status: &'static str,
    attempts_used: u8,
    max_attempts: u8,
    attempts_remaining: u8,
    #[schema(format = DateTime)]
    expires_at: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    verified_at: Option<String>,
    /// `live` or `test`.
    mode: &'static str,
    /// Only in the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
}

/// An issue as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusReply {
    #[serde(flatten)]
    facts: IssueFacts,
    /// The message's own name.
    message_id: Option<String>,
    /// True where nobody knows whether the message went out. It is not sent again by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_outcome_ambiguous: Option<bool>,
}

/// An issue in a list, or by itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssueRow {
    #[serde(flatten)]
    facts: IssueFacts,
    /// `sms`, or the way of an OTP that was sent by another API.
    channel: &'static str,
    #[schema(value_type = BillingStatus)]
    billing_status: &'static str,
    /// What it has cost so far.
    #[schema(value_type = f64)]
    debited_amount: Value,
    /// What amounts are in.
    currency: &'static str,
}

impl From<&Issue> for StatusReply {
    fn from(issue: &Issue) -> Self {
        Self {
            facts: issue.into(),
            message_id: issue.message.map(|id| id.shown(went(issue)).to_string()),
            provider_outcome_ambiguous: issue.unclear.then_some(true),
        }
    }
}

impl From<&Issue> for IssueRow {
    fn from(issue: &Issue) -> Self {
        Self {
            facts: issue.into(),
            channel: issue.otp.method.as_str(),
            billing_status: billing(issue),
            debited_amount: amount_json(issue.cost.unwrap_or_default()),
            currency: CURRENCY,
        }
    }
}

impl From<&Issue> for IssueFacts {
    fn from(issue: &Issue) -> Self {
        let (verification, delivery) = (verification(issue), delivery(issue));
        Self {
            issue_id: otp_id(issue.otp.session),
            purpose: issue.purpose.clone(),
            template_id: issue.template.map_or_else(|| DEFAULT_TEMPLATE.to_owned(), |id| id.to_string()),
            verification_status: verification,
            delivery_status: delivery,
            overall_status: overall(verification, delivery),
            attempts_used: issue.max_attempts.saturating_sub(issue.attempts_remaining),
            max_attempts: issue.max_attempts,
            attempts_remaining: issue.attempts_remaining,
            expires_at: issue.expires_at.to_string(),
            created_at: issue.otp.created_at.to_string(),
            updated_at: issue.updated_at.to_string(),
            verified_at: issue.verified_at.map(|moment| moment.to_string()),
            mode: mode(went(issue)),
            sandbox: sandbox(went(issue)),
        }
    }
}

const fn went(issue: &Issue) -> Mode {
    if issue.otp.sandbox { Mode::Sandbox } else { Mode::Live }
}

const fn verification(issue: &Issue) -> &'static str {
    match issue.state {
        SessionState::Verified => "verified",
        SessionState::Canceled | SessionState::Notice => "replaced",
        SessionState::Locked => "max_attempts",
        SessionState::Expired => "expired",
        SessionState::Pending | SessionState::Failed => "issued",
    }
}

/// A message that may have gone out counts as sent.
const fn delivery(issue: &Issue) -> &'static str {
    match issue.delivery {
        None => "unknown",
        Some(MessageStatus::Pending) if issue.unclear => "sent",
        Some(MessageStatus::Pending) => "queued",
        Some(MessageStatus::Sent) => "sent",
        Some(MessageStatus::Delivered) => "delivered",
        Some(MessageStatus::Failed) => "failed",
    }
}

fn overall(verification: &'static str, delivery: &'static str) -> &'static str {
    match (verification, delivery) {
        ("issued", "delivered") => "delivered",
        ("issued", "failed") => "delivery_failed",
        ("issued", "unknown") => "pending_lookup",
        ("issued", _) => "in_progress",
        (over, _) => over,
    }
}

/// What becomes of the price: set aside, taken, or given back. Where nobody is billed there is nothing to take.
fn billing(issue: &Issue) -> &'static str {
    match (issue.cost, issue.delivery) {
        (Some(cost), _) if !cost.is_zero() => "debited",
        (Some(_), Some(MessageStatus::Pending)) => "reserved",
        (Some(_) | None, _) => "released",
    }
}
