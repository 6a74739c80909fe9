//! Where sessions live. A step on a session and the events it causes are one atomic, repeatable call.
//!
//! Engines differ in how they keep values; what a step does stands once, in `steps`, over the rows that an engine offers.

mod faults;
mod memory;
mod redis;
mod rows;
mod sqlite;
mod steps;
#[cfg(any(test, feature = "suite"))]
pub mod suite;
mod verdicts;

use std::time::Duration;

use async_trait::async_trait;
use countersign_model::{
    KeyId, LogEntry, Mode, Money, Partition, ProviderName, Reference, Scope, SessionId, TenantId, Timestamp,
};

pub use self::redis::{
    BarrierMode, Finding, Health, InvalidSetting, NodeFacts, NodeHealth, RedisServers, RedisSettings, RedisStore, Severity,
};
#[doc(hidden)]
pub use faults::{FaultPoint, Faults};
pub use memory::MemoryStore;
pub use sqlite::{SqliteOptions, SqliteStore};
pub use steps::{
    Admit, Advance, Cancel, Claim, Count, Credit, Guard, Lapse, Open, Outcomes, Receive, Record, Resend, SendLimits, Strike,
    Unblock, Verify,
};
pub use verdicts::{
    Answer, Balance, CancelVerdict, CreditVerdict, Heard, LapseVerdict, NamedMessage, OpenVerdict, ParkedReceipt, ReceiveVerdict,
    RecordVerdict, SendAgainVerdict, StrikeVerdict, VerifyVerdict,
};

use crate::code::{CodeKeys, Fingerprint};
use crate::guess::Guess;
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

/// What sessions are looked for by, besides their ids: see [`Names`](crate::Names).
#[derive(Debug, Clone)]
pub enum NameQuery {
    /// What only one living session may hold.
    Slot(Fingerprint),
    /// What many may share.
    Recipient(Fingerprint),
    /// A code alone.
    Code {
        /// Live or sandbox.
        mode: Mode,
        /// The code, as it was typed.
        guess: Guess,
    },
}

impl NameQuery {
    /// The rows in which the store has to look.
    fn names(&self, tenant: TenantId, keys: &CodeKeys) -> Vec<Fingerprint> {
        match self {
            Self::Slot(name) | Self::Recipient(name) => vec![*name],
            Self::Code { mode, guess } => keys.code_names(tenant, *mode, guess.expose()),
        }
    }
}

/// How far an id's time, which is its minter's, may be from the moment at which the store opened the session.
const CLOCK_SLACK: Duration = Duration::from_mins(1);

/// The least id of a moment: ids begin with 48 bits of milliseconds.
fn first_id(moment: Timestamp) -> u128 {
    let millis = u64::try_from(moment.millis()).unwrap_or(0).min((1 << 48) - 1);
    u128::from(millis) << 80
}

impl SessionFilter {
    /// The stretch of ids in which everything lies that the filter can admit: from the first, up to but without the second.
    pub(crate) fn bounds(&self) -> (u128, u128) {
        let from = self.from.map_or(0, |from| first_id(from.minus(CLOCK_SLACK)));
        let to = self.to.map_or(u128::MAX, |to| first_id(to.plus(CLOCK_SLACK)));
        (from, to.min(self.before.map_or(u128::MAX, SessionId::bits)))
    }

    /// Whether a list made at `now` shows `session`.
    pub(crate) fn admits(&self, session: &Session, now: Timestamp) -> bool {
        session.is_there(now)
            && self.before.is_none_or(|before| session.id() < before)
            && self.from.is_none_or(|from| session.created_at() >= from)
            && self.to.is_none_or(|to| session.created_at() < to)
            && self.status.is_none_or(|status| session.status(now) == status)
            && self.channel.is_none_or(|channel| session.challenges().iter().any(|challenge| challenge.channel == channel))
    }
}

/// Under what is kept which message a provider means by its own name for it: names of any length become one.
fn message_name(keys: &CodeKeys, through: &ProviderName, provider_id: &str) -> Fingerprint {
    keys.fingerprint(&[b"message", through.as_str().as_bytes(), provider_id.as_bytes()])
}

/// Sessions that were found under a name, as they are answered.
fn newest_first(found: impl Iterator<Item = Session>, now: Timestamp) -> Vec<Session> {
    let mut sessions: Vec<Session> = found.filter(|session| session.is_there(now)).collect();
    sessions.sort_by_key(|session| std::cmp::Reverse(session.id()));
    sessions.dedup_by_key(|session| session.id());
    sessions
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Sessions that the filter admits, newest first.
    pub sessions: Vec<Session>,
    /// The last session looked at, when the engine stopped looking before it had found as many as were asked for.
    pub given_up_at: Option<SessionId>,
}

/// Part of one partition's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// In order.
    pub entries: Vec<LogEntry>,
    /// The sequence of the log's last entry, read or not, also of one that was dropped since; zero in a log that never had one.
    pub end: u64,
}

/// One engine. Every call is whole: it has happened and will be found after a crash, or nothing has changed.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Opens a session, within its limits, and claims its idempotency key.
    async fn open(&self, step: Open) -> Result<Heard<OpenVerdict>, StoreError>;
    /// Writes down how handing messages over ended.
    async fn record(&self, step: Record) -> Result<RecordVerdict, StoreError>;
    /// Counts and judges guesses.
    async fn verify(&self, step: Verify) -> Result<Heard<VerifyVerdict>, StoreError>;
    /// Makes new codes.
    async fn resend(&self, step: Resend) -> Result<Heard<SendAgainVerdict>, StoreError>;
    /// Opens the next fallback channel, or tries a channel once more.
    async fn advance(&self, step: Advance) -> Result<Heard<SendAgainVerdict>, StoreError>;
    /// Ends a session at the caller's wish.
    async fn cancel(&self, step: Cancel) -> Result<Heard<CancelVerdict>, StoreError>;
    /// Does what time alone asks for.
    async fn lapse(&self, step: Lapse) -> Result<LapseVerdict, StoreError>;

    /// Takes a delivery receipt in, whoever's session it is about.
    async fn receive(&self, step: Receive) -> Result<ReceiveVerdict, StoreError>;
    /// Says which message, or part of one, `through` means by `provider_id`, for 72 hours, and hands out the receipts that waited for it. Asked again with the
    /// same message it hands out the same ones, for as long as they are kept.
    async fn name_message(
        &self,
        through: &ProviderName,
        provider_id: &str,
        named: &NamedMessage,
    ) -> Result<Vec<ParkedReceipt>, StoreError>;
    /// The message, or part of one, that `through` means by `provider_id`. Where that is not known yet the receipt waits 10 minutes for it; of more than eight the
    /// newest.
    async fn find_message(
        &self,
        through: &ProviderName,
        provider_id: &str,
        receipt: &ParkedReceipt,
    ) -> Result<Option<NamedMessage>, StoreError>;

    /// Whether somebody may be handing over this message, a notice's too: it is not known yet who has it.
    async fn is_sending(&self, message: Reference) -> Result<bool, StoreError>;

    /// A session as it stands; none when it is not there, not in that scope, or past its token's life. A notice is not there for anybody.
    async fn find(&self, scope: Scope, id: SessionId) -> Result<Option<Session>, StoreError>;
    /// The sessions of a scope that have that name, newest first, whatever has become of them: what a session still hears is the affair of the
    /// step that asks it. A code names those that were opened with it under any key that lives; whether it opens them now, `verify` says.
    async fn named(&self, scope: Scope, query: NameQuery) -> Result<Vec<Session>, StoreError>;
    /// At most `limit` sessions of a scope, newest first.
    async fn list(&self, scope: Scope, filter: SessionFilter, limit: usize) -> Result<Listed, StoreError>;
    /// At most `limit` sessions for which time alone asks for something.
    async fn due(&self, limit: usize) -> Result<Vec<(Scope, SessionId)>, StoreError>;

    /// Counts against a subject's window, if it fits, or only looks whether it would. Not repeatable: taken twice, it counts twice.
    async fn strike(&self, step: Strike) -> Result<StrikeVerdict, StoreError>;
    /// Forgets the wrong guesses at a recipient, and with them its block. Tells whether anything was refused because of them.
    async fn unblock(&self, step: Unblock) -> Result<bool, StoreError>;
    /// Counts a call that takes no step of its own, and tells whether its key is still good.
    async fn admit(&self, guard: Guard) -> Result<Heard<()>, StoreError>;
    /// Tells every node that a tenant's records have a new revision. An older one than is known changes nothing.
    async fn set_revision(&self, tenant: TenantId, revision: u64) -> Result<(), StoreError>;
    /// Refuses an API key from now on, whatever any node has in memory.
    async fn revoke(&self, tenant: TenantId, key: KeyId) -> Result<(), StoreError>;
    /// Keys of a tenant that were revoked here lately, and when: for records that were away at that moment.
    async fn revoked(&self, tenant: TenantId) -> Result<Vec<(KeyId, Timestamp)>, StoreError>;

    /// Takes a credit into a balance, once.
    async fn credit(&self, step: Credit) -> Result<CreditVerdict, StoreError>;
    /// A tenant's balance; nothing where it was never touched.
    async fn balance(&self, tenant: TenantId) -> Result<Balance, StoreError>;
    /// Writes the balance into the log.
    async fn cut(&self, tenant: TenantId) -> Result<(), StoreError>;
    /// Sets the balance to what the ledger says, which holds `credits` credits; what sessions hold stays held. For a person's hand:
    /// captures that are not in the ledger yet are given back.
    async fn rebuild(&self, tenant: TenantId, ledger: Money, credits: u64) -> Result<Balance, StoreError>;

    /// Entries of one partition after `sequence`, in order, at most `limit`, and where the log ends.
    async fn read_log(&self, partition: Partition, after: u64, limit: usize) -> Result<LogPage, StoreError>;
    /// Drops entries up to `sequence` that are older than `before`: never one that is not both.
    async fn trim_log(&self, partition: Partition, sequence: u64, before: Timestamp) -> Result<(), StoreError>;
    /// Keeps a copy of the records that requests need, for a node that starts while their database is away. Replaces the one before.
    async fn save_configuration(&self, copy: Vec<u8>) -> Result<(), StoreError>;
    /// The copy that was kept last.
    async fn saved_configuration(&self) -> Result<Option<Vec<u8>>, StoreError>;
    /// Whether there is such a copy. Cheap, however large it is.
    async fn has_configuration(&self) -> Result<bool, StoreError>;

    /// Drops a bounded part of what nobody can ask for any more: spent counts, old replies.
    async fn sweep(&self) -> Result<(), StoreError>;
    /// How much of the memory that it may use the store uses, from 0 to 1; none where it is not bounded by memory.
    fn memory_used(&self) -> Option<f64>;
    /// Whether a step could be taken now.
    async fn ready(&self) -> Result<(), StoreError>;
}
