//! What Twilio posts back: states of messages and of calls, and key presses.

use async_trait::async_trait;
use countersign_model::{Receipt, ReceiptOf, Reference, Report, Timestamp, Undelivered};
use secrecy::SecretString;

use super::{code, signature, twiml};
use crate::receipts::{Callback, CallbackRefusal, Reading, Receipts};
use crate::seal::Seal;

/// The query's field with our reference.
pub(super) const REFERENCE: &str = "r";
/// The query's field that says that the call asked for a key.
pub(super) const ASKS: &str = "asks";
/// The query's field with what is said after a key press.
pub(super) const SAY: &str = "say";

/// Reads callbacks; holds what they are checked with.
pub(super) struct Ear {
    pub(super) token: SecretString,
    pub(super) seal: Seal,
}

#[async_trait]
impl Receipts for Ear {
    async fn read(&self, callback: &Callback, now: Timestamp) -> Result<Reading, CallbackRefusal> {
        if !signature::is_genuine(&self.token, callback) {
            return Err(CallbackRefusal::Forged);
        }
        let fields = Fields(callback.form());
        match callback.parameter(SAY) {
            Some(sealed) => self.say(&sealed, reference(callback), &fields, now),
            None => Ok(Reading::Receipts(told(callback, &fields).into_iter().collect())),
        }
    }
}

impl Ear {
    /// Whoever pressed a key is there and hears what is answered: that is the receipt of such a call.
    fn say(&self, sealed: &str, about: Option<Reference>, fields: &Fields, now: Timestamp) -> Result<Reading, CallbackRefusal> {
        let (verbs, receipts) = if fields.get("Digits").is_some_and(|digits| !digits.is_empty()) {
            let opened = about.and_then(|about| Some((about, self.seal.open(sealed, about, now)?)));
            let (about, verbs) = opened.ok_or(CallbackRefusal::Malformed("what was to be said is over, or not ours"))?;
            let heard = Receipt { of: ReceiptOf::Reference(about), report: Report::Delivered, at: None, carrier: None };
            (verbs, vec![heard])
        } else {
            ("<Hangup/>".to_owned(), Vec::new())
        };
        Ok(Reading::Reply { media_type: "text/xml", body: twiml::document(&verbs), receipts })
    }
}

struct Fields(Vec<(String, String)>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// None: it is about nothing that we could name, or tells no state.
fn told(callback: &Callback, fields: &Fields) -> Option<Receipt> {
    let (id, report) = match (fields.get("MessageSid").or(fields.get("SmsSid")), fields.get("CallSid")) {
        (Some(id), _) => (id, of_message(fields)?),
        (None, Some(id)) => (id, of_call(fields, callback.parameter(ASKS).is_some())?),
        (None, None) => return None,
    };
    let of = reference(callback).map_or_else(|| ReceiptOf::ProviderId(id.to_owned()), ReceiptOf::Reference);
    Some(Receipt { of, report, at: None, carrier: None })
}

fn reference(callback: &Callback) -> Option<Reference> {
    callback.parameter(REFERENCE).and_then(|text| text.parse().ok())
}

fn of_message(fields: &Fields) -> Option<Report> {
    let status = fields.get("MessageStatus").or(fields.get("SmsStatus"))?;
    Some(match status {
        "delivered" | "read" => Report::Delivered,
        "undelivered" | "failed" => Report::Undelivered(code::reason(fields.get("ErrorCode").and_then(|code| code.parse().ok()))),
        "canceled" => Report::Undelivered(Undelivered::Unknown),
        // `accepted`, `scheduled`, `queued`, `sending`, `sent`, and what is not known.
        _ => Report::Underway,
    })
}

/// A call that asks for a key is answered by machines too and tells them nothing: that it came to its end proves nothing.
fn of_call(fields: &Fields, asks: bool) -> Option<Report> {
    Some(match fields.get("CallStatus")? {
        "completed" if is_machine(fields) => Report::Undelivered(Undelivered::Unreachable),
        "completed" if !asks => Report::Delivered,
        "busy" | "no-answer" => Report::Undelivered(Undelivered::Unreachable),
        "failed" | "canceled" => Report::Undelivered(Undelivered::Unknown),
        // `queued`, `initiated`, `ringing`, `in-progress`, and what is not known.
        _ => Report::Underway,
    })
}

/// Twilio was asked to tell people from machines, and heard one.
fn is_machine(fields: &Fields) -> bool {
    fields.get("AnsweredBy").is_some_and(|by| by.starts_with("machine") || by == "fax")
}
