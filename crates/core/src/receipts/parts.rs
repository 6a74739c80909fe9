//! Receipts of messages that went in parts, each of which its provider tells of: bad news of one is bad news of the message, good news only that of
//! the last one that was missing.

use countersign_model::{ProviderName, Report};
use countersign_session::store::{NamedMessage, ParkedReceipt, StoreError};

use crate::platform::Platform;

/// What asks whether a part arrived: it says nothing itself.
const NOTHING: ParkedReceipt = ParkedReceipt { report: Report::Underway, at: None, carrier: None };

/// The name that says that a part arrived. No provider gives a name with a space in it.
fn arrived(part: &str) -> String {
    format!("{part} arrived")
}

impl Platform {
    /// Whether what is said of `part` holds for its message. Safe to repeat and to race: whoever is told of an arrival writes it down before
    /// looking for the others, so that of two at the same time at least one sees both.
    pub(super) async fn holds_for_all(
        &self,
        through: &ProviderName,
        part: &str,
        message: &NamedMessage,
        report: Report,
    ) -> Result<bool, StoreError> {
        if message.parts.is_empty() || report != Report::Delivered {
            return Ok(true);
        }
        self.store.name_message(through, &arrived(part), &NamedMessage::whole(message.reference)).await?;
        for other in message.parts.iter().filter(|other| *other != part) {
            let found = self.store.find_message(through, &arrived(other), &NOTHING).await?;
            // An id may have been another message's before.
            if found.is_none_or(|found| found.reference != message.reference) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
