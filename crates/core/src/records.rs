//! Keeping what is in memory true: reading the records again when they have changed, whoever changed them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_model::TenantId;
use countersign_records::{RecordsError, Snapshot};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::platform::Platform;

/// When the records were last asked, and whether they answered.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    /// Held while somebody asks: whoever comes meanwhile waits for that answer. The moment at which the last asking began.
    asking: AsyncMutex<Option<Instant>>,
    /// Tenants whose new revision the session store has not heard of yet.
    untold: Mutex<Vec<(TenantId, u64)>>,
    /// Of which version this node has left a copy with the sessions.
    copied: Mutex<Option<i64>>,
}

impl Platform {
    /// Reads the records again if they have changed. Cheap when they have not; callers that come together ask once.
    pub async fn refresh(&self) -> Result<(), RecordsError> {
        let came = Instant::now();
        let mut last = self.follower.asking.lock().await;
        if last.is_some_and(|began| began >= came) {
            return Ok(());
        }
        let began = Instant::now();
        let version = self.records.configuration_version().await?;
        if version != self.directory.version() {
            self.take_over(self.records.snapshot().await?).await;
        } else if *self.copied() != Some(version) {
            // What was read at the start has no copy of this node's yet.
            self.copy(&self.records.snapshot().await?).await;
        }
        *last = Some(began);
        Ok(())
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
            Ok(()) => *self.copied() = Some(records.version),
            Err(failure) => warn!(%failure, "the copy of the records was not renewed"),
        }
    }

    fn copied(&self) -> MutexGuard<'_, Option<i64>> {
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
