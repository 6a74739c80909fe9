//! A whole server on free ports, in this process, with the suite's time and chance.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use countersign::app::{App, Overrides};
use countersign::config::{Config, Source, load};
use countersign::{DEFAULT_TENANT, DataDir, Installation, KeyOrder, NewKey};
use countersign_api::dialect::Wire;
use countersign_core::{Platform, secret_hash};
use countersign_model::{Clock, KeyKind, KeyScope, ManualClock, Partition, Rng, SeededRng, Tenant, TenantId, Timestamp};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::planes::{self, SharedPlanes};
use crate::{Client, MailSink, PATIENCE, ProviderDouble, Setup, within_patience};

/// Where the clock stands when a server starts: 2026-01-15T10:45:00Z.
pub const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_000);

/// No two servers of a process draw the same ids.
static SEEDS: AtomicU64 = AtomicU64::new(20_260_115);

/// A key that a server should know from its start.
#[derive(Debug, Clone)]
pub struct KeyWish {
    kind: KeyKind,
    scope: KeyScope,
    only_from: Vec<String>,
    life: Option<Duration>,
    foreign: bool,
    origins: Vec<String>,
}

impl KeyWish {
    /// A sandbox key that may do everything.
    pub const fn test() -> Self {
        Self {
            kind: KeyKind::Test,
            scope: KeyScope::Full,
            only_from: Vec::new(),
            life: None,
            foreign: false,
            origins: Vec::new(),
        }
    }

    /// A live key that may do everything.
    pub const fn live() -> Self {
        Self {
            kind: KeyKind::Live,
            scope: KeyScope::Full,
            only_from: Vec::new(),
            life: None,
            foreign: false,
            origins: Vec::new(),
        }
    }

    /// It may only look.
    #[must_use]
    pub const fn read_only(mut self) -> Self {
        self.scope = KeyScope::ReadOnly;
        self
    }

    /// Pages of this origin may show it.
    #[must_use]
    pub fn for_page(mut self, origin: &str) -> Self {
        self.scope = KeyScope::Browser;
        self.origins.push(origin.to_owned());
        self
    }

    /// It may only be used from this network.
    #[must_use]
    pub fn only_from(mut self, network: &str) -> Self {
        self.only_from.push(network.to_owned());
        self
    }

    /// It dies by itself.
    #[must_use]
    pub const fn expires_in(mut self, life: Duration) -> Self {
        self.life = Some(life);
        self
    }

    /// It belongs to somebody else.
    #[must_use]
    pub const fn of_another_tenant(mut self) -> Self {
        self.foreign = true;
        self
    }

    fn order(&self, name: &str, tenant: TenantId, now: Timestamp) -> KeyOrder {
        KeyOrder {
            tenant,
            kind: self.kind,
            name: name.to_owned(),
            scope: self.scope,
            allowed_ips: self.only_from.iter().map(|network| network.parse().unwrap()).collect(),
            origins: self.origins.iter().map(|origin| origin.parse().unwrap()).collect(),
            expires_at: self.life.map(|life| now.plus(life)),
        }
    }
}

/// A server in the making.
#[derive(Debug, Clone)]
pub struct Builder {
    setup: Setup,
    wishes: BTreeMap<String, KeyWish>,
    installed: Option<Installed>,
    now: Timestamp,
    more_dialects: Vec<&'static dyn Wire>,
}

/// What a server stands on.
#[derive(Debug, Clone)]
struct Installed {
    dir: Arc<TempDir>,
    /// Secrets, by the keys' names.
    keys: BTreeMap<String, String>,
    access_keys: BTreeMap<String, String>,
    /// Whose they are; none where another server made them.
    tenant: Option<TenantId>,
}

/// A running server, and the caller with its sandbox key: what can be asked of a [`Client`] can be asked of it.
#[derive(Debug)]
pub struct TestApp {
    client: Client,
    admin: Client,
    keys: BTreeMap<String, String>,
    access_keys: BTreeMap<String, String>,
    tenant: Option<TenantId>,
    clock: Arc<ManualClock>,
    nodes: Vec<Node>,
    dir: Arc<TempDir>,
}

/// One process's worth of server.
#[derive(Debug)]
struct Node {
    bound: Bound,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Deref for TestApp {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// What the server's thread tells once it is bound.
#[derive(Debug)]
struct Bound {
    api: String,
    admin: String,
    platform: Arc<Platform>,
}

impl Builder {
    /// Changes the configuration.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(Setup) -> Setup) -> Self {
        self.setup = change(self.setup);
        self
    }

    /// Sets a configuration key.
    #[must_use]
    pub fn set(self, key: &str, value: impl Into<Value>) -> Self {
        self.with(|setup| setup.set(key, value))
    }

    /// Adds a named profile.
    #[must_use]
    pub fn service(self, id: &str, keys: &[(&str, Value)]) -> Self {
        self.with(|setup| setup.service(id, keys))
    }

    /// Mail goes to `sink`.
    #[must_use]
    pub fn live_email(self, sink: &MailSink) -> Self {
        self.with(|setup| setup.live_email(sink))
    }

    /// Text messages go to `double`.
    #[must_use]
    pub fn sms(self, double: &ProviderDouble) -> Self {
        self.with(|setup| setup.sms(double))
    }

    /// What a resend does to the old code.
    #[must_use]
    pub fn resend_policy(self, policy: &str) -> Self {
        self.set("session.resend_policy", policy)
    }

    /// No limit of sends is met by accident.
    #[must_use]
    pub fn generous(self) -> Self {
        self.with(Setup::generous)
    }

    /// A key beside `test` and `live`, which every server has.
    #[must_use]
    pub fn key(mut self, name: &str, wish: KeyWish) -> Self {
        self.wishes.insert(name.to_owned(), wish);
        self
    }

    /// Goes on with what another server left behind: its directory and the keys that are known, by name; one is `test`.
    #[must_use]
    pub fn on(mut self, dir: &Arc<TempDir>, keys: &[(&str, &str)]) -> Self {
        let keys = keys.iter().map(|(name, secret)| ((*name).to_owned(), (*secret).to_owned()));
        self.installed =
            Some(Installed { dir: Arc::clone(dir), keys: keys.collect(), access_keys: BTreeMap::new(), tenant: None });
        self
    }

    /// Where the clock stands.
    #[must_use]
    pub const fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// It speaks one more dialect.
    #[must_use]
    pub fn dialect(mut self, dialect: &'static dyn Wire) -> Self {
        self.more_dialects.push(dialect);
        self
    }

    /// Starts it.
    pub async fn spawn(self) -> TestApp {
        let clock = Arc::new(ManualClock::new(self.now));
        let rng: Arc<dyn Rng> = Arc::new(SeededRng::new(SEEDS.fetch_add(1, Ordering::Relaxed)));
        let Installed { dir, keys, access_keys, tenant } = match self.installed {
            Some(installed) => installed,
            None => install(&self.wishes, self.now, &*rng).await,
        };
        let planes = SharedPlanes::of(dir.path());
        let setup = match &planes {
            Some(planes) => planes.on(self.setup),
            None => self.setup,
        };
        setup.write(dir.path());
        let source = Source { file: None, data_dir: dir.path().to_owned(), environment: Vec::new() };
        let config = load(&source).unwrap_or_else(|error| panic!("{error}\n{}", setup.toml())).config;

        let mut nodes = Vec::new();
        for _ in 0..if planes.is_some() { 2 } else { 1 } {
            let clock = Arc::clone(&clock) as Arc<dyn Clock>;
            let (rng, more_dialects) = (Arc::clone(&rng), self.more_dialects.clone());
            // Whoever is late because the machine is busy is waited for.
            let patience = Some(PATIENCE / 2);
            let overrides = Overrides { clock: Arc::clone(&clock), rng, store_clock: Some(clock), patience, more_dialects };
            nodes.push(Node::start(DataDir::new(dir.path().to_owned()), config.clone(), overrides).await);
        }
        let client = Client::of_nodes(nodes.iter().map(|node| node.bound.api.clone()).collect()).with_key(&keys["test"]);
        let admin = Client::of_nodes(nodes.iter().map(|node| node.bound.admin.clone()).collect());
        TestApp { client, admin, keys, access_keys, tenant, clock, nodes, dir }
    }
}

impl Node {
    async fn start(data_dir: DataDir, config: Config, overrides: Overrides) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let serve = move || actix_web::rt::System::new().block_on(serve(data_dir, config, overrides, tell, stopped));
        let thread = std::thread::Builder::new().name("server".to_owned()).spawn(serve).unwrap();
        let bound = within_patience("a server", told).await.expect("the server starts");
        Self { bound, stop, thread }
    }
}

async fn serve(
    data_dir: DataDir,
    config: Config,
    overrides: Overrides,
    tell: oneshot::Sender<Bound>,
    stopped: oneshot::Receiver<()>,
) {
    let app = App::build(data_dir, config, overrides).await.expect("the server can be put together");
    let address = |address: std::net::SocketAddr| format!("http://{address}");
    let bound = Bound {
        api: address(app.api_addr().expect("it answers callers")),
        admin: address(app.admin_addr()),
        platform: Arc::clone(app.platform()),
    };
    let _ = tell.send(bound);
    // Also ends when the test is gone.
    let stopped = async { drop(stopped.await) };
    app.run_until(stopped).await.expect("the server stops in order");
}

/// An installation with the first start's sandbox key, a live key, and the keys wished for.
async fn install(wishes: &BTreeMap<String, KeyWish>, now: Timestamp, rng: &dyn Rng) -> Installed {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let (records, first) = if planes::is_shared() {
        let planes = tokio::task::spawn_blocking(SharedPlanes::start).await.unwrap();
        planes.belong_to(dir.path());
        let first = planes.install(dir.path(), now, rng).await;
        (planes.records().await, first)
    } else {
        let installation = Installation::open_or_create(DataDir::new(dir.path().to_owned()), now, rng).await.unwrap();
        let first = installation.first_key.as_ref().expect("a first start").secret().to_owned();
        (installation.records, first)
    };
    let owner = records.tenants().find_by_name(DEFAULT_TENANT).await.unwrap().unwrap().id;
    let other = TenantId::mint(now, rng, Partition::of(owner.bits() + 1));
    if wishes.values().any(|wish| wish.foreign) {
        records.tenants().insert(&Tenant { id: other, ..Tenant::new("other", now, rng) }).await.unwrap();
    }
    let mut keys = BTreeMap::from([("test".to_owned(), first)]);
    let live = ("live".to_owned(), KeyWish::live());
    for (name, wish) in wishes.clone().into_iter().chain([live]) {
        let made = NewKey::mint(wish.order(&name, if wish.foreign { other } else { owner }, now), now, rng);
        records.api_keys().insert(&made.key).await.unwrap();
        keys.insert(name, made.secret().to_owned());
    }
    let known = records.api_keys().all().await.unwrap();
    let access_key = |secret: &String| {
        let hash = secret_hash(secret);
        known.iter().find(|key| key.secret_hash == hash).expect("every key is in the records").access_key.0.clone()
    };
    let access_keys = keys.iter().map(|(name, secret)| (name.clone(), access_key(secret))).collect();
    records.close().await;
    Installed { dir, keys, access_keys, tenant: Some(owner) }
}

impl TestApp {
    /// A server as a newcomer gets it.
    pub async fn spawn() -> Self {
        Self::builder().spawn().await
    }

    /// A server as the test needs it.
    pub fn builder() -> Builder {
        Builder { setup: Setup::default(), wishes: BTreeMap::new(), installed: None, now: NOW, more_dialects: Vec::new() }
    }

    /// The caller with the live key.
    pub fn live(&self) -> Client {
        self.as_key("live")
    }

    /// The caller with one of the keys by its name.
    #[track_caller]
    pub fn as_key(&self, name: &str) -> Client {
        self.client.with_key(self.secret(name))
    }

    /// A caller without a key.
    pub fn nobody(&self) -> Client {
        self.client.without("X-API-Key")
    }

    /// The secret of a key.
    #[track_caller]
    pub fn secret(&self, name: &str) -> &str {
        self.keys.get(name).unwrap_or_else(|| panic!("no key {name}"))
    }

    /// Each key that this server was made with: its name, its secret and its access key.
    pub fn all_keys(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.access_keys.iter().map(|(name, access)| (name.as_str(), self.keys[name].as_str(), access.as_str()))
    }

    /// The tenant of the keys that are nobody else's, by its id.
    #[track_caller]
    pub fn tenant(&self) -> String {
        self.tenant.expect("a server that was set up by the test").to_string()
    }

    /// A caller of the operators' listener.
    pub const fn admin(&self) -> &Client {
        &self.admin
    }

    /// Where it keeps its state.
    pub const fn dir(&self) -> &Arc<TempDir> {
        &self.dir
    }

    /// Its data directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The moment it takes for now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What its tokens and proofs name as their issuer.
    pub fn issuer(&self) -> String {
        if SharedPlanes::of(self.path()).is_some() { planes::ISSUER.to_owned() } else { self.base().to_owned() }
    }

    /// Brings the session store back as it was, and waits until every node has noticed.
    pub async fn mend_store(&self) {
        if let Some(planes) = SharedPlanes::of(self.path()) {
            planes.redis.lock().unwrap().restart();
        } else {
            let broken = rusqlite::Connection::open(self.path().join("hot.db")).unwrap();
            broken.execute_batch("ALTER TABLE elsewhere RENAME TO meta; ALTER TABLE gone RENAME TO sessions").unwrap();
        }
        // Calls take turns over the nodes, and each worker of a node has a line of its own to the store: so many good answers in a row are some
        // of each.
        let (mut in_a_row, wanted) = (0, self.nodes.len() * 8);
        let noticed = async {
            while in_a_row < wanted {
                let is_ready = self.get("/readyz").await.status == 200;
                let is_served = self.get("/api/v1/otp/sessions?limit=1").await.status == 200;
                in_a_row = if is_ready && is_served { in_a_row + 1 } else { 0 };
            }
        };
        within_patience("every node to be ready", noticed).await;
    }

    /// Asks until the answer has this status: for what a node learns by looking now and then.
    pub async fn until_status(&self, path: &str, status: u16) {
        let asked = async { while self.get(path).await.status != status {} };
        within_patience("an answer of another status", asked).await;
    }

    /// Takes the session store away.
    pub fn break_store(&self) {
        if let Some(planes) = SharedPlanes::of(self.path()) {
            planes.redis.lock().unwrap().kill();
        } else {
            // What another layout of the tables does, a broken disk does as well: steps cannot be taken.
            let broken = rusqlite::Connection::open(self.path().join("hot.db")).unwrap();
            broken.execute_batch("ALTER TABLE meta RENAME TO elsewhere; ALTER TABLE sessions RENAME TO gone").unwrap();
        }
    }

    /// The verbs of the running server.
    #[track_caller]
    pub fn platform(&self) -> &Platform {
        &self.nodes.first().expect("a running server").bound.platform
    }

    /// Lets time pass.
    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Does what time alone asks for, to its end.
    #[track_caller]
    pub fn sweep(&self) -> impl Future<Output = ()> {
        let platform = Arc::clone(&self.nodes.first().expect("a running server").bound.platform);
        async move { while platform.sweep().await.expect("a sweep").more {} }
    }

    /// Stops it in order, and waits until it has let go of its directory.
    pub async fn stop(self) -> Arc<TempDir> {
        for Node { bound, stop, thread } in self.nodes {
            drop((bound, stop));
            let ended = tokio::task::spawn_blocking(move || thread.join());
            within_patience("the server's end", ended).await.unwrap().expect("the server's thread ends well");
        }
        self.dir
    }
}
