//! Answers that must survive a failover wait here until a replica has what they say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use redis::aio::MultiplexedConnection;
use redis::{ConnectionInfo, Pipeline, RedisResult};
use tokio::sync::{mpsc, oneshot};

use super::prepare::{self, RunId};
use super::primary::{Equipment, held};
use super::tags::tag;

/// What a tag's key for the barrier is called behind the tag.
const KEY: &str = "barrier";

/// How long that key lives after the last round, in ms. Every round moves it, and that is the write a replica must have.
const LIFE: u64 = 86_400_000;

/// One server's barrier: a task that owns a connection and sends rounds while somebody waits. Who comes while a round is under way waits
/// for the next one.
#[derive(Debug)]
pub(super) struct Barrier {
    desk: mpsc::UnboundedSender<Waiter>,
}

/// Who waits, for what the server of this run has done.
#[derive(Debug)]
struct Waiter {
    run: RunId,
    tell: oneshot::Sender<bool>,
}

impl Barrier {
    /// Starts the task. It ends with the value.
    pub(super) fn start(info: ConnectionInfo, places: Arc<AtomicU16>, equipment: &Arc<Equipment>) -> Self {
        let (desk, waiting) = mpsc::unbounded_channel();
        let rounds = Rounds { info, places, equipment: Arc::clone(equipment), connection: None };
        equipment.runtime.spawn(rounds.serve(waiting));
        Self { desk }
    }

    /// Whether a replica has everything that the server of `run` had done when this was called.
    pub(super) async fn pass(&self, run: RunId) -> bool {
        let (tell, told) = oneshot::channel();
        self.desk.send(Waiter { run, tell }).is_ok() && told.await.unwrap_or(false)
    }
}

struct Rounds {
    info: ConnectionInfo,
    places: Arc<AtomicU16>,
    equipment: Arc<Equipment>,
    connection: Option<(MultiplexedConnection, RunId)>,
}

impl Rounds {
    async fn serve(mut self, mut waiting: mpsc::UnboundedReceiver<Waiter>) {
        let mut group = Vec::new();
        while waiting.recv_many(&mut group, usize::MAX).await > 0 {
            let confirmed = match self.round().await {
                Ok(confirmed) => confirmed,
                Err(error) => {
                    tracing::warn!(%error, waiting = group.len(), "a round of the replication barrier failed");
                    self.connection = None;
                    None
                }
            };
            for waiter in group.drain(..) {
                // A server that was started anew, or another one, knows nothing of what the old one did.
                let _gone = waiter.tell.send(confirmed == Some(waiter.run));
            }
        }
    }

    /// Which run of the server a replica has followed up to now; none when no replica did in time.
    async fn round(&mut self) -> RedisResult<Option<RunId>> {
        let (connection, run) = match &mut self.connection {
            Some(connected) => connected,
            none => {
                let mut connection = self.equipment.connector.connect(&self.info, self.equipment.barrier_wait).await?;
                let run = prepare::greet(&mut connection).await?.run;
                none.insert((connection, run))
            }
        };
        let places = self.places.load(Ordering::Relaxed);
        let wait = u64::try_from(self.equipment.barrier_wait.as_millis()).unwrap_or(u64::MAX);
        let answers: Vec<u64> = move_keys(places, wait).query_async(connection).await?;
        let [moved @ .., replicas] = answers.as_slice() else { return Ok(None) };
        let mut replicas = *replicas;
        if moved.contains(&0) {
            make_keys(places).exec_async(connection).await?;
            replicas = redis::cmd("WAIT").arg(1).arg(wait).query_async(connection).await?;
        }
        Ok((replicas > 0).then_some(*run))
    }
}

/// One write for each tag, so that a server that has lost a slot says so, then the wait. Moving an expiry is a write that Redis does not
/// refuse when its memory is used up; setting a key would be.
fn move_keys(places: u16, wait: u64) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(17);
    for partition in held(places) {
        pipeline.cmd("PEXPIRE").arg([tag(partition), KEY].concat()).arg(LIFE);
    }
    pipeline.cmd("WAIT").arg(1).arg(wait);
    pipeline
}

fn make_keys(places: u16) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(16);
    for partition in held(places) {
        pipeline.cmd("SET").arg([tag(partition), KEY].concat()).arg("").arg("PX").arg(LIFE);
    }
    pipeline
}
