//! What a gateway posts back, read by the operator's rules.

use async_trait::async_trait;
use countersign_model::{Receipt, ReceiptOf, Report, Timestamp};
use serde_json::Value;

use super::proof::Proof;
use super::reply::as_text;
use crate::ids::sound_id;
use crate::provider::Tells;
use crate::receipts::{Callback, CallbackRefusal, Reading, Receipts};

/// Where the fields of a callback stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// In a JSON body, by pointer.
    Json,
    /// In a form, by name.
    Form,
    /// In the address, by name.
    Query,
}

/// Which field names the message, and how.
pub(super) enum Named {
    /// It repeats the reference that it was handed.
    Reference(String),
    /// It names its own id.
    Id(String),
}

/// The operator's rules, checked.
pub(super) struct Reader {
    pub(super) proof: Proof,
    pub(super) shape: Shape,
    /// JSON pointer to a list of receipts, each with the fields; none: a callback is one receipt.
    pub(super) items: Option<String>,
    pub(super) named: Named,
    pub(super) status: String,
    /// What a status says. One that is not here says nothing that is decided.
    pub(super) words: Vec<(String, Report)>,
}

impl Reader {
    pub(super) const fn tells(&self) -> Tells {
        match self.named {
            Named::Reference(_) => Tells::ByReference,
            Named::Id(_) => Tells::ById,
        }
    }

    /// None: it is about no message of ours.
    fn receipt(&self, field: impl Fn(&str) -> Option<String>) -> Option<Receipt> {
        let of = match &self.named {
            Named::Reference(name) => ReceiptOf::Reference(field(name)?.parse().ok()?),
            Named::Id(name) => ReceiptOf::ProviderId(sound_id(&field(name)?)?),
        };
        let status = field(&self.status)?;
        let report = self.words.iter().find(|(word, _)| *word == status).map_or(Report::Underway, |(_, report)| *report);
        Some(Receipt { of, report, at: None, carrier: None })
    }

    fn of_json(&self, body: &[u8]) -> Result<Vec<Receipt>, CallbackRefusal> {
        let document: Value = serde_json::from_slice(body).map_err(|_| CallbackRefusal::Malformed("the body is not JSON"))?;
        let of = |item: &Value| self.receipt(|pointer| item.pointer(pointer).and_then(as_text));
        let Some(items) = &self.items else { return Ok(of(&document).into_iter().collect()) };
        let items = document.pointer(items).and_then(Value::as_array);
        let items = items.ok_or(CallbackRefusal::Malformed("there is no list where `items` says"))?;
        Ok(items.iter().filter_map(of).collect())
    }

    fn of_pairs(&self, pairs: &[(String, String)]) -> Vec<Receipt> {
        self.receipt(|name| one(pairs, name)).into_iter().collect()
    }
}

/// A value that is there once.
fn one(pairs: &[(String, String)], name: &str) -> Option<String> {
    let mut values = pairs.iter().filter(|(known, _)| known == name);
    let (_, value) = values.next()?;
    values.next().is_none().then(|| value.clone())
}

#[async_trait]
impl Receipts for Reader {
    async fn read(&self, callback: &Callback, now: Timestamp) -> Result<Reading, CallbackRefusal> {
        if !self.proof.holds(callback, now) {
            return Err(CallbackRefusal::Forged);
        }
        Ok(Reading::Receipts(match self.shape {
            Shape::Json => self.of_json(&callback.body)?,
            Shape::Form => self.of_pairs(&callback.form()),
            Shape::Query => self.of_pairs(&callback.query()),
        }))
    }
}
