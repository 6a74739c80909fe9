//! From a host's name to the addresses that are connected to, with one look-up.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::guard::Guard;

/// Looks hosts up. Handed in, so that tests decide what a name means.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// All addresses of `host`.
    ///
    /// # Errors
    /// When the name is not known or nobody could be asked.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the system, which asks the hosts file and DNS.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|socket| socket.ip()).collect())
    }
}

/// The name has no address, or nobody could say.
#[derive(Debug, thiserror::Error)]
#[error("the host cannot be looked up")]
pub(crate) struct LookupFailed(#[source] Option<io::Error>);

/// What the HTTP client resolves names with: nothing leaves it that the guard has not let pass. The client connects to what it is given here
/// and looks nothing up itself.
pub(crate) struct GuardedResolver {
    pub(crate) guard: Guard,
    pub(crate) resolver: Arc<dyn Resolver>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, resolver) = (self.guard.clone(), Arc::clone(&self.resolver));
        Box::pin(async move {
            let addresses = resolver.resolve(name.as_str()).await.map_err(|failure| LookupFailed(Some(failure)))?;
            if addresses.is_empty() {
                return Err(LookupFailed(None).into());
            }
            // One inner address among public ones is enough to refuse: which of them is connected to is not ours to say.
            for address in &addresses {
                guard.check_address(*address)?;
            }
            // Port 0 stands for the port of the URL.
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}
