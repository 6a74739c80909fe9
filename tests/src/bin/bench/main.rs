//! How fast the release build is on this machine, on both pairs of stores: sandbox sends, then verifications of those sessions, over 64 kept
//! connections.
//!
//! One run also measures a floor, a handler of the same HTTP framework that answers a fixed body to the same client, so that numbers of
//! different machines can be compared by their ratio to it. The load generator runs on the same cores and is counted apart.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

mod floor;
mod load;
mod server;
mod shared;
mod steps;

use std::io::{self, Write};
use std::sync::Arc;

use crate::load::{Load, Phase};
use crate::server::Server;

/// Connections that are busy all the time.
const CONNECTIONS: usize = 64;
/// Calls that are not counted: they fill caches and make the connections.
const WARM_UP: usize = 2_000;
/// Sends that are counted, and verifications.
const CALLS: usize = 40_000;

const SEND: &str = "/api/v1/otp/send";
const VERIFY: &str = "/api/v1/otp/verify";

fn main() -> io::Result<()> {
    if std::env::args().nth(1).as_deref() == Some(floor::ARGUMENT) {
        return floor::serve();
    }
    if cfg!(debug_assertions) {
        return Err(io::Error::other("numbers of a debug build say nothing: run make bench"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::task::LocalSet::new().run_until(measure()))
}

async fn measure() -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{CONNECTIONS} connections, {CALLS} calls a phase, load generator on the same {} cores", cores())?;
    writeln!(out, "on the embedded pair")?;
    writeln!(out, "{}", Phase::HEADER)?;

    let floor = Server::start(server::floor())?;
    let load = Load::new(floor.address, "none");
    load.run(SEND, WARM_UP, send_body).await?;
    let bare = measured(&floor, "floor", &load, CALLS, SEND, send_body).await?;
    writeln!(out, "{bare}")?;
    drop(floor);

    let binary = server::build()?;
    let data = tempfile::tempdir()?;
    let server = Server::start(server::product(&binary, data.path()))?;
    let load = Load::new(server.address, server.key.as_deref().unwrap());
    load.run(SEND, WARM_UP, |number| send_body(CALLS + number)).await?;
    let sends = measured(&server, "send", &load, CALLS, SEND, send_body).await?;
    writeln!(out, "{sends}")?;
    let sessions: Arc<Vec<String>> = Arc::new(sends.replies.iter().map(|reply| verify_body(reply)).collect());
    let verified = measured(&server, "verify", &load, sessions.len(), VERIFY, move |number| sessions[number].clone()).await?;
    let right = verified.replies.iter().filter(|reply| reply.contains("\"session_verified\":true")).count();
    writeln!(out, "{verified}")?;
    writeln!(
        out,
        "verified {right} of {CALLS}; of the floor: send {:.2}, verify {:.2}",
        sends.per_second / bare.per_second,
        verified.per_second / bare.per_second
    )?;
    writeln!(out, "peak memory of the server {:.1} MB; files {:.1} MB", server.peak_megabytes()?, megabytes(data.path())?)?;
    if right != CALLS {
        return Err(io::Error::other("not every right code verified"));
    }
    drop(server);
    writeln!(out)?;
    shared::measure(&mut out, &binary).await
}

/// A phase with the processor time of both sides.
async fn measured(
    server: &Server,
    name: &'static str,
    load: &Load,
    calls: usize,
    path: &'static str,
    body: impl Fn(usize) -> String + Clone + 'static,
) -> io::Result<Phase> {
    let (theirs, ours) = (server.processor_time()?, server::own_processor_time()?);
    let mut phase = load.run(path, calls, body).await?;
    phase.name = name;
    phase.server_time = server.processor_time()?.saturating_sub(theirs);
    phase.generator_time = server::own_processor_time()?.saturating_sub(ours);
    Ok(phase)
}

fn send_body(number: usize) -> String {
    format!(r#"{{"channels":["email"],"recipients":{{"email":"person-{number}@example.com"}}}}"#)
}

/// Token and code of a reply to a send, as the body of a verification.
fn verify_body(reply: &str) -> String {
    let token = between(reply, "\"session_token\":\"", "\"");
    let code = between(reply, "\"sandbox_otps\":{\"email\":\"", "\"");
    format!(r#"{{"session_token":"{token}","otps":{{"email":"{code}"}}}}"#)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).map_or("", |(found, _)| found)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn megabytes(folder: &std::path::Path) -> io::Result<f64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(server::mega(bytes))
}
