//! The optional fields of a send that say how a message is worded and whom a session belongs to.

use countersign_model::Autofill;
use serde_json::Value;

use super::{INVALID_FIELD, Input};
use crate::fields::{Faults, Fields};

/// The fields of `autofill`.
pub(super) const AUTOFILL_FIELDS: [&str; 2] = ["domain", "app_hash"];
/// Most bytes of `metadata`, without the white space between its parts.
const MOST_METADATA: usize = 4096;

/// The language of messages: a BCP 47 tag by its form, which need not be registered.
pub(super) fn locale(fields: &Fields<'_>, faults: &mut Faults) -> Option<String> {
    let tag = |text: &str| is_language_tag(text).then(|| text.to_owned());
    fields.parsed("locale", "a BCP 47 language tag such as en or pt-BR", tag, faults)
}

/// Subtags of 1 to 8 letters and digits; the first a language of 2 to 8 letters, or `x` for private use. A single letter opens an extension,
/// so something must follow it.
fn is_language_tag(text: &str) -> bool {
    let (mut private, mut open) = (false, false);
    for (position, subtag) in text.split('-').enumerate() {
        let sound = (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_x = subtag.eq_ignore_ascii_case("x");
        let language = subtag.len() > 1 && subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
        let singleton = subtag.len() == 1 && !private;
        if !sound || (position == 0 && !is_x && !language) || (singleton && open) {
            return false;
        }
        private |= is_x;
        open = singleton;
    }
    !open && text.len() <= 64
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
    fn language_tags_are_judged_by_their_form() {
        for tag in ["en", "pt-BR", "zh-Hant-TW", "de-CH-1996", "sr-Latn-RS", "x-pirate", "en-x-a", "en-u-ca-buddhist"] {
            assert!(is_language_tag(tag), "{tag}");
        }
        for wrong in
            ["", "e", "en_US", "en-", "-en", "english1", "123", "en--US", "en-verylongsubtag", "x", "x-", "en-u", "en us"]
        {
            assert!(!is_language_tag(wrong), "{wrong}");
        }
    }

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
