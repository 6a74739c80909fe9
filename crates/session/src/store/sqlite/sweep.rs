//! Forgetting what nobody can ask for any more, a little at a time, so that no step waits long behind it.

use countersign_model::{Partition, Timestamp};
use rusqlite::{Connection, OptionalExtension, Statement};

use super::unavailable;
use crate::store::StoreError;

/// Rows of a table that one turn looks at.
const TURN: i64 = 512;

/// Walks the tables round and round. There is no index by age: it would cost every step to save the sweep a little.
pub(super) struct Sweeper<'c> {
    subjects: Walk<'c>,
    replies: Walk<'c>,
    names: Walk<'c>,
    messages: Walk<'c>,
    log: Statement<'c>,
    empty: Statement<'c>,
}

impl<'c> Sweeper<'c> {
    /// Prepares its statements.
    pub(super) fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        // The last entry's number stays: the next one is counted from it.
        let log = "DELETE FROM log WHERE partition = ?1 AND sequence <= ?2 AND at < ?3
             AND sequence IN (SELECT sequence FROM log WHERE partition = ?1 ORDER BY sequence LIMIT ?4)
             AND sequence < (SELECT max(sequence) FROM log WHERE partition = ?1)";
        let empty = "UPDATE log SET value = x'' WHERE partition = ?1 AND sequence <= ?2 AND at < ?3 AND length(value) > 0
             AND sequence = (SELECT max(sequence) FROM log WHERE partition = ?1)";
        Ok(Self {
            empty: connection.prepare(empty).map_err(unavailable)?,
            subjects: Walk::new(connection, "subjects")?,
            replies: Walk::new(connection, "replies")?,
            names: Walk::new(connection, "names")?,
            messages: Walk::new(connection, "messages")?,
            log: connection.prepare(log).map_err(unavailable)?,
        })
    }

    /// Does one turn. True when nothing is left to do but to begin again.
    pub(super) fn turn(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let subjects_done = self.subjects.turn(now)?;
        let replies_done = self.replies.turn(now)?;
        let names_done = self.names.turn(now)?;
        let messages_done = self.messages.turn(now)?;
        Ok(subjects_done && replies_done && names_done && messages_done)
    }

    /// Drops a stretch of a log's oldest entries. True when none is left to drop.
    pub(super) fn trim(&mut self, partition: Partition, sequence: u64, before: Timestamp) -> Result<bool, StoreError> {
        let (number, sequence) = (partition.number(), i64::try_from(sequence).unwrap_or(i64::MAX));
        let dropped = self.log.execute((number, sequence, before.millis(), TURN)).map_err(unavailable)?;
        self.empty.execute((number, sequence, before.millis())).map_err(unavailable)?;
        Ok(i64::try_from(dropped).unwrap_or(i64::MAX) < TURN)
    }
}

/// A place in a table of forgettable rows.
struct Walk<'c> {
    /// The last key looked at; empty at the start of a round.
    after: Vec<u8>,
    stretch: Statement<'c>,
    forget: Statement<'c>,
}

impl<'c> Walk<'c> {
    fn new(connection: &'c Connection, table: &str) -> Result<Self, StoreError> {
        let stretch = format!("SELECT key FROM {table} WHERE key > ?1 ORDER BY key LIMIT 1 OFFSET ?2");
        let forget = format!("DELETE FROM {table} WHERE key > ?1 AND (?2 IS NULL OR key <= ?2) AND forget_at <= ?3");
        Ok(Self {
            after: Vec::new(),
            stretch: connection.prepare(&stretch).map_err(unavailable)?,
            forget: connection.prepare(&forget).map_err(unavailable)?,
        })
    }

    /// Looks at the next rows. True when these were the last of the table.
    fn turn(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let last: Option<Vec<u8>> =
            self.stretch.query_row((&self.after, TURN - 1), |row| row.get(0)).optional().map_err(unavailable)?;
        self.forget.execute((&self.after, &last, now.millis())).map_err(unavailable)?;
        let done = last.is_none();
        self.after = last.unwrap_or_default();
        Ok(done)
    }
}
