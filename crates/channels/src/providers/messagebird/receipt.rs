//! Status reports: GET calls whose fields stand in the address, with a token about that address.

use async_trait::async_trait;
use countersign_model::{Receipt, ReceiptOf, Report, Timestamp, Undelivered};
use data_encoding::HEXLOWER;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use ring::digest;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::receipts::{Callback, CallbackRefusal, Reading, Receipts};

/// How far our clock and the vendor's may be apart, in seconds. A token lives for a minute.
const SKEW: i64 = 30;

/// Reads what comes in.
pub(super) struct Reports {
    key: SecretString,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    nbf: i64,
    exp: i64,
    url_hash: String,
    #[serde(default)]
    payload_hash: String,
}

impl Reports {
    pub(super) const fn new(key: SecretString) -> Self {
        Self { key }
    }

    /// Whether the call shows a token of these minutes about this address and this body.
    fn is_genuine(&self, callback: &Callback, now: Timestamp) -> bool {
        let Some(token) = callback.header("messagebird-signature-jwt") else { return false };
        let mut validation = Validation::new(Algorithm::HS256);
        validation.algorithms = vec![Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
        // Times are judged by our own clock, below.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let key = DecodingKey::from_secret(self.key.expose_secret().as_bytes());
        let Ok(token) = jsonwebtoken::decode::<Claims>(token, &key, &validation) else { return false };
        let Claims { iss, nbf, exp, url_hash, payload_hash } = token.claims;
        let is_now = nbf.saturating_sub(SKEW) <= now.seconds() && now.seconds() <= exp.saturating_add(SKEW);
        let body = if callback.body.is_empty() { String::new() } else { hash(&callback.body) };
        iss == "MessageBird" && is_now && url_hash == hash(callback.url.as_bytes()) && payload_hash == body
    }
}

fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

#[async_trait]
impl Receipts for Reports {
    async fn read(&self, callback: &Callback, now: Timestamp) -> Result<Reading, CallbackRefusal> {
        if !self.is_genuine(callback, now) {
            return Err(CallbackRefusal::Forged);
        }
        let reference = callback.parameter("reference").and_then(|text| text.parse().ok());
        let status = callback.parameter("status");
        let receipt = reference.zip(status).map(|(reference, status)| Receipt {
            of: ReceiptOf::Reference(reference),
            report: report(&status, callback.parameter("statusReason").as_deref()),
            at: callback.parameter("statusDatetime").and_then(|at| at.parse().ok()),
            carrier: callback.parameter("mccmnc").filter(|code| is_network(code)),
        });
        Ok(Reading::Receipts(receipt.into_iter().collect()))
    }
}

fn report(status: &str, reason: Option<&str>) -> Report {
    match status {
        "delivered" => Report::Delivered,
        "expired" => Report::Undelivered(Undelivered::Expired),
        "delivery_failed" => Report::Undelivered(match reason {
            // No active line.
            Some("unknown subscriber") => Undelivered::NotThere,
            // Off, or out of reach.
            Some("unavailable subscriber") => Undelivered::Unreachable,
            _ => Undelivered::Unknown,
        }),
        // scheduled, sent, buffered, and what nobody has heard of.
        _ => Report::Underway,
    }
}

/// A network's code: its country's three digits and two or three of its own.
fn is_network(code: &str) -> bool {
    (5..=6).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit())
}
