//! What the service publishes of messages and calls, through a notification topic.

use async_trait::async_trait;
use countersign_model::{Receipt, ReceiptOf, Report, Timestamp, Undelivered};
use serde_json::Value;

use super::AwsSms;
use super::wire::ECHO;
use crate::receipts::{Callback, CallbackRefusal, Reading, Receipts};

#[async_trait]
impl Receipts for AwsSms {
    async fn read(&self, callback: &Callback, now: Timestamp) -> Result<Reading, CallbackRefusal> {
        let topic = self.settings.topic.as_ref().ok_or(CallbackRefusal::Forged)?;
        let Some(message) = topic.open(callback, now).await? else { return Ok(Reading::Receipts(Vec::new())) };
        // Amazon says hello to a new topic in plain words.
        let event: Value = serde_json::from_str(&message).unwrap_or_default();
        Ok(Reading::Receipts(receipt(&event).into_iter().collect()))
    }
}

/// None: it is about nothing of ours.
fn receipt(event: &Value) -> Option<Receipt> {
    let reference = event["context"][ECHO].as_str()?.parse().ok()?;
    Some(Receipt {
        of: ReceiptOf::Reference(reference),
        report: report(event["eventType"].as_str().unwrap_or_default(), event["isFinal"].as_bool()),
        at: event["eventTimestamp"].as_i64().map(Timestamp::from_millis),
        carrier: carrier(&event["mcc"], &event["mnc"]),
    })
}

/// In some countries a carrier's yes is all that is ever told, and in some a no may still be taken back: then it is said not to be final.
fn report(kind: &str, is_final: Option<bool>) -> Report {
    if matches!(kind, "TEXT_DELIVERED" | "VOICE_COMPLETED") {
        return Report::Delivered;
    }
    if is_final == Some(false) {
        return Report::Underway;
    }
    match kind {
        "TEXT_SUCCESSFUL" => Report::Delivered,
        "TEXT_INVALID" => Report::Undelivered(Undelivered::NotThere),
        "TEXT_UNREACHABLE" | "TEXT_CARRIER_UNREACHABLE" | "VOICE_BUSY" | "VOICE_NO_ANSWER" => {
            Report::Undelivered(Undelivered::Unreachable)
        }
        "TEXT_BLOCKED" | "TEXT_CARRIER_BLOCKED" | "TEXT_INVALID_MESSAGE" | "TEXT_PROTECT_BLOCKED" | "TEXT_SPAM" => {
            Report::Undelivered(Undelivered::Rejected)
        }
        "TEXT_TTL_EXPIRED" | "VOICE_TTL_EXPIRED" => Report::Undelivered(Undelivered::Expired),
        "TEXT_UNKNOWN" | "VOICE_FAILED" => Report::Undelivered(Undelivered::Unknown),
        _ => Report::Underway,
    }
}

/// The network's code: its country's three digits and its own.
fn carrier(country: &Value, network: &Value) -> Option<String> {
    let digits = |value: &'_ Value| {
        let text = value.as_str().unwrap_or_default().to_owned();
        ((1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
    };
    Some(format!("{}{}", digits(country)?, digits(network)?))
}
