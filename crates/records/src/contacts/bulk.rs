//! Many contacts in one transaction.

use countersign_model::{Channel, Contact, ContactFields, ContactId, TenantId, Timestamp};
use sqlx::AnyConnection;

use super::rows::{by_email, by_external_id, by_phone, is_taken, replace};
use super::{changed, insert, lock};
use crate::RecordsError;

/// A contact to be added, or to be found and changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContact {
    /// Its id where it is new.
    pub id: ContactId,
    /// What is said of it.
    pub fields: ContactFields,
    /// The channel on which a right code has just proved its address, if one has.
    pub verified: Option<Channel>,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upserted {
    /// It was new.
    Created(Contact),
    /// It was there and is now this.
    Updated(Contact),
    /// Nothing: its external id or its addresses belong to several contacts.
    Taken,
}

pub(super) async fn upsert_many(
    connection: &mut AnyConnection,
    tenant: TenantId,
    items: &[NewContact],
    at: Timestamp,
    merge: &(impl Fn(usize, ContactFields) -> ContactFields + Send + Sync),
) -> Result<Vec<Upserted>, RecordsError> {
    lock(&mut *connection, tenant).await?;
    let mut done = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let outcome = if let Some(found) = find(&mut *connection, tenant, &item.fields).await? {
            let mut contact = changed(found, |fields| merge(place, fields), at);
            contact.verified_channels.extend(item.verified.filter(|channel| !contact.verified_channels.contains(channel)));
            update(&mut *connection, contact).await?
        } else {
            let contact = Contact {
                id: item.id,
                tenant,
                fields: item.fields.clone(),
                verified_channels: item.verified.into_iter().collect(),
                created_at: at,
                updated_at: at,
            };
            insert(&mut *connection, &contact).await?;
            Upserted::Created(contact)
        };
        done.push(outcome);
    }
    Ok(done)
}

async fn update(connection: &mut AnyConnection, contact: Contact) -> Result<Upserted, RecordsError> {
    if is_taken(&mut *connection, &contact).await? {
        return Ok(Upserted::Taken);
    }
    replace(connection, &contact).await?;
    Ok(Upserted::Updated(contact))
}

/// The contact that the fields mean: by external id, else by e-mail address, else by phone number.
async fn find(connection: &mut AnyConnection, tenant: TenantId, fields: &ContactFields) -> Result<Option<Contact>, RecordsError> {
    if let Some(external_id) = &fields.external_id
        && let Some(found) = by_external_id(&mut *connection, tenant, external_id).await?
    {
        return Ok(Some(found));
    }
    if let Some(email) = &fields.email
        && let Some(found) = by_email(&mut *connection, tenant, email).await?
    {
        return Ok(Some(found));
    }
    match &fields.phone {
        Some(phone) => by_phone(connection, tenant, phone).await,
        None => Ok(None),
    }
}
