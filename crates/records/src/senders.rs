//! The names and numbers that messages come from.

use countersign_model::{Sender, TenantId, Uuid};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::Stored;
use crate::configuration::{lock, touch_tenant};
use crate::transaction::{On, change};

/// What [`read`] reads.
macro_rules! select {
    ($which:literal) => {
        concat!("SELECT id, tenant_id, channel, value, created_at FROM senders ", $which)
    };
}

/// The table of senders. Made by [`Records::senders`](crate::Records::senders).
#[derive(Debug)]
pub struct Senders<'a> {
    pub(crate) on: On<'a>,
}

impl Senders<'_> {
    /// Adds a sender to the tenant it names and gives the tenant's new revision. The tenant has its id, or its value on that channel,
    /// already: [`RecordsError::Exists`].
    pub async fn insert(self, sender: &Sender) -> Result<u64, RecordsError> {
        change!(self.on, |connection| insert(connection, sender).await)
    }

    /// Replaces channel and value and gives the tenant's new revision; none where the tenant has no such sender.
    pub async fn update(self, sender: &Sender) -> Result<Option<u64>, RecordsError> {
        change!(self.on, |connection| update(connection, sender).await)
    }

    /// Removes a sender and gives the tenant's new revision; none where the tenant has no such sender.
    pub async fn delete(self, tenant: TenantId, id: Uuid) -> Result<Option<u64>, RecordsError> {
        change!(self.on, |connection| delete(connection, tenant, id).await)
    }

    /// The sender with this id, where the tenant has it.
    pub async fn find(self, tenant: TenantId, id: Uuid) -> Result<Option<Sender>, RecordsError> {
        let row = sqlx::query(select!("WHERE tenant_id = $1 AND id = $2"))
            .bind(tenant.to_string())
            .bind(id.to_string())
            .fetch_optional(&mut *self.on.reader().await?)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The senders of one tenant, oldest first.
    pub async fn list(self, tenant: TenantId) -> Result<Vec<Sender>, RecordsError> {
        let rows = sqlx::query(select!("WHERE tenant_id = $1 ORDER BY created_at, id"))
            .bind(tenant.to_string())
            .fetch_all(&mut *self.on.reader().await?)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The senders of all tenants, oldest first.
    pub(crate) async fn all(self) -> Result<Vec<Sender>, RecordsError> {
        let rows = sqlx::query(select!("ORDER BY created_at, id")).fetch_all(&mut *self.on.reader().await?).await?;
        rows.iter().map(read).collect()
    }
}

async fn insert(connection: &mut AnyConnection, sender: &Sender) -> Result<u64, RecordsError> {
    let revision = touch_tenant(&mut *connection, sender.tenant).await?;
    sqlx::query("INSERT INTO senders (tenant_id, id, channel, value, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(sender.tenant.to_string())
        .bind(sender.id.to_string())
        .bind(sender.channel.as_str())
        .bind(&sender.value)
        .bind(sender.created_at.millis())
        .execute(connection)
        .await?;
    Ok(revision)
}

async fn update(connection: &mut AnyConnection, sender: &Sender) -> Result<Option<u64>, RecordsError> {
    lock(&mut *connection).await?;
    let changed = sqlx::query("UPDATE senders SET channel = $3, value = $4 WHERE tenant_id = $1 AND id = $2")
        .bind(sender.tenant.to_string())
        .bind(sender.id.to_string())
        .bind(sender.channel.as_str())
        .bind(&sender.value)
        .execute(&mut *connection)
        .await?;
    if changed.rows_affected() == 0 {
        return Ok(None);
    }
    touch_tenant(connection, sender.tenant).await.map(Some)
}

async fn delete(connection: &mut AnyConnection, tenant: TenantId, id: Uuid) -> Result<Option<u64>, RecordsError> {
    lock(&mut *connection).await?;
    let gone = sqlx::query("DELETE FROM senders WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.to_string())
        .bind(id.to_string())
        .execute(&mut *connection)
        .await?;
    if gone.rows_affected() == 0 {
        return Ok(None);
    }
    touch_tenant(connection, tenant).await.map(Some)
}

fn read(row: &AnyRow) -> Result<Sender, RecordsError> {
    let stored = Stored { record: "sender", row };
    Ok(Sender {
        id: stored.parsed("id")?,
        tenant: stored.parsed("tenant_id")?,
        channel: stored.parsed("channel")?,
        value: stored.text("value")?,
        created_at: stored.moment("created_at")?,
    })
}
