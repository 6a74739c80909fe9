//! The people tenants keep.

mod bulk;
mod rows;

use countersign_model::{Channel, Contact, ContactFields, ContactId, Recipient, TenantId, Timestamp};
use sqlx::AnyConnection;

pub use self::bulk::{NewContact, Upserted};
use self::rows::{
    by_email, by_external_id, by_id, by_phone, folded, has_locales, is_taken, locale_of, page, remove, replace, write,
};
use crate::RecordsError;
use crate::transaction::{On, change};

/// Where a page of contacts begins. Newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// After this contact, which may be gone meanwhile: as quick at the end of a long list as at its start.
    After(ContactId),
    /// After so many contacts. The database passes over them one by one, in the index alone: a million take a tenth of a second or so.
    Offset(u64),
}

/// A page of contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactPage {
    /// At most as many as were asked for.
    pub contacts: Vec<Contact>,
    /// Whether there are more behind them.
    pub has_more: bool,
    /// How many the tenant has in all.
    pub total: u64,
}

/// The table of contacts. Made by [`Records::contacts`](crate::Records::contacts).
///
/// A tenant has an external id, an e-mail address (in either case of its ASCII letters) and a phone number once. Every change takes the row
/// that counts the tenant's contacts first: changes of one tenant's contacts queue, so what a change has looked up stays so, the count is
/// exact, and reading it is one row however many contacts there are.
#[derive(Debug)]
pub struct Contacts<'a> {
    pub(crate) on: On<'a>,
}

impl Contacts<'_> {
    /// Adds a contact to the tenant it names. One of its addresses or its external id is taken: [`RecordsError::Exists`].
    pub async fn insert(self, contact: &Contact) -> Result<(), RecordsError> {
        change!(self.on, |connection| {
            lock(&mut *connection, contact.tenant).await?;
            insert(connection, contact).await
        })
    }

    /// Adds or changes many, whole or not at all, and tells what became of each, in their order.
    ///
    /// The contact with the item's external id, else with its e-mail address, else with its phone number, is the one that is changed:
    /// `merge` gets the item's place and the contact's fields and gives the new ones. Where none is there, the item is added as it is.
    pub async fn upsert_many(
        self,
        tenant: TenantId,
        items: &[NewContact],
        at: Timestamp,
        merge: impl Fn(usize, ContactFields) -> ContactFields + Send + Sync,
    ) -> Result<Vec<Upserted>, RecordsError> {
        change!(self.on, |connection| bulk::upsert_many(connection, tenant, items, at, &merge).await)
    }

    /// Changes a contact by what it holds now, and gives what it holds then; none where the tenant has no such contact. `change` may run
    /// again. An address or the external id it comes to is taken: [`RecordsError::Exists`].
    pub async fn update(
        self,
        tenant: TenantId,
        id: ContactId,
        at: Timestamp,
        change: impl Fn(ContactFields) -> ContactFields + Send + Sync,
    ) -> Result<Option<Contact>, RecordsError> {
        change!(self.on, |connection| {
            lock(&mut *connection, tenant).await?;
            let Some(found) = by_id(&mut *connection, tenant, id).await? else { return Ok(None) };
            let contact = changed(found, &change, at);
            if is_taken(&mut *connection, &contact).await? {
                return Err(RecordsError::Exists);
            }
            replace(connection, &contact).await?;
            Ok(Some(contact))
        })
    }

    /// Removes a contact and tells whether the tenant had it.
    pub async fn delete(self, tenant: TenantId, id: ContactId) -> Result<bool, RecordsError> {
        change!(self.on, |connection| {
            lock(&mut *connection, tenant).await?;
            if !remove(&mut *connection, tenant, id).await? {
                return Ok(false);
            }
            count(connection, tenant, -1).await?;
            Ok(true)
        })
    }

    /// The contact with this id, where the tenant has it.
    pub async fn find(self, tenant: TenantId, id: ContactId) -> Result<Option<Contact>, RecordsError> {
        by_id(&mut *self.on.reader().await?, tenant, id).await
    }

    /// The contact that the tenant itself calls so.
    pub async fn find_by_external_id(self, tenant: TenantId, external_id: &str) -> Result<Option<Contact>, RecordsError> {
        by_external_id(&mut *self.on.reader().await?, tenant, external_id).await
    }

    /// The tenant's contact with this e-mail address, in either case of its ASCII letters.
    pub async fn find_by_email(self, tenant: TenantId, email: &str) -> Result<Option<Contact>, RecordsError> {
        by_email(&mut *self.on.reader().await?, tenant, email).await
    }

    /// The tenant's contact with this phone number.
    pub async fn find_by_phone(self, tenant: TenantId, phone: &str) -> Result<Option<Contact>, RecordsError> {
        by_phone(&mut *self.on.reader().await?, tenant, phone).await
    }

    /// In which language the tenant's contact with this address is written to; none: there is no such contact, or nobody says.
    pub async fn locale_of(self, tenant: TenantId, recipient: &Recipient) -> Result<Option<String>, RecordsError> {
        locale_of(&mut *self.on.reader().await?, tenant, recipient).await
    }

    /// Whether that is said of any of the tenant's contacts.
    pub async fn has_locales(self, tenant: TenantId) -> Result<bool, RecordsError> {
        has_locales(&mut *self.on.reader().await?, tenant).await
    }

    /// A page of the tenant's contacts, newest first, and how many there are.
    pub async fn list(self, tenant: TenantId, start: Start, limit: u32) -> Result<ContactPage, RecordsError> {
        let mut reader = self.on.reader().await?;
        let total: Option<i64> = sqlx::query_scalar("SELECT total FROM contact_counts WHERE tenant_id = $1")
            .bind(tenant.to_string())
            .fetch_optional(&mut *reader)
            .await?;
        let mut contacts = page(&mut reader, tenant, start, i64::from(limit) + 1).await?;
        let has_more = contacts.len() > limit as usize;
        contacts.truncate(limit as usize);
        Ok(ContactPage { contacts, has_more, total: total.and_then(|total| u64::try_from(total).ok()).unwrap_or(0) })
    }
}

/// The contact with other fields. What was proved of an address is not true of the next one.
fn changed(contact: Contact, change: impl FnOnce(ContactFields) -> ContactFields, at: Timestamp) -> Contact {
    let fields = change(contact.fields.clone());
    let same_email = fields.email.as_deref().map(folded) == contact.fields.email.as_deref().map(folded);
    let same_phone = fields.phone == contact.fields.phone;
    let mut verified_channels = contact.verified_channels;
    verified_channels.retain(|channel| match channel {
        Channel::Email => same_email,
        Channel::Sms | Channel::Whatsapp | Channel::Voice => same_phone,
    });
    Contact { fields, verified_channels, updated_at: at, ..contact }
}

/// Makes the tenant's contacts the transaction's own until it ends. No such tenant: [`RecordsError::Missing`].
async fn lock(connection: &mut AnyConnection, tenant: TenantId) -> Result<(), RecordsError> {
    sqlx::query(
        "INSERT INTO contact_counts (tenant_id, total) VALUES ($1, 0) ON CONFLICT (tenant_id) DO UPDATE SET total = contact_counts.total",
    )
    .bind(tenant.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

async fn count(connection: &mut AnyConnection, tenant: TenantId, more: i64) -> Result<(), RecordsError> {
    sqlx::query("UPDATE contact_counts SET total = total + $2 WHERE tenant_id = $1")
        .bind(tenant.to_string())
        .bind(more)
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds one under the lock.
async fn insert(connection: &mut AnyConnection, contact: &Contact) -> Result<(), RecordsError> {
    // Looked up and not left to the indexes: after their refusal PostgreSQL goes on with nothing in the transaction.
    if is_taken(&mut *connection, contact).await? {
        return Err(RecordsError::Exists);
    }
    write(&mut *connection, contact).await?;
    count(connection, contact.tenant, 1).await
}
