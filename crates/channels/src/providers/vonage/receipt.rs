//! What Vonage posts back: receipts of text messages, events of calls, and key presses.

use async_trait::async_trait;
use countersign_model::{Receipt, ReceiptOf, Reference, Report, Timestamp};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::config::Proofs;
use super::{code, signature, token};
use crate::receipts::{Callback, CallbackRefusal, Reading, Receipts};
use crate::recent::is_recent;
use crate::seal::Seal;

/// The query's field with our reference, for calls.
pub(super) const REFERENCE: &str = "r";
/// The query's field that says that the call asked for a key.
pub(super) const ASKS: &str = "asks";
/// The query's field with what is said after a key press.
pub(super) const SAY: &str = "say";

/// Most characters of a network's name.
const MAX_CARRIER: usize = 64;

/// Reads callbacks; holds what they are checked with.
pub(super) struct Ear {
    pub(super) proofs: Proofs,
    /// Of connections that make calls.
    pub(super) seal: Option<Seal>,
}

#[async_trait]
impl Receipts for Ear {
    async fn read(&self, callback: &Callback, now: Timestamp) -> Result<Reading, CallbackRefusal> {
        let fields = Fields::of(callback);
        if !self.is_genuine(callback, &fields, now) {
            return Err(CallbackRefusal::Forged);
        }
        match (callback.parameter(SAY), &self.seal) {
            (Some(sealed), Some(seal)) => say(seal, &sealed, callback, &fields, now),
            _ => Ok(Reading::Receipts(told(callback, &fields).into_iter().collect())),
        }
    }
}

impl Ear {
    /// The secret in the address, where there is one, must be there. A signature must be right where it is the only proof, or where one came.
    fn is_genuine(&self, callback: &Callback, fields: &Fields, now: Timestamp) -> bool {
        let knows_path = self.proofs.path.as_ref().map(|wanted| {
            let told = callback.path_secret.as_deref().unwrap_or_default();
            bool::from(wanted.expose_secret().as_bytes().ct_eq(told.as_bytes()))
        });
        let has_token = callback.headers.iter().any(|(name, _)| name == "authorization");
        let is_signed = has_token || fields.get(signature::SIG).is_some();
        match (&self.proofs.signature, knows_path) {
            (_, Some(false)) | (None, None) => false,
            (None, Some(true)) => true,
            (Some(_), Some(true)) if !is_signed => true,
            (Some((secret, _)), _) if has_token => token::is_genuine(secret, callback, now),
            (Some((secret, method)), _) => {
                signature::is_genuine(*method, secret, &fields.0) && fields.get("timestamp").is_some_and(|at| is_recent(at, now))
            }
        }
    }
}

/// The flat fields of a callback, wherever they stand: Vonage's accounts choose between a query, a form and JSON.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn of(callback: &Callback) -> Self {
        if callback.is_get {
            return Self(callback.query());
        }
        match serde_json::from_slice(&callback.body) {
            Ok(Value::Object(object)) => {
                Self(object.into_iter().filter_map(|(name, value)| Some((name, flat(value)?))).collect())
            }
            _ => Self(callback.form()),
        }
    }

    /// A value that holds something: one that does not may not be signed.
    fn get(&self, name: &str) -> Option<&str> {
        let filled = |(known, value): &&(String, String)| known == name && signature::holds_something(value);
        self.0.iter().find(filled).map(|(_, value)| value.as_str())
    }
}

fn flat(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// None: it is about nothing that we could name, or tells no state.
fn told(callback: &Callback, fields: &Fields) -> Option<Receipt> {
    let status = fields.get("status")?;
    let (id, reference, report) = match (fields.get("messageId"), fields.get("uuid")) {
        (Some(id), _) => (id, fields.get("client-ref").map(str::to_owned), code::of_message(status, fields.get("err-code"))),
        (None, Some(id)) => (id, callback.parameter(REFERENCE), code::of_call(status, callback.parameter(ASKS).is_some())),
        (None, None) => return None,
    };
    let of = match reference.and_then(|text| text.parse().ok()) {
        Some(reference) => ReceiptOf::Reference(reference),
        None => ReceiptOf::ProviderId(id.to_owned()),
    };
    let carrier = fields.get("network-code").or(fields.get("network")).filter(|name| is_carrier(name)).map(str::to_owned);
    Some(Receipt { of, report, at: happened(fields), carrier })
}

fn happened(fields: &Fields) -> Option<Timestamp> {
    fields.get("timestamp").and_then(|at| at.parse().ok())
}

fn is_carrier(name: &str) -> bool {
    (1..=MAX_CARRIER).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whoever pressed a key is there and hears what is answered: that is the receipt of such a call.
fn say(seal: &Seal, sealed: &str, callback: &Callback, fields: &Fields, now: Timestamp) -> Result<Reading, CallbackRefusal> {
    let event: Value = serde_json::from_slice(&callback.body).map_err(|_| CallbackRefusal::Malformed("not an event"))?;
    let dtmf = &event["dtmf"];
    let is_pressed = dtmf["digits"].as_str().or(dtmf.as_str()).is_some_and(|digits| !digits.is_empty());
    let (body, receipts) = if is_pressed {
        let about: Option<Reference> = callback.parameter(REFERENCE).and_then(|text| text.parse().ok());
        let opened = about.and_then(|about| Some((about, seal.open(sealed, about, now)?)));
        let (about, body) = opened.ok_or(CallbackRefusal::Malformed("what was to be said is over, or not ours"))?;
        let of = ReceiptOf::Reference(about);
        (body, vec![Receipt { of, report: Report::Delivered, at: happened(fields), carrier: None }])
    } else {
        ("[]".to_owned(), Vec::new())
    };
    Ok(Reading::Reply { media_type: "application/json", body, receipts })
}
