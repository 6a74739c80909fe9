//! Named verification profiles.

use countersign_model::{ServiceId, ServiceRecord, TenantId};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::{Stored, json};
use crate::configuration::{lock, touch_tenant};
use crate::transaction::{On, change};

/// What [`read`] reads.
macro_rules! select {
    ($which:literal) => {
        concat!("SELECT id, tenant_id, name, profile, limits, prices, created_at, updated_at FROM services ", $which)
    };
}

/// The table of services. Made by [`Records::services`](crate::Records::services).
#[derive(Debug)]
pub struct Services<'a> {
    pub(crate) on: On<'a>,
}

impl Services<'_> {
    /// Adds a service to the tenant it names and gives the tenant's new revision. The tenant has its id or its name already:
    /// [`RecordsError::Exists`].
    pub async fn insert(self, service: &ServiceRecord) -> Result<u64, RecordsError> {
        change!(self.on, |connection| insert(connection, service).await)
    }

    /// Replaces everything but id, tenant and the time it was made, and gives the tenant's new revision; none where the tenant has no
    /// such service.
    pub async fn update(self, service: &ServiceRecord) -> Result<Option<u64>, RecordsError> {
        change!(self.on, |connection| update(connection, service).await)
    }

    /// Removes a service with all versions of its templates, and gives the tenant's new revision; none where the tenant has no such
    /// service. Sessions that it opened go on by the rules they were opened with.
    pub async fn delete(self, tenant: TenantId, id: ServiceId) -> Result<Option<u64>, RecordsError> {
        change!(self.on, |connection| delete(connection, tenant, id).await)
    }

    /// The service with this id, where the tenant has it.
    pub async fn find(self, tenant: TenantId, id: ServiceId) -> Result<Option<ServiceRecord>, RecordsError> {
        let row = sqlx::query(select!("WHERE tenant_id = $1 AND id = $2"))
            .bind(tenant.to_string())
            .bind(id.to_string())
            .fetch_optional(&mut *self.on.reader().await?)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The services of one tenant, oldest first.
    pub async fn list(self, tenant: TenantId) -> Result<Vec<ServiceRecord>, RecordsError> {
        let rows = sqlx::query(select!("WHERE tenant_id = $1 ORDER BY created_at, id"))
            .bind(tenant.to_string())
            .fetch_all(&mut *self.on.reader().await?)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The services of all tenants, oldest first.
    pub(crate) async fn all(self) -> Result<Vec<ServiceRecord>, RecordsError> {
        let rows = sqlx::query(select!("ORDER BY created_at, id")).fetch_all(&mut *self.on.reader().await?).await?;
        rows.iter().map(read).collect()
    }
}

async fn insert(connection: &mut AnyConnection, service: &ServiceRecord) -> Result<u64, RecordsError> {
    let revision = touch_tenant(&mut *connection, service.tenant).await?;
    sqlx::query(
        "INSERT INTO services (tenant_id, id, name, profile, limits, prices, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(service.tenant.to_string())
    .bind(service.id.to_string())
    .bind(&service.name)
    .bind(json("service", "profile", &service.profile)?)
    .bind(json("service", "limits", &service.limits)?)
    .bind(service.prices.as_ref().map(|prices| json("service", "prices", prices)).transpose()?)
    .bind(service.created_at.millis())
    .bind(service.updated_at.millis())
    .execute(connection)
    .await?;
    Ok(revision)
}

async fn update(connection: &mut AnyConnection, service: &ServiceRecord) -> Result<Option<u64>, RecordsError> {
    lock(&mut *connection).await?;
    let changed = sqlx::query(
        "UPDATE services SET name = $3, profile = $4, limits = $5, prices = $6, updated_at = $7 WHERE tenant_id = $1 AND id = $2",
    )
    .bind(service.tenant.to_string())
    .bind(service.id.to_string())
    .bind(&service.name)
    .bind(json("service", "profile", &service.profile)?)
    .bind(json("service", "limits", &service.limits)?)
    .bind(service.prices.as_ref().map(|prices| json("service", "prices", prices)).transpose()?)
    .bind(service.updated_at.millis())
    .execute(&mut *connection)
    .await?;
    if changed.rows_affected() == 0 {
        return Ok(None);
    }
    touch_tenant(connection, service.tenant).await.map(Some)
}

async fn delete(connection: &mut AnyConnection, tenant: TenantId, id: ServiceId) -> Result<Option<u64>, RecordsError> {
    lock(&mut *connection).await?;
    sqlx::query("DELETE FROM templates WHERE tenant_id = $1 AND service_id = $2")
        .bind(tenant.to_string())
        .bind(id.to_string())
        .execute(&mut *connection)
        .await?;
    let gone = sqlx::query("DELETE FROM services WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.to_string())
        .bind(id.to_string())
        .execute(&mut *connection)
        .await?;
    if gone.rows_affected() == 0 {
        return Ok(None);
    }
    touch_tenant(connection, tenant).await.map(Some)
}

fn read(row: &AnyRow) -> Result<ServiceRecord, RecordsError> {
    let stored = Stored { record: "service", row };
    Ok(ServiceRecord {
        id: stored.parsed("id")?,
        tenant: stored.parsed("tenant_id")?,
        name: stored.text("name")?,
        profile: stored.json("profile")?,
        limits: stored.json("limits")?,
        prices: stored.json_or_none("prices")?,
        created_at: stored.moment("created_at")?,
        updated_at: stored.moment("updated_at")?,
    })
}
