//! Names and numbers that messages come from.

use countersign_model::{Channel, EmailAddress, Flaw, PhoneNumber, Sender, TenantId, Uuid, is_steering};
use countersign_records::Transaction;

use super::error::ManageError;
use super::order::{Acted, Done, Order, found, owner, seen, unraced};
use super::uuids::mint_uuid;
use super::views::SenderView;
use crate::platform::Platform;

/// What an operator may say of a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderDraft {
    /// Where it is used.
    pub channel: Channel,
    /// What recipients see.
    pub value: String,
}

impl SenderDraft {
    /// As it is now.
    #[must_use]
    pub fn of(sender: &Sender) -> Self {
        Self { channel: sender.channel, value: sender.value.clone() }
    }

    fn check(&self) -> Vec<Flaw> {
        let value = self.value.as_str();
        let must = match self.channel {
            Channel::Email if EmailAddress::parse(value).is_err() => "must be an e-mail address",
            Channel::Sms | Channel::Whatsapp | Channel::Voice if PhoneNumber::parse(value).is_err() && !is_sender_name(value) => {
                "must be a number such as +12025550143, or a name of 1 to 15 characters"
            }
            Channel::Email | Channel::Sms | Channel::Whatsapp | Channel::Voice => return Vec::new(),
        };
        vec![Flaw::new("value", must)]
    }
}

fn is_sender_name(text: &str) -> bool {
    (1..=15).contains(&text.chars().count()) && !text.trim().is_empty() && !text.chars().any(is_steering)
}

impl Platform {
    /// Registers a sender under the id that its tenant brings along, or a new one.
    pub async fn create_sender(
        &self,
        order: &Order,
        tenant: TenantId,
        id: Option<Uuid>,
        draft: SenderDraft,
    ) -> Result<Done<Sender>, ManageError> {
        ManageError::unless_sound(draft.check())?;
        let id = id.unwrap_or_else(|| mint_uuid(&*self.rng));
        let sender = Sender { id, tenant, channel: draft.channel, value: draft.value, created_at: self.clock.now() };
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            owner(transaction, tenant).await?;
            transaction.senders().insert(&sender).await.map_err(ManageError::of("sender"))?;
            Ok(Acted {
                record: sender.clone(),
                what: "sender.create",
                target: id.to_string(),
                before: None,
                after: seen(&SenderView::of(&sender))?,
            })
        })
        .await
    }

    /// Changes a sender by what it is now. `change` may run again.
    pub async fn update_sender(
        &self,
        order: &Order,
        tenant: TenantId,
        id: Uuid,
        change: impl Fn(SenderDraft) -> Result<SenderDraft, Vec<Flaw>>,
    ) -> Result<Done<Sender>, ManageError> {
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            let owner = owner(transaction, tenant).await?;
            let before = found("sender", transaction.senders().find(tenant, id).await)?;
            let draft = change(SenderDraft::of(&before)).map_err(ManageError::Invalid)?;
            ManageError::unless_sound(draft.check())?;
            let after = Sender { channel: draft.channel, value: draft.value, ..before.clone() };
            let revision = transaction.senders().update(&after).await.map_err(ManageError::of("sender"))?;
            unraced(&owner, revision.ok_or(ManageError::Missing("sender"))?)?;
            Ok(Acted {
                what: "sender.update",
                target: id.to_string(),
                before: seen(&SenderView::of(&before))?,
                after: seen(&SenderView::of(&after))?,
                record: after,
            })
        })
        .await
    }

    /// Removes a sender.
    pub async fn delete_sender(&self, order: &Order, tenant: TenantId, id: Uuid) -> Result<Done<Sender>, ManageError> {
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            let before = found("sender", transaction.senders().find(tenant, id).await)?;
            transaction.senders().delete(tenant, id).await?.ok_or(ManageError::Missing("sender"))?;
            Ok(Acted {
                what: "sender.delete",
                target: id.to_string(),
                before: seen(&SenderView::of(&before))?,
                after: None,
                record: before,
            })
        })
        .await
    }

    /// The senders of a tenant, oldest first.
    pub async fn list_senders(&self, tenant: TenantId) -> Result<Vec<Sender>, ManageError> {
        Ok(self.records.senders().list(tenant).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_what_its_channel_can_show() {
        let sound = |channel, value: &str| SenderDraft { channel, value: value.to_owned() }.check().is_empty();
        assert!(sound(Channel::Email, "no-reply@acme.example"));
        assert!(!sound(Channel::Email, "ACME"));
        for value in ["+12025550143", "ACME", "A23456789012345"] {
            assert!(sound(Channel::Sms, value), "{value}");
        }
        for value in ["", " ", "A234567890123456", "A\nB"] {
            assert!(!sound(Channel::Sms, value), "{value:?}");
        }
    }
}
