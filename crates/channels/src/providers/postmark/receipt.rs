//! Webhooks: nothing is signed, so whoever posts has to know a password, a secret in the address, or both.

use async_trait::async_trait;
use countersign_model::{Report, Timestamp, Undelivered};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use crate::mail::{self, ECHO};
use crate::receipts::{Callback, CallbackRefusal, Reading, Receipts};

/// Reads what comes in; with neither a login nor a secret nothing is believed.
pub(super) struct Events {
    login: Option<SecretString>,
    path_secret: Option<SecretString>,
}

impl Events {
    /// All that is given is asked for.
    pub(super) const fn new(login: Option<SecretString>, path_secret: Option<SecretString>) -> Self {
        Self { login, path_secret }
    }

    pub(super) const fn can_be_checked(&self) -> bool {
        self.login.is_some() || self.path_secret.is_some()
    }

    fn is_genuine(&self, callback: &Callback) -> bool {
        let knows = |wanted: Option<&SecretString>, told: Option<&str>| {
            wanted.is_none_or(|wanted| {
                let told = told.unwrap_or_default();
                bool::from(wanted.expose_secret().as_bytes().ct_eq(told.as_bytes()))
            })
        };
        self.can_be_checked()
            && knows(self.login.as_ref(), callback.basic().as_deref())
            && knows(self.path_secret.as_ref(), callback.path_secret.as_deref())
    }
}

#[async_trait]
impl Receipts for Events {
    async fn read(&self, callback: &Callback, _now: Timestamp) -> Result<Reading, CallbackRefusal> {
        if !self.is_genuine(callback) {
            return Err(CallbackRefusal::Forged);
        }
        let event: Value = serde_json::from_slice(&callback.body).map_err(|_| CallbackRefusal::Malformed("not an event"))?;
        let reference = event["Metadata"][ECHO].as_str();
        let receipt = reference.and_then(|reference| mail::receipt(reference, report(&event), at(&event)));
        Ok(Reading::Receipts(receipt.into_iter().collect()))
    }
}

/// When it happened: each kind of event has its own name for it.
fn at(event: &Value) -> Option<Timestamp> {
    ["DeliveredAt", "BouncedAt", "ReceivedAt"].iter().find_map(|name| event[*name].as_str()?.parse().ok())
}

fn report(event: &Value) -> Report {
    match event["RecordType"].as_str().unwrap_or_default() {
        // Whoever opens a mail or calls it spam has got it.
        "Delivery" | "Open" | "Click" | "SpamComplaint" => Report::Delivered,
        "Bounce" => bounced(event["Type"].as_str().unwrap_or_default()),
        _ => Report::Underway,
    }
}

/// Some bounces are answers of machines to a mail that came through, and some are told while it is still tried.
fn bounced(kind: &str) -> Report {
    match kind {
        "HardBounce" | "BadEmailAddress" => Report::Undelivered(Undelivered::NotThere),
        "SoftBounce" | "DnsError" => Report::Undelivered(Undelivered::Unreachable),
        "Blocked" | "SpamNotification" | "VirusNotification" | "DMARCPolicy" | "ManuallyDeactivated" => {
            Report::Undelivered(Undelivered::Rejected)
        }
        "Unknown" | "SMTPApiError" | "TemplateRenderingFailed" => Report::Undelivered(Undelivered::Unknown),
        "SpamComplaint" => Report::Delivered,
        _ => Report::Underway,
    }
}
