//! From what a verb answered to the JSON of a native reply.

pub(crate) mod account;
mod by_channel;
pub(crate) mod contacts;
pub(crate) mod list;
pub(crate) mod send;
mod shown;
pub(crate) mod status;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod verify;

pub(crate) use by_channel::ByChannel;
pub(crate) use shown::Shown;

use countersign_core::Session;
use countersign_model::{MessageId, Mode};
use serde_json::Value;

/// `true` for a sandbox session; left out for a live one.
fn sandbox(session: &Session) -> Option<bool> {
    (session.mode() == Mode::Sandbox).then_some(true)
}

/// `true` where the codes are the known ones of test recipients; left out otherwise.
fn test_recipient(session: &Session) -> Option<bool> {
    session.is_test().then_some(true)
}

fn message_id(session: &Session, id: MessageId) -> String {
    id.shown(session.mode()).to_string()
}

/// The caller's own object.
fn metadata(session: &Session) -> Value {
    serde_json::from_str(session.metadata()).unwrap_or_default()
}
