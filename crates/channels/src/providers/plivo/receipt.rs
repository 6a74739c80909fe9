//! What Plivo posts back: states of messages.

use async_trait::async_trait;
use countersign_model::{Receipt, ReceiptOf, Report, Timestamp, Undelivered};
use secrecy::SecretString;

use super::signature;
use crate::receipts::{Callback, CallbackRefusal, Reading, Receipts};

/// The query's field with our reference.
pub(super) const REFERENCE: &str = "r";

/// Reads callbacks; holds what they are checked with.
pub(super) struct Ear {
    pub(super) token: SecretString,
}

#[async_trait]
impl Receipts for Ear {
    async fn read(&self, callback: &Callback, _now: Timestamp) -> Result<Reading, CallbackRefusal> {
        if !signature::is_genuine(&self.token, callback) {
            return Err(CallbackRefusal::Forged);
        }
        Ok(Reading::Receipts(told(callback).into_iter().collect()))
    }
}

/// None: it is about nothing that we could name, or tells no state.
fn told(callback: &Callback) -> Option<Receipt> {
    let fields = callback.form();
    let get = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let (id, status) = (get("MessageUUID")?, get("Status")?);
    let of = match callback.parameter(REFERENCE).and_then(|text| text.parse().ok()) {
        Some(reference) => ReceiptOf::Reference(reference),
        None => ReceiptOf::ProviderId(id.to_owned()),
    };
    let report = match status {
        "delivered" | "read" => Report::Delivered,
        "undelivered" | "failed" | "rejected" => Report::Undelivered(reason(get("ErrorCode"))),
        // `queued`, `sent`, and what is not known.
        _ => Report::Underway,
    };
    Some(Receipt { of, report, at: None, carrier: carrier(get("MCC"), get("MNC")) })
}

/// The network's code: its country's three digits and two or three of its own.
fn carrier(country: Option<&str>, network: Option<&str>) -> Option<String> {
    let (country, network) = (country?, network?);
    let is_code = country.len() == 3 && (2..=3).contains(&network.len());
    let code = format!("{country}{network}");
    (is_code && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// Plivo's error codes of messages.
fn reason(code: Option<&str>) -> Undelivered {
    match code {
        Some("50") => Undelivered::NotThere,
        // It waited at Plivo for longer than the message was said to be of use.
        Some("420") => Undelivered::Expired,
        // Spam, prohibited by the carrier, opted out, no toll-free senders in Canada.
        Some("30" | "100" | "200" | "201") => Undelivered::Rejected,
        // The number is not active, or switched off: Plivo calls both broad.
        Some("70" | "80") => Undelivered::Unreachable,
        _ => Undelivered::Unknown,
    }
}
