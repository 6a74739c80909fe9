//! A whole server: everything put together, bound, and run until it is told to stop.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use countersign_api::dialect::Wire;
use countersign_core::Platform;
use countersign_model::{Clock, OsRng, Rng, SystemClock};
use countersign_records::{Records, RecordsError};
use countersign_session::InvalidKeys;
use countersign_session::store::StoreError;
use tokio::net::TcpSocket;
use tracing::info;

use crate::config::{Config, ConfigError};
use crate::data_dir::{DataDir, DataDirError, ServeLock};
use crate::first_start::{FirstStart, Greeting};
use crate::installation::{DEFAULT_TENANT, Installation, InstallationError};
use crate::planes;
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
    /// What a session store that has a time of its own is to take for the time instead.
    pub store_clock: Option<Arc<dyn Clock>>,
    /// How long one part waits for another before it does without: a list over all time for the records to know what happened before it was asked
    /// for, a message for the nodes' common count of a provider's turns. None: the usual times of each.
    pub patience: Option<Duration>,
    /// Dialects beside the product's own.
    pub more_dialects: Vec<&'static dyn Wire>,
}

/// Which part of the work a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Answers callers.
    Api,
    /// Does what time and the log ask for. Its only listener is the operators'.
    Worker,
    /// Both.
    All,
}

impl Role {
    const fn serves_callers(self) -> bool {
        matches!(self, Self::Api | Self::All)
    }

    pub(crate) const fn works(self) -> bool {
        matches!(self, Self::Worker | Self::All)
    }
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
    /// The database has tables but no tenant.
    #[error("nothing is set up there yet: run countersign init once, with the configuration that all nodes have")]
    NotSetUp,
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
    role: Role,
    platform: Arc<Platform>,
    records: Records,
    servers: Servers,
    api_addr: Option<SocketAddr>,
    admin_addr: SocketAddr,
    first_start: Option<FirstStart>,
    // Last: the directory is given back when nothing works on it any more.
    lock: Option<ServeLock>,
}

impl Default for Overrides {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), rng: Arc::new(OsRng), store_clock: None, patience: None, more_dialects: Vec::new() }
    }
}

impl App {
    /// Opens or makes the installation, puts the parts together and binds both listeners. Callers that connect now wait until it runs.
    pub async fn build(data_dir: DataDir, config: Config, overrides: Overrides) -> Result<Self, AppError> {
        Self::build_as(Role::All, data_dir, config, overrides).await
    }

    /// The same for a node that does only part of the work.
    pub async fn build_as(role: Role, data_dir: DataDir, config: Config, overrides: Overrides) -> Result<Self, AppError> {
        let ways_out = config.routes(&overrides.clock, &overrides.rng)?;
        let key_file = config.key_file(&data_dir);
        let is_shared = config.redis.is_set();
        let lock = if is_shared {
            None
        } else {
            data_dir.create()?;
            Some(data_dir.lock()?)
        };
        // Before a first key is made: one that a failed start made would never be shown.
        let api = role.serves_callers().then(|| bind("http.listen", config.http.listen)).transpose()?;
        let (api, api_addr) = api.unzip();
        let (admin, admin_addr) = bind("admin.listen", config.admin.listen)?;
        let (material, records, first_key) = if is_shared {
            (Installation::shared_keys(&key_file)?, planes::open_records(&config, &data_dir).await?, None)
        } else {
            let installation =
                Installation::embedded(data_dir.clone(), &key_file, overrides.clock.now(), &*overrides.rng).await?;
            (installation.keys, installation.records, installation.first_key)
        };

        let public_url = config.public_url_at(api_addr.unwrap_or(config.http.listen));
        let more_dialects = overrides.more_dialects.clone();
        let platform = planes::platform(&config, &data_dir, &material, &records, ways_out, public_url, overrides).await?;
        if !platform.has_tenants() {
            return Err(AppError::NotSetUp);
        }
        let servers = server::build(&platform, api, admin, &config, more_dialects).map_err(AppError::Serve)?;

        let first_start = first_key.map(|key| FirstStart {
            data_dir: data_dir.path().display().to_string(),
            tenant: DEFAULT_TENANT,
            secret: key.secret().to_owned(),
        });
        Ok(Self { role, platform, records, servers, api_addr, admin_addr, first_start, lock })
    }

    /// Where the API listens; none: this node does not answer callers.
    #[must_use]
    pub const fn api_addr(&self) -> Option<SocketAddr> {
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
        let Self { role, platform, records, servers, lock, api_addr, admin_addr, .. } = self;
        info!(api = api_addr.map(tracing::field::display), admin = %admin_addr, ?role, "listening");
        let workers = Workers::start(&platform, role);
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
