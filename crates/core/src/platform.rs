//! What the verbs stand on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_channels::Router;
use countersign_model::{Clock, Mode, Rng, StepId, TenantId};
use countersign_records::Records;
use countersign_session::store::SessionStore;
use countersign_session::{CodeKeys, Jwks, Proofs, SessionTokens};
use countersign_webhooks::{Guard, Lanes, Poster, SystemResolver, WebhookSettings};

use crate::callers::Meter;
use crate::deliver_webhooks::WebhookWorker;
use crate::directory::Directory;
use crate::languages::ContactLocales;
use crate::metrics::Metrics;
use crate::project::Projector;
use crate::records::Follower;
use crate::sandbox::Rehearsed;
use crate::settings::Settings;
use crate::sweep::SetAside;
use crate::tasks::Tasks;
use crate::wallet::Wallets;

/// Shown beside amounts where nobody pays.
pub(crate) const DEFAULT_CURRENCY: &str = "USD";
/// Rows of a kind that one round forgets at most.
const SWEPT: u32 = 1_000;
/// How long a webhook that was delivered or given up stays in the delivery log.
const DELIVERIES_KEPT: Duration = Duration::from_secs(30 * 86_400);

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
    /// What lasts.
    pub records: Records,
    /// The part of it that requests need.
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
    /// How events are posted to tenants' addresses.
    pub webhooks: WebhookSettings,
}

/// The verbs of Countersign: `send`, `verify`, `resend`, `next`, `status`, `list`, `cancel`, and the rounds of the sweeper.
pub struct Platform {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) router: Router,
    pub(crate) keys: Arc<CodeKeys>,
    pub(crate) tokens: Arc<SessionTokens>,
    pub(crate) proofs: Arc<Proofs>,
    pub(crate) records: Records,
    pub(crate) follower: Follower,
    pub(crate) directory: Arc<Directory>,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tasks: Tasks,
    pub(crate) webhooks: WebhookSettings,
    pub(crate) webhook_guard: Guard,
    pub(crate) failures: Meter<std::net::IpAddr>,
    pub(crate) rehearsed: Rehearsed,
    pub(crate) contact_locales: ContactLocales,
    pub(crate) set_aside: SetAside,
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
        let Parts { store, router, keys, tokens, proofs, records, directory, settings, clock, rng, metrics, tasks, webhooks } =
            parts;
        let webhook_guard = Guard::new(&webhooks);
        let (follower, failures, rehearsed) = (Follower::default(), Meter::new(), Rehearsed::default());
        Arc::new(Self {
            store,
            router,
            keys,
            tokens,
            proofs,
            records,
            follower,
            directory,
            settings,
            clock,
            rng,
            metrics,
            tasks,
            webhooks,
            webhook_guard,
            failures,
            rehearsed,
            contact_locales: ContactLocales::default(),
            set_aside: SetAside::default(),
        })
    }

    /// Reads the log into the records. Has a name of its own: of several, in one process or many, each does part of the work.
    #[must_use]
    pub fn projector(&self) -> Projector {
        let currency = self.settings.billing.as_ref().map_or(DEFAULT_CURRENCY, |billing| billing.currency.as_str());
        let (store, records) = (Arc::clone(&self.store), self.records.clone());
        Projector::new(store, records, Arc::clone(&self.clock), Arc::clone(&self.rng), Arc::clone(&self.metrics), currency)
    }

    /// Posts events to the addresses that tenants gave.
    #[must_use]
    pub fn webhook_worker(&self) -> WebhookWorker {
        let poster = Poster::new(&self.webhooks, Arc::new(SystemResolver));
        let (clock, rng, metrics) = (Arc::clone(&self.clock), Arc::clone(&self.rng), Arc::clone(&self.metrics));
        WebhookWorker::new(self.records.clone(), poster, Lanes::new(&self.webhooks), clock, rng, metrics)
    }

    /// The verbs of money.
    #[must_use]
    pub fn wallets(&self) -> Wallets {
        let (store, records) = (Arc::clone(&self.store), self.records.clone());
        Wallets::new(store, records, Arc::clone(&self.clock), Arc::clone(&self.rng), Arc::clone(&self.metrics))
    }

    /// Whether anybody has an account here: an installation that was set up has one tenant at least.
    #[must_use]
    pub fn has_tenants(&self) -> bool {
        !self.directory.tenants().is_empty()
    }

    /// Whether tenants pay here.
    #[must_use]
    pub const fn is_billing(&self) -> bool {
        self.settings.billing.is_some()
    }

    /// Forgets answers to keyed calls whose time is over, and webhooks that were settled a month ago.
    pub async fn sweep_records(&self) -> Result<(), crate::RecordsError> {
        let now = self.clock.now();
        self.records.sweep_answers(now, SWEPT).await?;
        self.records.webhook_deliveries().sweep(now.minus(DELIVERIES_KEPT), SWEPT).await.map(drop)
    }

    /// Counts what the session store says of itself.
    pub fn look_at_store(&self) {
        if let Some(used) = self.store.memory_used() {
            self.metrics.log.store_memory(used);
        }
    }

    /// Where this installation is reached from outside, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.settings.public_url
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
    pub async fn finish(&self, patience: Duration) {
        self.tasks.finish(patience).await;
    }

    pub(crate) fn step_id(&self, tenant: TenantId) -> StepId {
        StepId::mint(self.clock.now(), &*self.rng, tenant.partition())
    }
}
