//! How a call names its session.

use countersign_core::Handle;

use crate::fields::{Faults, Fields};

/// Longest text that is looked at as a token. Ours are far shorter.
const LONGEST: usize = 4096;

/// `session_token`, else `token`, the name that one of the vendor's own pages uses.
pub(super) fn token(fields: &Fields<'_>, faults: &mut Faults) -> Option<Handle> {
    let name = if fields.get("session_token").is_some() { "session_token" } else { "token" };
    let Some(value) = fields.get(name) else {
        faults.add("session_token", "missing_session_token", "Missing session_token");
        return None;
    };
    match value.as_str() {
        // Whatever is too long to be a token is as unknown as a forged one.
        Some(text) if text.len() > LONGEST => Some(Handle::Token(String::new())),
        Some(text) => Some(Handle::Token(text.trim().to_owned())),
        None => {
            fields.refuse(name, "a string", faults);
            None
        }
    }
}

/// The same for look-ups, where `ses_…` names a session too.
pub(super) fn with_ids(handle: Handle) -> Handle {
    match handle {
        Handle::Token(text) => text.parse().map_or(Handle::Token(text), Handle::Id),
        known @ (Handle::Id(_) | Handle::Slot { .. }) => known,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{only_fault, parse_with};
    use super::super::{cancel, from_path, looked_up, named};
    use super::*;

    #[test]
    fn session_token_wins_over_token() {
        let named = |value| parse_with(&value, &[], named);
        let token = |handle| if let Ok(Handle::Token(token)) = handle { token } else { panic!("{handle:?}") };
        assert_eq!(token(named(json!({"session_token": "a", "token": "b"}))), "a");
        assert_eq!(token(named(json!({"token": " b\n"}))), "b");
        assert_eq!(token(named(json!({"session_token": null, "token": "b"}))), "b");
    }

    #[test]
    fn a_missing_or_ill_typed_token_is_a_field_fault() {
        assert_eq!(only_fault(parse_with(&json!({}), &[], named)).1, "missing_session_token");
        assert_eq!(only_fault(parse_with(&json!({"session_token": 7}), &[], named)).0, "session_token");
    }

    #[test]
    fn only_look_ups_take_ids() {
        let body = json!({"session_token": "ses_01ARZ3NDEKTSV4RRFFQ69G5FAV"});
        assert!(matches!(parse_with(&body, &[], looked_up), Ok(Handle::Id(_))));
        assert!(matches!(parse_with(&body, &[], named), Ok(Handle::Token(_))));
        assert!(matches!(from_path("ses_01ARZ3NDEKTSV4RRFFQ69G5FAV"), Handle::Id(_)));
        assert!(matches!(from_path("ses_nonsense"), Handle::Token(_)));
    }

    #[test]
    fn a_cancel_tells_faults_of_body_and_header_together() {
        let faults = parse_with(&json!({}), &[("Idempotency-Key", "")], cancel).unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["session_token", "Idempotency-Key"]);
    }

    #[test]
    fn strict_handling_names_unknown_fields() {
        let body = json!({"session_token": "a", "session": 1});
        assert!(parse_with(&body, &[], named).is_ok());
        assert_eq!(only_fault(parse_with(&body, &[("Prefer", "handling=strict")], named)).0, "session");
    }
}
