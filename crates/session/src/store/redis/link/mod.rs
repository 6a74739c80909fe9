//! The way to Redis: which server takes a partition's steps, over which connection, how long, and what is done when it fails.
//!
//! It knows scripts and partitions, no sessions. On the request path every worker has one connection to each primary, shared by its calls;
//! what must own a connection takes one from a pool.

mod barrier;
mod calls;
mod connector;
mod discovery;
mod error;
mod health;
mod info;
mod line;
mod meta;
mod prepare;
mod primary;
mod replicated;
mod script;
mod settings;
mod shared;
mod tags;
#[cfg(test)]
mod tests;
mod topology;

use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Clock, Partition};
use deadpool_redis::Connection as Owned;
use tokio::time::timeout;

pub(crate) use self::calls::{Ran, Reply};
pub(crate) use self::error::LinkError;
use self::health::Watch;
pub use self::health::{Finding, Health, NodeFacts, NodeHealth, Severity};
pub(crate) use self::meta::{InitError, META, Owner};
pub(crate) use self::script::{Call, Script};
pub use self::settings::{BarrierMode, InvalidSetting, RedisServers, RedisSettings};
use self::shared::Shared;
pub(crate) use self::tags::{partitions, tag};

/// How far a server's clock may be ahead before nothing is taken any more, in milliseconds.
const MOST_AHEAD: i64 = 1_000;

/// Health that is older is asked for anew by who must know.
const FRESH: Duration = Duration::from_secs(3);

/// The way to Redis. Cheap to share behind an `Arc`; ends its tasks when dropped.
#[derive(Debug)]
pub(crate) struct Link {
    shared: Arc<Shared>,
    _watch: Watch,
}

impl Link {
    /// Reads the settings and begins to look for the servers. Does not wait for them: a Redis that is away makes calls fail, not the start.
    ///
    /// Must be called on a runtime that lives as long as the value: what belongs to no worker runs there.
    pub(crate) fn open(
        settings: RedisSettings,
        scripts: &'static [&'static Script],
        owner: Owner,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidSetting> {
        install_crypto();
        let shared = Arc::new(Shared::new(settings, scripts, owner, clock)?);
        let watch = Watch::start(&shared);
        Ok(Self { shared, _watch: watch })
    }

    /// Runs a script. When the first time comes to nothing that is final, the call is sent once more, word for word, within the deadline: a
    /// step must be repeatable under its id.
    pub(crate) async fn call(&self, call: &Call) -> Result<Reply, LinkError> {
        self.shared.call(call).await
    }

    /// Returns when what a call of this partition has done would survive a failover; at once where there are no replicas. `ran` is the reply's:
    /// a server that has forgotten the step, or another one, confirms nothing.
    pub(crate) async fn barrier(&self, partition: Partition, ran: Ran) -> Result<(), LinkError> {
        if !self.shared.equipment.replicated.demands(partition) {
            return Ok(());
        }
        let topology = self.shared.topology();
        let Some(primary) = topology.primary(partition) else { return Err(LinkError::NotReplicated) };
        match timeout(self.shared.settings.deadline, primary.barrier().pass(ran.0)).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(LinkError::NotReplicated),
        }
    }

    /// A connection to who takes the partition's steps, the caller's alone until it is dropped: for what blocks for less than a deadline, answers
    /// at length, or changes the connection.
    pub(crate) async fn own(&self, partition: Partition) -> Result<Owned, LinkError> {
        if self.shared.topology().primary(partition).is_some_and(|primary| primary.is_foreign()) {
            return Err(self.shared.foreign());
        }
        self.shared.own(partition).await
    }

    /// Whether so much memory is used where the partition lies that no session should be opened there and no code sent again.
    pub(crate) fn is_memory_low(&self, partition: Partition) -> bool {
        self.shared.topology().primary(partition).is_some_and(|primary| primary.is_memory_low())
    }

    /// The last moment, by the server's time, at which a caller that calls now still waits: in milliseconds.
    pub(crate) fn last_moment(&self, partition: Partition) -> i64 {
        let health = self.shared.last_health();
        let node = health.nodes.iter().find(|node| node.partitions.contains(&partition));
        // Of a server that has said nothing yet it is only known that it may not be further off than that.
        let ahead = node.and_then(|node| node.state.as_ref().ok()).map_or(MOST_AHEAD, |facts| facts.clock_ahead);
        let patience = i64::try_from(self.settings().deadline.as_millis()).unwrap_or(i64::MAX);
        self.shared.clock.now().millis().saturating_add(ahead).saturating_add(patience)
    }

    /// What the servers said when they were last asked, within the last seconds.
    pub(crate) fn health(&self) -> Arc<Health> {
        self.shared.last_health()
    }

    /// Asks the servers now.
    pub(crate) async fn examine(&self) -> Arc<Health> {
        self.shared.examine().await
    }

    /// Whether steps can be taken on every partition.
    pub(crate) async fn ready(&self) -> Result<(), LinkError> {
        let is_fresh = |health: &Health| health.asked_at.is_some_and(|at| self.shared.clock.now().since(at) <= FRESH);
        let mut health = self.shared.last_health();
        if !is_fresh(&health) {
            // Somebody may be asking just now.
            drop(self.shared.examining.lock().await);
            health = self.shared.last_health();
        }
        if !is_fresh(&health) {
            health = self.shared.examine().await;
        }
        match health.trouble() {
            None => Ok(()),
            Some(trouble) => Err(LinkError::Unavailable(trouble)),
        }
    }

    /// Refuses a store of another installation, and makes one ours that nobody owns yet.
    pub(crate) async fn claim(&self) -> Result<(), LinkError> {
        self.shared.claim().await
    }

    /// Writes `meta` where it is missing; with `force` also where other partitions have one, or another installation's. See `store init`.
    pub(crate) async fn init(&self, force: bool) -> Result<(), InitError> {
        let written = self.shared.init(force).await;
        // Who asks from here on whether steps can be taken is not told of the store as it was before.
        self.shared.examine().await;
        written
    }

    /// Initialises a store that is empty everywhere: only for a first start, when the records know no tenant yet. An empty Redis under an
    /// installation in use must stay refused.
    pub(crate) async fn init_if_empty(&self) -> Result<(), InitError> {
        let written = self.shared.init_if_empty().await;
        self.shared.examine().await;
        written
    }

    /// The settings it was opened with.
    pub(crate) fn settings(&self) -> &RedisSettings {
        &self.shared.settings
    }
}

/// Names ring as the process's cryptography for TLS, unless somebody has named one already.
fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
