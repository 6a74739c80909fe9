//! `POST` of a verification.

use std::time::Duration;

use countersign_core::{Codes, PAYLOAD_KEY, Send, SenderChoice, TemplateChoice};
use countersign_model::{Channel, Code, Dialect, Recipient, Uuid};
use serde_json::{Value, json};

use super::super::error::{Failure, Faults};
use super::super::words;
use super::{Data, digits, phone};
use crate::body::Body;

/// The fields of the call.
#[cfg(test)]
pub(in super::super) const FIELDS: [&str; 11] = [
    "channel",
    "sender",
    "phone",
    "email",
    "template",
    "code_length",
    "code",
    "payload",
    "voice_type",
    "language",
    "ttl_in_seconds",
];

/// Longest name of a sender, in characters.
const LONGEST_SENDER: usize = 15;
/// Longest payload, in characters.
const LONGEST_PAYLOAD: usize = 500;
/// Shortest life that a call may ask for. The longest is the service's.
const SHORTEST_LIFE: u64 = 30;

/// What a channel asks of a call.
#[derive(Clone, Copy)]
struct Needs {
    /// None: a word that is none of our channels.
    channel: Option<Channel>,
    /// A sender and a template.
    words: bool,
    /// Most digits of a code.
    longest: u8,
}

impl Needs {
    /// Of a channel that is not known as much is asked as of a text message, so that a caller hears of everything at once.
    fn of(name: Option<&str>) -> Self {
        let channel = name.and_then(|name| name.parse().ok());
        let has_words = !name.is_some_and(|name| name.eq_ignore_ascii_case("telegram"));
        match channel {
            Some(Channel::Voice) => Self { channel, words: false, longest: 6 },
            Some(Channel::Email) => Self { channel, words: false, longest: 8 },
            Some(Channel::Sms | Channel::Whatsapp) => Self { channel, words: true, longest: 8 },
            None => Self { channel, words: has_words, longest: 8 },
        }
    }
}

/// Reads the whole call, and tells all that is wrong with it.
pub(in super::super) fn parse(body: &Body) -> Result<Send, Failure> {
    let data = Data::of(body)?;
    let mut faults = Faults::default();
    let needs = Needs::of(data.text("channel"));
    if needs.channel.is_none() {
        faults.add(words::INVALID_CHANNEL);
    }
    let recipient = recipient(data, needs.channel, &mut faults);
    let sender = sender(data, needs, &mut faults);
    let template = template(data, needs, &mut faults);
    let length = code_length(data, needs, &mut faults);
    let code = code(data, needs, &mut faults);
    if data.get("code").is_some() == data.get("code_length").is_some() {
        faults.add(words::CODE_AND_LENGTH);
    }
    let metadata = payload(data, &mut faults);
    let locale = spoken(data, needs.channel, &mut faults);
    let life = life(data, needs.channel, &mut faults);
    let send = needs.channel.zip(recipient).map(|(channel, recipient)| Send {
        sender,
        template,
        // Of a code of the caller's own the length is its own.
        code_length: length.or_else(|| code.as_ref().and_then(|code| u8::try_from(code.expose().len()).ok())),
        codes: code.map_or(Codes::Minted, |code| Codes::Given([(channel, code)].into())),
        metadata,
        locale,
        life,
        ..Send::to(Dialect::GetOtp, channel, recipient)
    });
    faults.or(send)
}

/// The mailbox of an `email` call, the number of every other.
fn recipient(data: Data<'_>, channel: Option<Channel>, faults: &mut Faults) -> Option<Recipient> {
    let (name, missing) = match channel {
        Some(Channel::Email) => ("email", words::PHONE_MISSING.saying("'email' is missing")),
        Some(Channel::Sms | Channel::Whatsapp | Channel::Voice) | None => ("phone", words::PHONE_MISSING),
    };
    let Some(value) = data.get(name).filter(|value| value.as_str().is_none_or(|text| !text.trim().is_empty())) else {
        faults.add(missing);
        return None;
    };
    let parsed = match (channel, value) {
        (Some(Channel::Email), Value::String(text)) => Recipient::parse(Channel::Email, text.trim()).ok(),
        (Some(Channel::Email), _) => None,
        (_, Value::String(text)) => phone(text.trim()).ok(),
        (_, value) => digits(value).and_then(|digits| phone(&digits).ok()),
    };
    if parsed.is_none() {
        faults.add(words::INVALID_RECIPIENT);
    }
    parsed
}

/// A UUID names one that is registered; anything else is the name that recipients see.
fn sender(data: Data<'_>, needs: Needs, faults: &mut Faults) -> Option<SenderChoice> {
    let Some(text) = data.text("sender") else {
        if needs.words || data.get("sender").is_some_and(|value| !value.is_string()) {
            faults.add(words::SENDER_MISSING);
        }
        return None;
    };
    if let Ok(id) = Uuid::try_parse(text) {
        return Some(SenderChoice::Id(id));
    }
    if text.chars().count() > LONGEST_SENDER {
        faults.add(words::SENDER_MISSING.saying("'sender' must have 1 to 15 characters"));
        return None;
    }
    Some(SenderChoice::Name(text.to_owned()))
}

fn template(data: Data<'_>, needs: Needs, faults: &mut Faults) -> Option<TemplateChoice> {
    let is_there = data.get("template").is_some_and(|value| value.as_str().is_none_or(|text| !text.trim().is_empty()));
    if !is_there {
        if needs.words {
            faults.add(words::TEMPLATE_MISSING);
        }
        return None;
    }
    let id = data.text("template").and_then(|text| Uuid::try_parse(text).ok());
    if id.is_none() {
        faults.add(words::INVALID_TEMPLATE_ID);
    }
    id.map(TemplateChoice::Id)
}

fn code_length(data: Data<'_>, needs: Needs, faults: &mut Faults) -> Option<u8> {
    let length = digits(data.get("code_length")?).and_then(|digits| digits.parse().ok());
    let length = length.filter(|length| (4..=needs.longest).contains(length));
    if length.is_none() {
        faults.add(words::INVALID_CODE_LENGTH);
    }
    length
}

/// A code of the caller's own.
fn code(data: Data<'_>, needs: Needs, faults: &mut Faults) -> Option<Code> {
    let Some(digits) = digits(data.get("code")?) else {
        faults.add(words::CODE_NOT_NUMERIC);
        return None;
    };
    match digits.len() {
        4..=8 if digits.len() <= usize::from(needs.longest) => Code::parse(digits).ok(),
        4..=8 => {
            faults.add(words::INVALID_CODE_LENGTH);
            None
        }
        _ => {
            faults.add(words::INVALID_CODE);
            None
        }
    }
}

/// The string that webhooks hand back, byte for byte, in the place where they look for it.
fn payload(data: Data<'_>, faults: &mut Faults) -> String {
    let Some(value) = data.get("payload") else { return "{}".to_owned() };
    let text = value.as_str().filter(|text| text.chars().count() <= LONGEST_PAYLOAD);
    if text.is_none() {
        faults.add(words::INVALID_PAYLOAD);
    }
    json!({ PAYLOAD_KEY: text }).to_string()
}

/// The language of a call that is read out. Such a call says so: the other kind, a call that is only meant to ring, nobody can make.
fn spoken(data: Data<'_>, channel: Option<Channel>, faults: &mut Faults) -> Option<String> {
    if channel != Some(Channel::Voice) {
        return None;
    }
    match data.text("voice_type") {
        Some(kind) if kind.eq_ignore_ascii_case("tts") => {}
        Some(kind) if kind.eq_ignore_ascii_case("flash") => {
            faults.add(words::INVALID_CHANNEL.saying("Invalid channel specified: 'voice_type' flash is not available"));
        }
        Some(_) | None => faults.add(words::INVALID_CHANNEL.saying("Invalid channel specified: 'voice_type' must be tts")),
    }
    // English unless it says so, wherever the number is.
    let Some(asked) = data.get("language") else { return Some("en".to_owned()) };
    let known = asked.as_str().and_then(|asked| LANGUAGES.iter().find(|(name, _)| name.eq_ignore_ascii_case(asked.trim())));
    if known.is_none() {
        faults.add(words::MALFORMED.saying("'data.language' is not a known language"));
    }
    known.map(|(_, tag)| (*tag).to_owned())
}

/// The vendor's languages and their tags.
const LANGUAGES: [(&str, &str); 17] = [
    ("AR", "ar"),
    ("ZH", "zh"),
    ("EN", "en"),
    ("GB", "en-GB"),
    ("FR", "fr"),
    ("DE", "de"),
    ("HI", "hi"),
    ("JA", "ja"),
    ("RU", "ru"),
    ("ES", "es"),
    ("MX", "es-MX"),
    ("BN", "bn"),
    ("ID", "id"),
    ("MS", "ms"),
    ("FIL", "fil"),
    ("TH", "th"),
    ("VI", "vi"),
];

/// How long the code lives: a call's own choice on a channel whose messages do not outlive it, here e-mail.
fn life(data: Data<'_>, channel: Option<Channel>, faults: &mut Faults) -> Option<Duration> {
    let asked = data.get("ttl_in_seconds")?;
    match channel {
        Some(Channel::Voice) => faults.add(words::TTL_FOR_VOICE),
        Some(Channel::Sms) => faults.add(words::TTL_FOR_SMS),
        Some(Channel::Whatsapp) => faults.add(words::TTL_FOR_WHATSAPP),
        Some(Channel::Email) | None => {}
    }
    let Some(digits) = digits(asked) else {
        faults.add(words::TTL_NOT_NUMERIC);
        return None;
    };
    let seconds = digits.parse().ok().filter(|seconds| *seconds >= SHORTEST_LIFE);
    if seconds.is_none() && channel == Some(Channel::Email) {
        faults.add(words::TTL_OUT_OF_RANGE.saying(format!("'data.ttl_in_seconds' must be at least {SHORTEST_LIFE}")));
    }
    seconds.map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
