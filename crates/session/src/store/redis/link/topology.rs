//! Which server holds which partition, as last heard.

use std::sync::Arc;

use countersign_model::Partition;
use redis::{ConnectionAddr, RedisResult};

use super::primary::{Equipment, Primary, bit};

/// A primary that somebody named, and its partitions: a bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) address: ConnectionAddr,
    pub(super) places: u16,
}

/// One state of the map. Another state is another value.
#[derive(Debug, Default)]
pub(super) struct Topology {
    /// Counts the states.
    pub(super) number: u64,
    pub(super) primaries: Vec<Arc<Primary>>,
}

impl Topology {
    /// Who takes the steps of a partition; none when nobody said so yet.
    pub(super) fn primary(&self, partition: Partition) -> Option<&Arc<Primary>> {
        self.primaries.iter().find(|primary| primary.places() & bit(partition) != 0)
    }

    /// Who listens at an address, if it is one of the primaries.
    pub(super) fn at(&self, address: &ConnectionAddr) -> Option<&Arc<Primary>> {
        self.primaries.iter().find(|primary| primary.address() == address)
    }

    /// The map after `found`; none when nothing is different. Connections to servers that stay are kept.
    pub(super) fn after(&self, found: &[Found], equipment: &Arc<Equipment>) -> RedisResult<Option<Self>> {
        let is_known = |it: &Found| self.at(&it.address).is_some_and(|primary| primary.places() == it.places);
        if found.len() == self.primaries.len() && found.iter().all(is_known) {
            return Ok(None);
        }
        let primaries = found.iter().map(|it| match self.at(&it.address) {
            Some(primary) => {
                primary.set_places(it.places);
                Ok(Arc::clone(primary))
            }
            None => Primary::new(it.address.clone(), it.places, equipment),
        });
        Ok(Some(Self { number: self.number + 1, primaries: primaries.collect::<RedisResult<_>>()? }))
    }
}
