//! What a call says outside its body.

use actix_web::http::header::{HeaderMap, HeaderName};
use countersign_core::IdempotencyKey;

use super::Input;
use crate::fields::Faults;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Whether fields that nobody reads are to be refused (`Prefer: handling=strict`, RFC 7240).
pub(super) fn wants_strict(headers: &HeaderMap) -> bool {
    let preferences = headers.get_all(PREFER).filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    let mut named = preferences.filter_map(|preference| preference.split(';').next()?.split_once('='));
    named.any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("handling") && value.trim().trim_matches('"').eq_ignore_ascii_case("strict")
    })
}

/// The idempotency key, bound to `path` and the body.
pub(super) fn idempotency(input: &Input<'_>, path: &'static str, faults: &mut Faults) -> Option<IdempotencyKey> {
    let line = input.request.headers().get(IDEMPOTENCY_KEY)?;
    let Some(key) = line.to_str().ok().and_then(unquoted) else {
        faults.add(
            "Idempotency-Key",
            "invalid_idempotency_key",
            "Idempotency-Key must be 1 to 255 printable characters, quoted or bare",
        );
        return None;
    };
    Some(IdempotencyKey { path, key, body: input.body.bytes.to_vec() })
}

/// A key as callers write it: bare, or as a structured-field string with its quotes and escapes.
fn unquoted(line: &str) -> Option<String> {
    let line = line.trim();
    let key = match line.strip_prefix('"') {
        None => line.to_owned(),
        Some(rest) => unescaped(rest.strip_suffix('"')?)?,
    };
    let sound = (1..=255).contains(&key.len()) && key.bytes().all(|byte| (0x20..=0x7E).contains(&byte));
    sound.then_some(key)
}

/// What stands between the quotes; none where a quote or backslash is not escaped.
fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain.push(letters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            '"' => return None,
            other => plain.push(other),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::parse_with;
    use super::*;

    fn key(line: &str) -> Option<String> {
        let read = |input: &Input<'_>| {
            let mut faults = Faults::default();
            let key = idempotency(input, "otp/send", &mut faults);
            faults.or(Some(key))
        };
        parse_with(&json!({}), &[("Idempotency-Key", line)], read).ok().flatten().map(|key| key.key)
    }

    #[test]
    fn a_key_is_the_same_quoted_or_bare() {
        assert_eq!(key("8e03978e-40d5"), key("\"8e03978e-40d5\""));
        assert_eq!(key("\"a \\\"b\\\\\"").as_deref(), Some("a \"b\\"));
    }

    #[test]
    fn a_key_that_is_empty_too_long_or_broken_is_refused() {
        assert!(key(&"k".repeat(255)).is_some());
        for wrong in ["", "\"\"", &"k".repeat(256), "\"open", "\"a\"b\"", "\"a\\n\"", "\""] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn strict_handling_is_asked_for_among_other_preferences() {
        let strict = |line: &str| parse_with(&json!({}), &[("Prefer", line)], |input| Ok(input.strict())).unwrap();
        for asked in ["handling=strict", "respond-async, Handling = \"Strict\"; x=1"] {
            assert!(strict(asked), "{asked}");
        }
        for not in ["handling=lenient", "strict", "x=handling=strict"] {
            assert!(!strict(not), "{not}");
        }
    }
}
