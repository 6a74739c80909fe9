//! What lets callers in: the public half and the hash of the secret.

use countersign_model::{AccessKey, ApiKey, KeyId, KeyKind, KeyScope, SecretHash, TenantId, Timestamp};
use data_encoding::HEXLOWER;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::{Stored, json};
use crate::configuration::{lock, touch_tenant};
use crate::transaction::{On, change};

/// What [`read`] reads.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, tenant_id, kind, name, access_key, secret_hash, scope, allowed_ips, origins, created_at, expires_at, revoked_at ",
            "FROM api_keys ",
            $which
        )
    };
}

/// The table of API keys. Made by [`Records::api_keys`](crate::Records::api_keys).
#[derive(Debug)]
pub struct ApiKeys<'a> {
    pub(crate) on: On<'a>,
}

impl ApiKeys<'_> {
    /// Adds a key to the tenant it names and gives the tenant's new revision.
    pub async fn insert(self, key: &ApiKey) -> Result<u64, RecordsError> {
        change!(self.on, |connection| insert(connection, key).await)
    }

    /// The key with this id, where the tenant has it.
    pub async fn find(self, tenant: TenantId, id: KeyId) -> Result<Option<ApiKey>, RecordsError> {
        let row = sqlx::query(select!("WHERE tenant_id = $1 AND id = $2"))
            .bind(tenant.to_string())
            .bind(id.to_string())
            .fetch_optional(&mut *self.on.reader().await?)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The keys of one tenant, revoked and expired ones too, oldest first.
    pub async fn list(self, tenant: TenantId) -> Result<Vec<ApiKey>, RecordsError> {
        let rows = sqlx::query(select!("WHERE tenant_id = $1 ORDER BY created_at, id"))
            .bind(tenant.to_string())
            .fetch_all(&mut *self.on.reader().await?)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The keys of all tenants, for the door: whose a call is stands in its key.
    pub async fn all(self) -> Result<Vec<ApiKey>, RecordsError> {
        let rows = sqlx::query(select!("ORDER BY created_at, id")).fetch_all(&mut *self.on.reader().await?).await?;
        rows.iter().map(read).collect()
    }

    /// Ends a key for good and gives the tenant's new revision; none where the tenant has no such key. The first end counts: a second
    /// call leaves it.
    pub async fn revoke(self, tenant: TenantId, id: KeyId, at: Timestamp) -> Result<Option<u64>, RecordsError> {
        change!(self.on, |connection| revoke(connection, tenant, id, at).await)
    }
}

async fn insert(connection: &mut AnyConnection, key: &ApiKey) -> Result<u64, RecordsError> {
    let revision = touch_tenant(&mut *connection, key.tenant).await?;
    sqlx::query(
        "INSERT INTO api_keys (id, tenant_id, kind, name, access_key, secret_hash, scope, allowed_ips, origins, created_at, \
         expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(key.id.to_string())
    .bind(key.tenant.to_string())
    .bind(key.kind.as_str())
    .bind(&key.name)
    .bind(&key.access_key.0)
    .bind(HEXLOWER.encode(&key.secret_hash.0))
    .bind(scope_word(key.scope))
    .bind(json("key", "allowed_ips", &key.allowed_ips)?)
    .bind(origins(key)?)
    .bind(key.created_at.millis())
    .bind(key.expires_at.map(Timestamp::millis))
    .bind(key.revoked_at.map(Timestamp::millis))
    .execute(connection)
    .await?;
    Ok(revision)
}

async fn revoke(connection: &mut AnyConnection, tenant: TenantId, id: KeyId, at: Timestamp) -> Result<Option<u64>, RecordsError> {
    lock(&mut *connection).await?;
    let ended = sqlx::query("UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $3) WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.to_string())
        .bind(id.to_string())
        .bind(at.millis())
        .execute(&mut *connection)
        .await?;
    if ended.rows_affected() == 0 {
        return Ok(None);
    }
    touch_tenant(connection, tenant).await.map(Some)
}

const fn scope_word(scope: KeyScope) -> &'static str {
    match scope {
        KeyScope::Full => "full",
        // That it is for browsers its origins say.
        KeyScope::ReadOnly | KeyScope::Browser => "read_only",
    }
}

fn origins(key: &ApiKey) -> Result<Option<String>, RecordsError> {
    match key.scope {
        KeyScope::Browser => json("key", "origins", &key.origins).map(Some),
        KeyScope::Full | KeyScope::ReadOnly => Ok(None),
    }
}

fn read(row: &AnyRow) -> Result<ApiKey, RecordsError> {
    let stored = Stored { record: "key", row };
    let is_for_pages = stored.text_or_none("origins")?.is_some();
    Ok(ApiKey {
        id: stored.parsed("id")?,
        tenant: stored.parsed("tenant_id")?,
        kind: match stored.text("kind")?.as_str() {
            "live" => KeyKind::Live,
            "test" => KeyKind::Test,
            _ => return Err(stored.corrupt("kind")),
        },
        name: stored.text("name")?,
        access_key: AccessKey(stored.text("access_key")?),
        secret_hash: SecretHash(stored.hash("secret_hash")?),
        scope: match stored.text("scope")?.as_str() {
            "read_only" if is_for_pages => KeyScope::Browser,
            "read_only" => KeyScope::ReadOnly,
            "full" if !is_for_pages => KeyScope::Full,
            _ => return Err(stored.corrupt("scope")),
        },
        allowed_ips: stored.json("allowed_ips")?,
        origins: if is_for_pages { stored.json("origins")? } else { Vec::new() },
        created_at: stored.moment("created_at")?,
        expires_at: stored.moment_or_none("expires_at")?,
        revoked_at: stored.moment_or_none("revoked_at")?,
    })
}
