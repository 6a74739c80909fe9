//! Who changed what, and when. Entries are added and read; nothing here changes or removes one.

use countersign_model::{TenantId, Timestamp};
use serde_json::Value;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::Stored;
use crate::transaction::{On, change};

/// What [`read`] reads.
macro_rules! select {
    ($which:literal) => {
        concat!("SELECT number, at, who, what, tenant_id, target_kind, target_id, before_json, after_json FROM audit ", $which)
    };
}

/// What is to be remembered of a change. The caller leaves secrets out of both states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAuditEntry {
    /// When.
    pub at: Timestamp,
    /// The admin token's name, or who else it was: `terminal`.
    pub who: String,
    /// What was done: `service.update`.
    pub what: String,
    /// Whose record it was; none: the installation's.
    pub tenant: Option<TenantId>,
    /// Which kind of record: `service`.
    pub target_kind: String,
    /// Which one.
    pub target_id: String,
    /// How it was; none: it was not there.
    pub before: Option<Value>,
    /// How it is; none: it is gone.
    pub after: Option<Value>,
}

/// A remembered change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place: 1, 2, 3, without gaps, in the order in which the changes became valid.
    pub number: i64,
    /// What is remembered.
    pub entry: NewAuditEntry,
}

/// Which entries are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Those of one tenant; none: all.
    pub tenant: Option<TenantId>,
    /// Those before this number, to go on from a page; none: from the newest.
    pub before: Option<i64>,
}

/// The audit log. Made by [`Records::audit`](crate::Records::audit).
#[derive(Debug)]
pub struct Audit<'a> {
    pub(crate) on: On<'a>,
}

impl Audit<'_> {
    /// Adds an entry and gives its number. Belongs into the transaction of the change it tells of, as its last statement: entries queue.
    pub async fn insert(self, entry: &NewAuditEntry) -> Result<i64, RecordsError> {
        change!(self.on, |connection| insert(connection, entry).await)
    }

    /// Entries, the newest first, at most `limit`.
    pub async fn list(self, filter: AuditFilter, limit: u32) -> Result<Vec<AuditEntry>, RecordsError> {
        let mut reader = self.on.reader().await?;
        let before = filter.before.unwrap_or(i64::MAX);
        let query = match filter.tenant {
            Some(tenant) => sqlx::query(select!("WHERE number < $1 AND tenant_id = $3 ORDER BY number DESC LIMIT $2"))
                .bind(before)
                .bind(i64::from(limit))
                .bind(tenant.to_string()),
            None => sqlx::query(select!("WHERE number < $1 ORDER BY number DESC LIMIT $2")).bind(before).bind(i64::from(limit)),
        };
        query.fetch_all(&mut *reader).await?.iter().map(read).collect()
    }
}

async fn insert(connection: &mut AnyConnection, entry: &NewAuditEntry) -> Result<i64, RecordsError> {
    let number: i64 = sqlx::query_scalar("UPDATE counters SET value = value + 1 WHERE name = 'audit' RETURNING value")
        .fetch_one(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO audit (number, at, who, what, tenant_id, target_kind, target_id, before_json, after_json) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(number)
    .bind(entry.at.millis())
    .bind(&entry.who)
    .bind(&entry.what)
    .bind(entry.tenant.map(|tenant| tenant.to_string()))
    .bind(&entry.target_kind)
    .bind(&entry.target_id)
    .bind(entry.before.as_ref().map(Value::to_string))
    .bind(entry.after.as_ref().map(Value::to_string))
    .execute(connection)
    .await?;
    Ok(number)
}

fn read(row: &AnyRow) -> Result<AuditEntry, RecordsError> {
    let stored = Stored { record: "audit entry", row };
    Ok(AuditEntry {
        number: stored.number("number")?,
        entry: NewAuditEntry {
            at: stored.moment("at")?,
            who: stored.text("who")?,
            what: stored.text("what")?,
            tenant: stored.parsed_or_none("tenant_id")?,
            target_kind: stored.text("target_kind")?,
            target_id: stored.text("target_id")?,
            before: stored.json_or_none("before_json")?,
            after: stored.json_or_none("after_json")?,
        },
    })
}
