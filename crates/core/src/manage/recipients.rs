//! Recipients that nobody can verify any more: lifting their block is a person's decision.

use countersign_model::{Channel, Flaw, Mode, Recipient, TenantId};
use countersign_records::Transaction;
use countersign_session::SubjectKind;
use countersign_session::store::Unblock;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::ManageError;
use super::order::{Acted, Order, owner};
use crate::platform::Platform;

/// Whose block is to be lifted. Wrong guesses are counted for each purpose by itself, and for live and sandbox apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockDraft {
    /// An e-mail address, or a phone number in E.164 form: whatever channel the guesses came for.
    pub recipient: Recipient,
    /// Live or sandbox.
    pub mode: Mode,
    /// What the sessions proved control for.
    pub purpose: String,
}

/// What became of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnblockedView {
    /// Masked.
    pub recipient: String,
    /// `live` or `sandbox`.
    pub mode: String,
    /// What the sessions proved control for.
    pub purpose: String,
    /// Whether anything was refused because of it. If not, there was no block, or not under this purpose.
    pub lifted: bool,
}

impl BlockDraft {
    /// The purpose of calls that name none.
    pub const PURPOSE: &'static str = "verification";

    /// Reads a recipient, whichever kind it is of.
    pub fn read(recipient: &str, mode: Mode, purpose: Option<&str>) -> Result<Self, Vec<Flaw>> {
        let purpose = purpose.unwrap_or(Self::PURPOSE).to_owned();
        let mut found = Vec::new();
        if !(1..=64).contains(&purpose.chars().count()) {
            found.push(Flaw::new("purpose", "must have 1 to 64 characters"));
        }
        let channel = if recipient.contains('@') { Channel::Email } else { Channel::Sms };
        match Recipient::parse(channel, recipient) {
            Ok(recipient) if found.is_empty() => Ok(Self { recipient, mode, purpose }),
            Ok(_) => Err(found),
            Err(_) => {
                found.push(Flaw::new("recipient", "must be an e-mail address, or a number in E.164 form such as +12025550143"));
                Err(found)
            }
        }
    }
}

impl Platform {
    /// Takes a recipient's wrong guesses back, and the block that they led to. The audit log remembers it with the recipient masked.
    ///
    /// Doing it again is no error, also after a failure: the block is lifted before the entry is written.
    pub async fn unblock(&self, order: &Order, tenant: TenantId, draft: &BlockDraft) -> Result<UnblockedView, ManageError> {
        let BlockDraft { recipient, mode, purpose } = draft;
        let subject = self.keys.subject(tenant, *mode, SubjectKind::Budget, purpose, &recipient.normalised());
        let lifted = self.store.unblock(Unblock { tenant, subject }).await?;
        let recipient = recipient.masked();
        let done = self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            owner(transaction, tenant).await?;
            Ok(Acted {
                record: UnblockedView {
                    recipient: recipient.clone(),
                    mode: mode.as_str().to_owned(),
                    purpose: purpose.clone(),
                    lifted,
                },
                what: "recipient.unblock",
                target: recipient.clone(),
                before: None,
                after: Some(json!({"mode": mode.as_str(), "purpose": purpose, "lifted": lifted})),
            })
        });
        Ok(done.await?.record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_is_read_whichever_kind_it_is_of() {
        let email = BlockDraft::read("Ann@example.com", Mode::Live, None).unwrap();
        assert_eq!((email.purpose.as_str(), email.recipient.normalised().as_str()), ("verification", "ann@example.com"));
        assert!(BlockDraft::read("+12025550143", Mode::Sandbox, Some("login")).is_ok());
        let flaws = BlockDraft::read("ann", Mode::Live, Some("")).unwrap_err();
        assert_eq!(flaws.into_iter().map(|flaw| flaw.field).collect::<Vec<_>>(), ["purpose", "recipient"]);
    }
}
