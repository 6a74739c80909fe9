//! Mail and replies as version 2 of the API spells them.

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::aws;
use crate::http::Reply;
use crate::ids::sound_id;
use crate::mail::{ECHO, Letter, Mailbox};
use crate::provider::{Diagnostic, TryOutcome};

pub(super) fn body(letter: &Letter<'_>, configuration_set: Option<&str>) -> String {
    let text = |data: &str| json!({"Data": data, "Charset": "UTF-8"});
    let headers: Vec<Value> = letter.headers().iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
    let mut body = json!({
        "FromEmailAddress": header(&letter.from),
        "Destination": {"ToAddresses": [letter.to]},
        "Content": {
            "Simple": {
                "Subject": text(letter.subject),
                "Body": {"Text": text(letter.text), "Html": text(letter.html)},
                "Headers": headers,
            },
        },
        "EmailTags": [{"Name": ECHO, "Value": letter.reference}],
    });
    if let Some(name) = configuration_set {
        body["ConfigurationSetName"] = name.into();
    }
    body.to_string()
}

/// A mailbox as it stands in a header. What is beyond ASCII is encoded here (RFC 2047): the service does not do it.
fn header(mailbox: &Mailbox) -> String {
    match &mailbox.name {
        Some(name) if !name.is_ascii() => format!("{} <{}>", encoded_words(name), mailbox.address),
        Some(_) | None => mailbox.header(),
    }
}

fn encoded_words(text: &str) -> String {
    /// So that a word with what stands around it is at most 75 characters long.
    const MOST: usize = 45;
    let mut words = vec![String::new()];
    for letter in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + letter.len_utf8() <= MOST => word.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    let encoded = words.iter().map(|word| format!("=?UTF-8?B?{}?=", BASE64.encode(word.as_bytes())));
    encoded.collect::<Vec<_>>().join(" ")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Taken {
    message_id: String,
}

#[derive(Deserialize)]
struct Said {
    #[serde(alias = "Message")]
    message: String,
}

/// What a reply to a mail means. `is_from_house`: its sender is the one of the section, so that a complaint about an address is about the
/// recipient's.
pub(super) fn outcome(reply: &Reply, letter: &Letter<'_>, is_from_house: bool) -> TryOutcome {
    if (200..300).contains(&reply.status) {
        let id = reply.json::<Taken>().and_then(|taken| sound_id(&taken.message_id));
        return TryOutcome::Accepted { provider_id: id };
    }
    let Some(kind) = aws::kind(reply) else { return reply.outcome() };
    match kind.as_str() {
        "BadRequestException" if is_from_house && complains_of_address(reply) => {
            letter.refused(Diagnostic::Note("the service finds no address in it"))
        }
        "LimitExceededException" => TryOutcome::Throttled(Diagnostic::Note("LimitExceededException")),
        "MessageRejected" => {
            TryOutcome::Misconfigured(Diagnostic::Note("MessageRejected: mostly an identity that is not verified"))
        }
        "MailFromDomainNotVerifiedException" => TryOutcome::Misconfigured(Diagnostic::Note("MailFromDomainNotVerifiedException")),
        "AccountSuspendedException" => TryOutcome::Misconfigured(Diagnostic::Note("AccountSuspendedException")),
        "SendingPausedException" => TryOutcome::Misconfigured(Diagnostic::Note("SendingPausedException")),
        "NotFoundException" => TryOutcome::Misconfigured(Diagnostic::Note("NotFoundException: the configuration set")),
        kind => aws::common(kind).unwrap_or_else(|| reply.outcome()),
    }
}

/// The service has one name for all that is wrong with a request; these are its words for an address.
fn complains_of_address(reply: &Reply) -> bool {
    const WORDS: [&str; 7] = [
        "Illegal address",
        "Invalid email address",
        "Missing domain",
        "Missing final '@domain'",
        "Domain contains",
        "Domain starts with",
        "Local address contains",
    ];
    let said = reply.json::<Said>().map(|said| said.message).unwrap_or_default();
    WORDS.iter().any(|words| said.starts_with(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_beyond_ascii_is_encoded_in_words_that_are_not_too_long() {
        let from = |name: &str| header(&Mailbox { name: Some(name.to_owned()), address: "a@b.example".to_owned() });
        assert_eq!(from("Acme, Inc."), "\"Acme, Inc.\" <a@b.example>");
        assert_eq!(from("Jäger"), "=?UTF-8?B?SsOkZ2Vy?= <a@b.example>");
        let long = from(&"ж".repeat(50));
        let words: Vec<&str> = long.split(' ').collect();
        assert_eq!(words.len(), 4, "{long}");
        for word in &words[..3] {
            let inner = word.strip_prefix("=?UTF-8?B?").and_then(|word| word.strip_suffix("?=")).unwrap();
            let text = String::from_utf8(BASE64.decode(inner.as_bytes()).unwrap()).unwrap();
            assert!(word.len() <= 75 && text.chars().all(|letter| letter == 'ж'), "{word}");
        }
    }
}
