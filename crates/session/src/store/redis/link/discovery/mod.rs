//! Who the primaries are: said by the configuration, by sentinels, or by the nodes of a cluster.

mod cluster;
mod sentinel;

use std::sync::Arc;

use redis::{ConnectionAddr, RedisError, RedisResult};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use self::cluster::ClusterNodes;
use self::sentinel::Sentinels;
use super::connector::Connector;
use super::settings::{InvalidSetting, RedisServers, RedisSettings};
use super::topology::{Found, Topology};

/// Whom to ask.
#[derive(Debug)]
pub(super) enum Discovery {
    /// Nobody: one server holds everything.
    Single(ConnectionAddr),
    Sentinel(Sentinels),
    Cluster(ClusterNodes),
}

impl Discovery {
    pub(super) fn new(settings: &RedisSettings, servers: &Connector) -> Result<Self, InvalidSetting> {
        let addresses: Vec<ConnectionAddr> = settings.addresses()?.iter().map(|info| info.addr().clone()).collect();
        Ok(match &settings.servers {
            RedisServers::Single { .. } => match addresses.into_iter().next() {
                Some(address) => Self::Single(address),
                None => return Err(InvalidSetting::new("redis.url", "is empty")),
            },
            RedisServers::Sentinel { master, user, password, .. } => {
                let connector = Connector::to_sentinels(settings, user.as_deref(), password.as_ref())?;
                Self::Sentinel(Sentinels::new(connector, addresses, master.clone()))
            }
            RedisServers::Cluster { .. } => Self::Cluster(ClusterNodes::new(servers.clone(), addresses)),
        })
    }

    /// Whether asking again may give another answer.
    pub(super) const fn can_change(&self) -> bool {
        !matches!(self, Self::Single(_))
    }

    /// Who the primaries are now.
    pub(super) async fn ask(&self, known: &Topology) -> RedisResult<Vec<Found>> {
        match self {
            Self::Single(address) => Ok(vec![Found { address: address.clone(), places: u16::MAX }]),
            Self::Sentinel(sentinels) => sentinels.ask().await,
            Self::Cluster(nodes) => nodes.ask(known).await,
        }
    }
}

/// Asks all at once, each for at most one try, until `enough` has been heard. What nobody answered is none; the last error is given back.
async fn ask_all<A, F>(
    connector: &Connector,
    addresses: Vec<ConnectionAddr>,
    question: impl Fn(Arc<Connector>, ConnectionAddr) -> F,
    enough: impl Fn(&[A]) -> bool,
) -> (Vec<A>, Option<RedisError>)
where
    A: Send + 'static,
    F: Future<Output = RedisResult<A>> + Send + 'static,
{
    let until = Instant::now() + connector.per_try;
    let connector = Arc::new(connector.clone());
    let mut asked = JoinSet::new();
    for address in addresses {
        asked.spawn(question(Arc::clone(&connector), address));
    }
    let (mut answers, mut last) = (Vec::new(), None);
    while let Ok(Some(Ok(answer))) = timeout_at(until, asked.join_next()).await {
        match answer {
            Ok(answer) => answers.push(answer),
            Err(error) => last = Some(error),
        }
        if enough(&answers) {
            break;
        }
    }
    (answers, last)
}
