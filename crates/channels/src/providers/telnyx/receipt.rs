//! Webhooks: Ed25519, of the timestamp, a bar, and the body as it came. The address is not signed, but stands in the body too.

use async_trait::async_trait;
use countersign_model::{Receipt, ReceiptOf, Reference, Report, Timestamp, Undelivered};
use data_encoding::BASE64;
use reqwest::Url;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::Value;

use crate::receipts::{Callback, CallbackRefusal, Reading, Receipts};
use crate::recent::is_recent;

/// The parameter of our address that names the message.
pub(super) const ECHO: &str = "r";

/// Most characters of a network's name that are kept.
const MAX_CARRIER: usize = 64;

/// An account's public key.
pub(super) struct PublicKey([u8; 32]);

impl PublicKey {
    /// Takes the key as the vendor shows it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let key = BASE64.decode(text.trim().as_bytes()).ok()?;
        key.try_into().ok().map(Self)
    }
}

/// Reads what comes in; without a key nothing is believed.
pub(super) struct Events(Option<PublicKey>);

impl Events {
    pub(super) const fn new(key: Option<PublicKey>) -> Self {
        Self(key)
    }

    pub(super) const fn can_be_checked(&self) -> bool {
        self.0.is_some()
    }

    fn check(&self, callback: &Callback, now: Timestamp) -> Option<()> {
        let PublicKey(key) = self.0.as_ref()?;
        let timestamp = callback.header("telnyx-timestamp").filter(|timestamp| is_recent(timestamp, now))?;
        let signature = BASE64.decode(callback.header("telnyx-signature-ed25519")?.as_bytes()).ok()?;
        let signed = [timestamp.as_bytes(), b"|", &callback.body].concat();
        UnparsedPublicKey::new(&ED25519, key).verify(&signed, &signature).ok()
    }
}

#[async_trait]
impl Receipts for Events {
    async fn read(&self, callback: &Callback, now: Timestamp) -> Result<Reading, CallbackRefusal> {
        self.check(callback, now).ok_or(CallbackRefusal::Forged)?;
        let event: Value = serde_json::from_slice(&callback.body).map_err(|_| CallbackRefusal::Malformed("not an event"))?;
        let data = &event["data"];
        let receipt = reference(&data["payload"], callback).map(|reference| Receipt {
            of: ReceiptOf::Reference(reference),
            report: report(&data["payload"]),
            at: data["occurred_at"].as_str().and_then(|at| at.parse().ok()),
            carrier: carrier(&data["payload"]["to"][0]["carrier"]),
        });
        Ok(Reading::Receipts(receipt.into_iter().collect()))
    }
}

/// From our address as the signed body repeats it; from the one that was called only where the body does not.
fn reference(payload: &Value, callback: &Callback) -> Option<Reference> {
    match payload["webhook_url"].as_str().filter(|url| !url.is_empty()) {
        Some(url) => {
            let url = Url::parse(url).ok()?;
            let (_, written) = url.query_pairs().find(|(name, _)| name == ECHO)?;
            written.parse().ok()
        }
        None => callback.parameter(ECHO)?.parse().ok(),
    }
}

/// One message has one recipient.
fn report(payload: &Value) -> Report {
    match payload["to"][0]["status"].as_str().unwrap_or_default() {
        "delivered" => Report::Delivered,
        "sending_failed" | "delivery_failed" => Report::Undelivered(failed(payload)),
        "expired" => Report::Undelivered(Undelivered::Expired),
        // `delivery_unconfirmed` ends what the vendor knows, and says neither.
        _ => Report::Underway,
    }
}

fn failed(payload: &Value) -> Undelivered {
    let code = payload["errors"][0]["code"].as_str().unwrap_or_default();
    match code {
        "40001" | "40012" | "40310" => Undelivered::NotThere,
        "40002" | "40003" | "40004" | "40009" | "40015" | "40300" => Undelivered::Rejected,
        "40005" | "40014" => Undelivered::Expired,
        "40006" => Undelivered::Unreachable,
        _ => Undelivered::Unknown,
    }
}

fn carrier(name: &Value) -> Option<String> {
    let name: String = name.as_str()?.chars().filter(|c| !c.is_control()).take(MAX_CARRIER).collect();
    (!name.trim().is_empty()).then_some(name)
}
