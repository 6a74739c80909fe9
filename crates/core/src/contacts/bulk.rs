//! Many contacts with one call.

use countersign_model::Contact;
use serde::{Deserialize, Serialize};

use super::{Answered, ContactChange, ContactError, UniqueField, has_address, taken};
use crate::callers::Caller;
use crate::idempotency::IdempotencyKey;
use crate::platform::Platform;

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BulkOutcome {
    /// It was added.
    Created(Box<Contact>),
    /// Nothing: a contact has this of it already, maybe one of an earlier row.
    Exists(UniqueField),
    /// Nothing: it has neither an e-mail address nor a phone number.
    NoAddress,
}

impl Platform {
    /// Adds those rows that are new, and tells what became of each, in their order. What is there already is left as it is.
    pub async fn add_contacts(
        &self,
        caller: &Caller,
        rows: &[ContactChange],
        key: Option<&IdempotencyKey>,
    ) -> Result<Answered<Vec<BulkOutcome>>, ContactError> {
        let caller = self.admit(caller).await?;
        let tenant = caller.scope.tenant;
        let call = key.map(|key| self.keyed_call(&caller, key, ""));
        let wanted: Vec<Contact> = rows.iter().map(|row| self.new_contact(tenant, row)).collect();
        let _written = rows.iter().any(ContactChange::sets_locale).then(|| self.writing_contacts(tenant, true));
        self.keyed(call.as_ref(), async |transaction| {
            let mut outcomes = Vec::with_capacity(wanted.len());
            let mut created = Vec::new();
            for contact in &wanted {
                if !has_address(&contact.fields) {
                    outcomes.push(BulkOutcome::NoAddress);
                } else if let Some(field) = taken(transaction, tenant, None, &contact.fields).await? {
                    outcomes.push(BulkOutcome::Exists(field));
                } else {
                    transaction.contacts().insert(contact).await?;
                    outcomes.push(BulkOutcome::Created(Box::new(contact.clone())));
                    created.push(contact.clone());
                }
            }
            self.announce_contacts(transaction, tenant, &created).await?;
            Ok(outcomes)
        })
        .await
    }
}
