//! What most faults happen to.

use countersign_model::WebhookEvent;
use countersign_testing::redis::{RedisOptions, RedisServer};
use countersign_testing::{PostgresDatabase, PostgresServer};
use countersign_tests::{Audit, Callers, Expected, Process, ProviderDouble, Receiver, Setup, Site, Told};

/// How many callers there are.
const CALLERS: usize = 32;

/// Two nodes over a Redis of their own, a gateway that takes every text message, and somebody who hears of every verification.
pub(super) struct Stage {
    pub(super) nodes: Vec<Process>,
    pub(super) site: Site,
    pub(super) double: ProviderDouble,
    pub(super) receiver: Receiver,
    pub(super) redis: RedisServer,
    _database: PostgresDatabase,
}

impl Stage {
    /// Sets it.
    pub(super) async fn set(options: RedisOptions) -> Self {
        Self::set_with(options, |setup| setup).await
    }

    /// The same with changes to the configuration.
    pub(super) async fn set_with(options: RedisOptions, change: impl FnOnce(Setup) -> Setup) -> Self {
        let redis = RedisServer::start_with(options);
        let database = PostgresServer::shared().database();
        let (double, receiver) = (ProviderDouble::start(Expected::json()).await, Receiver::start().await);
        let site = Site::found(&change(receiver.allowed_by(Site::setup(&redis, &database).sms(&double)))).await;
        site.subscribe(&receiver, &[WebhookEvent::SessionVerified]).await;
        let nodes = site.two_nodes().await.into();
        Self { nodes, site, double, receiver, redis, _database: database }
    }

    /// Callers of all nodes, half of them with the live key.
    pub(super) fn callers(&self) -> Callers {
        Callers::of(&self.site, &self.nodes, CALLERS)
    }

    /// Counts what was acknowledged against what is found.
    pub(super) fn audit(&self, told: &Told) -> Audit<'_> {
        Audit::new(&self.site, &self.nodes, told)
    }

    /// Everything that was acknowledged is found, everywhere.
    pub(super) async fn account_for(&self, told: &Told) {
        self.account(self.audit(told)).await;
    }

    /// Everything that the audit still looks for is found, everywhere.
    pub(super) async fn account(&self, mut audit: Audit<'_>) {
        audit.store().await;
        audit.log().await;
        audit.records().await;
        audit.webhooks(&self.receiver).await;
        audit.messages(&self.double);
    }
}
