//! Asks the nodes of a cluster for their map.

use std::sync::Arc;
use std::time::Duration;

use redis::{ConnectionAddr, ErrorKind, Pipeline, RedisError, RedisResult, Value, from_redis_value};

use super::super::connector::{Connector, address};
use super::super::info::Info;
use super::super::primary::bit;
use super::super::settings::is_tls;
use super::super::tags::{partitions, slot};
use super::super::topology::{Found, Topology};
use super::ask_all;

/// A cluster, by the nodes that the configuration names and those that were found.
#[derive(Debug)]
pub(crate) struct ClusterNodes {
    connector: Connector,
    addresses: Vec<ConnectionAddr>,
}

/// One node's map.
struct Map {
    /// Whether the node counts itself among a working majority.
    is_ok: bool,
    /// Maps with a higher number are newer.
    epoch: u64,
    found: Vec<Found>,
}

impl ClusterNodes {
    pub(super) fn new(connector: Connector, addresses: Vec<ConnectionAddr>) -> Self {
        Self { connector, addresses }
    }

    /// The newest map of all nodes that answer in time. Partitions whose slot nobody serves are in nobody's hands.
    pub(super) async fn ask(&self, known: &Topology) -> RedisResult<Vec<Found>> {
        let mut nodes = self.addresses.clone();
        for primary in &known.primaries {
            if !nodes.contains(primary.address()) {
                nodes.push(primary.address().clone());
            }
        }
        let all = nodes.len();
        let (maps, error) = ask_all(&self.connector, nodes, ask_one, |answers: &[Map]| answers.len() == all).await;
        match maps.into_iter().max_by_key(|map| (map.is_ok, map.epoch)) {
            Some(map) => Ok(map.found),
            None => Err(error.unwrap_or_else(|| RedisError::from((ErrorKind::ClusterConnectionNotFound, "no node answers")))),
        }
    }
}

async fn ask_one(connector: Arc<Connector>, node: ConnectionAddr) -> RedisResult<Map> {
    let mut connection = connector.connect(&connector.info(&node)?, Duration::ZERO).await?;
    let mut questions = Pipeline::with_capacity(2);
    questions.cmd("CLUSTER").arg("INFO").cmd("CLUSTER").arg("SLOTS");
    let (info, ranges): (String, Vec<Value>) = questions.query_async(&mut connection).await?;
    let info = Info::new(&info);
    let mut found: Vec<Found> = Vec::new();
    for range in ranges {
        let Some((first, last, address)) = read(range, &node) else { continue };
        let places = partitions().filter(|it| (first..=last).contains(&slot(*it))).fold(0, |places, it| places | bit(it));
        match found.iter_mut().find(|it| it.address == address) {
            Some(node) => node.places |= places,
            None => found.push(Found { address, places }),
        }
    }
    found.retain(|it| it.places != 0);
    Ok(Map { is_ok: info.text("cluster_state") == Some("ok"), epoch: info.number("cluster_current_epoch").unwrap_or(0), found })
}

/// A line of `CLUSTER SLOTS`: first and last slot, and who serves them. A node that does not know its own name leaves it out.
fn read(range: Value, node: &ConnectionAddr) -> Option<(u16, u16, ConnectionAddr)> {
    let Value::Array(range) = range else { return None };
    let mut range = range.into_iter();
    let (first, last) = (from_redis_value(range.next()?).ok()?, from_redis_value(range.next()?).ok()?);
    let Value::Array(primary) = range.next()? else { return None };
    let mut primary = primary.into_iter();
    let host: Option<String> = from_redis_value(primary.next()?).ok()?;
    let port: u16 = from_redis_value(primary.next()?).ok()?;
    let host = host.filter(|host| !host.is_empty() && host != "?").or_else(|| host_of(node))?;
    Some((first, last, address(&host, port, is_tls(node))))
}

fn host_of(node: &ConnectionAddr) -> Option<String> {
    match node {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => Some(host.clone()),
        _ => None,
    }
}
