//! One server that takes steps.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use countersign_model::Partition;
use deadpool_redis::{Manager, Pool, Runtime};
use redis::aio::MultiplexedConnection;
use redis::{ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, RedisResult};
use tokio::runtime::Handle;

use super::barrier::Barrier;
use super::connector::{Connector, shown};
use super::line::{Line, Worker};
use super::prepare::{self, RunId};
use super::replicated::Replicated;
use super::script::Script;

/// How many connections of one server may be owned at a time.
const POOL: usize = 8;

/// A server with the connections to it: one of each worker, a pool of such that are owned for a while, and the barrier's.
pub(super) struct Primary {
    address: ConnectionAddr,
    equipment: Arc<Equipment>,
    info: ConnectionInfo,
    pool: Pool,
    lines: RwLock<HashMap<Worker, Arc<Line>>>,
    /// Which partitions it holds: a bit each.
    places: Arc<AtomicU16>,
    barrier: Barrier,
    is_memory_low: AtomicBool,
    is_foreign: AtomicBool,
}

/// What every server's connections need.
pub(super) struct Equipment {
    pub(super) connector: Connector,
    pub(super) scripts: &'static [&'static Script],
    pub(super) replicated: Replicated,
    pub(super) barrier_wait: Duration,
    /// Where what belongs to no worker runs.
    pub(super) runtime: Handle,
}

impl fmt::Debug for Primary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Primary({})", shown(&self.address))
    }
}

impl Primary {
    /// Connects to nothing yet.
    pub(super) fn new(address: ConnectionAddr, places: u16, equipment: &Arc<Equipment>) -> RedisResult<Arc<Self>> {
        let connector = &equipment.connector;
        let info = connector.info(&address)?;
        let manager = Manager::new_with_config(info.clone(), connector.config(connector.deadline))?;
        let pool = Pool::builder(manager)
            .max_size(POOL)
            .wait_timeout(Some(connector.per_try))
            .create_timeout(Some(connector.per_try))
            .recycle_timeout(Some(connector.per_try))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|_| RedisError::from((ErrorKind::InvalidClientConfig, "the pool has no runtime")))?;
        let places = Arc::new(AtomicU16::new(places));
        let barrier = Barrier::start(info.clone(), Arc::clone(&places), equipment);
        Ok(Arc::new(Self {
            address,
            equipment: Arc::clone(equipment),
            info,
            pool,
            lines: RwLock::default(),
            places,
            barrier,
            is_memory_low: AtomicBool::new(false),
            is_foreign: AtomicBool::new(false),
        }))
    }

    pub(super) const fn address(&self) -> &ConnectionAddr {
        &self.address
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.equipment.connector
    }

    pub(super) const fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) const fn barrier(&self) -> &Barrier {
        &self.barrier
    }

    /// Which partitions it holds: a bit each.
    pub(super) fn places(&self) -> u16 {
        self.places.load(Ordering::Relaxed)
    }

    pub(super) fn set_places(&self, places: u16) {
        self.places.store(places, Ordering::Relaxed);
    }

    /// Its partitions, in order.
    pub(super) fn partitions(&self) -> impl Iterator<Item = Partition> + use<> {
        held(self.places())
    }

    /// Whether so much of its memory is used that it should take no new sessions.
    pub(super) fn is_memory_low(&self) -> bool {
        self.is_memory_low.load(Ordering::Relaxed)
    }

    pub(super) fn set_memory_low(&self, is_low: bool) {
        self.is_memory_low.store(is_low, Ordering::Relaxed);
    }

    /// Whether it holds another installation's data, as far as was last seen.
    pub(super) fn is_foreign(&self) -> bool {
        self.is_foreign.load(Ordering::Relaxed)
    }

    pub(super) fn set_foreign(&self, is_foreign: bool) {
        self.is_foreign.store(is_foreign, Ordering::Relaxed);
    }

    /// The line of the worker that asks.
    pub(super) fn line(&self) -> Arc<Line> {
        let worker = Worker::current();
        if let Some(line) = self.lines.read().unwrap_or_else(PoisonError::into_inner).get(&worker) {
            return Arc::clone(line);
        }
        let mut lines = self.lines.write().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|other, line| !line.is_orphaned() && !worker.succeeds(other));
        Arc::clone(lines.entry(worker).or_insert_with(|| Arc::new(Line::new())))
    }

    /// A connection with the scripts loaded.
    pub(super) async fn connect(&self) -> RedisResult<(MultiplexedConnection, RunId)> {
        let mut connection = self.equipment.connector.connect(&self.info, Duration::ZERO).await?;
        let greeting = prepare::greet(&mut connection).await?;
        if greeting.is_replicated {
            self.equipment.replicated.note(self.places());
        }
        prepare::load_missing(&mut connection, self.equipment.scripts).await?;
        Ok((connection, greeting.run))
    }
}

/// The partitions whose bits are set.
pub(super) fn held(places: u16) -> impl Iterator<Item = Partition> {
    super::tags::partitions().filter(move |partition| places & bit(*partition) != 0)
}

/// The bit of a partition.
pub(super) const fn bit(partition: Partition) -> u16 {
    1 << partition.number()
}
