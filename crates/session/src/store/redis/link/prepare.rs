//! What happens on a new connection before a step is sent over it.

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind};

use super::info::Info;
use super::script::Script;

/// Which start of which server it was: another after every start, so that a server that came back without its memory is told from the one
/// that took a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunId(u128);

impl RunId {
    /// From the hexadecimal digits that Redis shows.
    pub(super) fn parse(digits: &str) -> Option<Self> {
        u128::from_str_radix(digits.get(..32)?, 16).ok().map(Self)
    }
}

/// What a server says of itself to somebody who has just connected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Greeting {
    pub(super) run: RunId,
    /// Whether it has replicas, or wants some.
    pub(super) is_replicated: bool,
}

/// Asks who answers, and refuses a replica: what is written there is lost.
pub(super) async fn greet(connection: &mut MultiplexedConnection) -> RedisResult<Greeting> {
    let mut pipeline = Pipeline::with_capacity(2);
    pipeline.cmd("INFO").arg("server").cmd("INFO").arg("replication");
    let (server, replication): (String, String) = pipeline.query_async(connection).await?;
    let (server, replication) = (Info::new(&server), Info::new(&replication));
    if replication.text("role") != Some("master") {
        return Err(RedisError::from((ErrorKind::Server(ServerErrorKind::ReadOnly), "the server is a replica")));
    }
    let run = server.text("run_id").and_then(RunId::parse);
    let run = run.ok_or_else(|| RedisError::from((ErrorKind::UnexpectedReturnType, "the server does not say its run_id")))?;
    Ok(Greeting { run, is_replicated: replication.is_replicated() })
}

/// Loads the scripts that the server does not have.
pub(super) async fn load_missing(connection: &mut MultiplexedConnection, scripts: &[&Script]) -> RedisResult<()> {
    if scripts.is_empty() {
        return Ok(());
    }
    let mut exists = redis::cmd("SCRIPT");
    exists.arg("EXISTS");
    for script in scripts {
        exists.arg(script.sha());
    }
    let known: Vec<bool> = exists.query_async(connection).await?;
    for (script, is_known) in scripts.iter().zip(known) {
        if !is_known {
            load(connection, script).await?;
        }
    }
    Ok(())
}

/// Loads one script.
pub(super) async fn load(connection: &mut MultiplexedConnection, script: &Script) -> RedisResult<()> {
    redis::cmd("SCRIPT").arg("LOAD").arg(script.text()).exec_async(connection).await
}
