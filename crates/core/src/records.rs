//! Keeping what is in memory true: reading the records again when they have changed, whoever changed them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_model::{KeyId, TenantId};
use countersign_records::{RecordsError, Snapshot};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::manage::Unwritten;
use crate::platform::Platform;

/// When the records were last asked, and whether they answered.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    /// Held while somebody asks: whoever comes meanwhile waits for that answer. The moment at which the last asking began.
    asking: AsyncMutex<Option<Instant>>,
    /// Tenants whose new revision the session store has not heard of yet.
    untold: Mutex<Vec<(TenantId, u64)>>,
    /// Whether the database did not answer when it was last asked.
    away: AtomicBool,
    /// Of which version this node has left a copy with the sessions, and when it last saw one there.
    copied: Mutex<Option<(i64, Instant)>>,
    /// Whether the database has answered without a break since the ends of keys were last compared. Not since this node started, to begin with.
    compared: AtomicBool,
    /// Ends of keys that this node could not write down.
    unwritten: Mutex<Vec<Unwritten>>,
}

/// How often somebody looks whether the copy beside the sessions is still there.
const COPY_LOOK: Duration = Duration::from_secs(5);

/// Why a call goes on with the records that are known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRefreshed {
    /// They cannot be read.
    #[error(transparent)]
    Failed(#[from] RecordsError),
    /// They could not be read when somebody last tried.
    #[error("the records were unavailable a moment ago")]
    Away,
}

impl Follower {
    /// Whether the database did not answer when it was last asked. Nobody has to wait for it then.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Notes that an end of a key may have been missed by the records.
    pub(crate) fn missed(&self) {
        self.compared.store(false, Ordering::Relaxed);
    }

    /// Whether one may have been. Whoever asks is to write it down.
    pub(crate) fn take_missed(&self) -> bool {
        !self.compared.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn remember(&self, end: Unwritten) {
        self.unwritten().push(end);
        self.missed();
    }

    pub(crate) fn first_unwritten(&self) -> Option<Unwritten> {
        self.unwritten().first().cloned()
    }

    pub(crate) fn forget(&self, key: KeyId) {
        self.unwritten().retain(|end| end.key() != key);
    }

    fn unwritten(&self) -> MutexGuard<'_, Vec<Unwritten>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Platform {
    /// Reads the records again if they have changed. Cheap when they have not; callers that come together ask once.
    pub async fn refresh(&self) -> Result<(), RecordsError> {
        let came = Instant::now();
        let mut last = self.follower.asking.lock().await;
        if last.is_some_and(|began| began >= came) {
            return Ok(());
        }
        self.ask(&mut last).await
    }

    /// The same for a call, which does not wait for a database that is known to be away: whoever follows the records finds out when it is back.
    pub(crate) async fn refresh_for_call(&self) -> Result<(), NotRefreshed> {
        let came = Instant::now();
        if self.follower.is_away() {
            return Err(NotRefreshed::Away);
        }
        let mut last = self.follower.asking.lock().await;
        if last.is_some_and(|began| began >= came) {
            return Ok(());
        }
        // Somebody else has just waited for it in vain.
        if self.follower.is_away() {
            return Err(NotRefreshed::Away);
        }
        Ok(self.ask(&mut last).await?)
    }

    async fn ask(&self, last: &mut Option<Instant>) -> Result<(), RecordsError> {
        let began = Instant::now();
        let asked = self.keep_up().await;
        self.follower.away.store(asked.is_err(), Ordering::Relaxed);
        match &asked {
            Ok(()) => *last = Some(began),
            Err(_) => self.follower.missed(),
        }
        asked
    }

    async fn keep_up(&self) -> Result<(), RecordsError> {
        let version = self.records.configuration_version().await?;
        if version != self.directory.version() {
            self.take_over(self.records.snapshot().await?).await;
        } else if !self.is_copied(version).await {
            self.copy(&self.records.snapshot().await?).await;
        }
        Ok(())
    }

    /// Whether a copy of this version lies with the sessions. What was read at the start has none of this node's yet, and a store that began
    /// anew has lost it.
    async fn is_copied(&self, version: i64) -> bool {
        let Some((_, seen)) = self.copied().filter(|(copied, _)| *copied == version) else { return false };
        let now = Instant::now();
        if now.duration_since(seen) < COPY_LOOK {
            return true;
        }
        match self.store.has_configuration().await {
            Ok(true) => {
                *self.copied() = Some((version, now));
                true
            }
            Ok(false) => false,
            // Not the moment to write one either.
            Err(_) => true,
        }
    }

    /// Puts new records in force here, tells the other nodes that there are new ones, and leaves a copy for a start without the database.
    async fn take_over(&self, records: Snapshot) {
        info!(version = records.version, "records changed and were read again");
        let changed = self.directory.replace(records.clone());
        self.follower.untold.lock().unwrap_or_else(PoisonError::into_inner).extend(changed);
        self.tell_revisions().await;
        self.copy(&records).await;
    }

    /// Leaves a copy with the sessions, for a start without the database. What fails is done again at the next round.
    async fn copy(&self, records: &Snapshot) {
        let copy = match serde_json::to_vec(records) {
            Ok(copy) => copy,
            Err(error) => {
                warn!(%error, "the records could not be copied");
                return;
            }
        };
        match self.store.save_configuration(copy).await {
            Ok(()) => *self.copied() = Some((records.version, Instant::now())),
            Err(failure) => warn!(%failure, "the copy of the records was not renewed"),
        }
    }

    fn copied(&self) -> MutexGuard<'_, Option<(i64, Instant)>> {
        self.follower.copied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the session store of revisions it has not heard of. What cannot be told now is told at the next round.
    pub async fn tell_revisions(&self) {
        let untold = std::mem::take(&mut *self.follower.untold.lock().unwrap_or_else(PoisonError::into_inner));
        for (at, (tenant, revision)) in untold.iter().enumerate() {
            if let Err(failure) = self.store.set_revision(*tenant, *revision).await {
                warn!(%failure, "a new revision could not be told; trying again");
                self.follower.untold.lock().unwrap_or_else(PoisonError::into_inner).extend(&untold[at..]);
                return;
            }
        }
    }
}
