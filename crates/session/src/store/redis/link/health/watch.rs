//! Looks after the servers from time to time.

use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::super::shared::Shared;
use super::Health;

/// How often the servers are asked.
const EVERY: Duration = Duration::from_secs(1);

/// The task that asks. It ends with the value.
#[derive(Debug)]
pub(in super::super) struct Watch(AbortHandle);

impl Watch {
    pub(in super::super) fn start(shared: &Arc<Shared>) -> Self {
        Self(shared.equipment.runtime.spawn(look_after(Arc::downgrade(shared))).abort_handle())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn look_after(shared: Weak<Shared>) {
    let mut ticks = interval_at(Instant::now(), EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = None;
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        let trouble = shared.examine().await.trouble();
        if trouble != last {
            if let Some(trouble) = &trouble {
                tracing::warn!(trouble, "Redis does not take steps");
            } else {
                tracing::info!("Redis takes steps");
            }
            last = trouble;
        }
    }
}

impl Shared {
    pub(in super::super) fn last_health(&self) -> Arc<Health> {
        Arc::clone(&self.health.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn keep_health(&self, health: &Arc<Health>) {
        *self.health.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(health);
    }
}
