//! Owners of keys, services and sessions.

use countersign_model::{Tenant, TenantId};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::{Stored, json};
use crate::configuration::{touch, touch_tenant};
use crate::transaction::{On, change};

/// What [`read`] reads.
macro_rules! select {
    ($which:literal) => {
        concat!("SELECT id, name, email, plan, settings, revision, created_at FROM tenants ", $which)
    };
}

/// The table of tenants. Made by [`Records::tenants`](crate::Records::tenants).
///
/// Tenants are never removed: what was charged to them stays.
#[derive(Debug)]
pub struct Tenants<'a> {
    pub(crate) on: On<'a>,
}

impl Tenants<'_> {
    /// Adds a tenant. A second one of the same name is [`RecordsError::Exists`].
    pub async fn insert(self, tenant: &Tenant) -> Result<(), RecordsError> {
        change!(self.on, |connection| insert(connection, tenant).await)
    }

    /// Replaces what may change of a tenant, name, e-mail, plan and settings, and gives its new revision. No such tenant:
    /// [`RecordsError::Missing`]; another tenant of that name: [`RecordsError::Exists`].
    pub async fn update(self, tenant: &Tenant) -> Result<u64, RecordsError> {
        change!(self.on, |connection| update(connection, tenant).await)
    }

    /// The tenant with this id.
    pub async fn find(self, id: TenantId) -> Result<Option<Tenant>, RecordsError> {
        let row =
            sqlx::query(select!("WHERE id = $1")).bind(id.to_string()).fetch_optional(&mut *self.on.reader().await?).await?;
        row.as_ref().map(read).transpose()
    }

    /// The tenant that people call so. Letter case counts.
    pub async fn find_by_name(self, name: &str) -> Result<Option<Tenant>, RecordsError> {
        let row = sqlx::query(select!("WHERE name = $1")).bind(name).fetch_optional(&mut *self.on.reader().await?).await?;
        row.as_ref().map(read).transpose()
    }

    /// Every tenant, by name.
    pub async fn list(self) -> Result<Vec<Tenant>, RecordsError> {
        let rows = sqlx::query(select!("")).fetch_all(&mut *self.on.reader().await?).await?;
        let mut tenants = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        // Here and not in the statement: databases differ in what comes first.
        tenants.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(tenants)
    }
}

async fn insert(connection: &mut AnyConnection, tenant: &Tenant) -> Result<(), RecordsError> {
    touch(&mut *connection).await?;
    sqlx::query(
        "INSERT INTO tenants (id, name, email, plan, settings, revision, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tenant.id.to_string())
    .bind(&tenant.name)
    .bind(tenant.email.as_deref())
    .bind(&tenant.plan)
    .bind(json("tenant", "settings", &tenant.settings)?)
    .bind(i64::try_from(tenant.revision).unwrap_or(i64::MAX))
    .bind(tenant.created_at.millis())
    .execute(connection)
    .await?;
    Ok(())
}

async fn update(connection: &mut AnyConnection, tenant: &Tenant) -> Result<u64, RecordsError> {
    let revision = touch_tenant(&mut *connection, tenant.id).await?;
    sqlx::query("UPDATE tenants SET name = $2, email = $3, plan = $4, settings = $5 WHERE id = $1")
        .bind(tenant.id.to_string())
        .bind(&tenant.name)
        .bind(tenant.email.as_deref())
        .bind(&tenant.plan)
        .bind(json("tenant", "settings", &tenant.settings)?)
        .execute(connection)
        .await?;
    Ok(revision)
}

fn read(row: &AnyRow) -> Result<Tenant, RecordsError> {
    let stored = Stored { record: "tenant", row };
    Ok(Tenant {
        id: stored.parsed("id")?,
        name: stored.text("name")?,
        email: stored.text_or_none("email")?,
        plan: stored.text("plan")?,
        settings: stored.json("settings")?,
        revision: stored.number("revision")?,
        created_at: stored.moment("created_at")?,
    })
}
