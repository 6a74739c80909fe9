//! How fast all nodes together hand messages to a provider.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_channels::{OwnPace, Pace, Turn};
use countersign_model::{Limit, Mode, ProviderName, TenantId};
use countersign_session::store::{SessionStore, Strike, StrikeVerdict};
use countersign_session::{CodeKeys, SubjectKind};
use tokio::time::timeout;
use tracing::debug;

/// How long the store usually may take to say whether it is a message's turn.
const PATIENCE: Duration = Duration::from_millis(250);

/// Turns counted in the session store that nodes share. While it is away, or slow, this node counts by itself: then as many nodes as there are
/// each take a provider's whole limit.
pub struct SharedPace {
    store: Arc<dyn SessionStore>,
    keys: Arc<CodeKeys>,
    own: OwnPace,
    patience: Duration,
}

impl fmt::Debug for SharedPace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedPace(…)")
    }
}

impl SharedPace {
    /// Counts in `store`, under names that `keys` give.
    #[must_use]
    pub fn new(store: Arc<dyn SessionStore>, keys: Arc<CodeKeys>) -> Self {
        Self { store, keys, own: OwnPace::default(), patience: PATIENCE }
    }

    /// The same, whose store may take so long for its answer.
    #[must_use]
    pub const fn waiting(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// A provider belongs to no tenant: it is counted under one that nobody is, so that providers are spread over the partitions.
    fn strike(&self, provider: &ProviderName, per_second: u32) -> Strike {
        let name = self.keys.fingerprint(&[b"provider", provider.as_str().as_bytes()]);
        let nobody = TenantId::from_bits(u128::from_be_bytes(name.0));
        let subject = self.keys.subject(nobody, Mode::Live, SubjectKind::Provider, "", provider.as_str());
        Strike { tenant: nobody, subject, limit: Limit { max: per_second, window: Duration::from_secs(1) }, count: 1 }
    }
}

#[async_trait]
impl Pace for SharedPace {
    async fn take(&self, provider: &ProviderName, per_second: u32) -> Turn {
        match timeout(self.patience, self.store.strike(self.strike(provider, per_second))).await {
            Ok(Ok(StrikeVerdict::Room { .. })) => Turn::Now,
            Ok(Ok(StrikeVerdict::Full { wait })) => Turn::In(wait),
            Ok(Err(_)) | Err(_) => {
                debug!(%provider, "the store does not say whose turn it is; this node counts by itself");
                self.own.take_now(provider, per_second)
            }
        }
    }
}

#[cfg(test)]
mod tests;
