//! From a call of this dialect to words of the model. Fields are checked in the order in which the vendor's answers rank them: the service
//! first, which is looked up before the rest is read.

use countersign_core::Guess;
use countersign_model::{PhoneNumber, ServiceId};
use serde_json::{Map, Value};

use super::failure::Word;

/// Most characters of a plain message.
const MOST_OF_A_BODY: usize = 1600;

/// A service, and how the caller writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) id: ServiceId,
    pub(super) written: &'a str,
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str()
}

/// The service, in the form with hyphens.
pub(super) fn service(fields: &Map<String, Value>) -> Result<Named<'_>, Word> {
    let written = text(fields, "serviceId").filter(|written| written.len() == 36).ok_or(Word::InvalidRequest)?;
    let id = written.parse().map_err(|_| Word::InvalidRequest)?;
    Ok(Named { id, written })
}

/// The one number.
pub(super) fn to(fields: &Map<String, Value>) -> Result<PhoneNumber, Word> {
    let written = text(fields, "to").ok_or(Word::InvalidRecipient)?;
    PhoneNumber::parse(written).map_err(|_| Word::InvalidRecipient)
}

/// What was typed: 4 to 10 digits, and nothing else.
pub(super) fn otp(fields: &Map<String, Value>) -> Result<Guess, Word> {
    let digits = |typed: &&str| (4..=10).contains(&typed.len()) && typed.bytes().all(|byte| byte.is_ascii_digit());
    text(fields, "otp").filter(digits).and_then(Guess::read).ok_or(Word::OtpInvalid)
}

/// The words of a plain message. Line breaks and tabs are the only control characters that phones show.
pub(super) fn body(fields: &Map<String, Value>) -> Result<String, Word> {
    let shown = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    let sound = |body: &&str| !body.trim().is_empty() && body.chars().count() <= MOST_OF_A_BODY && body.chars().all(shown);
    text(fields, "body").filter(sound).map(str::to_owned).ok_or(Word::MalformedRequest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T>(value: &Value, read: impl FnOnce(&Map<String, Value>) -> Result<T, Word>) -> Result<T, Word> {
        read(value.as_object().unwrap())
    }

    #[test]
    fn a_service_is_a_uuid_with_hyphens() {
        let id = "7d1f0c52-3a4b-4c5d-8e6f-0123456789ab";
        let named = json!({"serviceId": id.to_uppercase()});
        let named = service(named.as_object().unwrap()).unwrap();
        assert_eq!((named.id.to_string(), named.written), (id.to_owned(), id.to_uppercase().as_str()));
        let bare = id.replace('-', "");
        for wrong in [json!({}), json!({"serviceId": null}), json!({"serviceId": 7}), json!({"serviceId": bare})] {
            assert_eq!(read(&wrong, |fields| service(fields).map(|_| ())), Err(Word::InvalidRequest), "{wrong}");
        }
        for wrong in ["", "YOUR_SERVICE_ID", "{7d1f0c52-3a4b-4c5d-8e6f-0123456789ab}", "7d1f0c52-3a4b-4c5d-8e6f-0123456789xy"] {
            assert_eq!(
                read(&json!({"serviceId": wrong}), |fields| service(fields).map(|_| ())),
                Err(Word::InvalidRequest),
                "{wrong}"
            );
        }
    }

    #[test]
    fn one_number_with_its_plus_is_taken() {
        assert_eq!(read(&json!({"to": "+919876543210"}), to).unwrap().as_str(), "+919876543210");
        for wrong in
            [json!("919876543210"), json!("+1 202"), json!(["+919876543210"]), json!("+12025550143,+12025550144"), json!(1)]
        {
            assert_eq!(read(&json!({"to": wrong}), to), Err(Word::InvalidRecipient), "{wrong}");
        }
        assert_eq!(read(&json!({}), to), Err(Word::InvalidRecipient));
    }

    #[test]
    fn a_guess_is_4_to_10_digits() {
        for right in ["0000", "482913", "0123456789"] {
            assert!(read(&json!({"otp": right}), otp).is_ok(), "{right}");
        }
        for wrong in [
            json!("123"),
            json!("12345678901"),
            json!("48 2913"),
            json!("４８２９１３"),
            json!("12a4"),
            json!(482_913),
            json!(null),
        ] {
            assert_eq!(read(&json!({"otp": wrong}), otp), Err(Word::OtpInvalid), "{wrong}");
        }
    }

    #[test]
    fn a_plain_message_has_1_to_1600_characters() {
        for right in ["Hi", "two\nlines", &"é".repeat(1600)] {
            assert_eq!(read(&json!({"body": right}), body).as_deref(), Ok(right));
        }
        for wrong in [json!(""), json!(" \n"), json!("é".repeat(1601)), json!("bell\u{7}"), json!(7), json!(null)] {
            assert_eq!(read(&json!({"body": wrong}), body), Err(Word::MalformedRequest), "{wrong}");
        }
    }
}
