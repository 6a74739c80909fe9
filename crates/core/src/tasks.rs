//! Work that must go on when nobody waits for it any more: deliveries whose caller hung up, outcomes that are still to be recorded.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, warn};

/// Runs such work on one runtime that lives as long as the process does, and lets a stop wait for it.
#[derive(Debug, Clone)]
pub struct Tasks {
    runtime: Handle,
    running: TaskTracker,
}

impl Tasks {
    /// Runs work on `runtime`, which must outlive every listener.
    #[must_use]
    pub fn on(runtime: Handle) -> Self {
        Self { runtime, running: TaskTracker::new() }
    }

    /// Starts work in the span of its caller.
    pub(crate) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.running.spawn_on(work.in_current_span(), &self.runtime)
    }

    /// Comes back when all work is done, or after `patience`: what is left then will be found unclear by the next start.
    pub async fn finish(&self, patience: Duration) {
        self.running.close();
        if tokio::time::timeout(patience, self.running.wait()).await.is_err() {
            warn!(deliveries = self.running.len(), "stopped before every message was handed over");
        }
    }
}
