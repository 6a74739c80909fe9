//! Webhooks: HMAC-SHA-256 of a timestamp and a token, in the body beside the event. The event itself is not signed.

use std::iter;

use async_trait::async_trait;
use countersign_model::{Report, Timestamp, Undelivered};
use data_encoding::HEXLOWER_PERMISSIVE;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::once::Once;
use crate::mail::{self, ECHO};
use crate::receipts::{Callback, CallbackRefusal, Reading, Receipts};
use crate::recent::is_recent;
use crate::signed::is_hmac_sha256;

/// What of a post is signed, and by what.
#[derive(Deserialize)]
struct Signed {
    signature: Signature,
}

#[derive(Deserialize)]
struct Signature {
    timestamp: String,
    token: String,
    #[serde(rename = "signature")]
    tag: String,
}

/// Reads what comes in; without a key nothing is believed.
pub(super) struct Events {
    key: Option<SecretString>,
    once: Once,
}

impl Events {
    pub(super) fn new(key: Option<SecretString>) -> Self {
        Self { key, once: Once::default() }
    }

    pub(super) const fn can_be_checked(&self) -> bool {
        self.key.is_some()
    }

    /// Reads of a body only what it is signed with until that is right: a stranger's may be large.
    fn check(&self, body: &[u8], now: Timestamp) -> Option<()> {
        let key = self.key.as_ref()?.expose_secret().as_bytes();
        let Signed { signature: Signature { timestamp, token, tag } } = serde_json::from_slice(body).ok()?;
        let tag = HEXLOWER_PERMISSIVE.decode(tag.as_bytes()).ok()?;
        let is_signed = is_hmac_sha256(key, &[timestamp.as_bytes(), token.as_bytes()], iter::once(tag));
        let is_genuine = is_signed && !token.is_empty() && is_recent(&timestamp, now);
        (is_genuine && self.once.admits(&timestamp, &token, body, now)).then_some(())
    }
}

#[async_trait]
impl Receipts for Events {
    /// The signature stands in the body, so a body that cannot be read is one without a signature.
    async fn read(&self, callback: &Callback, now: Timestamp) -> Result<Reading, CallbackRefusal> {
        self.check(&callback.body, now).ok_or(CallbackRefusal::Forged)?;
        let posted: Value = serde_json::from_slice(&callback.body).map_err(|_| CallbackRefusal::Malformed("not an event"))?;
        let event = &posted["event-data"];
        let reference = event["user-variables"][ECHO].as_str();
        let receipt = reference.and_then(|reference| mail::receipt(reference, report(event), at(event)));
        Ok(Reading::Receipts(receipt.into_iter().collect()))
    }
}

/// When it happened: seconds with a fraction.
fn at(event: &Value) -> Option<Timestamp> {
    let seconds = event["timestamp"].as_f64().filter(|seconds| (0.0..=253_402_300_799.0).contains(seconds))?;
    #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
    let millis = (seconds * 1000.0).round() as i64;
    Some(Timestamp::from_millis(millis))
}

fn report(event: &Value) -> Report {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    match (text("event"), text("severity")) {
        // Whoever opens a mail or calls it spam has got it.
        ("delivered" | "opened" | "clicked" | "complained", _) => Report::Delivered,
        ("failed", "permanent") => Report::Undelivered(failed(text("reason"), &event["delivery-status"])),
        ("rejected", _) => Report::Undelivered(Undelivered::Rejected),
        _ => Report::Underway,
    }
}

/// The vendor's own reasons first: what it did not try has no mail server's status. Then that status.
fn failed(reason: &str, status: &Value) -> Undelivered {
    match reason {
        "suppress-bounce" => return Undelivered::NotThere,
        "suppress-unsubscribe" | "suppress-complaint" | "espblock" | "blacklisted" => return Undelivered::Rejected,
        "old" => return Undelivered::Expired,
        _ => {}
    }
    let text = |name: &str| status[name].as_str().unwrap_or_default();
    let told = mail::status::undelivered(text("enhanced-code")).or_else(|| mail::status::undelivered(text("message")));
    told.unwrap_or_else(|| match status["code"].as_i64() {
        Some(605) => Undelivered::NotThere,
        Some(606 | 607) => Undelivered::Rejected,
        Some(602) => Undelivered::Expired,
        _ => Undelivered::Unknown,
    })
}
