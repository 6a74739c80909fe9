//! The same on Redis and PostgreSQL, beside two floors that do one script call a request through the same kind of connection: of a script that
//! does nothing, which is what the framework and the way to Redis admit; and of the product's own scripts with arguments that were made before,
//! which is what Redis admits. What lies between the second and the product is the product's own: HTTP, keys, JSON, tokens, codes, words.

use std::fs;
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
use crate::steps::{Listener, Steps};
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
    let peak = server.peak_megabytes()?;
    let steps = planes.overhear(&load).await?;
    drop(server);

    let file = data.path().join("steps.json");
    fs::write(&file, serde_json::to_vec(&steps)?)?;
    let floor = Server::start(floor::with_steps(&planes.redis.url(), &file))?;
    let load = Load::new(floor.address, "none");
    let opens = planes.phase(out, &floor, "step open", &load, SEND, send_body).await?;
    let judges = planes.phase(out, &floor, "step verify", &load, VERIFY, send_body).await?;

    let ratios = |send: &Phase, verify: &Phase| {
        let (send, verify) = (sends.per_second / send.per_second, verified.per_second / verify.per_second);
        format!("send {send:.2}, verify {verify:.2}")
    };
    writeln!(out, "verified {right} of {CALLS}; peak memory of the node {peak:.1} MB")?;
    writeln!(out, "of a handler that calls a script that does nothing: {}", ratios(&bare, &bare))?;
    writeln!(out, "of a handler that takes the same step and nothing else: {}", ratios(&opens, &judges))?;
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

    /// The steps of one more send and its verification.
    async fn overhear(&self, load: &Load) -> io::Result<Steps> {
        let url = self.redis.url();
        let address = url.trim_start_matches("redis://").trim_end_matches('/');
        let listener = Listener::start(address).await?;
        let sent = load.run(SEND, 1, |_| send_body(CALLS + WARM_UP)).await?;
        let body = verify_body(sent.replies.first().map_or("", String::as_str));
        load.run(VERIFY, 1, move |_| body.clone()).await?;
        listener.steps().await
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
