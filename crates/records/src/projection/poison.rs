//! Entries of the log that were set aside.

use std::fmt;

use countersign_model::{Partition, Timestamp};
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::Stored;
use crate::transaction::{On, change};
use crate::words::words;

words! {
    /// Why an entry was set aside.
    PoisonKind {
        /// It tells of a session, a message or an earlier event that nobody knows.
        Gap = "gap",
        /// It tells another story than was told before under the same number: the log lost events that had been read.
        Fork = "fork",
        /// It, or what it belongs to, cannot be read or written.
        Refused = "refused",
    }
}

/// An entry that could not be taken in. What it would have caused is missing until it is retried, and so are later entries on the same thing.
#[derive(Clone, PartialEq, Eq)]
pub struct Poison {
    /// Whose log.
    pub partition: Partition,
    /// Its place there.
    pub sequence: u64,
    /// When it was written. With partition and sequence, its name: a log that starts again counts its places again.
    pub entry_at: Timestamp,
    /// What it is about: a session's or a tenant's id.
    pub aggregate: String,
    /// Why, in a word.
    pub kind: PoisonKind,
    /// Why, in a sentence without anybody's address.
    pub error: String,
    /// The entry as JSON. Holds recipients.
    pub entry: String,
    /// When it was set aside.
    pub at: Timestamp,
}

/// Without the entry, which holds recipients.
impl fmt::Debug for Poison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, sequence, aggregate, kind, error, at, .. } = self;
        write!(f, "Poison({partition:?}, {sequence}, {aggregate}, {kind:?}, {error:?}, {at})")
    }
}

/// The table of entries set aside. Made by [`Records::poison`](crate::Records::poison).
#[derive(Debug)]
pub struct PoisonEvents<'a> {
    pub(crate) on: On<'a>,
}

impl PoisonEvents<'_> {
    /// Sets an entry aside, once.
    pub async fn insert(self, poison: &Poison) -> Result<(), RecordsError> {
        let sequence = sequence(poison.sequence)?;
        change!(self.on, |connection| {
            sqlx::query(
                "INSERT INTO poison_events (partition, sequence, entry_at, aggregate, kind, error, entry, at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (partition, sequence, entry_at) DO NOTHING",
            )
            .bind(i64::from(poison.partition.number()))
            .bind(sequence)
            .bind(poison.entry_at.millis())
            .bind(&poison.aggregate)
            .bind(poison.kind.as_str())
            .bind(&poison.error)
            .bind(&poison.entry)
            .bind(poison.at.millis())
            .execute(connection)
            .await?;
            Ok(())
        })
    }

    /// The oldest, at most `limit`: in the order in which retrying them makes sense.
    pub async fn list(self, limit: u32) -> Result<Vec<Poison>, RecordsError> {
        let select = "SELECT partition, sequence, entry_at, aggregate, kind, error, entry, at FROM poison_events \
                      ORDER BY entry_at, partition, sequence LIMIT $1";
        let rows = sqlx::query(select).bind(i64::from(limit)).fetch_all(&mut *self.on.reader().await?).await?;
        rows.iter().map(read).collect()
    }

    /// One of them.
    pub async fn find(self, partition: Partition, number: u64, entry_at: Timestamp) -> Result<Option<Poison>, RecordsError> {
        let select = "SELECT partition, sequence, entry_at, aggregate, kind, error, entry, at FROM poison_events \
                      WHERE partition = $1 AND sequence = $2 AND entry_at = $3";
        let row = sqlx::query(select)
            .bind(i64::from(partition.number()))
            .bind(sequence(number)?)
            .bind(entry_at.millis())
            .fetch_optional(&mut *self.on.reader().await?)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// How many there are.
    pub async fn count(self) -> Result<u64, RecordsError> {
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM poison_events").fetch_one(&mut *self.on.reader().await?).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Forgets one, retried or given up, and tells whether it was there.
    pub async fn remove(self, partition: Partition, number: u64, entry_at: Timestamp) -> Result<bool, RecordsError> {
        let sequence = sequence(number)?;
        change!(self.on, |connection| {
            let gone = sqlx::query("DELETE FROM poison_events WHERE partition = $1 AND sequence = $2 AND entry_at = $3")
                .bind(i64::from(partition.number()))
                .bind(sequence)
                .bind(entry_at.millis())
                .execute(connection)
                .await?;
            Ok(gone.rows_affected() > 0)
        })
    }
}

fn sequence(number: u64) -> Result<i64, RecordsError> {
    i64::try_from(number).map_err(|_| RecordsError::Corrupt { record: "log entry", field: "sequence" })
}

fn read(row: &AnyRow) -> Result<Poison, RecordsError> {
    let stored = Stored { record: "poison event", row };
    Ok(Poison {
        partition: Partition::of(stored.number("partition")?),
        sequence: stored.number("sequence")?,
        entry_at: stored.moment("entry_at")?,
        aggregate: stored.text("aggregate")?,
        kind: stored.parsed("kind")?,
        error: stored.text("error")?,
        entry: stored.text("entry")?,
        at: stored.moment("at")?,
    })
}
