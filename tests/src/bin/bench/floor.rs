//! What the framework alone costs, and the framework with one script call, of a script that does nothing or of the product's own: each reads a
//! body and answers a fixed one.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use crate::steps::{self, Steps};

/// Makes this binary be the floor instead of the bench.
pub(crate) const ARGUMENT: &str = "floor";
/// The variable that makes the floor call a script in this Redis for each request.
const REDIS: &str = "BENCH_FLOOR_REDIS";
/// The variable that names a file of steps, to be called in place of the script that does nothing.
const STEPS: &str = "BENCH_FLOOR_STEPS";
/// A script that does nothing.
const SCRIPT: &str = "return ARGV[1]";

/// As long as a reply to a send.
const REPLY: &str = r#"{"success":true,"session_token":"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789","session_id":"ses_01KEZZZZZZZZZZZZZZZZZZZZZZ","channels_sent":{"email":{"success":true,"message_id":"msg_sandbox_01KEZZZZZZZZZZZZZZZZZZZZZZ"}},"expires_at":"2026-01-15T10:55:00.000Z","resend_after":"2026-01-15T10:45:30.000Z","verification_mode":"any","attempts_remaining":3,"message":"OTP sent","config":{"otp_length":6,"expiry_minutes":10,"max_attempts":3},"sandbox":true,"sandbox_otps":{"email":"482913"},"data":{}}"#;

/// This binary, being the floor with one script call a request.
pub(crate) fn on_redis(url: &str) -> Command {
    let mut command = crate::server::floor();
    command.env(REDIS, url);
    command
}

/// This binary, being the floor that takes the product's own steps.
pub(crate) fn with_steps(url: &str, steps: &Path) -> Command {
    let mut command = on_redis(url);
    command.env(STEPS, steps);
    command
}

/// Prints its address as the product does, and serves until killed.
pub(crate) fn serve() -> io::Result<()> {
    let (url, steps) = (std::env::var(REDIS).ok(), std::env::var_os(STEPS));
    actix_web::rt::System::new().block_on(async {
        match (url, steps) {
            (Some(url), Some(steps)) => serve_steps(&url, serde_json::from_slice(&std::fs::read(steps)?)?).await,
            (Some(url), None) => serve_scripts(&url).await,
            (None, _) => serve_fixed().await,
        }
    })
}

async fn serve_fixed() -> io::Result<()> {
    let answer = |_: web::Bytes| async { HttpResponse::Ok().content_type("application/json").body(REPLY) };
    let server = HttpServer::new(move || App::new().default_service(web::to(answer))).bind(("127.0.0.1", 0))?;
    tell(server.addrs()[0])?;
    server.run().await
}

/// One multiplexed connection a worker, as the product has.
async fn serve_scripts(url: &str) -> io::Result<()> {
    let client = redis::Client::open(url).map_err(io::Error::other)?;
    let connection = client.get_multiplexed_async_connection().await.map_err(io::Error::other)?;
    let digest: String =
        redis::cmd("SCRIPT").arg("LOAD").arg(SCRIPT).query_async(&mut connection.clone()).await.map_err(io::Error::other)?;
    let server = HttpServer::new(move || {
        let (client, digest) = (client.clone(), digest.clone());
        App::new()
            .data_factory(move || {
                let client = client.clone();
                async move { client.get_multiplexed_async_connection().await }
            })
            .app_data(web::Data::new(digest))
            .default_service(web::to(call_script))
    });
    let server = server.bind(("127.0.0.1", 0))?;
    tell(server.addrs()[0])?;
    server.run().await
}

async fn call_script(
    body: web::Bytes,
    connection: web::Data<redis::aio::MultiplexedConnection>,
    digest: web::Data<String>,
) -> HttpResponse {
    let mut connection = connection.get_ref().clone();
    let called: redis::RedisResult<Vec<u8>> =
        redis::cmd("EVALSHA").arg(digest.as_str()).arg(0).arg(body.as_ref()).query_async(&mut connection).await;
    match called {
        Ok(_) => HttpResponse::Ok().content_type("application/json").body(REPLY),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

/// The steps, and the numbers of those who are opened and verified next.
struct Taking {
    steps: Steps,
    opened: AtomicU64,
    verified: AtomicU64,
}

/// The product has loaded its scripts already.
async fn serve_steps(url: &str, steps: Steps) -> io::Result<()> {
    let client = redis::Client::open(url).map_err(io::Error::other)?;
    let taking = Arc::new(Taking { steps, opened: AtomicU64::new(0), verified: AtomicU64::new(0) });
    let server = HttpServer::new(move || {
        let client = client.clone();
        App::new()
            .data_factory(move || {
                let client = client.clone();
                async move { client.get_multiplexed_async_connection().await }
            })
            .app_data(web::Data::from(Arc::clone(&taking)))
            .default_service(web::to(take_step))
    });
    let server = server.bind(("127.0.0.1", 0))?;
    tell(server.addrs()[0])?;
    server.run().await
}

async fn take_step(
    request: HttpRequest,
    _body: web::Bytes,
    connection: web::Data<redis::aio::MultiplexedConnection>,
    taking: web::Data<Taking>,
) -> HttpResponse {
    let command = if request.path() == crate::SEND {
        taking.steps.open.command(taking.opened.fetch_add(1, Ordering::Relaxed))
    } else {
        taking.steps.verify.command(taking.verified.fetch_add(1, Ordering::Relaxed))
    };
    let mut connection = connection.get_ref().clone();
    match command.query_async::<redis::Value>(&mut connection).await {
        Ok(answer) if steps::was_taken(&answer) => HttpResponse::Ok().content_type("application/json").body(REPLY),
        answer => HttpResponse::ServiceUnavailable().body(format!("{answer:?}")),
    }
}

fn tell(address: std::net::SocketAddr) -> io::Result<()> {
    writeln!(io::stdout(), "{{\"api\":\"http://{address}\"}}")
}
