//! What calls, health and administration share: the map of the servers and the way to each.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use countersign_model::{Clock, Partition};
use deadpool_redis::Connection as Owned;
use redis::RedisResult;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::connector::Connector;
use super::discovery::Discovery;
use super::error::{LinkError, told};
use super::health::Health;
use super::line::{Connection, Line, NoConnection};
use super::meta::Owner;
use super::primary::{Equipment, Primary};
use super::replicated::Replicated;
use super::script::Script;
use super::settings::{InvalidSetting, RedisServers, RedisSettings};
use super::topology::Topology;

/// How long sentinels and nodes are left alone between two questions.
const GAP: Duration = Duration::from_millis(50);

pub(super) struct Shared {
    pub(super) settings: RedisSettings,
    /// This installation.
    pub(super) owner: Owner,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) equipment: Arc<Equipment>,
    pub(super) discovery: Discovery,
    pub(super) health: RwLock<Arc<Health>>,
    topology: RwLock<Arc<Topology>>,
    /// Who holds it asks for the map; when that was last done.
    asking: Mutex<Option<Instant>>,
    /// Who holds it asks how the servers do; when that was last begun.
    pub(super) examining: Mutex<Option<Instant>>,
    in_flight: AtomicUsize,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.settings.servers)
    }
}

/// A connection to who takes the steps of a partition.
pub(super) struct Place {
    pub(super) primary: Arc<Primary>,
    pub(super) line: Arc<Line>,
    pub(super) connection: Connection,
    /// Which state of the map said so.
    pub(super) topology: u64,
}

/// A call that is under way.
pub(super) struct Flight<'a>(&'a AtomicUsize);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    pub(super) fn new(
        settings: RedisSettings,
        scripts: &'static [&'static Script],
        owner: Owner,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidSetting> {
        settings.validate()?;
        let connector = Connector::to_servers(&settings)?;
        let discovery = Discovery::new(&settings, &connector)?;
        connector.check()?;
        let equipment = Arc::new(Equipment {
            connector,
            scripts,
            replicated: Replicated::new(settings.barrier, matches!(discovery, Discovery::Sentinel(_))),
            barrier_wait: settings.barrier_wait,
            runtime: tokio::runtime::Handle::current(),
        });
        Ok(Self {
            settings,
            owner,
            clock,
            equipment,
            discovery,
            health: RwLock::default(),
            topology: RwLock::default(),
            asking: Mutex::new(None),
            examining: Mutex::new(None),
            in_flight: AtomicUsize::new(0),
        })
    }

    /// Counts a call in. Refuses it when there are as many as may be.
    pub(super) fn take_off(&self) -> Result<Flight<'_>, LinkError> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let flight = Flight(&self.in_flight);
        if before < self.settings.in_flight { Ok(flight) } else { Err(LinkError::Overloaded) }
    }

    pub(super) fn topology(&self) -> Arc<Topology> {
        Arc::clone(&self.topology.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks who the primaries are, once for all who want to know at the same time.
    pub(super) async fn rediscover(&self) -> RedisResult<()> {
        let wanted_at = Instant::now();
        let mut asked_at = self.asking.lock().await;
        if let Some(asked_at) = *asked_at {
            if asked_at >= wanted_at || !self.can_learn() {
                return Ok(());
            }
            sleep_until(asked_at + GAP).await;
        }
        let known = self.topology();
        let began_at = Instant::now();
        let found = self.discovery.ask(&known).await;
        *asked_at = Some(began_at);
        if let Some(after) = known.after(&found?, &self.equipment)? {
            let primaries: Vec<_> = after.primaries.iter().map(|it| super::connector::shown(it.address())).collect();
            tracing::info!(?primaries, "the primaries of Redis are others");
            *self.topology.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(after);
        }
        Ok(())
    }

    /// What is told where another installation's data lies.
    pub(super) fn foreign(&self) -> LinkError {
        let servers = &self.settings.servers;
        let instead = if matches!(servers, RedisServers::Single { .. }) { "a database number or a server" } else { "servers" };
        let why =
            format!("leads to a Redis that holds another installation's sessions: give each installation {instead} of its own");
        LinkError::Foreign(InvalidSetting::new(servers.key(), why))
    }

    /// A connection to who takes the steps of `partition`, by `until`. Connecting is tried again and again; nothing is sent.
    pub(super) async fn reach(&self, partition: Partition, until: Instant) -> Result<Place, LinkError> {
        loop {
            let topology = self.topology();
            let (cause, is_down) = match topology.primary(partition) {
                None => ("nobody names a server for the partition".to_owned(), false),
                Some(primary) if primary.is_foreign() => return Err(self.foreign()),
                Some(primary) => {
                    let line = primary.line();
                    match line.connection(primary, until).await {
                        Ok(connection) => {
                            return Ok(Place { primary: Arc::clone(primary), line, connection, topology: topology.number });
                        }
                        Err(NoConnection::Failed(error)) => (told(&error), false),
                        Err(NoConnection::Down(error)) => (told(&error), true),
                    }
                }
            };
            let knows_more = self.look_again(topology.number, until).await;
            if Instant::now() >= until || (is_down && !knows_more) {
                return Err(LinkError::Unavailable(cause));
            }
        }
    }

    /// Whether asking for the map may tell what is not known.
    fn can_learn(&self) -> bool {
        self.discovery.can_change() || self.topology().number == 0
    }

    /// Asks for the map; whether it is another than `number`.
    async fn look_again(&self, number: u64, until: Instant) -> bool {
        if self.can_learn() {
            match timeout_at(until, self.rediscover()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "nobody says who the primaries of Redis are"),
                Err(_) => return false,
            }
        }
        self.topology().number != number
    }

    /// Asks for the map until it is another than `number`, at the latest until `until`.
    pub(super) async fn wait_for_other(&self, number: u64, until: Instant) {
        while self.topology().number == number && Instant::now() < until {
            self.look_again(number, until).await;
        }
    }

    /// A connection that belongs to the caller alone until it is dropped.
    pub(super) async fn own(&self, partition: Partition) -> Result<Owned, LinkError> {
        let until = Instant::now() + self.settings.deadline;
        let topology = self.topology();
        let mut cause = "nobody names a server for the partition".to_owned();
        if let Some(primary) = topology.primary(partition) {
            match primary.pool().get().await {
                Ok(owned) => return Ok(owned),
                Err(error) => cause = error.to_string(),
            }
        }
        self.look_again(topology.number, until).await;
        let topology = self.topology();
        let Some(primary) = topology.primary(partition) else { return Err(LinkError::Unavailable(cause)) };
        primary.pool().get().await.map_err(|error| LinkError::Unavailable(error.to_string()))
    }
}
