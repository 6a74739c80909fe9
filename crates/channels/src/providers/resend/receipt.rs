//! Webhooks, signed by the scheme of Standard Webhooks under the headers of Svix.

use async_trait::async_trait;
use countersign_model::{Report, Timestamp, Undelivered};
use data_encoding::BASE64;
use secrecy::{ExposeSecret as _, SecretSlice};
use serde_json::Value;

use crate::mail::{self, ECHO};
use crate::receipts::{Callback, CallbackRefusal, Reading, Receipts};
use crate::recent::is_recent;
use crate::signed::is_hmac_sha256;

/// What callbacks are signed with.
pub(super) struct SigningSecret(SecretSlice<u8>);

impl SigningSecret {
    /// Takes the secret as the vendor shows it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let key = BASE64.decode(text.trim().strip_prefix("whsec_")?.as_bytes()).ok()?;
        (!key.is_empty()).then(|| Self(key.into()))
    }
}

/// Reads what comes in; without a secret nothing is believed.
pub(super) struct Events(Option<SigningSecret>);

impl Events {
    pub(super) const fn new(secret: Option<SigningSecret>) -> Self {
        Self(secret)
    }

    pub(super) const fn can_be_checked(&self) -> bool {
        self.0.is_some()
    }

    /// While a secret is changed there are several signatures, one behind the other.
    fn check(&self, callback: &Callback, now: Timestamp) -> Option<()> {
        let SigningSecret(key) = self.0.as_ref()?;
        let id = callback.header("svix-id").filter(|id| !id.contains('.'))?;
        let timestamp = callback.header("svix-timestamp").filter(|timestamp| is_recent(timestamp, now))?;
        let head = format!("{id}.{timestamp}.");
        let tags = callback.header("svix-signature")?.split(' ').filter_map(|signature| {
            let encoded = signature.strip_prefix("v1,")?;
            BASE64.decode(encoded.as_bytes()).ok()
        });
        is_hmac_sha256(key.expose_secret(), &[head.as_bytes(), &callback.body], tags).then_some(())
    }
}

#[async_trait]
impl Receipts for Events {
    async fn read(&self, callback: &Callback, now: Timestamp) -> Result<Reading, CallbackRefusal> {
        self.check(callback, now).ok_or(CallbackRefusal::Forged)?;
        let event: Value = serde_json::from_slice(&callback.body).map_err(|_| CallbackRefusal::Malformed("not an event"))?;
        let at = event["created_at"].as_str().and_then(|at| at.parse().ok());
        let reference = tag(&event["data"]["tags"]);
        let receipt = reference.and_then(|reference| mail::receipt(reference, report(&event), at));
        Ok(Reading::Receipts(receipt.into_iter().collect()))
    }
}

/// Our tag: tags are shown as an object of names, and were shown as a list of pairs.
fn tag(tags: &Value) -> Option<&str> {
    let listed = || tags.as_array()?.iter().find(|tag| tag["name"] == ECHO)?["value"].as_str();
    tags[ECHO].as_str().or_else(listed)
}

fn report(event: &Value) -> Report {
    let data = &event["data"];
    match event["type"].as_str().unwrap_or_default() {
        // Whoever opens a mail or complains has got it.
        "email.delivered" | "email.opened" | "email.clicked" | "email.complained" => Report::Delivered,
        "email.bounced" => Report::Undelivered(bounced(&data["bounce"])),
        "email.suppressed" => Report::Undelivered(Undelivered::Rejected),
        "email.failed" => Report::Undelivered(Undelivered::Unknown),
        _ => Report::Underway,
    }
}

/// The mail server's own status is the most exact, where it is passed on.
fn bounced(bounce: &Value) -> Undelivered {
    let mut answers = bounce["diagnosticCode"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(why) = answers.find_map(mail::status::undelivered) {
        return why;
    }
    let text = |name: &str| bounce[name].as_str().unwrap_or_default();
    match (text("type"), text("subType")) {
        (
            _,
            "Suppressed"
            | "OnAccountSuppressionList"
            | "OnTenantSuppressionList"
            | "EmailValidationSuppressed"
            | "ContentRejected"
            | "AttachmentRejected"
            | "MessageTooLarge",
        ) => Undelivered::Rejected,
        (_, "MailboxFull") | ("Transient", _) => Undelivered::Unreachable,
        ("Permanent", _) => Undelivered::NotThere,
        _ => Undelivered::Unknown,
    }
}
