//! Whether the log still is what was read of it.

use countersign_model::LogEntry;
use countersign_records::{Cursor, Moved};
use tracing::warn;

use super::{BATCH, Inner, ProjectError, fingerprint};

/// What a look at a partition's log came to.
pub(super) enum Read {
    /// It goes on where it was left.
    On {
        /// What comes next.
        entries: Vec<LogEntry>,
        /// How far the log's end is away, in sequence numbers.
        behind: u64,
    },
    /// It lost its end: the cursor is back at the beginning.
    Rewound,
}

impl Inner {
    /// Reads on, together with the last entry that was read: if that is another one now, or the log ends before it, then the log lost its end
    /// and has been written on since. An entry that was trimmed is too old to have been lost.
    pub(super) async fn read(&self, cursor: &Cursor) -> Result<Read, ProjectError> {
        let page = self.store.read_log(cursor.partition, cursor.position.saturating_sub(1), BATCH + 1).await?;
        let last = page.entries.first().filter(|entry| entry.sequence == cursor.position && cursor.position > 0);
        let is_another = last.is_some_and(|entry| fingerprint::entry(entry) != cursor.digest);
        if page.end < cursor.position || is_another {
            self.rewind(cursor, page.end).await?;
            return Ok(Read::Rewound);
        }
        let mut entries: Vec<_> = page.entries.into_iter().filter(|entry| entry.sequence > cursor.position).collect();
        entries.truncate(BATCH);
        Ok(Read::On { behind: page.end.saturating_sub(cursor.position), entries })
    }

    async fn rewind(&self, cursor: &Cursor, end: u64) -> Result<(), ProjectError> {
        warn!(partition = ?cursor.partition, position = cursor.position, end, "the log lost its end: what is left of it is read again");
        self.metrics.log.rewound();
        let leased_until = self.clock.now().plus(super::LEASE);
        let start = Moved { position: 0, digest: "", holder: &self.name, leased_until };
        self.records.cursors().advance(cursor.partition, cursor.position, start).await?;
        Ok(())
    }
}
