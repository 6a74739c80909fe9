//! The optional fields of a send that say how a message is worded and whom a session belongs to.

use countersign_model::{Autofill, LANGUAGE_TAG, is_language_tag};
use serde_json::Value;

use super::{INVALID_FIELD, Input};
use crate::fields::{Faults, Fields};

/// The fields of `autofill`.
pub(super) const AUTOFILL_FIELDS: [&str; 2] = ["domain", "app_hash"];
/// Most bytes of `metadata`, without the white space between its parts.
const MOST_METADATA: usize = 4096;

/// The language of messages.
pub(super) fn locale(fields: &Fields<'_>, faults: &mut Faults) -> Option<String> {
    let tag = |text: &str| is_language_tag(text).then(|| text.to_owned());
    fields.parsed("locale", LANGUAGE_TAG, tag, faults)
}

/// What helps phones to fill a code in. Both want to be the last line of a message, so a call chooses one.
pub(super) fn autofill(fields: &Fields<'_>, strict: bool, faults: &mut Faults) -> Autofill {
    let Some(object) = fields.object("autofill", faults) else { return Autofill::default() };
    let autofill = Fields::new(object, "autofill.", INVALID_FIELD);
    if strict {
        autofill.only(&AUTOFILL_FIELDS, faults);
    }
    let host = |text: &str| is_host(text).then(|| text.to_ascii_lowercase());
    let hash = |text: &str| is_app_hash(text).then(|| text.to_owned());
    let domain = autofill.parsed("domain", "a host name such as example.com", host, faults);
    let app_hash = autofill.parsed("app_hash", "the 11 characters of an Android app hash", hash, faults);
    if domain.is_some() && app_hash.is_some() {
        autofill.refuse(
            "app_hash",
            "left out where autofill.domain is given: only one of them can be a message's last line",
            faults,
        );
    }
    Autofill { domain, app_hash }
}

/// Labels of letters, digits and inner hyphens (RFC 1123); international names in their `xn--` form.
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label) && !text.ends_with(|last: char| last.is_ascii_digit())
}

fn is_app_hash(text: &str) -> bool {
    text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// The caller's own JSON object, without white space, its members in the order in which they came.
pub(super) fn metadata(input: &Input<'_>, faults: &mut Faults) -> String {
    let fields = input.fields();
    let Some(object) = fields.object("metadata", faults).filter(|object| !object.is_empty()) else { return "{}".to_owned() };
    let text = Value::from(object.clone()).to_string();
    if text.len() > MOST_METADATA {
        fields.refuse("metadata", format_args!("an object of at most {MOST_METADATA} bytes"), faults);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_and_app_hashes_are_judged_by_their_form() {
        for host in ["example.com", "a.b-c.example", "xn--bcher-kva.example"] {
            assert!(is_host(host), "{host}");
        }
        for wrong in [
            "",
            "localhost",
            "example.com.",
            ".com",
            "-a.com",
            "a-.com",
            "a b.com",
            "https://a.com",
            "a.com:443",
            "127.0.0.1",
            "bücher.de",
        ] {
            assert!(!is_host(wrong), "{wrong}");
        }
        assert!(is_app_hash("FA+9qCX9VSu") && is_app_hash("AAAAAAAAA/+"));
        for wrong in ["", "FA+9qCX9VS", "FA+9qCX9VSuu", "FA+9qCX9VS=", "FA+9qCX9V u"] {
            assert!(!is_app_hash(wrong), "{wrong}");
        }
    }
}
