//! Keep the people that a tenant knows.
//!
//! A contact's effect is in the records, so it takes no step of the session store: the call is counted first, then everything happens in
//! one transaction. Contacts belong to the tenant, whatever kind of key asks for them.

mod announce;
mod bulk;
mod change;
mod keyed;
mod shown;

use countersign_model::{Contact, ContactFields, ContactId, EmailAddress, TenantId};
use countersign_records::{ContactPage, RecordsError, Start, Transaction};
use tracing::error;

pub use bulk::BulkOutcome;
pub(crate) use change::blank;
pub use change::{ContactChange, FieldChange};
pub use keyed::Answered;
pub use shown::contact_json;

use self::keyed::Failed;
use crate::callers::Caller;
use crate::idempotency::IdempotencyKey;
use crate::languages::Writing;
use crate::platform::Platform;
use crate::refusal::Refusal;

/// How a wire names a contact. It is looked up among the caller's own, whatever the name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactName {
    /// Our name for it.
    Id(ContactId),
    /// The tenant's own.
    ExternalId(String),
    /// Its mailbox, in either case of its ASCII letters.
    Email(EmailAddress),
}

/// What only one contact of a tenant can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UniqueField {
    /// The tenant's own name for it.
    ExternalId,
    /// Its mailbox.
    Email,
    /// Its phone.
    Phone,
}

impl UniqueField {
    /// The field's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExternalId => "external_id",
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

/// Why a call about contacts came to nothing. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum ContactError {
    /// The tenant has no such contact.
    #[error("no contact of this caller answers to that")]
    NotFound,
    /// Another contact of the tenant has it.
    #[error("another contact has this {}", field.as_str())]
    Exists {
        /// What of it is taken.
        field: UniqueField,
    },
    /// The contact would have neither an e-mail address nor a phone number.
    #[error("the contact has no address")]
    NoAddress,
    /// Any call can meet this.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Platform {
    /// Adds a contact.
    pub async fn create_contact(
        &self,
        caller: &Caller,
        wanted: &ContactChange,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answered<Contact>, ContactError> {
        let caller = self.admit(caller).await?;
        let tenant = caller.scope.tenant;
        let call = key.map(|key| self.keyed_call(&caller, key, ""));
        let contact = self.new_contact(tenant, wanted);
        let _written = wanted.sets_locale().then(|| self.writing_contacts(tenant, true));
        self.keyed(call.as_ref(), async |transaction| {
            if !has_address(&contact.fields) {
                return Err(ContactError::NoAddress.into());
            }
            if let Some(field) = taken(transaction, tenant, None, &contact.fields).await? {
                return Err(ContactError::Exists { field }.into());
            }
            transaction.contacts().insert(&contact).await?;
            self.announce_contacts(transaction, tenant, std::slice::from_ref(&contact)).await?;
            Ok(contact.clone())
        })
        .await
    }

    /// Changes what is said of a contact and leaves the rest. What was proved of an address is not true of the next one.
    pub async fn change_contact(
        &self,
        caller: &Caller,
        name: &ContactName,
        wanted: &ContactChange,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answered<Contact>, ContactError> {
        let caller = self.admit(caller).await?;
        let (tenant, now) = (caller.scope.tenant, self.now());
        let call = key.map(|key| self.keyed_call(&caller, key, &written(name)));
        let _written = self.writing_contacts(tenant, wanted.sets_locale());
        self.keyed(call.as_ref(), async |transaction| {
            let found = look_up(transaction, tenant, name).await?.ok_or(ContactError::NotFound)?;
            if let Some(field) = taken(transaction, tenant, Some(found.id), &wanted.over(found.fields)).await? {
                return Err(ContactError::Exists { field }.into());
            }
            let changed = transaction.contacts().update(tenant, found.id, now, |fields| wanted.over(fields)).await?;
            let changed = changed.ok_or(ContactError::NotFound)?;
            if has_address(&changed.fields) { Ok(changed) } else { Err(ContactError::NoAddress.into()) }
        })
        .await
    }

    /// Notes that a contact is to be written to on no channel.
    pub async fn unsubscribe_contact(
        &self,
        caller: &Caller,
        name: &ContactName,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answered<Contact>, ContactError> {
        self.change_contact(caller, name, &ContactChange::unsubscribed(), key).await
    }

    /// Removes a contact for good, and tells which one it was.
    pub async fn remove_contact(
        &self,
        caller: &Caller,
        name: &ContactName,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answered<ContactId>, ContactError> {
        let caller = self.admit(caller).await?;
        let tenant = caller.scope.tenant;
        let call = key.map(|key| self.keyed_call(&caller, key, &written(name)));
        let _written = self.writing_contacts(tenant, false);
        self.keyed(call.as_ref(), async |transaction| {
            let found = look_up(transaction, tenant, name).await?.ok_or(ContactError::NotFound)?;
            let removed = transaction.contacts().delete(tenant, found.id).await?;
            if removed { Ok(found.id) } else { Err(ContactError::NotFound.into()) }
        })
        .await
    }

    /// One contact.
    pub async fn find_contact(&self, caller: &Caller, name: &ContactName) -> Result<Contact, ContactError> {
        let caller = self.admit(caller).await?;
        let tenant = caller.scope.tenant;
        let found = match name {
            ContactName::Id(id) => self.records.contacts().find(tenant, *id).await,
            ContactName::ExternalId(external_id) => self.records.contacts().find_by_external_id(tenant, external_id).await,
            ContactName::Email(email) => self.records.contacts().find_by_email(tenant, email.as_str()).await,
        };
        found.map_err(refusal)?.ok_or(ContactError::NotFound)
    }

    /// At most `limit` of the caller's contacts, newest first, and how many there are in all.
    pub async fn list_contacts(&self, caller: &Caller, start: Start, limit: u32) -> Result<ContactPage, Refusal> {
        let caller = self.admit(caller).await?;
        self.records.contacts().list(caller.scope.tenant, start, limit).await.map_err(refusal)
    }

    /// Goes along with a change of contacts until it is over: sends of this process then speak by what was written.
    fn writing_contacts(&self, tenant: TenantId, sets_locale: bool) -> Writing<'_> {
        self.contact_locales.writing(tenant, sets_locale, self.now())
    }

    fn new_contact(&self, tenant: TenantId, wanted: &ContactChange) -> Contact {
        let now = self.now();
        Contact {
            id: ContactId::mint(now, &*self.rng, tenant.partition()),
            tenant,
            fields: wanted.over(blank()),
            verified_channels: Vec::new(),
            created_at: now,
            updated_at: now,
        }
    }
}

/// The name as part of what an idempotency key is bound to.
fn written(name: &ContactName) -> String {
    match name {
        ContactName::Id(id) => id.to_string(),
        ContactName::ExternalId(external_id) => format!("external/{external_id}"),
        ContactName::Email(email) => format!("email/{}", email.as_str()),
    }
}

fn has_address(fields: &ContactFields) -> bool {
    fields.email.is_some() || fields.phone.is_some()
}

async fn look_up(transaction: &mut Transaction, tenant: TenantId, name: &ContactName) -> Result<Option<Contact>, RecordsError> {
    match name {
        ContactName::Id(id) => transaction.contacts().find(tenant, *id).await,
        ContactName::ExternalId(external_id) => transaction.contacts().find_by_external_id(tenant, external_id).await,
        ContactName::Email(email) => transaction.contacts().find_by_email(tenant, email.as_str()).await,
    }
}

/// What of `fields` another contact than `own` has.
async fn taken(
    transaction: &mut Transaction,
    tenant: TenantId,
    own: Option<ContactId>,
    fields: &ContactFields,
) -> Result<Option<UniqueField>, RecordsError> {
    let another = |found: Option<Contact>| found.is_some_and(|contact| Some(contact.id) != own);
    if let Some(external_id) = &fields.external_id
        && another(transaction.contacts().find_by_external_id(tenant, external_id).await?)
    {
        return Ok(Some(UniqueField::ExternalId));
    }
    if let Some(email) = &fields.email
        && another(transaction.contacts().find_by_email(tenant, email).await?)
    {
        return Ok(Some(UniqueField::Email));
    }
    if let Some(phone) = &fields.phone
        && another(transaction.contacts().find_by_phone(tenant, phone).await?)
    {
        return Ok(Some(UniqueField::Phone));
    }
    Ok(None)
}

/// What a caller is told when the records do not do what they should.
fn refusal(failure: RecordsError) -> Refusal {
    match failure {
        RecordsError::Conflict(_) | RecordsError::Exists => Refusal::Unsettled,
        RecordsError::Corrupt { .. } => {
            error!(%failure, "a stored record needs a person to look at it");
            Refusal::Internal("a stored record cannot be read")
        }
        failure => Refusal::RecordsAway(failure),
    }
}

impl From<RecordsError> for Failed {
    fn from(failure: RecordsError) -> Self {
        Self::Records(failure)
    }
}

impl From<ContactError> for Failed {
    fn from(told: ContactError) -> Self {
        Self::Told(told)
    }
}
