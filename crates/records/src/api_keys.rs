//! What lets callers in: the public half and the hash of the secret.

use countersign_model::{AccessKey, ApiKey, KeyId, KeyKind, KeyScope, SecretHash, TenantId, Timestamp};
use data_encoding::HEXLOWER;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use crate::RecordsError;

/// The table of API keys. Made by [`Records::api_keys`](crate::Records::api_keys).
#[derive(Debug, Clone, Copy)]
pub struct ApiKeys<'a> {
    pool: &'a SqlitePool,
}

impl<'a> ApiKeys<'a> {
    pub(crate) const fn new(pool: &'a SqlitePool) -> Self {
        Self { pool }
    }

    /// Adds a key to the tenant it names.
    pub async fn insert(&self, key: &ApiKey) -> Result<(), RecordsError> {
        let allowed_ips =
            serde_json::to_string(&key.allowed_ips).map_err(|_| RecordsError::Corrupt { record: "key", field: "allowed_ips" })?;
        sqlx::query(
            "INSERT INTO api_keys (id, tenant_id, kind, name, access_key, secret_hash, scope, allowed_ips, created_at, expires_at, \
             revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(key.id.to_string())
        .bind(key.tenant.to_string())
        .bind(key.kind.as_str())
        .bind(&key.name)
        .bind(&key.access_key.0)
        .bind(HEXLOWER.encode(&key.secret_hash.0))
        .bind(scope_word(key.scope))
        .bind(allowed_ips)
        .bind(key.created_at.millis())
        .bind(key.expires_at.map(Timestamp::millis))
        .bind(key.revoked_at.map(Timestamp::millis))
        .execute(self.pool)
        .await?;
        Ok(())
    }

    /// The keys of one tenant, revoked and expired ones too, oldest first.
    pub async fn list(&self, tenant: TenantId) -> Result<Vec<ApiKey>, RecordsError> {
        let rows: Vec<StoredKey> = sqlx::query_as("SELECT * FROM api_keys WHERE tenant_id = $1 ORDER BY created_at, id")
            .bind(tenant.to_string())
            .fetch_all(self.pool)
            .await?;
        rows.into_iter().map(StoredKey::read).collect()
    }

    /// The keys of all tenants, for the door: whose a call is stands in its key.
    pub async fn all(&self) -> Result<Vec<ApiKey>, RecordsError> {
        let rows: Vec<StoredKey> = sqlx::query_as("SELECT * FROM api_keys ORDER BY created_at, id").fetch_all(self.pool).await?;
        rows.into_iter().map(StoredKey::read).collect()
    }

    /// Ends a key for good and tells whether the tenant has such a key. The first end counts: a second call changes nothing.
    pub async fn revoke(&self, tenant: TenantId, id: KeyId, at: Timestamp) -> Result<bool, RecordsError> {
        let found = sqlx::query("UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $3) WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.to_string())
            .bind(id.to_string())
            .bind(at.millis())
            .execute(self.pool)
            .await?;
        Ok(found.rows_affected() > 0)
    }
}

const fn scope_word(scope: KeyScope) -> &'static str {
    match scope {
        KeyScope::Full => "full",
        KeyScope::ReadOnly => "read_only",
    }
}

/// A row before its texts have been understood.
struct StoredKey {
    id: String,
    tenant: String,
    kind: String,
    name: String,
    access_key: String,
    secret_hash: String,
    scope: String,
    allowed_ips: String,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl<'r> FromRow<'r, SqliteRow> for StoredKey {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            tenant: row.try_get("tenant_id")?,
            kind: row.try_get("kind")?,
            name: row.try_get("name")?,
            access_key: row.try_get("access_key")?,
            secret_hash: row.try_get("secret_hash")?,
            scope: row.try_get("scope")?,
            allowed_ips: row.try_get("allowed_ips")?,
            created_at: row.try_get("created_at")?,
            expires_at: row.try_get("expires_at")?,
            revoked_at: row.try_get("revoked_at")?,
        })
    }
}

impl StoredKey {
    fn read(self) -> Result<ApiKey, RecordsError> {
        let corrupt = |field| RecordsError::Corrupt { record: "key", field };
        let secret_hash = HEXLOWER.decode(self.secret_hash.as_bytes()).ok().and_then(|hash| hash.try_into().ok());
        Ok(ApiKey {
            id: self.id.parse().map_err(|_| corrupt("id"))?,
            tenant: self.tenant.parse().map_err(|_| corrupt("tenant_id"))?,
            kind: match self.kind.as_str() {
                "live" => KeyKind::Live,
                "test" => KeyKind::Test,
                _ => return Err(corrupt("kind")),
            },
            name: self.name,
            access_key: AccessKey(self.access_key),
            secret_hash: SecretHash(secret_hash.ok_or_else(|| corrupt("secret_hash"))?),
            scope: match self.scope.as_str() {
                "full" => KeyScope::Full,
                "read_only" => KeyScope::ReadOnly,
                _ => return Err(corrupt("scope")),
            },
            allowed_ips: serde_json::from_str(&self.allowed_ips).map_err(|_| corrupt("allowed_ips"))?,
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: self.expires_at.map(Timestamp::from_millis),
            revoked_at: self.revoked_at.map(Timestamp::from_millis),
        })
    }
}
