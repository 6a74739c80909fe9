//! An installation of several nodes, set up and run as an operator would: real processes over a Redis and a PostgreSQL of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign::config::{Config, Source, load};
use countersign::{DEFAULT_TENANT, KeyOrder, NewKey};
use countersign_core::{Metrics, Wallets};
use countersign_model::{
    Clock, EndpointId, KeyKind, KeyScope, Money, OsRng, SystemClock, TenantId, Timestamp, WebhookEndpoint, WebhookEvent,
    WebhookFormat,
};
use countersign_records::{Place, Records, StoredSecrets};
use countersign_session::store::{Balance, RedisStore, SessionStore};
use countersign_session::{BudgetRule, CodeKeys, KeyMaterial};
use countersign_testing::PostgresDatabase;
use countersign_testing::redis::RedisServer;
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;

use crate::{Client, PATIENCE, Process, Receiver, Setup, planes, run};

/// How often something outside this process is looked at again.
const LOOK: Duration = Duration::from_millis(20);

/// Looks at other processes' state until it is as wished; whatever it was last is shown when [`PATIENCE`] is over.
pub async fn poll<T: std::fmt::Debug>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let started = tokio::time::Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) => assert!(started.elapsed() < PATIENCE, "waited in vain for {what}: {seen}"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// An installation. Its nodes are started apart.
#[derive(Debug)]
pub struct Site {
    dir: TempDir,
    /// The tenant `default`.
    pub tenant: TenantId,
    keys: BTreeMap<KeyKind, String>,
}

impl Site {
    /// A configuration over these planes, with limits out of the way and patience with Redis.
    pub fn setup(redis: &RedisServer, database: &PostgresDatabase) -> Setup {
        Self::setup_without_redis(database).set("redis.url", redis.url()).patient()
    }

    /// The same without a word about Redis.
    pub fn setup_without_redis(database: &PostgresDatabase) -> Setup {
        Setup::default()
            .set("database.url", database.url())
            .set("database.connections", 4)
            .set("public_url", planes::ISSUER)
            .set("log.level", "warn")
            .generous()
    }

    /// Sets it up with `countersign migrate` and `countersign init`, and gives the tenant a live key too.
    pub async fn found(setup: &Setup) -> Self {
        let dir = tempfile::tempdir().unwrap();
        setup.write(dir.path());
        run(dir.path(), &["migrate"]).await;
        let made = run(dir.path(), &["init"]).await;
        let test = made["sandbox_key"].as_str().unwrap_or_else(|| panic!("no key: {made}")).to_owned();
        let records = records(dir.path()).await;
        let tenant = records.tenants().find_by_name(DEFAULT_TENANT).await.unwrap().expect("init makes a tenant").id;
        let order = KeyOrder {
            tenant,
            kind: KeyKind::Live,
            name: "live".to_owned(),
            scope: KeyScope::Full,
            allowed_ips: Vec::new(),
            origins: Vec::new(),
            expires_at: None,
        };
        let live = NewKey::mint(order, SystemClock.now(), &OsRng);
        records.api_keys().insert(&live.key).await.unwrap();
        records.close().await;
        Self { dir, tenant, keys: BTreeMap::from([(KeyKind::Test, test), (KeyKind::Live, live.secret().to_owned())]) }
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Starts a node that does everything.
    pub async fn node(&self) -> Process {
        self.node_as("all").await
    }

    /// Starts a node that does one part of the work: `api` or `worker`.
    pub async fn node_as(&self, role: &str) -> Process {
        Process::start_as(role, self.path(), &[]).await
    }

    /// Starts two nodes.
    pub async fn two_nodes(&self) -> [Process; 2] {
        let (one, other) = tokio::join!(self.node(), self.node());
        [one, other]
    }

    /// A caller with the sandbox key or the live one, whose calls go to these nodes in turn.
    pub fn caller<'a>(&self, kind: KeyKind, nodes: impl IntoIterator<Item = &'a Process>) -> Client {
        let urls = nodes.into_iter().map(|node| node.greeting["api"].as_str().unwrap().to_owned());
        Client::of_nodes(urls.collect()).with_key(&self.keys[&kind])
    }

    /// Runs a command at the terminal and returns what it printed.
    pub async fn command(&self, arguments: &[&str]) -> Value {
        run(self.path(), arguments).await
    }

    /// Its records.
    pub async fn records(&self) -> Records {
        records(self.path()).await
    }

    /// Its session store, as one more node sees it.
    pub fn store(&self) -> Arc<RedisStore> {
        let material: KeyMaterial = serde_json::from_slice(&std::fs::read(self.path().join("keys.json")).unwrap()).unwrap();
        let keys = Arc::new(CodeKeys::open(&material).unwrap());
        let config = config(self.path());
        let limits = config.settings(String::new()).limits;
        let budget: BudgetRule = limits.budget;
        let settings = config.redis_settings().unwrap().expect("sessions live in Redis");
        Arc::new(RedisStore::open(settings, keys, Arc::new(SystemClock), budget).unwrap())
    }

    /// Its money.
    pub async fn wallets(&self) -> Wallets {
        let (store, records) = (self.store(), self.records().await);
        Wallets::new(store, records, Arc::new(SystemClock), Arc::new(OsRng), Arc::new(Metrics::default()))
    }

    /// Pays something in, and waits until it can be spent.
    pub async fn top_up(&self, amount: &str) -> Balance {
        let (wallets, amount) = (self.wallets().await, amount.parse::<Money>().unwrap());
        wallets.top_up(self.tenant, amount, "", &format!("top-up-{amount}")).await.unwrap();
        self.store().balance(self.tenant).await.unwrap()
    }

    /// Lets `receiver` hear of these events from now on.
    pub async fn subscribe(&self, receiver: &Receiver, events: &[WebhookEvent]) -> EndpointId {
        let records = self.records().await;
        let id = subscribe(&records, self.tenant, &receiver.url(), events, SystemClock.now()).await;
        records.close().await;
        id
    }
}

/// Makes an endpoint whose secret is that of every [`Receiver`].
pub async fn subscribe(records: &Records, tenant: TenantId, url: &str, events: &[WebhookEvent], now: Timestamp) -> EndpointId {
    let endpoint = WebhookEndpoint {
        id: EndpointId::mint(now, &OsRng, tenant.partition()),
        tenant,
        url: url.to_owned(),
        format: WebhookFormat::Native,
        description: String::new(),
        events: events.to_vec(),
        keys: None,
        disabled: None,
        created_at: now,
        updated_at: None,
    };
    let secrets = StoredSecrets { current: SecretString::from(Receiver::SECRET), previous: None };
    records.webhook_endpoints().insert(&endpoint, &secrets).await.unwrap();
    endpoint.id
}

async fn records(folder: &Path) -> Records {
    let url = config(folder).database.url.expect("records live in PostgreSQL");
    Records::open(Place::Url(url)).await.unwrap()
}

fn config(folder: &Path) -> Config {
    let source = Source { file: None, data_dir: folder.to_owned(), environment: Vec::new() };
    load(&source).unwrap_or_else(|error| panic!("{error}")).config
}
