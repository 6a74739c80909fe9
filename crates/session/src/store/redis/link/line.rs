//! One worker's connection to one primary: made when it is needed, made anew when it broke.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, ThreadId};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError, RedisResult, Value};
use tokio::runtime;
use tokio::sync::Mutex as Turn;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::prepare::{self, RunId};
use super::primary::Primary;
use super::script::Script;

/// How long after a failure the next attempt to connect waits: doubled each time, up to the second.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// Whose line it is. What drives a connection lives on the runtime that made it, and ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    thread: ThreadId,
    runtime: runtime::Id,
}

thread_local! {
    /// Ends with the thread, so that lines of workers that are gone can be told.
    static LIFE: Arc<()> = Arc::new(());
}

impl Worker {
    /// Who asks. Must be called where a runtime runs.
    pub(super) fn current() -> Self {
        Self { thread: thread::current().id(), runtime: runtime::Handle::current().id() }
    }

    /// Whether `self` took the place of `other`: the same thread, another runtime.
    pub(super) fn succeeds(&self, other: &Self) -> bool {
        self.thread == other.thread && self.runtime != other.runtime
    }
}

/// A connection that many calls share.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    redis: MultiplexedConnection,
    /// Which start of which server it leads to.
    pub(super) run: RunId,
    /// Tells it from those before and after it on the same line.
    serial: u64,
}

impl Connection {
    /// One answer within one try; an error that Redis answered is an error here.
    pub(super) async fn ask(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self.redis.send_packed_command(command).await? {
            Value::ServerError(error) => Err(error.into()),
            value => Ok(value),
        }
    }

    /// The same, to a node that does not own the slot yet.
    pub(super) async fn ask_importing(&mut self, command: &Cmd) -> RedisResult<Value> {
        let mut pipeline = redis::Pipeline::with_capacity(2);
        pipeline.cmd("ASKING").add_command(command.clone());
        let mut answers = self.redis.send_packed_commands(&pipeline, 0, 2).await?;
        match answers.pop() {
            Some(Value::ServerError(error)) => Err(error.into()),
            Some(value) => Ok(value),
            None => Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::UnexpectedEof))),
        }
    }

    pub(super) async fn load(&mut self, script: &Script) -> RedisResult<()> {
        prepare::load(&mut self.redis, script).await
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum NoConnection {
    /// An attempt failed. Another may be made.
    Failed(RedisError),
    /// The line is down for longer than a deadline, or the next attempt comes too late for who asks: nobody should wait for it. The last
    /// attempt's error.
    Down(RedisError),
}

/// Shared by the calls of one worker.
#[derive(Debug)]
pub(super) struct Line {
    life: Weak<()>,
    state: Mutex<State>,
    /// Who holds it connects; the others wait for what comes of it.
    turn: Turn<()>,
}

#[derive(Debug)]
struct State {
    connection: Option<Connection>,
    made: u64,
    failures: u32,
    /// Since when, and why the last attempt failed.
    down: Option<(Instant, RedisError)>,
    not_before: Instant,
    heard_at: Instant,
}

impl Line {
    /// A line of the thread that asks.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let state = State { connection: None, made: 0, failures: 0, down: None, not_before: now, heard_at: now };
        Self { life: LIFE.with(Arc::downgrade), state: Mutex::new(state), turn: Turn::new(()) }
    }

    /// Whether the thread whose line it is has ended.
    pub(super) fn is_orphaned(&self) -> bool {
        self.life.strong_count() == 0
    }

    /// The connection, if need be a new one. Attempts that follow failures wait their time.
    pub(super) async fn connection(&self, primary: &Primary, until: Instant) -> Result<Connection, NoConnection> {
        if let Some(connection) = &self.state().connection {
            return Ok(connection.clone());
        }
        let Ok(_turn) = timeout_at(until, self.turn.lock()).await else { return Err(NoConnection::Failed(out_of_time())) };
        let not_before = {
            let state = self.state();
            if let Some(connection) = &state.connection {
                return Ok(connection.clone());
            }
            let now = Instant::now();
            if let Some((since, error)) = &state.down {
                let is_long_down = now.duration_since(*since) > primary.connector().deadline;
                if state.not_before > now && (is_long_down || state.not_before >= until) {
                    return Err(NoConnection::Down(error.clone()));
                }
            }
            state.not_before
        };
        sleep_until(not_before).await;
        let made = timeout_at(until, primary.connect()).await.ok();
        let mut state = self.state();
        let now = Instant::now();
        match made {
            Some(Ok((redis, run))) => {
                state.made += 1;
                state.failures = 0;
                state.down = None;
                state.heard_at = now;
                let connection = Connection { redis, run, serial: state.made };
                state.connection = Some(connection.clone());
                Ok(connection)
            }
            failed => {
                let pause = BACKOFF.0.saturating_mul(1 << state.failures.min(10)).min(BACKOFF.1);
                state.failures += 1;
                state.not_before = now + pause;
                let (since, before) = state.down.take().map_or((now, None), |(since, error)| (since, Some(error)));
                // An attempt that was cut short says less than the one before it.
                let error = failed.and_then(RedisResult::err).or(before).unwrap_or_else(out_of_time);
                state.down = Some((since, error.clone()));
                Err(NoConnection::Failed(error))
            }
        }
    }

    /// Somebody was answered.
    pub(super) fn heard(&self) {
        self.state().heard_at = Instant::now();
    }

    /// Gives a connection up, unless another has taken its place already. Calls that wait for its answers go on waiting.
    pub(super) fn give_up(&self, connection: &Connection) {
        let mut state = self.state();
        if state.connection.as_ref().is_some_and(|current| current.serial == connection.serial) {
            state.connection = None;
        }
    }

    /// Gives a connection up if nobody was answered on it for `span`: nobody is there, though nothing said so.
    pub(super) fn give_up_if_silent(&self, connection: &Connection, span: Duration) {
        if self.state().heard_at.elapsed() >= span {
            self.give_up(connection);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn out_of_time() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
}
