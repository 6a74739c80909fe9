//! How the servers do.

mod examine;
mod findings;
mod watch;

use std::time::Duration;

use countersign_model::{Partition, Timestamp};

pub use self::findings::{Finding, Severity};
pub(super) use self::watch::Watch;

/// A node whose clock is further off takes no steps.
pub(super) const MOST_OFF: Duration = Duration::from_secs(1);

/// What all servers said when they were last asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// When they were asked; none: not yet.
    pub asked_at: Option<Timestamp>,
    /// The primaries that are known.
    pub nodes: Vec<NodeHealth>,
    /// Partitions for which nobody takes steps.
    pub unserved: Vec<Partition>,
}

/// One primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeHealth {
    /// `host:port`, or the path of a socket.
    pub address: String,
    /// What it holds.
    pub partitions: Vec<Partition>,
    /// What it says, or why it says nothing.
    pub state: Result<NodeFacts, String>,
}

/// What a primary says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFacts {
    /// `7.0.15`.
    pub version: String,
    /// How far its clock is ahead of this machine's, in ms.
    pub clock_ahead: i64,
    /// Bytes in use.
    pub used_memory: u64,
    /// Bytes that may be in use; zero: no bound.
    pub max_memory: u64,
    /// Bytes of the machine.
    pub system_memory: u64,
    /// What it does when its memory is used up.
    pub memory_policy: String,
    /// Whether it keeps an append-only file.
    pub append_only: bool,
    /// When that file is written to disk; none: the server does not tell.
    pub append_fsync: Option<String>,
    /// When it writes snapshots; empty: never; none: the server does not tell.
    pub snapshots: Option<String>,
    /// Replicas that are connected.
    pub replicas: u64,
    /// Whether it refuses writes without replicas.
    pub demands_replicas: bool,
    /// Its partitions that hold no data of ours.
    pub uninitialised: Vec<Partition>,
    /// Its partitions that hold another installation's data.
    pub foreign: Vec<Partition>,
}

impl NodeFacts {
    /// How much of what it may use is used, in percent. Without a bound: of the machine's memory.
    #[must_use]
    pub fn memory_percent(&self) -> u64 {
        let bound = if self.max_memory > 0 { self.max_memory } else { self.system_memory };
        (self.used_memory * 100).checked_div(bound).unwrap_or(0)
    }

    /// Whether its clock and ours are too far apart for steps to be judged by its time.
    #[must_use]
    pub fn is_clock_off(&self) -> bool {
        u128::from(self.clock_ahead.unsigned_abs()) > MOST_OFF.as_millis()
    }
}

impl Health {
    /// Why steps cannot be taken on every partition; none: they can.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        if self.asked_at.is_none() {
            return Some("Redis was not asked yet".to_owned());
        }
        if let Some(partition) = self.unserved.first() {
            return Some(format!("no server of Redis takes steps for partition {}", partition.number()));
        }
        self.nodes.iter().find_map(|node| match &node.state {
            Err(why) => Some(format!("{}: {why}", node.address)),
            Ok(facts) if facts.is_clock_off() => {
                Some(format!("{}: its clock is {} ms ahead of ours", node.address, facts.clock_ahead))
            }
            Ok(facts) if !facts.foreign.is_empty() => Some(format!("{} holds another installation's data", node.address)),
            Ok(facts) if !facts.uninitialised.is_empty() => Some(format!("{} holds no data of ours", node.address)),
            Ok(_) => None,
        })
    }
}
