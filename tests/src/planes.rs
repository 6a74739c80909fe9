//! What the servers of a test stand on: the embedded pair or, where the run asks for it, Redis and PostgreSQL under two nodes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use countersign::config::{Config, Source, load};
use countersign::{DataDir, setup};
use countersign_model::{Rng, SystemClock, Timestamp};
use countersign_records::{Place, Records};
use countersign_session::store::RedisStore;
use countersign_session::{BudgetRule, CodeKeys};
use countersign_testing::redis::{RedisOptions, RedisServer};
use countersign_testing::{PostgresDatabase, PostgresServer};
use secrecy::SecretString;

use crate::Setup;

/// The variable that asks for the shared pair: `COUNTERSIGN_TEST_PLANES=shared`.
const VARIABLE: &str = "COUNTERSIGN_TEST_PLANES";

/// The address under which callers know the nodes.
pub const ISSUER: &str = "https://otp.example.test";

/// Whether this run is about several nodes on Redis and PostgreSQL.
pub fn is_shared() -> bool {
    std::env::var(VARIABLE).is_ok_and(|planes| planes == "shared")
}

/// A Redis and a PostgreSQL database of one installation's own. They end with the value.
pub struct SharedPlanes {
    /// Where sessions live.
    pub redis: Mutex<RedisServer>,
    redis_url: String,
    database: PostgresDatabase,
}

impl std::fmt::Debug for SharedPlanes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SharedPlanes({})", self.redis_url)
    }
}

/// The planes of the installations of this process, by their folder: a server that starts again finds them.
static KNOWN: Mutex<Option<HashMap<PathBuf, Arc<SharedPlanes>>>> = Mutex::new(None);

impl SharedPlanes {
    /// Starts them. What Redis has written outlives its process, as tests need it that kill one; nobody waits for the disk.
    pub fn start() -> Arc<Self> {
        Self::start_with(RedisOptions::default().append_only("no"))
    }

    /// Starts them with a Redis of a certain kind.
    pub fn start_with(options: RedisOptions) -> Arc<Self> {
        let redis = RedisServer::start_with(options);
        let redis_url = redis.url();
        Arc::new(Self { redis: Mutex::new(redis), redis_url, database: PostgresServer::shared().database() })
    }

    /// Remembers them for the installation in `folder`.
    pub fn belong_to(self: &Arc<Self>, folder: &Path) {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert_default().insert(folder.to_owned(), Arc::clone(self));
    }

    /// Those of the installation in `folder`.
    pub fn of(folder: &Path) -> Option<Arc<Self>> {
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.get(folder).cloned()
    }

    /// The address of the database.
    pub fn database_url(&self) -> String {
        self.database.url()
    }

    /// A configuration that uses them.
    pub fn on(&self, setup: Setup) -> Setup {
        setup
            .set("redis.url", self.redis_url.as_str())
            .set("database.url", self.database.url())
            .set("database.connections", 4)
            // A step that comes late on a busy machine is no failure; one that never comes is given up soon enough.
            .or_set("redis.try_ms", 5_000)
            .or_set("redis.deadline_ms", 5_000)
            .or_set("public_url", ISSUER)
    }

    /// Sets an installation up on them, as `countersign migrate` and `countersign init` do, and gives its first key's secret.
    pub async fn install(&self, folder: &Path, now: Timestamp, rng: &dyn Rng) -> String {
        self.on(Setup::default()).write(folder);
        let records = self.records().await;
        records.migrate().await.unwrap();
        records.close().await;
        let made = setup::shared(&config(folder), &DataDir::new(folder.to_owned()), now, rng).await.unwrap();
        made.first_key.expect("a first start").secret().to_owned()
    }

    /// Its session store, as a node that has the installation's keys sees it.
    pub fn store(&self, folder: &Path, keys: Arc<CodeKeys>, budget: BudgetRule) -> RedisStore {
        let settings = config(folder).redis_settings().unwrap().expect("sessions live in Redis");
        RedisStore::open(settings, keys, Arc::new(SystemClock), budget).unwrap()
    }

    /// Its records.
    pub async fn records(&self) -> Records {
        Records::open(Place::Url(SecretString::from(self.database.url()))).await.unwrap()
    }
}

fn config(folder: &Path) -> Config {
    let source = Source { file: None, data_dir: folder.to_owned(), environment: Vec::new() };
    load(&source).unwrap_or_else(|error| panic!("{error}")).config
}
