//! Requests and replies as Twilio spells them.

use serde::Deserialize;

use super::code;
use crate::http::Reply;
use crate::ids::sound_id;
use crate::provider::TryOutcome;

/// A form's fields, in the order in which they are posted.
#[derive(Default)]
pub(super) struct Form(Vec<(&'static str, String)>);

impl Form {
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.push((name, value.into()));
    }

    pub(super) fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

/// What a template is filled with: its first variable is the code.
pub(super) fn variables(code: &str) -> String {
    serde_json::json!({ "1": code }).to_string()
}

#[derive(Deserialize)]
struct Taken {
    sid: String,
}

#[derive(Deserialize)]
struct Fault {
    code: u32,
}

/// What a reply means: a created resource, or one of Twilio's numbered faults.
pub(super) fn outcome(reply: &Reply) -> TryOutcome {
    if (200..300).contains(&reply.status) {
        return TryOutcome::Accepted { provider_id: reply.json::<Taken>().and_then(|taken| sound_id(&taken.sid)) };
    }
    reply.json::<Fault>().and_then(|fault| code::outcome(fault.code, reply.diagnostic())).unwrap_or_else(|| reply.outcome())
}
