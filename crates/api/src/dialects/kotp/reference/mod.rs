//! The API of the vendor's reference page: send, verify, status, list.

pub(super) mod list;
pub(super) mod schema;
pub(super) mod send;
pub(super) mod status;
pub(super) mod verify;

use countersign_model::Mode;
use serde_json::Value;

/// `true` of what is about a sandbox OTP; left out for a live one.
const fn sandbox(mode: Mode) -> Option<bool> {
    match mode {
        Mode::Sandbox => Some(true),
        Mode::Live => None,
    }
}

/// The caller's own object.
fn metadata(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::Object(serde_json::Map::new()))
}
