//! What the verbs stand on.

use std::fmt;
use std::sync::Arc;

use countersign_channels::Router;
use countersign_model::{Clock, KeyId, Mode, Rng, StepId, TenantId};
use countersign_session::store::SessionStore;
use countersign_session::{CodeKeys, Jwks, Proofs, SessionTokens};

use crate::callers::Meter;
use crate::directory::Directory;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::tasks::Tasks;

/// What a platform is put together from.
#[derive(Clone)]
pub struct Parts {
    /// Where sessions live.
    pub store: Arc<dyn SessionStore>,
    /// Gets messages out.
    pub router: Router,
    /// Codes and names in the store.
    pub keys: Arc<CodeKeys>,
    /// Session tokens.
    pub tokens: Arc<SessionTokens>,
    /// Verification proofs.
    pub proofs: Arc<Proofs>,
    /// Tenants and keys.
    pub directory: Arc<Directory>,
    /// What the operator decided.
    pub settings: Settings,
    /// The time for everything but the store's own.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Where work goes on when its caller has gone.
    pub tasks: Tasks,
}

/// The verbs of Countersign: `send`, `verify`, `resend`, `next`, `status`, `list`, `cancel`, and the rounds of the sweeper.
pub struct Platform {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) router: Router,
    pub(crate) keys: Arc<CodeKeys>,
    pub(crate) tokens: Arc<SessionTokens>,
    pub(crate) proofs: Arc<Proofs>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tasks: Tasks,
    pub(crate) calls: Meter<KeyId>,
    pub(crate) failures: Meter<std::net::IpAddr>,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Platform(…)")
    }
}

impl Platform {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { store, router, keys, tokens, proofs, directory, settings, clock, rng, metrics, tasks } = parts;
        let (calls, failures) = (Meter::new(), Meter::new());
        Arc::new(Self { store, router, keys, tokens, proofs, directory, settings, clock, rng, metrics, tasks, calls, failures })
    }

    /// The moment it is now.
    #[must_use]
    pub fn now(&self) -> countersign_model::Timestamp {
        self.clock.now()
    }

    /// Chance, for whoever makes ids at the edge.
    #[must_use]
    pub fn rng(&self) -> &dyn Rng {
        &*self.rng
    }

    /// Counts.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The public keys by which proofs of `mode` are checked.
    #[must_use]
    pub fn jwks(&self, mode: Mode) -> Jwks {
        self.proofs.jwks(mode)
    }

    /// Whether a step could be taken now.
    pub async fn ready(&self) -> Result<(), crate::StoreError> {
        self.store.ready().await
    }

    /// Waits at a stop for work that goes on without a caller. Nothing may be called after it.
    pub async fn finish(&self, patience: std::time::Duration) {
        self.tasks.finish(patience).await;
    }

    pub(crate) fn step_id(&self, tenant: TenantId) -> StepId {
        StepId::mint(self.clock.now(), &*self.rng, tenant.partition())
    }
}
