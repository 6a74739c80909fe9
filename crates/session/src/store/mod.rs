//! Where sessions live. A step on a session and the events it causes are one atomic, repeatable call.
//!
//! Engines differ in how they keep values; what a step does stands once, in `steps`, over the rows that an engine offers.

mod faults;
mod memory;
mod rows;
mod sqlite;
mod steps;
#[cfg(any(test, feature = "suite"))]
pub mod suite;
mod verdicts;

use async_trait::async_trait;
use countersign_model::{LogEntry, Partition, Scope, SessionId, Timestamp};

#[doc(hidden)]
pub use faults::{FaultPoint, Faults};
pub use memory::MemoryStore;
pub use sqlite::{SqliteOptions, SqliteStore};
pub use steps::{Advance, Cancel, Claim, Count, Lapse, Open, Outcomes, Record, Resend, SendLimits, Verify};
pub use verdicts::{Answer, CancelVerdict, LapseVerdict, OpenVerdict, RecordVerdict, SendAgainVerdict, VerifyVerdict};

use crate::session::{Session, SessionStatus};

/// The store could not take a step, or could not say whether it did. Repeating the step with its id is safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Away, full, or shutting down.
    #[error("session store unavailable: {0}")]
    Unavailable(String),
    /// A stored value is not of a form that this release reads.
    #[error("a stored {0} cannot be read")]
    Unreadable(&'static str),
}

/// Which sessions a list wants. Newest first.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Only these.
    pub status: Option<SessionStatus>,
    /// Only sessions with this channel.
    pub channel: Option<countersign_model::Channel>,
    /// Opened at or after.
    pub from: Option<Timestamp>,
    /// Opened before.
    pub to: Option<Timestamp>,
    /// Only sessions older than this one: where the last page ended.
    pub before: Option<SessionId>,
}

impl SessionFilter {
    /// Whether a list made at `now` shows `session`.
    pub(crate) fn admits(&self, session: &Session, now: Timestamp) -> bool {
        !session.is_forgotten(now)
            && self.before.is_none_or(|before| session.id() < before)
            && self.from.is_none_or(|from| session.created_at() >= from)
            && self.to.is_none_or(|to| session.created_at() < to)
            && self.status.is_none_or(|status| session.status(now) == status)
            && self.channel.is_none_or(|channel| session.challenges().iter().any(|challenge| challenge.channel == channel))
    }
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Sessions that the filter admits, newest first.
    pub sessions: Vec<Session>,
    /// The last session looked at, when the engine stopped looking before it had found as many as were asked for.
    pub given_up_at: Option<SessionId>,
}

/// One engine. Every call is whole: it has happened and will be found after a crash, or nothing has changed.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Opens a session, within its limits, and claims its idempotency key.
    async fn open(&self, step: Open) -> Result<Answer<OpenVerdict>, StoreError>;
    /// Writes down how handing messages over ended.
    async fn record(&self, step: Record) -> Result<RecordVerdict, StoreError>;
    /// Counts and judges guesses.
    async fn verify(&self, step: Verify) -> Result<Answer<VerifyVerdict>, StoreError>;
    /// Makes new codes.
    async fn resend(&self, step: Resend) -> Result<Answer<SendAgainVerdict>, StoreError>;
    /// Opens the next fallback channel.
    async fn advance(&self, step: Advance) -> Result<SendAgainVerdict, StoreError>;
    /// Ends a session at the caller's wish.
    async fn cancel(&self, step: Cancel) -> Result<Answer<CancelVerdict>, StoreError>;
    /// Does what time alone asks for.
    async fn lapse(&self, step: Lapse) -> Result<LapseVerdict, StoreError>;

    /// A session as it stands; none when it is not there, not in that scope, or past its token's life.
    async fn find(&self, scope: Scope, id: SessionId) -> Result<Option<Session>, StoreError>;
    /// At most `limit` sessions of a scope, newest first.
    async fn list(&self, scope: Scope, filter: SessionFilter, limit: usize) -> Result<Listed, StoreError>;
    /// At most `limit` sessions for which time alone asks for something.
    async fn due(&self, limit: usize) -> Result<Vec<(Scope, SessionId)>, StoreError>;
    /// Entries of one partition after `sequence`, in order, at most `limit`.
    async fn read_log(&self, partition: Partition, after: u64, limit: usize) -> Result<Vec<LogEntry>, StoreError>;
    /// Drops a bounded part of what nobody can ask for any more: spent counts, old replies, log entries older than `log_before`.
    async fn sweep(&self, log_before: Timestamp) -> Result<(), StoreError>;
    /// Whether a step could be taken now.
    async fn ready(&self) -> Result<(), StoreError>;
}
