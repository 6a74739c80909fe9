//! The number that says whether what requests need in memory has changed, and the whole of it in one look.

use countersign_model::{ApiKey, Sender, ServiceRecord, Template, Tenant, TenantId};
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use crate::{AdminToken, Records, RecordsError};

/// Everything that requests need of the records, as it was at one moment. Serialises, for a copy that outlives the database's absence;
/// holds hashes of secrets, never secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// What [`Records::configuration_version`] was at that moment.
    pub version: i64,
    /// The owners, by name.
    pub tenants: Vec<Tenant>,
    /// What lets callers in, revoked and expired ones too, oldest first.
    pub keys: Vec<ApiKey>,
    /// Named profiles.
    pub services: Vec<ServiceRecord>,
    /// The newest version of each template.
    pub templates: Vec<Template>,
    /// Registered senders.
    pub senders: Vec<Sender>,
    /// What lets operators in, revoked and expired ones too, oldest first. Not in the copies of releases that did not keep them.
    #[serde(default)]
    pub admin_tokens: Vec<AdminToken>,
}

impl Records {
    /// A number that grows with every change of a tenant, a key, a service, a template, a sender or an admin token, whoever made it. Cheap: one
    /// row.
    pub async fn configuration_version(&self) -> Result<i64, RecordsError> {
        version(&mut *self.pool.acquire().await?).await
    }

    /// Reads everything that requests need, at one moment: its parts fit together and its version is theirs.
    pub async fn snapshot(&self) -> Result<Snapshot, RecordsError> {
        let mut look = self.begin_reading().await?;
        Ok(Snapshot {
            version: version(look.connection()).await?,
            tenants: look.tenants().list().await?,
            keys: look.api_keys().all().await?,
            services: look.services().all().await?,
            templates: look.templates().all().await?,
            senders: look.senders().all().await?,
            admin_tokens: look.admin_tokens().list().await?,
        })
    }
}

async fn version(connection: &mut AnyConnection) -> Result<i64, RecordsError> {
    Ok(sqlx::query_scalar("SELECT value FROM counters WHERE name = 'configuration'").fetch_one(connection).await?)
}

/// Takes the row that counts changes, before a change that may find nothing to do: whoever changes the configuration takes it first, so
/// no two wait for each other.
pub(crate) async fn lock(connection: &mut AnyConnection) -> Result<(), RecordsError> {
    sqlx::query("UPDATE counters SET value = value WHERE name = 'configuration'").execute(connection).await?;
    Ok(())
}

/// Counts a change of the configuration. The row is the transaction's until it ends, so changes queue and versions are in their order.
pub(crate) async fn touch(connection: &mut AnyConnection) -> Result<(), RecordsError> {
    sqlx::query("UPDATE counters SET value = value + 1 WHERE name = 'configuration'").execute(connection).await?;
    Ok(())
}

/// Counts a change of something a tenant has and gives the tenant's new revision. No such tenant: [`RecordsError::Missing`].
pub(crate) async fn touch_tenant(connection: &mut AnyConnection, tenant: TenantId) -> Result<u64, RecordsError> {
    touch(&mut *connection).await?;
    let revision: Option<i64> = sqlx::query_scalar("UPDATE tenants SET revision = revision + 1 WHERE id = $1 RETURNING revision")
        .bind(tenant.to_string())
        .fetch_optional(connection)
        .await?;
    let revision = revision.ok_or(RecordsError::Missing)?;
    u64::try_from(revision).map_err(|_| RecordsError::Corrupt { record: "tenant", field: "revision" })
}
