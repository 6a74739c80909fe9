//! The signed event webhook: ECDSA over P-256 with SHA-256, of the timestamp and the body as they came.

use async_trait::async_trait;
use countersign_model::{Report, Timestamp, Undelivered};
use data_encoding::BASE64;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::Value;

use crate::mail::{self, ECHO};
use crate::receipts::{Callback, CallbackRefusal, Reading, Receipts};
use crate::recent::is_recent;

/// A public key, as an uncompressed point.
pub(super) struct VerificationKey([u8; 65]);

impl VerificationKey {
    /// What stands before the point in a `SubjectPublicKeyInfo` (RFC 5480): `id-ecPublicKey`, `secp256r1`, and a bit string of 65 octets
    /// without unused bits.
    const HEAD: [u8; 26] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
        0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];

    /// Takes the point out of the key as the vendor shows it: DER in base64. None: it is of another kind, or no key.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let der = BASE64.decode(text.trim().as_bytes()).ok()?;
        let point = der.strip_prefix(&Self::HEAD)?;
        (point.first() == Some(&4)).then(|| point.try_into().ok().map(Self))?
    }
}

/// Reads what comes in; without a key nothing is believed.
pub(super) struct Events(Option<VerificationKey>);

impl Events {
    pub(super) const fn new(key: Option<VerificationKey>) -> Self {
        Self(key)
    }

    pub(super) const fn can_be_checked(&self) -> bool {
        self.0.is_some()
    }

    fn check(&self, callback: &Callback, now: Timestamp) -> Option<()> {
        let VerificationKey(point) = self.0.as_ref()?;
        let timestamp = callback.header("x-twilio-email-event-webhook-timestamp")?;
        let signature = callback.header("x-twilio-email-event-webhook-signature")?;
        let signature = BASE64.decode(signature.as_bytes()).ok()?;
        let signed = [timestamp.as_bytes(), &callback.body].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(&signed, &signature).ok()?;
        is_recent(timestamp, now).then_some(())
    }
}

#[async_trait]
impl Receipts for Events {
    /// One callback holds many events, also of mails that are not ours: those are passed over.
    async fn read(&self, callback: &Callback, now: Timestamp) -> Result<Reading, CallbackRefusal> {
        self.check(callback, now).ok_or(CallbackRefusal::Forged)?;
        let events: Vec<Value> =
            serde_json::from_slice(&callback.body).map_err(|_| CallbackRefusal::Malformed("not a list of events"))?;
        let receipts = events.iter().filter_map(|event| {
            let at = event["timestamp"].as_i64().and_then(|seconds| seconds.checked_mul(1000));
            mail::receipt(event[ECHO].as_str()?, report(event), at.map(Timestamp::from_millis))
        });
        Ok(Reading::Receipts(receipts.collect()))
    }
}

fn report(event: &Value) -> Report {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    match text("event") {
        // Whoever opens a mail or calls it spam has got it.
        "delivered" | "open" | "click" | "spamreport" => Report::Delivered,
        "bounce" => Report::Undelivered(bounced(text("status"), text("reason"), text("bounce_classification"), text("type"))),
        "dropped" => Report::Undelivered(dropped(text("reason"))),
        _ => Report::Underway,
    }
}

/// The mail server's own status is the most exact; the vendor's class of it comes next. `type` says no more than whose fault it is.
fn bounced(status: &str, reason: &str, class: &str, kind: &str) -> Undelivered {
    if let Some(why) = mail::status::undelivered(status).or_else(|| mail::status::undelivered(reason)) {
        return why;
    }
    match class {
        "Invalid Address" => Undelivered::NotThere,
        "Mailbox Unavailable" | "Technical Failure" => Undelivered::Unreachable,
        "Content" | "Reputation" | "Frequency or Volume Too High" => Undelivered::Rejected,
        _ if kind == "expired" => Undelivered::Expired,
        _ if kind == "blocked" => Undelivered::Rejected,
        _ => Undelivered::Unknown,
    }
}

/// Mails that the vendor did not even try, for what it remembers of the mailbox.
fn dropped(reason: &str) -> Undelivered {
    match reason {
        "Bounced Address" | "Invalid" => Undelivered::NotThere,
        "Unsubscribed Address" | "Spam Reporting Address" => Undelivered::Rejected,
        _ if reason.starts_with("Spam Content") => Undelivered::Rejected,
        _ => Undelivered::Unknown,
    }
}
