//! The same on Redis and PostgreSQL, beside a floor that does one script call a request through the same kind of connection.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use countersign_testing::redis::RedisServer;
use countersign_testing::{PostgresDatabase, PostgresServer};
use serde_json::Value;

use crate::load::{Load, Phase};
use crate::server::{self, Server};
use crate::{CALLS, SEND, VERIFY, WARM_UP, floor, measured, send_body, verify_body};

/// The planes of one measured node.
struct Planes {
    redis: RedisServer,
    database: PostgresDatabase,
    _postgres: PostgresServer,
}

/// Sends and verifications of one node that answers callers; the log waits for a worker that is not there.
pub(crate) async fn measure(out: &mut impl Write, binary: &Path) -> io::Result<()> {
    let postgres = PostgresServer::start();
    let planes = Planes { redis: RedisServer::start(), database: postgres.database(), _postgres: postgres };
    writeln!(out, "on Redis (no append-only file) and PostgreSQL, a node of the role api")?;
    writeln!(out, "{}    redis us/call", Phase::HEADER)?;

    let floor = Server::start(floor::on_redis(&planes.redis.url()))?;
    let load = Load::new(floor.address, "none");
    load.run(SEND, WARM_UP, send_body).await?;
    let bare = planes.phase(out, &floor, "evalsha", &load, SEND, send_body).await?;
    drop(floor);

    let data = tempfile::tempdir()?;
    let run = |arguments: &[&str]| planes.product(binary, data.path(), arguments);
    finished(run(&["migrate"]))?;
    let told: Value = serde_json::from_slice(&finished(run(&["init", "--format", "json"]))?)?;
    let key = told["sandbox_key"].as_str().unwrap_or_default().to_owned();
    let server = Server::start(run(&["serve", "--role", "api", "--format", "json"]))?;
    let load = Load::new(server.address, &key);
    load.run(SEND, WARM_UP, |number| send_body(CALLS + number)).await?;
    let sends = planes.phase(out, &server, "send", &load, SEND, send_body).await?;
    let sessions: Arc<Vec<String>> = Arc::new(sends.replies.iter().map(|reply| verify_body(reply)).collect());
    let verified = planes.phase(out, &server, "verify", &load, VERIFY, move |number| sessions[number].clone()).await?;
    let right = verified.replies.iter().filter(|reply| reply.contains("\"session_verified\":true")).count();
    writeln!(
        out,
        "verified {right} of {CALLS}; of the floor: send {:.2}, verify {:.2}; peak memory of the node {:.1} MB",
        sends.per_second / bare.per_second,
        verified.per_second / bare.per_second,
        server.peak_megabytes()?,
    )?;
    if right == CALLS { Ok(()) } else { Err(io::Error::other("not every right code verified")) }
}

impl Planes {
    fn product(&self, binary: &Path, data_dir: &Path, arguments: &[&str]) -> Command {
        let mut command = server::product(binary, data_dir);
        let mut product = Command::new(binary);
        product.args(arguments).env_clear();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                product.env(name, value);
            }
        }
        command = product;
        command
            .env("COUNTERSIGN_PUBLIC_URL", "https://otp.example.test")
            .env("COUNTERSIGN_REDIS__URL", self.redis.url())
            .env("COUNTERSIGN_DATABASE__URL", self.database.url());
        command
    }

    async fn phase(
        &self,
        out: &mut impl Write,
        server: &Server,
        name: &'static str,
        load: &Load,
        path: &'static str,
        body: impl Fn(usize) -> String + Clone + 'static,
    ) -> io::Result<Phase> {
        let before = self.redis_time();
        let phase = measured(server, name, load, CALLS, path, body).await?;
        let spent = self.redis_time().saturating_sub(before);
        writeln!(out, "{phase}    {:>13}", spent.as_micros() / CALLS as u128)?;
        Ok(phase)
    }

    /// Processor time that Redis has used so far.
    fn redis_time(&self) -> Duration {
        let told = self.redis.cli(&["INFO", "cpu"]);
        let seconds = |name: &str| -> f64 {
            let line = told.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':')?.parse().ok());
            line.unwrap_or_default()
        };
        Duration::from_secs_f64(seconds("used_cpu_user") + seconds("used_cpu_sys"))
    }
}

fn finished(mut command: Command) -> io::Result<Vec<u8>> {
    let done = command.output()?;
    if done.status.success() {
        Ok(done.stdout)
    } else {
        Err(io::Error::other(String::from_utf8_lossy(&done.stderr).into_owned()))
    }
}
