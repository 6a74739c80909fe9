//! Forgetting what is old. What was charged stays in the ledger for ever; sessions and messages stay as long as the operator says.

use countersign_model::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::counts::{Cell, Counts, HOUR};
use super::list::List;
use super::sessions::ShownStatus;
use super::{messages, sessions};
use crate::columns::Stored;
use crate::many::delete_many;
use crate::transaction::{On, change};
use crate::{Realm, Records, RecordsError};

impl Records {
    /// Removes sessions and messages of a realm that were made before a moment, the oldest first, at most `limit` of each, and takes them out of
    /// the totals of lists. Tells how many rows went; none: there are no more.
    ///
    /// Nothing may come for them any more: the log knows no way to change what is not there.
    pub async fn forget_before(&self, realm: Realm, before: Timestamp, limit: u32) -> Result<u64, RecordsError> {
        let sessions = change!(On::Records(self), |connection| {
            let gone = remove(&mut *connection, &sessions::LIST, realm, before, limit).await?;
            settle(&mut *connection, &sessions::LIST, realm, before, &gone, |row| {
                Ok(row.parsed::<ShownStatus>("status")?.as_str())
            })
            .await
        })?;
        let messages = change!(On::Records(self), |connection| {
            let gone = remove(&mut *connection, &messages::LIST, realm, before, limit).await?;
            let ids = gone.iter().map(|row| Stored { record: "message", row }.text("id")).collect::<Result<Vec<_>, _>>()?;
            delete_many(&mut *connection, "message_history", "message_id", &ids).await?;
            settle(&mut *connection, &messages::LIST, realm, before, &gone, |row| Ok(messages::status(row)?.as_str())).await
        })?;
        Ok(sessions + messages)
    }
}

/// Removes rows and gives what the counts know of them. Of two that remove at the same time one gets a row.
async fn remove(
    connection: &mut AnyConnection,
    list: &List,
    realm: Realm,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<AnyRow>, RecordsError> {
    let List { table, status, channel, shown, .. } = list;
    let text = format!(
        "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE realm = $1 AND created_at < $2 ORDER BY created_at, id LIMIT $3) \
         RETURNING id, created_at, service_id, {channel} AS channel, {status} AS status, CASE WHEN 1 = 1{shown} THEN 1 ELSE 0 END AS counted"
    );
    Ok(sqlx::query(AssertSqlSafe(text))
        .bind(realm.to_string())
        .bind(before.millis())
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?)
}

/// Takes removed rows out of the counts, and drops counts of old hours that have come to nothing.
async fn settle(
    connection: &mut AnyConnection,
    list: &List,
    realm: Realm,
    before: Timestamp,
    gone: &[AnyRow],
    status: impl Fn(&Stored<'_>) -> Result<&'static str, RecordsError>,
) -> Result<u64, RecordsError> {
    if gone.is_empty() {
        return Ok(0);
    }
    let mut counts = Counts::default();
    for row in gone {
        let stored = Stored { record: list.name, row };
        if row.try_get::<i32, _>("counted").map_err(|_| stored.corrupt("status"))? == 1 {
            let (at, service) = (stored.moment("created_at")?, stored.parsed_or_none("service_id")?);
            counts.gone(Cell::new(realm, at, service, stored.parsed("channel")?, status(&stored)?));
        }
    }
    counts.write(&mut *connection, list).await?;
    sqlx::query("DELETE FROM list_counts WHERE list = $1 AND realm = $2 AND hour <= $3 AND total = 0")
        .bind(list.name)
        .bind(realm.to_string())
        .bind(before.millis().div_euclid(HOUR))
        .execute(connection)
        .await?;
    Ok(u64::try_from(gone.len()).unwrap_or(u64::MAX))
}
