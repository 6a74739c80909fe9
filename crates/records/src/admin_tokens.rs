//! What lets operators in.

use countersign_model::{SecretHash, Timestamp};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::{Stored, json};
use crate::configuration::touch;
use crate::transaction::{On, change};

/// What [`read`] reads.
macro_rules! select {
    ($which:literal) => {
        concat!("SELECT name, hash, scopes, created_at, expires_at, revoked_at FROM admin_tokens ", $which)
    };
}

/// A token of the admin API. The token itself is shown once and never kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminToken {
    /// Who it is, in the audit log too: unique for ever, also after its end.
    pub name: String,
    /// What is kept of it.
    pub hash: SecretHash,
    /// What it may do; the admin API knows the words.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it dies by itself.
    pub expires_at: Option<Timestamp>,
    /// When somebody ended it.
    pub revoked_at: Option<Timestamp>,
}

impl AdminToken {
    /// Whether it opens the door at `now`.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// The table of admin tokens. Made by [`Records::admin_tokens`](crate::Records::admin_tokens).
///
/// The admin API asks here on each of its calls, so that an end is an end at once. What the configuration in memory holds of them is for the
/// time in which nobody can be asked.
#[derive(Debug)]
pub struct AdminTokens<'a> {
    pub(crate) on: On<'a>,
}

impl AdminTokens<'_> {
    /// Adds a token. One of this name exists, or existed: [`RecordsError::Exists`].
    pub async fn insert(self, token: &AdminToken) -> Result<(), RecordsError> {
        change!(self.on, |connection| insert(connection, token).await)
    }

    /// The token with this hash, revoked and expired ones too: see [`AdminToken::is_usable`].
    pub async fn find_by_hash(self, hash: SecretHash) -> Result<Option<AdminToken>, RecordsError> {
        let row = sqlx::query(select!("WHERE hash = $1"))
            .bind(HEXLOWER.encode(&hash.0))
            .fetch_optional(&mut *self.on.reader().await?)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The token that is called so.
    pub async fn find(self, name: &str) -> Result<Option<AdminToken>, RecordsError> {
        let row = sqlx::query(select!("WHERE name = $1")).bind(name).fetch_optional(&mut *self.on.reader().await?).await?;
        row.as_ref().map(read).transpose()
    }

    /// All tokens, revoked and expired ones too, oldest first.
    pub async fn list(self) -> Result<Vec<AdminToken>, RecordsError> {
        let rows = sqlx::query(select!("ORDER BY created_at, name")).fetch_all(&mut *self.on.reader().await?).await?;
        rows.iter().map(read).collect()
    }

    /// Ends a token for good and tells whether there is one of this name. The first end counts: a second call changes nothing.
    pub async fn revoke(self, name: &str, at: Timestamp) -> Result<bool, RecordsError> {
        change!(self.on, |connection| revoke(connection, name, at).await)
    }
}

async fn insert(connection: &mut AnyConnection, token: &AdminToken) -> Result<(), RecordsError> {
    touch(&mut *connection).await?;
    sqlx::query(
        "INSERT INTO admin_tokens (name, hash, scopes, created_at, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&token.name)
    .bind(HEXLOWER.encode(&token.hash.0))
    .bind(json("admin token", "scopes", &token.scopes)?)
    .bind(token.created_at.millis())
    .bind(token.expires_at.map(Timestamp::millis))
    .bind(token.revoked_at.map(Timestamp::millis))
    .execute(connection)
    .await?;
    Ok(())
}

async fn revoke(connection: &mut AnyConnection, name: &str, at: Timestamp) -> Result<bool, RecordsError> {
    touch(&mut *connection).await?;
    let ended = sqlx::query("UPDATE admin_tokens SET revoked_at = COALESCE(revoked_at, $2) WHERE name = $1")
        .bind(name)
        .bind(at.millis())
        .execute(connection)
        .await?;
    Ok(ended.rows_affected() > 0)
}

fn read(row: &AnyRow) -> Result<AdminToken, RecordsError> {
    let stored = Stored { record: "admin token", row };
    Ok(AdminToken {
        name: stored.text("name")?,
        hash: SecretHash(stored.hash("hash")?),
        scopes: stored.json("scopes")?,
        created_at: stored.moment("created_at")?,
        expires_at: stored.moment_or_none("expires_at")?,
        revoked_at: stored.moment_or_none("revoked_at")?,
    })
}
