//! Keeping what is in memory true: reading the records again when they have changed, whoever changed them.

use std::sync::Mutex;
use std::sync::PoisonError;

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
        if self.records.configuration_version().await? != self.directory.version() {
            self.take_over(self.records.snapshot().await?).await;
        }
        *last = Some(began);
        Ok(())
    }

    /// Puts new records in force here, tells the other nodes that there are new ones, and leaves a copy for a start without the database.
    async fn take_over(&self, records: Snapshot) {
        let copy = serde_json::to_vec(&records);
        let version = records.version;
        let changed = self.directory.replace(records);
        info!(version, "records changed and were read again");
        self.follower.untold.lock().unwrap_or_else(PoisonError::into_inner).extend(changed);
        self.tell_revisions().await;
        match copy {
            Ok(copy) => {
                if let Err(failure) = self.store.save_configuration(copy).await {
                    warn!(%failure, "the copy of the records was not renewed");
                }
            }
            Err(error) => warn!(%error, "the records could not be copied"),
        }
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
