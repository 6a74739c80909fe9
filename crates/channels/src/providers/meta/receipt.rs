//! What Meta posts: signed statuses of messages, and the question that comes when the address is set up.

use async_trait::async_trait;
use countersign_model::{Receipt, ReceiptOf, Report, Timestamp, Undelivered};
use data_encoding::HEXLOWER_PERMISSIVE;
use ring::hmac;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::{Meta, fault};
use crate::ids::sound_id;
use crate::receipts::{Callback, CallbackRefusal, Reading, Receipts};

#[async_trait]
impl Receipts for Meta {
    async fn read(&self, callback: &Callback, _now: Timestamp) -> Result<Reading, CallbackRefusal> {
        if callback.is_get {
            return self.challenge(callback);
        }
        self.check_signature(callback)?;
        let posted: Value =
            serde_json::from_slice(&callback.body).map_err(|_| CallbackRefusal::Malformed("the body is not JSON"))?;
        Ok(Reading::Receipts(self.statuses(&posted).filter_map(receipt).collect()))
    }
}

impl Meta {
    /// Answers the question by which Meta makes sure that the address wants its callbacks.
    fn challenge(&self, callback: &Callback) -> Result<Reading, CallbackRefusal> {
        let expected = self.settings.verify_token.as_ref().ok_or(CallbackRefusal::Forged)?;
        let shown = callback.parameter("hub.verify_token").ok_or(CallbackRefusal::Forged)?;
        let is_ours: bool = shown.as_bytes().ct_eq(expected.expose_secret().as_bytes()).into();
        if !is_ours || callback.parameter("hub.mode").as_deref() != Some("subscribe") {
            return Err(CallbackRefusal::Forged);
        }
        let challenge = callback.parameter("hub.challenge").and_then(|challenge| sound_id(&challenge));
        let body = challenge.ok_or(CallbackRefusal::Malformed("no challenge to answer"))?;
        Ok(Reading::Reply { media_type: "text/plain", body, receipts: Vec::new() })
    }

    /// Holds the body's bytes to the signature over them.
    fn check_signature(&self, callback: &Callback) -> Result<(), CallbackRefusal> {
        let key = self.settings.signing.as_ref().ok_or(CallbackRefusal::Forged)?;
        let written = callback.header("x-hub-signature-256").and_then(|header| header.strip_prefix("sha256="));
        let signature = written.and_then(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok());
        let signature = signature.ok_or(CallbackRefusal::Forged)?;
        hmac::verify(key, &callback.body, &signature).map_err(|_| CallbackRefusal::Forged)
    }

    /// The statuses of messages that our number sent. The same address hears of the app's other numbers and of other things.
    fn statuses<'a>(&'a self, posted: &'a Value) -> impl Iterator<Item = &'a Value> {
        let entries = if posted["object"] == "whatsapp_business_account" { list(&posted["entry"]) } else { &[] };
        let changes = entries.iter().flat_map(|entry| list(&entry["changes"]));
        let ours = changes.filter(|change| {
            change["field"] == "messages" && change["value"]["metadata"]["phone_number_id"] == self.settings.number.as_str()
        });
        ours.flat_map(|change| list(&change["value"]["statuses"]))
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// None: it is about a message that somebody else sent through the number.
fn receipt(status: &Value) -> Option<Receipt> {
    let reference = status["biz_opaque_callback_data"].as_str()?.parse().ok()?;
    let report = match status["status"].as_str() {
        // Where a message is read as it arrives, Meta says so at once and nothing of the arrival.
        Some("delivered" | "read" | "played") => Report::Delivered,
        Some("failed") => Report::Undelivered(reason(list(&status["errors"]))),
        Some(_) | None => Report::Underway,
    };
    Some(Receipt { of: ReceiptOf::Reference(reference), report, at: moment(&status["timestamp"]), carrier: None })
}

/// The first of the errors that says something.
fn reason(errors: &[Value]) -> Undelivered {
    let known = errors.iter().filter_map(|error| error["code"].as_i64()).map(fault::in_receipt);
    known.into_iter().find(|reason| *reason != Undelivered::Unknown).unwrap_or(Undelivered::Unknown)
}

/// Seconds, written as text.
fn moment(value: &Value) -> Option<Timestamp> {
    let seconds: i64 = value.as_str()?.parse().ok()?;
    seconds.checked_mul(1000).map(Timestamp::from_millis)
}
