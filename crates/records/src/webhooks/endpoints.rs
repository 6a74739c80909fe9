//! Where a tenant's events are posted to.

use std::collections::BTreeSet;

use countersign_model::{EndpointId, KeyKind, TenantId, Timestamp, WebhookEndpoint, WebhookEvent, WebhookFormat};
use secrecy::{ExposeSecret, SecretString};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::{Stored, json};
use crate::many::fetch_many;
use crate::transaction::{On, change};

/// What [`read`] reads.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, tenant_id, url, format, description, events, key_kind, disabled, created_at, updated_at FROM webhook_endpoints ",
            $which
        )
    };
}

/// The secrets that sign what is posted to an endpoint, in their written form. The database holds them as they are.
#[derive(Debug, Clone)]
pub struct StoredSecrets {
    /// Signs always.
    pub current: SecretString,
    /// The one before, and until when it signs.
    pub previous: Option<(SecretString, Timestamp)>,
}

/// What may change of an endpoint. What is left open stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointChange {
    /// Its address, which the caller has checked.
    pub url: Option<String>,
    /// How what is made for it from now on is spelt.
    pub format: Option<WebhookFormat>,
    /// For people.
    pub description: Option<String>,
    /// What it hears of; empty: everything.
    pub events: Option<Vec<WebhookEvent>>,
    /// Why nothing is posted to it any more; none inside: it is posted to again.
    pub disabled: Option<Option<String>>,
    /// When somebody changed it.
    pub updated_at: Option<Timestamp>,
}

/// The table of endpoints. Made by [`Records::webhook_endpoints`](crate::Records::webhook_endpoints).
#[derive(Debug)]
pub struct WebhookEndpoints<'a> {
    pub(crate) on: On<'a>,
}

impl WebhookEndpoints<'_> {
    /// Adds an endpoint.
    pub async fn insert(self, endpoint: &WebhookEndpoint, secrets: &StoredSecrets) -> Result<(), RecordsError> {
        change!(self.on, |connection| insert(connection, endpoint, secrets).await)
    }

    /// Changes an endpoint and gives what it is then; none where the tenant has no such endpoint. What waits for one that is disabled goes
    /// on waiting.
    pub async fn update(
        self,
        tenant: TenantId,
        id: EndpointId,
        change: &EndpointChange,
    ) -> Result<Option<WebhookEndpoint>, RecordsError> {
        change!(self.on, |connection| update(connection, tenant, id, change).await)
    }

    /// Disables an endpoint that said it is gone, and drops what waits for it. Tells whether it was posted to until now.
    pub async fn gone(self, id: EndpointId, at: Timestamp) -> Result<bool, RecordsError> {
        change!(self.on, |connection| {
            let disabled = sqlx::query("UPDATE webhook_endpoints SET disabled = 'gone' WHERE id = $1 AND disabled IS NULL")
                .bind(id.to_string())
                .execute(&mut *connection)
                .await?;
            discard(connection, id, at).await?;
            Ok(disabled.rows_affected() > 0)
        })
    }

    /// Replaces an endpoint's secrets, and tells whether the tenant has it.
    pub async fn set_secrets(self, tenant: TenantId, id: EndpointId, secrets: &StoredSecrets) -> Result<bool, RecordsError> {
        change!(self.on, |connection| {
            let changed = sqlx::query(
                "UPDATE webhook_endpoints SET secret = $3, previous_secret = $4, previous_until = $5 WHERE tenant_id = $1 AND id = $2",
            )
            .bind(tenant.to_string())
            .bind(id.to_string())
            .bind(secrets.current.expose_secret())
            .bind(secrets.previous.as_ref().map(|(secret, _)| secret.expose_secret()))
            .bind(secrets.previous.as_ref().map(|(_, until)| until.millis()))
            .execute(connection)
            .await?;
            Ok(changed.rows_affected() > 0)
        })
    }

    /// The secrets of an endpoint, where the tenant has it.
    pub async fn secrets(self, tenant: TenantId, id: EndpointId) -> Result<Option<StoredSecrets>, RecordsError> {
        let row =
            sqlx::query("SELECT secret, previous_secret, previous_until FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2")
                .bind(tenant.to_string())
                .bind(id.to_string())
                .fetch_optional(&mut *self.on.reader().await?)
                .await?;
        row.as_ref().map(read_secrets).transpose()
    }

    /// Removes an endpoint, drops what waits for it, and tells whether the tenant had it. Its deliveries stay in the log.
    pub async fn delete(self, tenant: TenantId, id: EndpointId, at: Timestamp) -> Result<bool, RecordsError> {
        change!(self.on, |connection| {
            let gone = sqlx::query("DELETE FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2")
                .bind(tenant.to_string())
                .bind(id.to_string())
                .execute(&mut *connection)
                .await?;
            if gone.rows_affected() == 0 {
                return Ok(false);
            }
            discard(connection, id, at).await?;
            Ok(true)
        })
    }

    /// The endpoint with this id, where the tenant has it.
    pub async fn find(self, tenant: TenantId, id: EndpointId) -> Result<Option<WebhookEndpoint>, RecordsError> {
        find(&mut *self.on.reader().await?, tenant, id).await
    }

    /// A tenant's endpoints, disabled ones too, oldest first.
    pub async fn list(self, tenant: TenantId) -> Result<Vec<WebhookEndpoint>, RecordsError> {
        let rows = sqlx::query(select!("WHERE tenant_id = $1 ORDER BY id"))
            .bind(tenant.to_string())
            .fetch_all(&mut *self.on.reader().await?)
            .await?;
        rows.iter().map(read).collect()
    }

    /// How many endpoints a tenant has, disabled ones too. Belongs into the transaction that adds one: of two that count at the same time the
    /// second waits for the first.
    pub async fn count(self, tenant: TenantId) -> Result<u64, RecordsError> {
        change!(self.on, |connection| {
            sqlx::query("UPDATE tenants SET revision = revision WHERE id = $1")
                .bind(tenant.to_string())
                .execute(&mut *connection)
                .await?;
            let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM webhook_endpoints WHERE tenant_id = $1")
                .bind(tenant.to_string())
                .fetch_one(connection)
                .await?;
            Ok(u64::try_from(count).unwrap_or(0))
        })
    }

    /// The endpoints of these tenants, disabled ones too: for whoever has events for them.
    pub async fn of_tenants(self, tenants: &BTreeSet<TenantId>) -> Result<Vec<WebhookEndpoint>, RecordsError> {
        let ids: Vec<_> = tenants.iter().map(ToString::to_string).collect();
        fetch_many(&mut *self.on.reader().await?, select!(""), "tenant_id", &ids).await?.iter().map(read).collect()
    }
}

async fn insert(connection: &mut AnyConnection, endpoint: &WebhookEndpoint, secrets: &StoredSecrets) -> Result<(), RecordsError> {
    sqlx::query(
        "INSERT INTO webhook_endpoints (id, tenant_id, url, description, events, disabled, secret, previous_secret, previous_until, created_at, \
         format, updated_at, key_kind) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(endpoint.id.to_string())
    .bind(endpoint.tenant.to_string())
    .bind(&endpoint.url)
    .bind(&endpoint.description)
    .bind(json("endpoint", "events", &endpoint.events)?)
    .bind(endpoint.disabled.as_deref())
    .bind(secrets.current.expose_secret())
    .bind(secrets.previous.as_ref().map(|(secret, _)| secret.expose_secret()))
    .bind(secrets.previous.as_ref().map(|(_, until)| until.millis()))
    .bind(endpoint.created_at.millis())
    .bind(endpoint.format.as_str())
    .bind(endpoint.updated_at.map(Timestamp::millis))
    .bind(endpoint.keys.map(KeyKind::as_str))
    .execute(connection)
    .await?;
    Ok(())
}

async fn update(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: EndpointId,
    change: &EndpointChange,
) -> Result<Option<WebhookEndpoint>, RecordsError> {
    let events = change.events.as_ref().map(|events| json("endpoint", "events", events)).transpose()?;
    sqlx::query(
        "UPDATE webhook_endpoints SET url = COALESCE($3, url), description = COALESCE($4, description), events = COALESCE($5, events), \
         format = COALESCE($6, format), updated_at = COALESCE($7, updated_at) WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.to_string())
    .bind(id.to_string())
    .bind(change.url.as_deref())
    .bind(change.description.as_deref())
    .bind(events)
    .bind(change.format.map(WebhookFormat::as_str))
    .bind(change.updated_at.map(Timestamp::millis))
    .execute(&mut *connection)
    .await?;
    if let Some(disabled) = &change.disabled {
        sqlx::query("UPDATE webhook_endpoints SET disabled = $3 WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.to_string())
            .bind(id.to_string())
            .bind(disabled.as_deref())
            .execute(&mut *connection)
            .await?;
    }
    find(connection, tenant, id).await
}

async fn find(connection: &mut AnyConnection, tenant: TenantId, id: EndpointId) -> Result<Option<WebhookEndpoint>, RecordsError> {
    let row = sqlx::query(select!("WHERE tenant_id = $1 AND id = $2"))
        .bind(tenant.to_string())
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Nothing that waits for the endpoint is posted any more.
async fn discard(connection: &mut AnyConnection, id: EndpointId, at: Timestamp) -> Result<(), RecordsError> {
    sqlx::query("UPDATE webhook_deliveries SET state = 'discarded', ended_at = $2 WHERE endpoint_id = $1 AND state = 'pending'")
        .bind(id.to_string())
        .bind(at.millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// The secrets of an endpoint's row.
pub(super) fn read_secrets(row: &AnyRow) -> Result<StoredSecrets, RecordsError> {
    let stored = Stored { record: "endpoint", row };
    let previous = stored.text_or_none("previous_secret")?.map(SecretString::from);
    Ok(StoredSecrets {
        current: SecretString::from(stored.text("secret")?),
        previous: previous.zip(stored.moment_or_none("previous_until")?),
    })
}

fn read(row: &AnyRow) -> Result<WebhookEndpoint, RecordsError> {
    let stored = Stored { record: "endpoint", row };
    Ok(WebhookEndpoint {
        id: stored.parsed("id")?,
        tenant: stored.parsed("tenant_id")?,
        url: stored.text("url")?,
        format: stored.parsed("format")?,
        description: stored.text("description")?,
        events: stored.json("events")?,
        keys: match stored.text_or_none("key_kind")?.as_deref() {
            None => None,
            Some("live") => Some(KeyKind::Live),
            Some("test") => Some(KeyKind::Test),
            Some(_) => return Err(stored.corrupt("key_kind")),
        },
        disabled: stored.text_or_none("disabled")?,
        created_at: stored.moment("created_at")?,
        updated_at: stored.moment_or_none("updated_at")?,
    })
}
