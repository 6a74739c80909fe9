//! One listener and the threads behind it.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, web};

use crate::api::Api;
use crate::serve;

/// What a listener is for. The two never share a port: operators' pages stay away from callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The API, its documentation, and what probes and relying parties read.
    Public,
    /// Metrics and probes.
    Admin,
}

/// How a listener treats connections.
#[derive(Debug, Clone, Copy)]
pub struct ServerConfig {
    /// Threads that serve calls; none: one per core.
    pub workers: Option<usize>,
    /// How long an idle connection is kept.
    pub keep_alive: Duration,
    /// How long a request's head may take to arrive. A body has ten seconds on top. After a standstill of the machine this is looked at before what
    /// has arrived meanwhile: a short time would turn away callers who were quick.
    pub head_timeout: Duration,
    /// How long a closing connection may take.
    pub disconnect_timeout: Duration,
    /// Most connections of one worker; further ones wait to be accepted.
    pub max_connections: usize,
    /// How long a graceful stop waits for running requests.
    pub shutdown_timeout: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            workers: None,
            keep_alive: Duration::from_secs(75),
            head_timeout: Duration::from_secs(20),
            disconnect_timeout: Duration::from_secs(2),
            max_connections: 10_000,
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// Serves `surface` on a listener that is bound already. Nothing is accepted until the returned future runs.
///
/// Fails when the listener cannot be handed over to the runtime.
pub fn bind(listener: TcpListener, surface: Surface, api: &Arc<Api>, config: &ServerConfig) -> io::Result<Server> {
    let api = web::Data::from(Arc::clone(api));
    let server = HttpServer::new(move || {
        App::new().app_data(api.clone()).configure(|service| match surface {
            Surface::Public => serve::public(service),
            Surface::Admin => serve::admin(service),
        })
    });
    let server = match config.workers {
        Some(workers) => server.workers(workers.max(1)),
        None => server,
    };
    let server = server
        .disable_signals()
        .tcp_nodelay(true)
        .keep_alive(config.keep_alive)
        .client_request_timeout(config.head_timeout)
        .client_disconnect_timeout(config.disconnect_timeout)
        .max_connections(config.max_connections)
        .shutdown_timeout(config.shutdown_timeout.as_secs())
        .listen(listener)?;
    Ok(server.run())
}
