//! The API that the vendor's SDK speaks: issues, their status and history, the balance and its ledger, templates.

pub(super) mod balance;
pub(super) mod idempotency;
pub(super) mod issue;
mod issue_row;
pub(super) mod issues;
pub(super) mod ledger;
mod numbers;
mod scenario;
pub(super) mod schema;
pub(super) mod status;
pub(super) mod templates;
pub(super) mod verify;
mod web_otp;

use countersign_model::{KeyKind, Mode};

/// What amounts are in. It is the installation's currency; the vendor's clients know it by this name.
const CURRENCY: &str = "CREDIT";

/// `live` or `test`, by where a session's messages went.
const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "live",
        Mode::Sandbox => "test",
    }
}

/// The same by a caller's key.
const fn mode_of(keys: KeyKind) -> &'static str {
    match keys {
        KeyKind::Live => "live",
        KeyKind::Test => "test",
    }
}

/// `true` of what is about a sandbox session; left out for a live one.
const fn sandbox(mode: Mode) -> Option<bool> {
    match mode {
        Mode::Sandbox => Some(true),
        Mode::Live => None,
    }
}
