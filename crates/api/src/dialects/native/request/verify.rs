//! `POST /otp/verify`.

use countersign_core::{Guess, Guesses, Verify};
use countersign_model::Channel;
use serde_json::Value;

use super::{INVALID_FIELD, Input, handle, headers};
use crate::fields::{Faults, Fields, presentable};

/// The fields of the call.
pub(super) const FIELDS: [&str; 5] = ["session_token", "token", "otps", "code", "channel"];

/// A call to be judged, and what of it cannot be.
#[derive(Debug)]
pub(crate) struct Submitted {
    /// For the verb.
    pub(crate) command: Verify,
    /// Names given as channels that are none. No session has them; the reply says so under the caller's own word.
    pub(crate) strangers: Vec<String>,
}

/// Reads the whole call, and tells all that is wrong with it.
pub(crate) fn parse(input: &Input<'_>) -> Result<Submitted, Faults> {
    let fields = input.fields();
    let mut faults = Faults::default();
    let handle = handle::token(&fields, &mut faults);
    let mut strangers = Vec::new();
    let guesses = guesses(&fields, &mut strangers, &mut faults);
    let idempotency = headers::idempotency(input, "otp/verify", &mut faults);
    if input.strict() {
        fields.only(&FIELDS, &mut faults);
    }
    let command = handle.zip(guesses).map(|(handle, guesses)| Verify { handle, guesses, idempotency });
    faults.or(command.map(|command| Submitted { command, strangers }))
}

/// `otps`, when it holds a guess; else `code`.
fn guesses(fields: &Fields<'_>, strangers: &mut Vec<String>, faults: &mut Faults) -> Option<Guesses> {
    let before = strangers.len();
    let mut named = Vec::new();
    if let Some(object) = fields.object("otps", faults) {
        let otps = Fields::new(object, "otps.", INVALID_FIELD);
        for (name, value) in otps.present() {
            if let Some(guess) = guess(&otps, name, value, faults) {
                place(name, guess, &mut named, strangers);
            }
        }
    }
    let from_code = |value| guess(fields, "code", value, faults);
    if named.is_empty() && strangers.len() == before {
        let guess = fields.get("code").and_then(from_code);
        match (guess, fields.parsed("channel", "a channel's name", Some, faults)) {
            (Some(guess), Some(name)) => place(name, guess, &mut named, strangers),
            (Some(guess), None) => return Some(Guesses::Unnamed(guess)),
            (None, _) => {
                faults.add("otps", "missing_code", "No code given");
                return None;
            }
        }
    }
    // With strangers only it stays empty, and the session says that none of them is its own.
    Some(Guesses::named(named))
}

fn place(name: &str, guess: Guess, named: &mut Vec<(Channel, Guess)>, strangers: &mut Vec<String>) {
    match name.trim().parse() {
        Ok(channel) => named.push((channel, guess)),
        Err(_) => strangers.push(name.to_owned()),
    }
}

/// What was typed. An integer is read as its digits: leading zeros are lost before it gets here. Blank is none.
fn guess(fields: &Fields<'_>, name: &str, value: &Value, faults: &mut Faults) -> Option<Guess> {
    match value {
        Value::String(text) => Guess::read(text),
        Value::Number(number) if number.is_u64() => Guess::read(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            fields.refuse(&presentable(name), "a string of what was typed", faults);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::Handle;
    use serde_json::json;

    use super::super::testing::{only_fault, parse_with};
    use super::*;

    fn read(value: &Value) -> Submitted {
        parse_with(value, &[], parse).unwrap()
    }

    fn named(guesses: &Guesses) -> Vec<(Channel, Guess)> {
        match guesses {
            Guesses::Named(named) => named.clone(),
            Guesses::Unnamed(_) => panic!("{guesses:?}"),
        }
    }

    fn typed(text: &str) -> Guess {
        Guess::read(text).unwrap()
    }

    #[test]
    fn guesses_are_read_for_each_channel_in_either_case() {
        let submitted = read(&json!({"session_token": "t", "otps": {"email": "482913", "SMS": "111111", "voice": null}}));
        let mut guesses = named(&submitted.command.guesses);
        guesses.sort_by_key(|(channel, _)| *channel);
        assert_eq!(guesses, [(Channel::Email, typed("482913")), (Channel::Sms, typed("111111"))]);
        assert!(matches!(submitted.command.handle, Handle::Token(token) if token == "t"));
    }

    #[test]
    fn a_code_needs_no_channel() {
        let submitted = read(&json!({"token": "t", "code": " 482 913 "}));
        assert!(matches!(submitted.command.guesses, Guesses::Unnamed(guess) if guess == typed("482913")));
        let submitted = read(&json!({"token": "t", "code": "482913", "channel": "Email"}));
        assert_eq!(named(&submitted.command.guesses), [(Channel::Email, typed("482913"))]);
    }

    #[test]
    fn otps_win_over_code_unless_they_hold_nothing() {
        let submitted = read(&json!({"token": "t", "otps": {"email": "1"}, "code": "2"}));
        assert_eq!(named(&submitted.command.guesses), [(Channel::Email, typed("1"))]);
        let submitted = read(&json!({"token": "t", "otps": {"email": " "}, "code": "2"}));
        assert!(matches!(submitted.command.guesses, Guesses::Unnamed(guess) if guess == typed("2")));
    }

    #[test]
    fn an_integer_is_read_as_its_digits() {
        let submitted = read(&json!({"token": "t", "otps": {"email": 482_913}}));
        assert_eq!(named(&submitted.command.guesses), [(Channel::Email, typed("482913"))]);
        for wrong in [json!(1.5), json!(true), json!(["1"]), json!({"code": "1"}), json!(-5)] {
            let body = json!({"token": "t", "otps": {"email": wrong}});
            let faults = parse_with(&body, &[], parse).unwrap_err();
            assert_eq!(faults[0].field, "otps.email", "{faults:?}");
        }
    }

    #[test]
    fn a_name_that_is_no_channel_is_kept_for_the_reply() {
        let submitted = read(&json!({"token": "t", "otps": {"fax": "1", "email": "2"}}));
        assert_eq!(submitted.strangers, ["fax"]);
        assert_eq!(named(&submitted.command.guesses).len(), 1);
        let submitted = read(&json!({"token": "t", "code": "1", "channel": "fax"}));
        assert_eq!(submitted.strangers, ["fax"]);
        assert!(named(&submitted.command.guesses).is_empty());
    }

    #[test]
    fn nothing_typed_is_no_code() {
        for body in [
            json!({"session_token": "t"}),
            json!({"session_token": "t", "otps": {}}),
            json!({"session_token": "t", "otps": {"email": ""}}),
            json!({"session_token": "t", "code": "  "}),
            json!({"session_token": "t", "code": null, "otps": null}),
        ] {
            assert_eq!(only_fault(parse_with(&body, &[], parse)).1, "missing_code", "{body}");
        }
    }

    #[test]
    fn a_missing_token_and_a_missing_code_are_told_together() {
        let faults = parse_with(&json!({}), &[], parse).unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["missing_session_token", "missing_code"]);
    }

    #[test]
    fn strict_handling_names_unknown_fields() {
        let body = json!({"session_token": "t", "code": "1", "otp": "1"});
        assert_eq!(only_fault(parse_with(&body, &[("Prefer", "handling=strict")], parse)).0, "otp");
    }
}
