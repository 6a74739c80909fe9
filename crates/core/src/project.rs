//! The projector: reads the event log and writes what it tells into the records, each entry once.
//!
//! A batch is one SQL transaction: what the entries tell, the webhooks they cause, the entries set aside, and the cursor's move. Nodes may
//! work side by side: whoever moves a cursor first has done the work, and the other undoes his. An entry that cannot be taken in is set
//! aside and shown, and the rest goes on. A log that lost its end, after a failover, is read again from its beginning: what is known is
//! passed over, and what is told otherwise than before is an alarm.

mod batch;
mod fault;
mod fingerprint;
mod log_end;
mod retry;
mod story;
mod tell;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_model::{Clock, LogEntry, Partition, Rng, StepId, Timestamp};
use countersign_records::{Cursor, Moved, Poison, PoisonKind, Records, RecordsError};
use countersign_session::store::{SessionStore, StoreError};
use tokio::task::JoinSet;
use tracing::{error, warn};

use self::batch::{Cx, Tally};
use self::fault::Fault;
use crate::metrics::Metrics;

pub use self::retry::Retried;

/// Entries that a partition's turn takes in at most.
const BATCH: usize = 256;

/// How long a node that has just read a partition is left alone with it.
const LEASE: Duration = Duration::from_secs(5);

/// How long entries stay in the log after they were read, so that a log that lost its end can be told from one that did not.
const KEPT: Duration = Duration::from_mins(10);

/// How often a partition's log is trimmed.
const TRIM_EVERY: Duration = Duration::from_mins(1);

/// Partitions that are read at the same time.
const SIDE_BY_SIDE: usize = 4;

/// Why a turn broke off. The next one goes on where it stood.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The records cannot be read or written.
    #[error("the records are unavailable")]
    Records(#[from] RecordsError),
}

/// What a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Entries taken in.
    pub taken: usize,
    /// Entries that had been taken in before.
    pub known: usize,
    /// Entries set aside.
    pub set_aside: usize,
    /// Whether there may be more to do at once.
    pub more: bool,
}

/// Reads the log into the records. Cheap to clone.
#[derive(Clone)]
pub struct Projector(Arc<Inner>);

struct Inner {
    store: Arc<dyn SessionStore>,
    records: Records,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    metrics: Arc<Metrics>,
    currency: String,
    /// By which this projector knows its own leases.
    name: String,
    trimmed: Mutex<[Option<Timestamp>; Partition::COUNT as usize]>,
}

impl fmt::Debug for Projector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Projector({})", self.0.name)
    }
}

impl Projector {
    /// Reads nothing yet. `currency` is shown beside amounts.
    #[must_use]
    pub fn new(
        store: Arc<dyn SessionStore>,
        records: Records,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        metrics: Arc<Metrics>,
        currency: &str,
    ) -> Self {
        let name = StepId::mint(clock.now(), &*rng, Partition::of(0)).to_string();
        let (currency, trimmed) = (currency.to_owned(), Mutex::default());
        Self(Arc::new(Inner { store, records, clock, rng, metrics, currency, name, trimmed }))
    }

    /// One batch of each partition that nobody else is reading. Partitions do not wait for each other: where one breaks off the others go
    /// on, and its error is told at the end.
    pub async fn round(&self) -> Result<Progress, ProjectError> {
        let mut waiting = self.0.records.cursors().all().await?.into_iter();
        let (mut running, mut progress, mut broken) = (JoinSet::new(), Progress::default(), None);
        loop {
            while running.len() < SIDE_BY_SIDE
                && let Some(cursor) = waiting.next()
            {
                let inner = Arc::clone(&self.0);
                running.spawn(async move { inner.turn(cursor).await });
            }
            match running.join_next().await {
                None => break,
                Some(Ok(Ok(done))) => progress.add(done),
                Some(Ok(Err(failure))) => broken = Some(failure),
                Some(Err(_)) => broken = Some(StoreError::Unavailable("a turn of the projector died".to_owned()).into()),
            }
        }
        self.0.metrics.log.poison_waiting(self.0.records.poison().count().await?);
        broken.map_or(Ok(progress), Err)
    }
}

impl Progress {
    fn add(&mut self, other: Self) {
        self.taken += other.taken;
        self.known += other.known;
        self.set_aside += other.set_aside;
        self.more |= other.more;
    }
}

impl Inner {
    /// One partition's turn.
    async fn turn(&self, cursor: Cursor) -> Result<Progress, ProjectError> {
        let (partition, now) = (cursor.partition, self.clock.now());
        if cursor.holder != self.name && now < cursor.leased_until {
            self.metrics.log.not_ours(partition);
            return Ok(Progress::default());
        }
        let entries = match self.read(&cursor).await? {
            log_end::Read::On { entries, behind } => {
                let lag = entries.first().map_or(Duration::ZERO, |entry| now.since(entry.at));
                self.metrics.log.read(partition, lag, behind);
                entries
            }
            log_end::Read::Rewound => return Ok(Progress { more: true, ..Progress::default() }),
        };
        let mut progress = self.take_in(partition, cursor.position, &entries).await?;
        progress.more |= entries.len() == BATCH;
        self.trim(partition, cursor.position, now).await;
        Ok(progress)
    }

    /// Takes entries in, all at once if that goes; where it does not because of one of them, the halves each for themselves.
    async fn take_in(&self, partition: Partition, mut from: u64, entries: &[LogEntry]) -> Result<Progress, ProjectError> {
        let mut progress = Progress::default();
        let mut parts = vec![entries];
        while let Some(part) = parts.pop() {
            let Some(last) = part.last() else { continue };
            match self.attempt(partition, from, part).await {
                Ok(Some(tally)) => {
                    progress.add(self.told(&tally));
                    from = last.sequence;
                }
                // Another node has done it.
                Ok(None) => return Ok(Progress { more: true, ..progress }),
                Err(refused) if refused.is_of_the_data() && part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(refused) if refused.is_of_the_data() => {
                    let fault = Fault::refused(&refused);
                    if !self.step_over(from, last, &fault).await? {
                        return Ok(Progress { more: true, ..progress });
                    }
                    progress.add(self.told(&Tally { set_aside: vec![(last.sequence, fault)], ..Tally::default() }));
                    from = last.sequence;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(progress)
    }

    /// One transaction. None: the cursor was not where it was seen.
    async fn attempt(&self, partition: Partition, from: u64, entries: &[LogEntry]) -> Result<Option<Tally>, RecordsError> {
        let Some(last) = entries.last() else { return Ok(None) };
        let mut whole = self.records.begin().await?;
        if !whole.cursors().advance(partition, from, self.moved(last, &fingerprint::entry(last))).await? {
            return Ok(None);
        }
        let tally = batch::take_in(&mut whole, entries, &self.cx()).await?;
        for (sequence, fault) in &tally.set_aside {
            if let Some(entry) = entries.iter().find(|entry| entry.sequence == *sequence) {
                whole.poison().insert(&self.poison(entry, fault)?).await?;
            }
        }
        whole.commit().await?;
        Ok(Some(tally))
    }

    /// Sets one entry aside and moves on behind it. False: somebody else did.
    async fn step_over(&self, from: u64, entry: &LogEntry, fault: &Fault) -> Result<bool, RecordsError> {
        let mut whole = self.records.begin().await?;
        if !whole.cursors().advance(entry.partition, from, self.moved(entry, &fingerprint::entry(entry))).await? {
            return Ok(false);
        }
        whole.poison().insert(&self.poison(entry, fault)?).await?;
        whole.commit().await?;
        Ok(true)
    }

    fn moved<'a>(&'a self, to: &LogEntry, digest: &'a str) -> Moved<'a> {
        let leased_until = self.clock.now().plus(LEASE);
        Moved { position: to.sequence, digest, holder: &self.name, leased_until }
    }

    fn cx(&self) -> Cx<'_> {
        Cx { rng: &*self.rng, currency: &self.currency }
    }

    fn poison(&self, entry: &LogEntry, fault: &Fault) -> Result<Poison, RecordsError> {
        Ok(Poison {
            partition: entry.partition,
            sequence: entry.sequence,
            entry_at: entry.at,
            aggregate: fingerprint::aggregate(entry),
            kind: fault.kind(),
            error: fault.to_string(),
            entry: serde_json::to_string(entry).map_err(|_| RecordsError::Corrupt { record: "log entry", field: "events" })?,
            at: self.clock.now(),
        })
    }

    /// Says what became of a batch that is written.
    fn told(&self, tally: &Tally) -> Progress {
        self.metrics.log.taken_in(tally.taken, tally.known);
        for (sequence, fault) in &tally.set_aside {
            self.metrics.log.set_aside(fault.kind());
            if fault.kind() == PoisonKind::Fork {
                error!(sequence, %fault, "the log tells a story otherwise than before: it lost events that were known already");
            } else {
                error!(sequence, %fault, "an entry of the log was set aside");
            }
        }
        for difference in &tally.differences {
            error!(tenant = %difference.tenant, expected = %difference.expected, found = %difference.found, "a balance is not what the ledger says");
        }
        Progress { taken: tally.taken, known: tally.known, set_aside: tally.set_aside.len(), more: false }
    }

    /// Drops from the log what was read long ago.
    async fn trim(&self, partition: Partition, position: u64, now: Timestamp) {
        let place = usize::from(partition.number());
        {
            let mut trimmed = self.trimmed.lock().unwrap_or_else(PoisonError::into_inner);
            if trimmed[place].is_some_and(|last| now.since(last) < TRIM_EVERY) {
                return;
            }
            trimmed[place] = Some(now);
        }
        if let Err(failure) = self.store.trim_log(partition, position, now.minus(KEPT)).await {
            warn!(?partition, %failure, "the log was not trimmed");
        }
    }
}
