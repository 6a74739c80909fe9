//! From a call of this dialect to a command of `core`. Form is checked here; what depends on a tenant's records or a count is not.
//!
//! Fields that nobody reads are ignored, as the vendor's clients send what other channels need.

pub(super) mod check;
pub(super) mod create;
pub(super) mod page;
pub(super) mod template;
pub(super) mod webhook;

use countersign_model::{Channel, InvalidRecipient, Recipient};
use serde_json::{Map, Value};

use super::error::Failure;
use super::words;
use crate::body::Body;

/// The fields of a call: the object under `data`. `null` is the same as not there.
#[derive(Clone, Copy)]
pub(super) struct Data<'a>(&'a Map<String, Value>);

impl<'a> Data<'a> {
    /// Fails where there is no such object.
    fn of(body: &'a Body) -> Result<Self, Failure> {
        let data = body.object.get("data").and_then(Value::as_object).map(Self);
        data.ok_or_else(|| words::MALFORMED.saying("'data' must be an object").into())
    }

    fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text that says something; none where it is missing, blank, or something else.
    fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }
}

/// Digits as clients write them: in a string, or as a number.
fn digits(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// A number of the form that clients write: digits with the country's code, its `+` or not.
fn phone(text: &str) -> Result<Recipient, InvalidRecipient> {
    Recipient::parse(Channel::Sms, &format!("+{}", text.strip_prefix('+').unwrap_or(text)))
}

#[cfg(test)]
mod testing {
    use serde_json::Value;

    use crate::body::Body;

    /// A body that says `{"data": data}`.
    pub(super) fn body(data: &Value) -> Body {
        let object = serde_json::json!({ "data": data });
        Body { bytes: object.to_string().into(), object: object.as_object().unwrap().clone() }
    }
}
