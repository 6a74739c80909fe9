//! How far the log has been read.

use countersign_model::{Partition, Timestamp};
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::Stored;
use crate::transaction::{On, change};

/// Up to where one partition's log has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Whose log.
    pub partition: Partition,
    /// Sequence of the last entry read; zero: none yet.
    pub position: u64,
    /// Fingerprint of that entry.
    pub digest: String,
    /// Who reads it, as long as the lease runs.
    pub holder: String,
    /// Until then others leave it alone. They would do no harm, only work for nothing.
    pub leased_until: Timestamp,
}

/// Where a cursor goes.
#[derive(Debug, Clone, Copy)]
pub struct Moved<'a> {
    /// Sequence of the last entry that was read.
    pub position: u64,
    /// Its fingerprint.
    pub digest: &'a str,
    /// Who read it.
    pub holder: &'a str,
    /// Until when others are asked to leave the partition alone.
    pub leased_until: Timestamp,
}

/// The table of cursors. Made by [`Records::cursors`](crate::Records::cursors).
#[derive(Debug)]
pub struct Cursors<'a> {
    pub(crate) on: On<'a>,
}

impl Cursors<'_> {
    /// Every partition's, in order.
    pub async fn all(self) -> Result<Vec<Cursor>, RecordsError> {
        let select = "SELECT partition, position, digest, holder, leased_until FROM log_cursor ORDER BY partition";
        sqlx::query(select).fetch_all(&mut *self.on.reader().await?).await?.iter().map(read).collect()
    }

    /// Moves a cursor from where it was seen, and tells whether it still stood there: if not, somebody else has done the work, and whatever
    /// was done in this transaction must be undone. Belongs at the transaction's beginning: whoever comes second waits here.
    pub async fn advance(self, partition: Partition, from: u64, to: Moved<'_>) -> Result<bool, RecordsError> {
        let (from, position) = (number(from)?, number(to.position)?);
        change!(self.on, |connection| {
            let moved = sqlx::query(
                "UPDATE log_cursor SET position = $3, digest = $4, holder = $5, leased_until = $6 WHERE partition = $1 AND position = $2",
            )
            .bind(i64::from(partition.number()))
            .bind(from)
            .bind(position)
            .bind(to.digest)
            .bind(to.holder)
            .bind(to.leased_until.millis())
            .execute(connection)
            .await?;
            Ok(moved.rows_affected() > 0)
        })
    }
}

fn number(sequence: u64) -> Result<i64, RecordsError> {
    i64::try_from(sequence).map_err(|_| RecordsError::Corrupt { record: "log entry", field: "sequence" })
}

fn read(row: &AnyRow) -> Result<Cursor, RecordsError> {
    let stored = Stored { record: "cursor", row };
    Ok(Cursor {
        partition: Partition::of(stored.number("partition")?),
        position: stored.number("position")?,
        digest: stored.text("digest")?,
        holder: stored.text("holder")?,
        leased_until: stored.moment("leased_until")?,
    })
}
