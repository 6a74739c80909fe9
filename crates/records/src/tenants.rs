//! Owners of keys, services and sessions.

use countersign_model::{Tenant, TenantId};
use sqlx::SqlitePool;

use crate::RecordsError;

/// The table of tenants. Made by [`Records::tenants`](crate::Records::tenants).
#[derive(Debug, Clone, Copy)]
pub struct Tenants<'a> {
    pool: &'a SqlitePool,
}

/// A row as SQL gives it: id, name.
type Row = (String, String);

impl<'a> Tenants<'a> {
    pub(crate) const fn new(pool: &'a SqlitePool) -> Self {
        Self { pool }
    }

    /// Adds a tenant. A second one of the same name is [`RecordsError::Exists`].
    pub async fn insert(&self, tenant: &Tenant) -> Result<(), RecordsError> {
        sqlx::query("INSERT INTO tenants (id, name) VALUES ($1, $2)")
            .bind(tenant.id.to_string())
            .bind(&tenant.name)
            .execute(self.pool)
            .await?;
        Ok(())
    }

    /// The tenant with this id.
    pub async fn find(&self, id: TenantId) -> Result<Option<Tenant>, RecordsError> {
        let row: Option<Row> =
            sqlx::query_as("SELECT id, name FROM tenants WHERE id = $1").bind(id.to_string()).fetch_optional(self.pool).await?;
        row.map(read).transpose()
    }

    /// The tenant that people call so. Letter case counts.
    pub async fn find_by_name(&self, name: &str) -> Result<Option<Tenant>, RecordsError> {
        let row: Option<Row> =
            sqlx::query_as("SELECT id, name FROM tenants WHERE name = $1").bind(name).fetch_optional(self.pool).await?;
        row.map(read).transpose()
    }

    /// Every tenant, by name.
    pub async fn list(&self) -> Result<Vec<Tenant>, RecordsError> {
        let rows: Vec<Row> = sqlx::query_as("SELECT id, name FROM tenants ORDER BY name").fetch_all(self.pool).await?;
        rows.into_iter().map(read).collect()
    }
}

fn read((id, name): Row) -> Result<Tenant, RecordsError> {
    let id = id.parse().map_err(|_| RecordsError::Corrupt { record: "tenant", field: "id" })?;
    Ok(Tenant { id, name })
}
