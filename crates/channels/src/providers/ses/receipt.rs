//! What the service publishes of mail, through a notification topic.

use async_trait::async_trait;
use countersign_model::{Report, Timestamp, Undelivered};
use serde_json::Value;

use super::Ses;
use crate::mail::{self, ECHO};
use crate::receipts::{Callback, CallbackRefusal, Reading, Receipts};

#[async_trait]
impl Receipts for Ses {
    async fn read(&self, callback: &Callback, now: Timestamp) -> Result<Reading, CallbackRefusal> {
        let topic = self.settings.topic.as_ref().ok_or(CallbackRefusal::Forged)?;
        let Some(message) = topic.open(callback, now).await? else { return Ok(Reading::Receipts(Vec::new())) };
        // Amazon says hello to a new topic in plain words.
        let event: Value = serde_json::from_str(&message).unwrap_or_default();
        let reference = event["mail"]["tags"][ECHO][0].as_str();
        let receipt = reference.and_then(|reference| {
            let (report, at) = report(&event);
            mail::receipt(reference, report, at.as_str().and_then(|at| at.parse().ok()))
        });
        Ok(Reading::Receipts(receipt.into_iter().collect()))
    }
}

/// What an event says, and where its time stands.
fn report(event: &Value) -> (Report, &Value) {
    let of = |part: &str| &event[part]["timestamp"];
    match event["eventType"].as_str().unwrap_or_default() {
        "Delivery" => (Report::Delivered, of("delivery")),
        "Open" => (Report::Delivered, of("open")),
        "Click" => (Report::Delivered, of("click")),
        "Bounce" => (Report::Undelivered(bounce(&event["bounce"])), of("bounce")),
        "Complaint" if is_list(&event["complaint"]["complaintSubType"]) => {
            (Report::Undelivered(Undelivered::Rejected), of("complaint"))
        }
        // Whoever calls a mail spam has got it.
        "Complaint" => (Report::Delivered, of("complaint")),
        "Reject" => (Report::Undelivered(Undelivered::Rejected), of("reject")),
        "Rendering Failure" => (Report::Undelivered(Undelivered::Unknown), of("failure")),
        "DeliveryDelay" => (Report::Underway, of("deliveryDelay")),
        _ => (Report::Underway, of("send")),
    }
}

/// A complaint of the past: the service has kept the mail back.
fn is_list(kind: &Value) -> bool {
    matches!(kind.as_str(), Some("OnAccountSuppressionList" | "OnTenantSuppressionList"))
}

/// Why mail came back. The sub-type says it where there is one of its own; else the other side's status does.
fn bounce(bounce: &Value) -> Undelivered {
    let word = |name: &str| bounce[name].as_str().unwrap_or_default();
    match (word("bounceType"), word("bounceSubType")) {
        (_, "NoEmail") => Undelivered::NotThere,
        (_, "MailboxFull") => Undelivered::Unreachable,
        (_, "CustomTimeoutExceeded") => Undelivered::Expired,
        (
            _,
            "Suppressed"
            | "OnAccountSuppressionList"
            | "OnTenantSuppressionList"
            | "EmailValidationSuppressed"
            | "UnsubscribedRecipient"
            | "MessageTooLarge"
            | "ContentRejected"
            | "AttachmentRejected",
        ) => Undelivered::Rejected,
        (kind, _) => {
            let status = bounce["bouncedRecipients"][0]["status"].as_str().unwrap_or_default();
            let otherwise = if kind == "Transient" { Undelivered::Unreachable } else { Undelivered::Unknown };
            mail::status::undelivered(status).unwrap_or(otherwise)
        }
    }
}
