//! A notification service for tests: it signs as Amazon does, and its certificate stands on a shelf.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use data_encoding::BASE64;
use reqwest::Url;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use super::fetch::Fetch;
use crate::receipts::Callback;

pub(crate) const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:otp-events";
pub(crate) const CERTIFICATE_URL: &str =
    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-7506a1e35b36ef5a444dd1a8e7cc3ed8.pem";
pub(crate) const SIGNER: &[u8] = include_bytes!("../../testdata/sns/signer.pem");

/// What can be fetched, and what was.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) things: BTreeMap<String, Vec<u8>>,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Shelf {
    /// With the signer's certificate.
    pub(crate) fn stocked() -> Arc<Self> {
        Self::with([(CERTIFICATE_URL, SIGNER)])
    }

    pub(crate) fn with<const N: usize>(things: [(&str, &[u8]); N]) -> Arc<Self> {
        let things = things.into_iter().map(|(url, thing)| (url.to_owned(), thing.to_vec())).collect();
        Arc::new(Self { things, asked: Mutex::default() })
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Fetch for Shelf {
    async fn fetch(&self, url: &Url) -> Option<Vec<u8>> {
        self.asked.lock().unwrap().push(url.to_string());
        self.things.get(url.as_str()).cloned()
    }
}

/// A notification that carries `message`, without its signature.
pub(crate) fn notification(message: &str) -> Value {
    json!({
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": "2026-01-15T10:44:50.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE_URL,
        "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
    })
}

/// Signs it as Amazon's page says, in words of its own.
pub(crate) fn signed(mut envelope: Value) -> Value {
    let text: String = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        .into_iter()
        .filter_map(|name| envelope[name].as_str().map(|value| format!("{name}\n{value}\n")))
        .collect();
    let key = PrivatePkcs8KeyDer::from_pem_slice(include_bytes!("../../testdata/sns/signer.key")).unwrap();
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    envelope["Signature"] = BASE64.encode(&signature).into();
    envelope
}

/// The envelope as it is posted.
pub(crate) fn posted(envelope: &Value, url: &str) -> Callback {
    let headers = [("content-type", "text/plain; charset=UTF-8"), ("x-amz-sns-topic-arn", TOPIC)];
    Callback {
        is_get: false,
        url: url.to_owned(),
        path_secret: None,
        headers: headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).into(),
        body: envelope.to_string().into_bytes(),
    }
}

/// A genuine callback that carries `message`.
pub(crate) fn callback(message: &str, url: &str) -> Callback {
    posted(&signed(notification(message)), url)
}

/// It with each thing that it vouches for altered in turn.
pub(crate) fn forgeries(genuine: &Callback) -> Vec<Callback> {
    let envelope: Value = serde_json::from_slice(&genuine.body).unwrap();
    let with = |name: &str, value: Value| {
        let mut forged = envelope.clone();
        forged[name] = value;
        posted(&forged, &genuine.url)
    };
    let mut unsigned = genuine.clone();
    unsigned.body = b"{}".to_vec();
    let mut garbage = genuine.clone();
    garbage.body = b"not json".to_vec();
    vec![
        with("Message", "{}".into()),
        with("MessageId", "another".into()),
        with("Subject", "added".into()),
        with("Timestamp", "2026-01-15T10:44:51.000Z".into()),
        with("TopicArn", "arn:aws:sns:eu-central-1:123456789012:other".into()),
        with("Type", "UnsubscribeConfirmation".into()),
        with("SignatureVersion", "1".into()),
        with("SignatureVersion", "3".into()),
        with("Signature", "".into()),
        with("Signature", "AAAA".into()),
        with("Signature", "not base64!".into()),
        with("Signature", Value::Null),
        with("SigningCertURL", "https://evil.example/SimpleNotificationService-1.pem".into()),
        unsigned,
        garbage,
    ]
}
