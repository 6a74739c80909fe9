//! What a gateway's reply means.

use serde_json::Value;

use crate::http::Body;
use crate::ids::sound_id;
use crate::provider::{Diagnostic, TryOutcome};

/// Conditions on a reply; all that are given must hold.
pub(super) struct Rule {
    pub(super) status: Vec<u16>,
    /// A JSON pointer, and what may stand there.
    pub(super) value: Option<(String, Vec<String>)>,
}

impl Rule {
    fn is_empty(&self) -> bool {
        self.status.is_empty() && self.value.is_none()
    }

    fn value_holds(&self, json: Option<&Value>) -> bool {
        self.value.as_ref().is_none_or(|(pointer, wanted)| {
            json.and_then(|json| json.pointer(pointer)).and_then(as_text).is_some_and(|text| wanted.contains(&text))
        })
    }
}

/// The operator's rules for one gateway.
pub(super) struct Judge {
    /// No status given: any 2xx.
    pub(super) accept: Rule,
    /// Nothing given: never.
    pub(super) refuse: Rule,
    /// JSON pointer to the gateway's id.
    pub(super) id: Option<String>,
}

impl Judge {
    /// A final refusal is looked for first: it is the narrower rule, and some gateways answer 200 to everything.
    pub(super) fn outcome(&self, status: u16, body: &Body) -> TryOutcome {
        let json: Option<Value> = serde_json::from_slice(&body.bytes).ok();
        let said = Diagnostic::Http(status);
        if !self.refuse.is_empty()
            && (self.refuse.status.is_empty() || self.refuse.status.contains(&status))
            && self.refuse.value_holds(json.as_ref())
        {
            return TryOutcome::Refused(said);
        }
        let taken =
            if self.accept.status.is_empty() { (200..300).contains(&status) } else { self.accept.status.contains(&status) };
        if taken && self.accept.value_holds(json.as_ref()) {
            return TryOutcome::Accepted { provider_id: self.id(json.as_ref()) };
        }
        match status {
            // The status is a yes, and what should say more has not come: a yes that cannot be read.
            _ if taken && !body.is_whole => TryOutcome::Unclear(said),
            429 => TryOutcome::Throttled(said),
            401 | 403 => TryOutcome::Misconfigured(said),
            _ => TryOutcome::Unknown(said),
        }
    }

    fn id(&self, json: Option<&Value>) -> Option<String> {
        sound_id(&as_text(json?.pointer(self.id.as_deref()?)?)?)
    }
}

/// Gateways write numbers as text and text as numbers.
pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
