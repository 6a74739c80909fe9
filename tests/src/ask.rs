//! What a caller asks for, and what it got.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::Reply;

/// The body of a send.
#[derive(Debug, Clone)]
pub struct Ask(Value);

/// A send to one mailbox.
pub fn email(address: &str) -> Ask {
    Ask(json!({"channels": ["email"], "recipients": {"email": address}}))
}

/// A send to one phone.
pub fn sms(number: &str) -> Ask {
    Ask(json!({"channels": ["sms"], "recipients": {"sms": number}}))
}

impl Ask {
    /// Any body at all.
    pub const fn of(body: Value) -> Self {
        Self(body)
    }

    /// The body.
    pub const fn body(&self) -> &Value {
        &self.0
    }

    /// One more channel that is asked at once.
    #[must_use]
    pub fn and(mut self, channel: &str, recipient: &str) -> Self {
        self.0["channels"].as_array_mut().unwrap().push(channel.into());
        self.0["recipients"][channel] = recipient.into();
        self
    }

    /// A channel whose turn comes later.
    #[must_use]
    pub fn later(mut self, channel: &str, recipient: &str, after_seconds: u32) -> Self {
        self.0["recipients"][channel] = recipient.into();
        if self.0["fallback"].is_null() {
            self.0["fallback"] = json!([]);
        }
        let step = json!({"channel": channel, "after_seconds": after_seconds});
        self.0["fallback"].as_array_mut().unwrap().push(step);
        self
    }

    /// Sets the field at a path such as `config.otp_length`.
    #[must_use]
    pub fn set(mut self, path: &str, value: impl Into<Value>) -> Self {
        let (parents, field) = path.rsplit_once('.').map_or((None, path), |(parents, field)| (Some(parents), field));
        let mut place = &mut self.0;
        for parent in parents.into_iter().flat_map(|parents| parents.split('.')) {
            place = place.as_object_mut().unwrap().entry(parent).or_insert_with(|| Value::Object(Map::new()));
        }
        place[field] = value.into();
        self
    }

    /// Takes a top field away.
    #[must_use]
    pub fn without(mut self, field: &str) -> Self {
        self.0.as_object_mut().unwrap().remove(field);
        self
    }

    /// Wrong calls before the session locks.
    #[must_use]
    pub fn max_attempts(self, attempts: u32) -> Self {
        self.set("config.max_attempts", attempts)
    }

    /// Digits of the code.
    #[must_use]
    pub fn length(self, digits: u32) -> Self {
        self.set("config.otp_length", digits)
    }

    /// Every channel must be proved.
    #[must_use]
    pub fn all(self) -> Self {
        self.set("verification_mode", "all")
    }
}

/// A session that a caller was told about.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its token.
    pub token: String,
    /// Its id.
    pub session_id: String,
    /// Its codes, in the sandbox.
    codes: BTreeMap<String, String>,
    /// The whole reply.
    pub reply: Reply,
}

impl Sent {
    /// Reads the reply to a send that succeeded.
    #[track_caller]
    pub fn read(reply: Reply) -> Self {
        reply.assert(200).json("$.success", true);
        let codes = reply.at("$.sandbox_otps");
        let codes = codes.as_object().into_iter().flatten();
        let codes = codes.map(|(channel, code)| (channel.clone(), code.as_str().unwrap().to_owned())).collect();
        Self { token: reply.text("$.session_token"), session_id: reply.text("$.session_id"), codes, reply }
    }

    /// The sandbox code of a channel.
    #[track_caller]
    pub fn code(&self, channel: &str) -> &str {
        self.codes.get(channel).unwrap_or_else(|| panic!("no code for {channel}: {:?}", self.reply))
    }

    /// A code that is none of the session's.
    pub fn wrong(&self) -> String {
        let codes: Vec<&str> = self.codes.values().map(String::as_str).collect();
        wrong_code(&codes)
    }
}

/// Digits of the same length that are none of `codes`.
pub fn wrong_code(codes: &[&str]) -> String {
    let length = codes.first().map_or(6, |code| code.len());
    let candidates = ('0'..='9').map(|digit| digit.to_string().repeat(length));
    candidates.into_iter().find(|candidate| !codes.contains(&candidate.as_str())).unwrap()
}
