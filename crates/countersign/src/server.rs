//! The two listeners.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::Server;
use countersign_api::dialect::Wire;
use countersign_api::{Api, ApiConfig, ServerConfig, Surface, TrustedProxies};
use countersign_core::Platform;

use crate::config::{Config, Http};

/// Both listeners, bound.
pub(crate) struct Servers {
    /// None on a node that only works.
    api: Option<Server>,
    admin: Server,
}

/// Puts the API and the operators' pages on their listeners.
pub(crate) fn build(
    platform: &Arc<Platform>,
    api: Option<TcpListener>,
    admin: TcpListener,
    config: &Config,
    more_dialects: Vec<&'static dyn Wire>,
) -> io::Result<Servers> {
    let (trusted_proxies, version) = (trusted_proxies(&config.http), env!("CARGO_PKG_VERSION"));
    let http = ApiConfig { trusted_proxies, version, more_dialects };
    let surface = Api::new(Arc::clone(platform), http);
    let callers = ServerConfig { workers: config.http.workers, ..ServerConfig::default() };
    let operators = ServerConfig { workers: Some(1), ..ServerConfig::default() };
    Ok(Servers {
        api: api.map(|api| countersign_api::bind(api, Surface::Public, &surface, &callers)).transpose()?,
        admin: countersign_api::bind(admin, Surface::Admin, &surface, &operators)?,
    })
}

fn trusted_proxies(http: &Http) -> TrustedProxies {
    match http.trusted_hops {
        0 => TrustedProxies::Networks(http.trusted_proxies.clone()),
        hops => TrustedProxies::Hops(hops),
    }
}

impl Servers {
    /// Serves until `shutdown` ends or a listener breaks off; then both finish what they have.
    pub(crate) async fn run_until(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let (stop_api, stop_admin) = (self.api.as_ref().map(Server::handle), self.admin.handle());
        let api = async {
            match self.api {
                Some(api) => api.await,
                None => Ok(()),
            }
        };
        let served = async { tokio::try_join!(api, self.admin).map(|((), ())| ()) };
        tokio::pin!(served);
        let broken = tokio::select! {
            ended = &mut served => Some(ended),
            () = shutdown => None,
        };
        // The operators' listener goes last: whoever watches a stop asks there.
        let stopping = async {
            if let Some(api) = stop_api {
                api.stop(true).await;
            }
            stop_admin.stop(true).await;
        };
        match broken {
            Some(ended) => {
                stopping.await;
                ended
            }
            None => tokio::join!(stopping, served).1,
        }
    }
}
