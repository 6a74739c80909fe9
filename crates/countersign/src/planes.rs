//! The two planes of an installation: where sessions live and where records live. Two pairs exist, and no mixture of them.

use std::sync::Arc;

use countersign_channels::{Router, Routes};
use countersign_core::{Directory, Metrics, Parts, Platform, SharedPace, Tasks};
use countersign_model::{Clock, SystemClock};
use countersign_records::{Records, Snapshot};
use countersign_session::store::{InvalidSetting, RedisSettings, RedisStore, SessionStore, SqliteOptions, SqliteStore};
use countersign_session::{BudgetRule, CodeKeys, KeyMaterial, Proofs, SessionTokens};
use tokio::runtime::Handle;
use tracing::warn;

use crate::app::{AppError, Overrides};
use crate::config::{Config, ConfigError, Problem};
use crate::data_dir::DataDir;
use crate::installation::Installation;

/// Opens the place where sessions live, unless it is another installation's. `store_clock` tells Redis the time in place of its own.
async fn open_sessions(
    config: &Config,
    data_dir: &DataDir,
    keys: &Arc<CodeKeys>,
    clock: &Arc<dyn Clock>,
    store_clock: Option<&Arc<dyn Clock>>,
) -> Result<Arc<dyn SessionStore>, AppError> {
    let budget = config.budget();
    match config.redis_settings()? {
        None => {
            let options = SqliteOptions { path: data_dir.hot_file() };
            Ok(Arc::new(SqliteStore::open(options, Arc::clone(keys), Arc::clone(clock), budget)?))
        }
        Some(settings) => {
            let store = open_redis(settings, keys, budget, store_clock)?;
            claim(&store).await?;
            Ok(Arc::new(store))
        }
    }
}

fn open_redis(
    settings: RedisSettings,
    keys: &Arc<CodeKeys>,
    budget: BudgetRule,
    store_clock: Option<&Arc<dyn Clock>>,
) -> Result<RedisStore, AppError> {
    let store = RedisStore::open(settings, Arc::clone(keys), Arc::new(SystemClock), budget);
    let store = store.map_err(|setting| invalid(&setting))?;
    Ok(match store_clock {
        Some(clock) => store.at_time(Arc::clone(clock)),
        None => store,
    })
}

fn invalid(setting: &InvalidSetting) -> ConfigError {
    ConfigError::Invalid(vec![Problem::of_redis(setting)])
}

/// Refuses a Redis that holds another installation's sessions.
pub(crate) async fn claim(store: &RedisStore) -> Result<(), AppError> {
    Ok(store.claim().await.map_err(|setting| invalid(&setting))?)
}

/// The engine over Redis itself, for what only it knows; none where sessions live in a file.
pub(crate) fn redis(config: &Config, keys: &Arc<CodeKeys>) -> Result<Option<RedisStore>, AppError> {
    let budget = config.budget();
    config.redis_settings()?.map(|settings| open_redis(settings, keys, budget, None)).transpose()
}

/// Opens the place where records live. An address is not tried: see [`directory`].
pub(crate) async fn open_records(config: &Config, data_dir: &DataDir) -> Result<Records, AppError> {
    Ok(match config.database_place()? {
        None => Records::open(&data_dir.records_file()).await?,
        Some((place, options)) => Records::open_with(place, options).await?,
    })
}

/// What requests need of the records: from their database or, while that is away, from the copy that lies with the sessions.
async fn directory(records: &Records, store: &dyn SessionStore) -> Result<Directory, AppError> {
    let away = match current(records).await {
        Ok(snapshot) => return Ok(Directory::new(snapshot)),
        Err(error @ AppError::Records(countersign_records::RecordsError::Unavailable(_))) => error,
        Err(other) => return Err(other),
    };
    let copy = store.saved_configuration().await?.and_then(|copy| serde_json::from_slice::<Snapshot>(&copy).ok());
    match copy {
        Some(snapshot) => {
            warn!(version = snapshot.version, "the records database is away: starting with the copy beside the sessions");
            Ok(Directory::new(snapshot))
        }
        None => Err(away),
    }
}

async fn current(records: &Records) -> Result<Snapshot, AppError> {
    records.reach().await?;
    records.check().await?.require_current()?;
    Ok(records.snapshot().await?)
}

/// The verbs on both planes, under the address `public_url`.
pub(crate) async fn platform(
    config: &Config,
    data_dir: &DataDir,
    material: &KeyMaterial,
    records: &Records,
    ways_out: Routes,
    public_url: String,
    overrides: Overrides,
) -> Result<Arc<Platform>, AppError> {
    let Overrides { clock, rng, store_clock, patience, more_dialects: _ } = overrides;
    let mut settings = config.settings(public_url);
    settings.history_wait = patience.unwrap_or(settings.history_wait);
    let keys = Arc::new(CodeKeys::open(material)?);
    let tokens = Arc::new(SessionTokens::open(material, &settings.public_url, &config.region)?);
    let proofs = Arc::new(Proofs::open(material, &settings.public_url)?);
    let store = open_sessions(config, data_dir, &keys, &clock, store_clock.as_ref()).await?;
    let directory = Arc::new(directory(records, &*store).await?);
    let metrics = Arc::new(Metrics::default());
    let mut router = Router::new(ways_out, Arc::clone(&metrics) as _);
    if config.is_shared() {
        let pace = SharedPace::new(Arc::clone(&store), Arc::clone(&keys));
        router = router.paced_by(Arc::new(match patience {
            Some(patience) => pace.waiting(patience),
            None => pace,
        }));
    }
    Ok(Platform::new(Parts {
        store,
        router,
        keys,
        tokens,
        proofs,
        records: records.clone(),
        directory,
        settings,
        webhooks: config.webhook_settings(),
        clock,
        rng,
        metrics,
        tasks: Tasks::on(Handle::current()),
    }))
}

/// An installation that is there, opened for one command at the terminal, beside whatever server runs.
pub(crate) struct Planes {
    /// What lasts.
    pub(crate) records: Records,
    /// The verbs, with no listener and no workers behind them.
    pub(crate) platform: Arc<Platform>,
}

impl Planes {
    /// Opens both planes with no way out: for what sends nothing, which needs no secret of a provider. What a start would make is not made here.
    pub(crate) async fn open(config: &Config, data_dir: &DataDir) -> Result<Self, AppError> {
        Self::with(config.closed_routes()?, config, data_dir).await
    }

    /// The same with every way out.
    pub(crate) async fn open_to_send(config: &Config, data_dir: &DataDir) -> Result<Self, AppError> {
        let Overrides { clock, rng, .. } = Overrides::default();
        Self::with(config.routes(&clock, &rng)?, config, data_dir).await
    }

    async fn with(ways_out: Routes, config: &Config, data_dir: &DataDir) -> Result<Self, AppError> {
        let records =
            if config.is_shared() { open_records(config, data_dir).await? } else { Installation::records(data_dir).await? };
        let material = Installation::shared_keys(&config.key_file(data_dir))?;
        let (url, overrides) = (config.public_url(), Overrides::default());
        let platform = platform(config, data_dir, &material, &records, ways_out, url, overrides).await?;
        Ok(Self { records, platform })
    }

    /// Lets go of both planes.
    pub(crate) async fn close(self) {
        drop(self.platform);
        self.records.close().await;
    }
}
