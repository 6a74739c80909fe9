//! Notifications of Amazon's service for them (SNS), by which its other services tell what became of messages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_model::Timestamp;
use data_encoding::BASE64;
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::certificate::{Certificate, Version};
use super::fetch::Fetch;
use crate::config::{ConfigError, ConfigProblem};
use crate::receipts::{Callback, CallbackRefusal};

/// Certificates kept at a time. A topic is signed for by one, for months.
const MAX_CERTIFICATES: usize = 8;
/// Certificates fetched at a time: whoever posts nonsense makes no more connections than these.
const MAX_FETCHES: usize = 2;
/// A notification is posted again for an hour at most, with the time of its first posting.
const OLDEST: Duration = Duration::from_secs(3_900);
/// How far another clock may be ahead.
const NEWEST: Duration = Duration::from_secs(300);

/// The one topic whose notifications are listened to.
pub(crate) struct Topic {
    arn: String,
    /// The only host that certificates and confirmations are asked of: the one of the topic's own region.
    host: String,
    certificates: Mutex<BTreeMap<String, Arc<Certificate>>>,
    fetches: Semaphore,
    fetch: Arc<dyn Fetch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    #[serde(rename = "Type")]
    kind: String,
    message_id: String,
    topic_arn: String,
    subject: Option<String>,
    message: String,
    timestamp: String,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    signing_cert_url: String,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    token: Option<String>,
}

impl Topic {
    /// `arn:aws:sns:<region>:<account>:<name>`.
    pub(crate) fn read(at: &str, arn: &str, fetch: Arc<dyn Fetch>) -> Result<Self, ConfigError> {
        let form = ConfigProblem::Form("a topic such as arn:aws:sns:eu-central-1:123456789012:otp-events");
        let host = host(arn).ok_or_else(|| ConfigError::new(format!("{at}.topic_arn"), form))?;
        let fetches = Semaphore::new(MAX_FETCHES);
        Ok(Self { arn: arn.to_owned(), host, certificates: Mutex::default(), fetches, fetch })
    }

    /// What a genuine notification of the topic carries; none: it was about the subscription itself, which is confirmed here.
    pub(crate) async fn open(&self, callback: &Callback, now: Timestamp) -> Result<Option<String>, CallbackRefusal> {
        let envelope: Envelope = serde_json::from_slice(&callback.body).map_err(|_| CallbackRefusal::Forged)?;
        let text = self.text(&envelope, now).ok_or(CallbackRefusal::Forged)?;
        let version = match envelope.signature_version.as_str() {
            "1" => Version::One,
            "2" => Version::Two,
            _ => return Err(CallbackRefusal::Forged),
        };
        let signature = BASE64.decode(envelope.signature.as_bytes()).map_err(|_| CallbackRefusal::Forged)?;
        let url = self.certificate_url(&envelope.signing_cert_url).ok_or(CallbackRefusal::Forged)?;
        let certificate = self.certificate(&url).await.ok_or(CallbackRefusal::Unchecked)?;
        if !certificate.vouches(version, text.as_bytes(), &signature, now) {
            return Err(CallbackRefusal::Forged);
        }
        match envelope.kind.as_str() {
            "Notification" => Ok(Some(envelope.message)),
            "SubscriptionConfirmation" => self.confirm(envelope.subscribe_url.as_deref()).await.map(|()| None),
            _ => Ok(None),
        }
    }

    /// What is signed; none: it is not of this topic and these hours, or of a kind that there is not.
    fn text(&self, envelope: &Envelope, now: Timestamp) -> Option<String> {
        let posted: Timestamp = envelope.timestamp.parse().ok()?;
        if envelope.topic_arn != self.arn || now.since(posted) > OLDEST || posted.since(now) > NEWEST {
            return None;
        }
        let mut text = String::new();
        let mut add = |name: &str, value: &str| text.extend([name, "\n", value, "\n"]);
        add("Message", &envelope.message);
        add("MessageId", &envelope.message_id);
        match envelope.kind.as_str() {
            "Notification" => {
                if let Some(subject) = &envelope.subject {
                    add("Subject", subject);
                }
                add("Timestamp", &envelope.timestamp);
            }
            "SubscriptionConfirmation" | "UnsubscribeConfirmation" => {
                add("SubscribeURL", envelope.subscribe_url.as_deref()?);
                add("Timestamp", &envelope.timestamp);
                add("Token", envelope.token.as_deref()?);
            }
            _ => return None,
        }
        add("TopicArn", &envelope.topic_arn);
        add("Type", &envelope.kind);
        Some(text)
    }

    /// An address on the topic's own host, over HTTPS.
    fn own_url(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let is_plain = url.username().is_empty() && url.password().is_none() && url.port().is_none() && url.fragment().is_none();
        (url.scheme() == "https" && is_plain && url.host_str() == Some(&self.host)).then_some(url)
    }

    fn certificate_url(&self, text: &str) -> Option<Url> {
        let url = self.own_url(text)?;
        let name = url.path().strip_prefix("/SimpleNotificationService-")?.strip_suffix(".pem")?;
        let is_name = (1..=128).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_name && url.query().is_none()).then_some(url)
    }

    /// None: it cannot be fetched, or enough others are being fetched.
    async fn certificate(&self, url: &Url) -> Option<Arc<Certificate>> {
        if let Some(certificate) = self.kept().get(url.as_str()) {
            return Some(Arc::clone(certificate));
        }
        let _turn = self.fetches.try_acquire().ok()?;
        let certificate = Arc::new(Certificate::parse(&self.fetch.fetch(url).await?)?);
        let mut kept = self.kept();
        if kept.len() >= MAX_CERTIFICATES {
            kept.clear();
        }
        kept.insert(url.to_string(), Arc::clone(&certificate));
        Some(certificate)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Certificate>>> {
        self.certificates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says yes to the subscription, by asking for the address that Amazon made for it.
    async fn confirm(&self, url: Option<&str>) -> Result<(), CallbackRefusal> {
        let url = url.and_then(|url| self.own_url(url)).ok_or(CallbackRefusal::Forged)?;
        self.fetch.fetch(&url).await.map(|_| ()).ok_or(CallbackRefusal::Unchecked)
    }
}

/// The notification service's host in a topic's region.
fn host(arn: &str) -> Option<String> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", partition, "sns", region, account, name] = parts[..] else { return None };
    let china = match partition {
        "aws" | "aws-us-gov" => "",
        "aws-cn" => ".cn",
        _ => return None,
    };
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_region = is_word(region) && !region.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_');
    (is_region && is_account && is_word(name)).then(|| format!("sns.{region}.amazonaws.com{china}"))
}

#[cfg(test)]
mod tests;
