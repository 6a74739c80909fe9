//! One row of the table of contacts.

use countersign_model::{Contact, ContactFields, ContactId, Recipient, TenantId};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::Start;
use crate::RecordsError;
use crate::columns::{Stored, json};

/// What [`read`] reads.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, tenant_id, external_id, email, phone, first_name, last_name, locale, tags, custom_fields, metadata, ",
            "preferences, is_active, verified_channels, created_at, updated_at FROM contacts ",
            $which
        )
    };
}

/// The form in which two spellings of an address are one. Beyond ASCII, lower case can turn one person's mailbox into another's.
pub(super) fn folded(email: &str) -> String {
    email.to_ascii_lowercase()
}

pub(super) async fn by_id(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: ContactId,
) -> Result<Option<Contact>, RecordsError> {
    one(connection, select!("WHERE tenant_id = $1 AND id = $2"), tenant, &id.to_string()).await
}

pub(super) async fn by_external_id(
    connection: &mut AnyConnection,
    tenant: TenantId,
    external_id: &str,
) -> Result<Option<Contact>, RecordsError> {
    one(connection, select!("WHERE tenant_id = $1 AND external_id = $2"), tenant, external_id).await
}

pub(super) async fn by_email(
    connection: &mut AnyConnection,
    tenant: TenantId,
    email: &str,
) -> Result<Option<Contact>, RecordsError> {
    one(connection, select!("WHERE tenant_id = $1 AND email_folded = $2"), tenant, &folded(email)).await
}

pub(super) async fn by_phone(
    connection: &mut AnyConnection,
    tenant: TenantId,
    phone: &str,
) -> Result<Option<Contact>, RecordsError> {
    one(connection, select!("WHERE tenant_id = $1 AND phone = $2"), tenant, phone).await
}

async fn one(
    connection: &mut AnyConnection,
    select: &'static str,
    tenant: TenantId,
    value: &str,
) -> Result<Option<Contact>, RecordsError> {
    let row = sqlx::query(select).bind(tenant.to_string()).bind(value).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// The language of the contact with this address, where there is such a contact and it has one.
pub(super) async fn locale_of(
    connection: &mut AnyConnection,
    tenant: TenantId,
    recipient: &Recipient,
) -> Result<Option<String>, RecordsError> {
    let (select, value) = match recipient {
        Recipient::Email(email) => (
            "SELECT locale FROM contacts WHERE tenant_id = $1 AND email_folded = $2 AND locale IS NOT NULL",
            folded(email.as_str()),
        ),
        Recipient::Phone(phone) => {
            ("SELECT locale FROM contacts WHERE tenant_id = $1 AND phone = $2 AND locale IS NOT NULL", phone.as_str().to_owned())
        }
    };
    Ok(sqlx::query_scalar(select).bind(tenant.to_string()).bind(value).fetch_optional(connection).await?)
}

/// Whether any contact of the tenant has a language. Read from the index of those that have.
pub(super) async fn has_locales(connection: &mut AnyConnection, tenant: TenantId) -> Result<bool, RecordsError> {
    let found: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT tenant_id FROM contacts WHERE tenant_id = $1 AND locale IS NOT NULL LIMIT 1) AS found",
    )
    .bind(tenant.to_string())
    .fetch_one(connection)
    .await?;
    Ok(found > 0)
}

/// At most `limit` contacts, newest first: ids begin with the time. Passing over many is done in the index, before a row is read.
pub(super) async fn page(
    connection: &mut AnyConnection,
    tenant: TenantId,
    start: Start,
    limit: i64,
) -> Result<Vec<Contact>, RecordsError> {
    let query = match start {
        Start::After(id) => sqlx::query(select!("WHERE tenant_id = $1 AND id < $3 ORDER BY id DESC LIMIT $2"))
            .bind(tenant.to_string())
            .bind(limit)
            .bind(id.to_string()),
        Start::Offset(count) => sqlx::query(select!(
            "WHERE tenant_id = $1 AND id IN (SELECT id FROM contacts WHERE tenant_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3) ORDER BY id DESC"
        ))
        .bind(tenant.to_string())
        .bind(limit)
        .bind(i64::try_from(count).unwrap_or(i64::MAX)),
    };
    query.fetch_all(connection).await?.iter().map(read).collect()
}

/// Whether another contact of the tenant has its external id or one of its addresses.
pub(super) async fn is_taken(connection: &mut AnyConnection, contact: &Contact) -> Result<bool, RecordsError> {
    let others: i64 = sqlx::query_scalar(
        "SELECT (SELECT COUNT(*) FROM contacts WHERE tenant_id = $1 AND external_id = $3 AND id <> $2) \
         + (SELECT COUNT(*) FROM contacts WHERE tenant_id = $1 AND email_folded = $4 AND id <> $2) \
         + (SELECT COUNT(*) FROM contacts WHERE tenant_id = $1 AND phone = $5 AND id <> $2)",
    )
    .bind(contact.tenant.to_string())
    .bind(contact.id.to_string())
    .bind(contact.fields.external_id.as_deref())
    .bind(contact.fields.email.as_deref().map(folded))
    .bind(contact.fields.phone.as_deref())
    .fetch_one(connection)
    .await?;
    Ok(others > 0)
}

pub(super) async fn write(connection: &mut AnyConnection, contact: &Contact) -> Result<(), RecordsError> {
    sqlx::query(
        "INSERT INTO contacts (tenant_id, id, external_id, email, email_folded, phone, first_name, last_name, tags, custom_fields, \
         metadata, preferences, is_active, verified_channels, updated_at, created_at, locale) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(contact.tenant.to_string())
    .bind(contact.id.to_string())
    .bind(contact.fields.external_id.as_deref())
    .bind(contact.fields.email.as_deref())
    .bind(contact.fields.email.as_deref().map(folded))
    .bind(contact.fields.phone.as_deref())
    .bind(contact.fields.first_name.as_deref())
    .bind(contact.fields.last_name.as_deref())
    .bind(json("contact", "tags", &contact.fields.tags)?)
    .bind(&contact.fields.custom_fields)
    .bind(&contact.fields.metadata)
    .bind(json("contact", "preferences", &contact.fields.preferences)?)
    .bind(i64::from(contact.fields.is_active))
    .bind(json("contact", "verified_channels", &contact.verified_channels)?)
    .bind(contact.updated_at.millis())
    .bind(contact.created_at.millis())
    .bind(contact.fields.locale.as_deref())
    .execute(connection)
    .await?;
    Ok(())
}

/// Everything but id, tenant and the time it was made.
pub(super) async fn replace(connection: &mut AnyConnection, contact: &Contact) -> Result<(), RecordsError> {
    sqlx::query(
        "UPDATE contacts SET external_id = $3, email = $4, email_folded = $5, phone = $6, first_name = $7, last_name = $8, tags = $9, \
         custom_fields = $10, metadata = $11, preferences = $12, is_active = $13, verified_channels = $14, updated_at = $15, \
         locale = $16 \
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(contact.tenant.to_string())
    .bind(contact.id.to_string())
    .bind(contact.fields.external_id.as_deref())
    .bind(contact.fields.email.as_deref())
    .bind(contact.fields.email.as_deref().map(folded))
    .bind(contact.fields.phone.as_deref())
    .bind(contact.fields.first_name.as_deref())
    .bind(contact.fields.last_name.as_deref())
    .bind(json("contact", "tags", &contact.fields.tags)?)
    .bind(&contact.fields.custom_fields)
    .bind(&contact.fields.metadata)
    .bind(json("contact", "preferences", &contact.fields.preferences)?)
    .bind(i64::from(contact.fields.is_active))
    .bind(json("contact", "verified_channels", &contact.verified_channels)?)
    .bind(contact.updated_at.millis())
    .bind(contact.fields.locale.as_deref())
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether there was one to remove.
pub(super) async fn remove(connection: &mut AnyConnection, tenant: TenantId, id: ContactId) -> Result<bool, RecordsError> {
    let gone = sqlx::query("DELETE FROM contacts WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.to_string())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(gone.rows_affected() > 0)
}

fn read(row: &AnyRow) -> Result<Contact, RecordsError> {
    let stored = Stored { record: "contact", row };
    Ok(Contact {
        id: stored.parsed("id")?,
        tenant: stored.parsed("tenant_id")?,
        fields: ContactFields {
            external_id: stored.text_or_none("external_id")?,
            email: stored.text_or_none("email")?,
            phone: stored.text_or_none("phone")?,
            first_name: stored.text_or_none("first_name")?,
            last_name: stored.text_or_none("last_name")?,
            locale: stored.text_or_none("locale")?,
            tags: stored.json("tags")?,
            custom_fields: stored.text("custom_fields")?,
            metadata: stored.text("metadata")?,
            preferences: stored.json("preferences")?,
            is_active: stored.flag("is_active")?,
        },
        verified_channels: stored.json("verified_channels")?,
        created_at: stored.moment("created_at")?,
        updated_at: stored.moment("updated_at")?,
    })
}
