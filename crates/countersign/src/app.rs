//! A whole server: everything put together, bound, and run until it is told to stop.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use countersign_channels::Router;
use countersign_core::{Directory, Metrics, Parts, Platform, Tasks};
use countersign_model::{Clock, OsRng, Rng, SystemClock};
use countersign_records::{Records, RecordsError};
use countersign_session::store::{SessionStore, SqliteOptions, SqliteStore, StoreError};
use countersign_session::{CodeKeys, InvalidKeys, Proofs, SessionTokens};
use tokio::net::TcpSocket;
use tokio::runtime::Handle;
use tracing::info;

use crate::config::{Config, ConfigError};
use crate::data_dir::{DataDir, DataDirError, ServeLock};
use crate::first_start::{FirstStart, Greeting};
use crate::installation::{DEFAULT_TENANT, Installation, InstallationError};
use crate::server::{self, Servers};
use crate::workers::Workers;

/// How long a stop waits for deliveries that nobody waits for any more.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections that may wait to be taken; the system may allow fewer.
const BACKLOG: u32 = 2_048;

/// What a test puts in the place of the machine's own.
#[derive(Clone)]
pub struct Overrides {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub rng: Arc<dyn Rng>,
}

/// Why a server cannot start, or broke off.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory is taken, or cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// Keys or records cannot be used.
    #[error(transparent)]
    Installation(#[from] InstallationError),
    /// The records cannot be read.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The key file holds keys that do not fit together.
    #[error("the key file cannot be used: put it back from a backup")]
    Keys(#[from] InvalidKeys),
    /// The session database cannot be opened.
    #[error("the session database cannot be opened: run countersign doctor")]
    Store(#[from] StoreError),
    /// An address is taken or not ours.
    #[error("{key} = {address} cannot be bound: is another server running there?")]
    Bind {
        /// The configuration key.
        key: &'static str,
        /// What it says.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A listener broke off.
    #[error("a listener broke off")]
    Serve(#[source] io::Error),
}

/// A server that is bound and ready to run. Dropping it gives everything back.
pub struct App {
    platform: Arc<Platform>,
    directory: Arc<Directory>,
    records: Records,
    records_version: i64,
    servers: Servers,
    api_addr: SocketAddr,
    admin_addr: SocketAddr,
    first_start: Option<FirstStart>,
    // Last: the directory is given back when nothing works on it any more.
    lock: ServeLock,
}

impl Default for Overrides {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), rng: Arc::new(OsRng) }
    }
}

impl App {
    /// Opens or makes the installation, puts the parts together and binds both listeners. Callers that connect now wait until it runs.
    pub async fn build(data_dir: DataDir, config: Config, overrides: Overrides) -> Result<Self, AppError> {
        let Overrides { clock, rng } = overrides;
        let ways_out = config.routes(&clock)?;
        data_dir.create()?;
        let lock = data_dir.lock()?;
        // Before a first key is made: one that a failed start made would never be shown.
        let (api, api_addr) = bind("http.listen", config.http.listen)?;
        let (admin, admin_addr) = bind("admin.listen", config.admin.listen)?;
        let installation = Installation::open_or_create(data_dir, clock.now(), &*rng).await?;

        let settings = config.settings(config.public_url_at(api_addr));
        let material = &installation.keys;
        let keys = Arc::new(CodeKeys::open(material)?);
        let tokens = Arc::new(SessionTokens::open(material, &settings.public_url, &config.region)?);
        let proofs = Arc::new(Proofs::open(material, &settings.public_url)?);
        let hot = SqliteOptions { path: installation.data_dir.hot_file() };
        let store: Arc<dyn SessionStore> =
            Arc::new(SqliteStore::open(hot, Arc::clone(&keys), Arc::clone(&clock), settings.limits.budget)?);
        let metrics = Arc::new(Metrics::default());
        let router = Router::new(ways_out, Arc::clone(&metrics) as _);

        let records = installation.records;
        let records_version = records.data_version().await?;
        let directory = Arc::new(Directory::new(countersign_core::Records { keys: records.api_keys().all().await? }));
        let tasks = Tasks::on(Handle::current());
        let parts = Parts {
            store,
            router,
            keys,
            tokens,
            proofs,
            directory: Arc::clone(&directory),
            settings,
            clock,
            rng,
            metrics,
            tasks,
        };
        let platform = Platform::new(parts);
        let servers = server::build(&platform, api, admin, &config).map_err(AppError::Serve)?;

        let first_start = installation.first_key.map(|key| FirstStart {
            data_dir: installation.data_dir.path().display().to_string(),
            tenant: DEFAULT_TENANT,
            secret: key.secret().to_owned(),
        });
        Ok(Self { platform, directory, records, records_version, servers, api_addr, admin_addr, first_start, lock })
    }

    /// Where the API listens.
    #[must_use]
    pub const fn api_addr(&self) -> SocketAddr {
        self.api_addr
    }

    /// Where operators are listened to.
    #[must_use]
    pub const fn admin_addr(&self) -> SocketAddr {
        self.admin_addr
    }

    /// The verbs, for whoever drives a server from within its process.
    #[must_use]
    pub const fn platform(&self) -> &Arc<Platform> {
        &self.platform
    }

    /// The records, for whoever drives a server from within its process.
    #[must_use]
    pub const fn records(&self) -> &Records {
        &self.records
    }

    /// What to tell the person who started it. Tells a secret at the first call after a first start, and never again.
    pub fn greeting(&mut self) -> Greeting {
        Greeting::new(self.api_addr, self.admin_addr, self.first_start.take())
    }

    /// Serves until `shutdown` ends, then stops accepting, lets what runs finish for at most 30 seconds, and closes the databases.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Result<(), AppError> {
        let Self { platform, directory, records, records_version, servers, lock, api_addr, admin_addr, .. } = self;
        info!(api = %api_addr, admin = %admin_addr, "listening");
        let workers = Workers::start(Arc::clone(&platform), directory, records.clone(), records_version);
        let served = servers.run_until(shutdown).await;
        workers.stop().await;
        platform.finish(PATIENCE).await;
        drop(platform);
        records.close().await;
        drop(lock);
        info!("stopped");
        served.map_err(AppError::Serve)
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("api", &self.api_addr).field("admin", &self.admin_addr).finish_non_exhaustive()
    }
}

fn bind(key: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), AppError> {
    let listen = || -> io::Result<TcpListener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    let failed = |source| AppError::Bind { key, address, source };
    let listener = listen().map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
