//! The two shapes of an error.

use std::borrow::Cow;
use std::time::Duration;

use countersign_core::About;
use countersign_model::Mode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::form::Form;
use super::words::{self, Word};
use crate::fields::{Fault, Faults, presentable};

/// Why a call came to nothing, as its reply tells it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(super) word: Word,
    /// For people.
    message: Cow<'static, str>,
    more: Box<More>,
    /// The call was about a sandbox session.
    sandbox: Option<bool>,
    /// When another try makes sense.
    pub(super) retry_after: Option<Duration>,
    /// The methods of a path that was called with another one.
    pub(super) allow: Option<String>,
}

/// What is told beyond the message.
#[derive(Debug, Default)]
struct More {
    /// In the reference API.
    details: Map<String, Value>,
    /// In the SDK's API.
    data: Map<String, Value>,
}

/// An error of the reference API.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "error": {"code": "INVALID_PHONE", "message": "The phone number format is invalid", "details": {"field": "to", "value": "123456"}}
})))]
pub(crate) struct ReferenceError<'a> {
    error: ReferenceErrorBody<'a>,
    /// Only where the call was about a sandbox OTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReferenceErrorBody<'a> {
    /// For programs.
    code: &'a str,
    /// For people.
    message: &'a str,
    /// `field` and `value` of the first field that is wrong; `attempts_remaining` of a wrong code; `limit` where one is used up.
    #[schema(value_type = Object)]
    details: &'a Map<String, Value>,
}

/// An error of the SDK's API.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "defined": true, "code": "TOO_MANY_REQUESTS", "status": 429, "message": "Too many messages to this recipient",
    "data": {"limit": "perPhone", "policy": "platform", "retryAfterMs": 12500}
})))]
pub(crate) struct SdkError<'a> {
    /// Whether the vendor's description lists the code.
    defined: bool,
    /// For programs.
    code: &'a str,
    /// The HTTP status once more.
    status: u16,
    /// For people.
    message: &'a str,
    /// More for programs, where there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    data: Option<&'a Map<String, Value>>,
    /// Only where the call was about a sandbox OTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
}

impl Failure {
    /// A failure that has nothing more to say.
    pub(super) fn new(word: Word, message: impl Into<Cow<'static, str>>) -> Self {
        Self { word, message: message.into(), more: Box::default(), sandbox: None, retry_after: None, allow: None }
    }

    /// The first of `faults`, with what stands in its field.
    ///
    /// `given` looks a field of the call up. Only what is short and plain is told again, and never what was typed as a code.
    pub(super) fn of_faults(faults: Faults, given: impl Fn(&str) -> Option<Value>) -> Self {
        let Some(Fault { field, code, message }) = faults.into_vec().into_iter().next() else {
            return Self::new(words::INVALID_REQUEST, "The request is invalid");
        };
        let value = given(&field).filter(|_| field != "code").and_then(told_again);
        let failure = Self::new(words::field(code), message).data("field", field.as_str()).detail("field", field);
        match value {
            Some(value) => failure.detail("value", value),
            None => failure,
        }
    }

    /// The same, telling one thing more in the reference API.
    pub(super) fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.details.insert(name.to_owned(), value.into());
        self
    }

    /// The same, telling one thing more in the SDK's API.
    pub(super) fn data(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.data.insert(name.to_owned(), value.into());
        self
    }

    /// The same, with a time to wait.
    pub(super) fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// The same, with the methods of its path.
    pub(super) fn allowing(self, methods: String) -> Self {
        Self { allow: Some(methods), ..self }
    }

    /// The same, with what may be told of the session, if the call named one.
    pub(super) fn about(mut self, about: impl Into<Option<About>>) -> Self {
        let mode = about.into().map(|about| about.mode);
        self.sandbox = mode.filter(|mode| *mode == Mode::Sandbox).map(|_| true).or(self.sandbox);
        self
    }

    /// The body.
    pub(super) fn body(&self, form: Form) -> Vec<u8> {
        let Self { word, more, sandbox, .. } = self;
        let More { details, data } = more.as_ref();
        let (message, sandbox) = (self.message.as_ref(), *sandbox);
        let printed = match form {
            Form::Reference => {
                let error = ReferenceErrorBody { code: word.reference, message, details };
                serde_json::to_vec(&ReferenceError { error, sandbox })
            }
            Form::Sdk => serde_json::to_vec(&SdkError {
                defined: words::is_defined(word.sdk),
                code: word.sdk,
                status: word.status.as_u16(),
                message,
                data: Some(data).filter(|data| !data.is_empty()),
                sandbox,
            }),
        };
        printed.unwrap_or_default()
    }
}

fn told_again(value: Value) -> Option<Value> {
    match value {
        Value::String(text) => Some(presentable(&text).into()),
        Value::Number(_) | Value::Bool(_) => Some(value),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(failure: &Failure, form: Form) -> Value {
        serde_json::from_slice(&failure.body(form)).unwrap()
    }

    fn faulty(field: &str, given: Value) -> Failure {
        let mut faults = Faults::default();
        faults.add(field, words::INVALID_PHONE, "The phone number format is invalid");
        faults.add("ttl", words::INVALID_PARAMETER, "not told");
        Failure::of_faults(faults, move |_| Some(given.clone()))
    }

    #[test]
    fn an_error_of_the_reference_api_is_led_by_its_first_fault() {
        let expected = json!({"error": {
            "code": "INVALID_PHONE", "message": "The phone number format is invalid", "details": {"field": "to", "value": "123456"},
        }});
        assert_eq!(printed(&faulty("to", json!("123456")), Form::Reference), expected);
    }

    #[test]
    fn an_error_of_the_sdks_api_says_whether_its_code_is_listed() {
        let expected = json!({
            "defined": true, "code": "BAD_REQUEST", "status": 400, "message": "The phone number format is invalid", "data": {"field": "to"},
        });
        assert_eq!(printed(&faulty("to", json!("123456")), Form::Sdk), expected);
        let unlisted = printed(&Failure::new(words::PAYLOAD_TOO_LARGE, "too large"), Form::Sdk);
        assert_eq!(unlisted, json!({"defined": false, "code": "PAYLOAD_TOO_LARGE", "status": 413, "message": "too large"}));
    }

    #[test]
    fn what_was_typed_as_a_code_is_not_told_again_nor_what_is_long() {
        let told = |field, given| printed(&faulty(field, given), Form::Reference)["error"]["details"].clone();
        assert_eq!(told("code", json!(482_913)), json!({"field": "code"}));
        assert_eq!(told("to", json!({"a": 1})), json!({"field": "to"}));
        assert_eq!(told("to", json!("x".repeat(1000)))["value"].as_str().unwrap().len(), 64);
    }

    #[test]
    fn a_failure_about_a_sandbox_otp_says_so_in_both() {
        let failure = || Failure { sandbox: Some(true), ..Failure::new(words::OTP_EXPIRED, "expired") };
        assert_eq!(printed(&failure(), Form::Reference)["sandbox"], json!(true));
        assert_eq!(printed(&failure(), Form::Sdk)["sandbox"], json!(true));
    }
}
